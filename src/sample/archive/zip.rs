//! Zip (PKWARE's APPNOTE.TXT), stored or compressed, also encrypted with ZipCrypto or AES.

use super::error::ArchiveError;
use super::unpacker::{Source, Unpacker};
use crate::sample::sparse_bytes::SparseBytes;
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// A zip that contains one of these is a document or a package, not an archive.
const DOCUMENTS: [&str; 4] =
    ["[Content_Types].xml", "META-INF/MANIFEST.MF", "AndroidManifest.xml", "mimetype"];

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let mut archive = ZipArchive::new(source).map_err(ArchiveError::damaged)?;
    if DOCUMENTS.iter().any(|name| archive.index_for_name(name).is_some()) {
        return Err(ArchiveError::Document(super::member::Note::hint("document", "")));
    }
    // The password that opened the last member is tried first on the next.
    let mut likeliest = 0;
    for i in 0..archive.len() {
        let (name, encrypted) = match archive.by_index_raw(i) {
            Ok(member) if member.is_dir() => continue,
            Ok(member) => (member.name_raw().to_vec(), member.encrypted()),
            Err(error) => {
                unpacker.budget.take_member()?;
                unpacker.fail(path, format!("member {}", i + 1).as_bytes(), ArchiveError::damaged(error))?;
                continue;
            }
        };
        unpacker.budget.take_member()?;
        match read_member(unpacker, &mut archive, i, encrypted, &mut likeliest) {
            Ok(bytes) => unpacker.take(path, &name, bytes)?,
            Err(error) => unpacker.fail(path, &name, error)?,
        }
    }
    Ok(())
}

/// Reads member `i`. `likeliest` is the index of the password to try first.
fn read_member(
    unpacker: &mut Unpacker<'_>,
    archive: &mut ZipArchive<&mut dyn Source>,
    i: usize,
    encrypted: bool,
    likeliest: &mut usize,
) -> Result<SparseBytes, ArchiveError> {
    if !encrypted {
        let mut reader = archive.by_index(i).map_err(ArchiveError::damaged)?;
        return unpacker.budget.read(&mut reader, ArchiveError::damaged);
    }
    let count = unpacker.passwords.len();
    for attempt in 0..count {
        let which = (*likeliest + attempt) % count;
        let password = unpacker.passwords.get(which).unwrap_or_default();
        let read = match archive.by_index_decrypt(i, password.as_bytes()) {
            Ok(mut reader) => unpacker.budget.read(&mut reader, ArchiveError::damaged),
            Err(ZipError::InvalidPassword) => continue,
            Err(error) => return Err(ArchiveError::damaged(error)),
        };
        match read {
            Ok(bytes) => {
                *likeliest = which;
                return Ok(bytes);
            }
            // ZipCrypto accepts one wrong password in 256, and then decrypts to garbage.
            Err(ArchiveError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(unpacker.no_password_fits())
}
