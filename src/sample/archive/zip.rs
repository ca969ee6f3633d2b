//! Zip (PKWARE's APPNOTE.TXT), stored or compressed, encrypted with ZipCrypto or AES or not at all.

use super::{ArchiveError, Opening, Source};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// A zip that holds one of these is one document or package, and no archive.
const DOCUMENTS: [&str; 4] =
    ["[Content_Types].xml", "META-INF/MANIFEST.MF", "AndroidManifest.xml", "mimetype"];

pub fn open(opening: &mut Opening<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let mut archive = ZipArchive::new(source).map_err(ArchiveError::damaged)?;
    if DOCUMENTS.iter().any(|name| archive.index_for_name(name).is_some()) {
        return Err(ArchiveError::Document);
    }
    // The password that opened the last member is the likeliest for the next.
    let mut likeliest = 0;
    for i in 0..archive.len() {
        let (name, encrypted) = match archive.by_index_raw(i) {
            Ok(member) if member.is_dir() => continue,
            Ok(member) => (member.name_raw().to_vec(), member.encrypted()),
            Err(error) => {
                opening.budget.take_member()?;
                opening.failed(path, format!("member {}", i + 1).as_bytes(), ArchiveError::damaged(error))?;
                continue;
            }
        };
        opening.budget.take_member()?;
        match member(opening, &mut archive, i, encrypted, &mut likeliest) {
            Ok(bytes) => opening.member(path, &name, bytes)?,
            Err(error) => opening.failed(path, &name, error)?,
        }
    }
    Ok(())
}

fn member(
    opening: &mut Opening<'_>,
    archive: &mut ZipArchive<&mut dyn Source>,
    i: usize,
    encrypted: bool,
    likeliest: &mut usize,
) -> Result<Vec<u8>, ArchiveError> {
    if !encrypted {
        let mut reader = archive.by_index(i).map_err(ArchiveError::damaged)?;
        return opening.budget.read(&mut reader, ArchiveError::damaged);
    }
    let count = opening.passwords.len();
    for attempt in 0..count {
        let which = (*likeliest + attempt) % count;
        let password = opening.passwords.get(which).unwrap_or_default();
        let read = match archive.by_index_decrypt(i, password.as_bytes()) {
            Ok(mut reader) => opening.budget.read(&mut reader, ArchiveError::damaged),
            Err(ZipError::InvalidPassword) => continue,
            Err(error) => return Err(ArchiveError::damaged(error)),
        };
        match read {
            Ok(bytes) => {
                *likeliest = which;
                return Ok(bytes);
            }
            // ZipCrypto lets one wrong password in 256 pass, and then gives nonsense.
            Err(ArchiveError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(opening.encrypted())
}
