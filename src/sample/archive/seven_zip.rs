//! 7z (7zFormat.txt of the LZMA SDK), also encrypted, with or without its names.

use super::error::ArchiveError;
use super::unpacker::{Source, Unpacker};
use sevenz_rust2::{ArchiveReader, EntryDecision, Error, Password};
use std::io::SeekFrom;
use std::path::Path;

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    // Most archives have no password.
    let passwords: Vec<Option<String>> = std::iter::once(None)
        .chain(unpacker.passwords.iter().map(|password| Some(password.reveal().to_owned())))
        .collect();
    for password in passwords {
        let before = unpacker.files;
        match read_with(unpacker, path, source, password.as_deref()) {
            Ok(()) => return Ok(()),
            Err(Failed::Archive(error)) => return Err(error),
            Err(Failed::Reading(error)) => {
                let wrong = matches!(
                    error,
                    Error::PasswordRequired
                        | Error::MaybeBadPassword(_)
                        | Error::ChecksumVerificationFailed
                        | Error::NextHeaderCrcMismatch
                );
                // If a member was read, the password was right.
                if !wrong || unpacker.files > before {
                    return Err(ArchiveError::damaged(error));
                }
            }
        }
    }
    Err(unpacker.no_password_fits())
}

/// Why reading stopped.
enum Failed {
    /// An error of the format, or a wrong password.
    Reading(Error),
    /// A limit was reached, or the file could not be read.
    Archive(ArchiveError),
}

fn read_with(
    unpacker: &mut Unpacker<'_>,
    path: &Path,
    source: &mut dyn Source,
    password: Option<&str>,
) -> Result<(), Failed> {
    source.seek(SeekFrom::Start(0)).map_err(|error| Failed::Archive(ArchiveError::damaged(error)))?;
    let password = password.map_or_else(Password::empty, Password::from);
    let memory = unpacker.budget.limits.memory_kib as usize;
    let mut archive =
        ArchiveReader::new_with_memory_limit(source, password, memory).map_err(Failed::Reading)?;
    archive.set_thread_count(1);
    let mut stopped = None;
    let read = archive.for_each_entries_with_decision(|entry, reader| {
        if entry.is_directory || entry.is_anti_item {
            return Ok(EntryDecision::Continue);
        }
        let name = entry.name.as_bytes();
        let mut failed = None;
        let result = unpacker.budget.take_member().and_then(|()| {
            unpacker.budget.read(reader, |error| {
                failed = Some(error);
                ArchiveError::Empty
            })
        });
        if let Some(error) = failed {
            return Err(match error.downcast::<Error>() {
                Ok(error) => error,
                Err(error) => Error::MaybeBadPassword(error),
            });
        }
        let taken = match result {
            Ok(bytes) => unpacker.take(path, name, bytes),
            Err(error) => {
                // The rest of a block cannot be read without unpacking the member that is too large.
                let skips = matches!(error, ArchiveError::TooLarge(_));
                match unpacker.fail(path, name, error) {
                    Ok(()) if skips => return Ok(EntryDecision::SkipBlock),
                    other => other,
                }
            }
        };
        Ok(match taken {
            Ok(()) => EntryDecision::Continue,
            Err(error) => {
                stopped = Some(error);
                EntryDecision::Stop
            }
        })
    });
    match (stopped, read) {
        (Some(error), _) => Err(Failed::Archive(error)),
        (None, Err(error)) => Err(Failed::Reading(error)),
        (None, Ok(())) => Ok(()),
    }
}
