//! 7z (7zFormat.txt of the LZMA SDK), encrypted or not, its names too.

use super::{ArchiveError, Opening, Source};
use sevenz_rust2::{ArchiveReader, EntryDecision, Error, Password};
use std::io::SeekFrom;
use std::path::Path;

pub fn open(opening: &mut Opening<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    // First without a password, which is right for most.
    let passwords: Vec<Option<String>> =
        std::iter::once(None).chain(opening.passwords.iter().map(|p| Some(p.to_owned()))).collect();
    for password in passwords {
        let before = opening.files;
        match with_password(opening, path, source, password.as_deref()) {
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
                // What came out right once would come out right again.
                if !wrong || opening.files > before {
                    return Err(ArchiveError::damaged(error));
                }
            }
        }
    }
    Err(opening.encrypted())
}

/// Why reading ended.
enum Failed {
    /// As the format or a wrong password has it.
    Reading(Error),
    /// As the limits have it.
    Archive(ArchiveError),
}

fn with_password(
    opening: &mut Opening<'_>,
    path: &Path,
    source: &mut dyn Source,
    password: Option<&str>,
) -> Result<(), Failed> {
    source.seek(SeekFrom::Start(0)).map_err(|error| Failed::Archive(ArchiveError::damaged(error)))?;
    let password = password.map_or_else(Password::empty, Password::from);
    let memory = opening.budget.limits.memory_kib as usize;
    let mut archive =
        ArchiveReader::new_with_memory_limit(source, password, memory).map_err(Failed::Reading)?;
    archive.set_thread_count(1);
    let mut ended = None;
    let read = archive.for_each_entries_with_decision(|entry, reader| {
        if entry.is_directory || entry.is_anti_item {
            return Ok(EntryDecision::Continue);
        }
        let name = entry.name.as_bytes();
        let mut failed = None;
        let result = opening.budget.take_member().and_then(|()| {
            opening.budget.read(reader, |error| {
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
        let given = match result {
            Ok(bytes) => opening.member(path, name, bytes),
            Err(error) => {
                // The rest of a block can only be had by unpacking what is too large.
                let skips = matches!(error, ArchiveError::TooLarge(_));
                match opening.failed(path, name, error) {
                    Ok(()) if skips => return Ok(EntryDecision::SkipBlock),
                    other => other,
                }
            }
        };
        Ok(match given {
            Ok(()) => EntryDecision::Continue,
            Err(error) => {
                ended = Some(error);
                EntryDecision::Stop
            }
        })
    });
    match (ended, read) {
        (Some(error), _) => Err(Failed::Archive(error)),
        (None, Err(error)) => Err(Failed::Reading(error)),
        (None, Ok(())) => Ok(()),
    }
}
