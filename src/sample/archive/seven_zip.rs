//! 7z (7zFormat.txt of the LZMA SDK), also encrypted, with or without its names.
//!
//! A 7z is made of blocks that are compressed on their own: damage costs one of them, or one file in it if it is stored.

use super::error::ArchiveError;
use super::prefix::{find_seven_zip, seven_zip_end};
use super::source::{OffsetSource, Source};
use super::unpacker::Unpacker;
use sevenz_rust2::{Archive, ArchiveEntry, Block, BlockDecoder, EncoderMethod, Error, Password};
use std::io::{Read as _, SeekFrom};
use std::path::Path;

/// Bytes that are searched for the start of the archive.
const LONGEST_PREFIX: u64 = 1 << 20;

/// Bytes of the header at the start.
const HEADER: u64 = 32;

/// Reads the archive and passes its members to `unpacker`.
pub fn read(unpacker: &mut Unpacker<'_>, path: &Path, source: &mut dyn Source) -> Result<(), ArchiveError> {
    let mut head = Vec::new();
    source.seek(SeekFrom::Start(0)).map_err(ArchiveError::damaged)?;
    (&mut *source).take(LONGEST_PREFIX).read_to_end(&mut head).map_err(ArchiveError::damaged)?;
    // Without a header whose checksum fits, the reader says what is wrong.
    let start = find_seven_zip(&head).unwrap_or(0);
    let size = source.seek(SeekFrom::End(0)).map_err(ArchiveError::damaged)?.saturating_sub(start);
    let header = head.get(start as usize..).unwrap_or_default();
    let expected = if size < HEADER { Some(HEADER) } else { seven_zip_end(header) };
    if let Some(expected) = expected.filter(|expected| *expected > size) {
        return Err(ArchiveError::cut_off(expected, size));
    }
    drop(head);
    let mut source = OffsetSource::new(source, start);
    let memory = unpacker.budget.limits.memory_kib as usize;
    // Most archives have no password.
    let mut passwords: Vec<Option<String>> = std::iter::once(None)
        .chain(unpacker.passwords.iter().map(|password| Some(password.reveal().to_owned())))
        .collect();
    let mut archive = None;
    for at in 0..passwords.len() {
        unpacker.budget.check_time()?;
        let password = passwords.get(at).cloned().flatten();
        let open = password.as_deref().map_or_else(Password::empty, Password::from);
        match Archive::read_with_memory_limit(&mut source, &open, memory) {
            Ok(read) => {
                // The names are encrypted with the same password as the files.
                if password.is_some() {
                    passwords = vec![password];
                }
                archive = Some(read);
                break;
            }
            // The names are encrypted: it is not known whether it is damaged.
            Err(Error::PasswordRequired) => {}
            Err(_) if password.is_some() => {}
            Err(Error::ChecksumVerificationFailed) => {
                return Err(ArchiveError::damaged("its header does not fit its CRC-32"));
            }
            Err(error) => return Err(why(error)),
        }
    }
    let Some(archive) = archive else { return Err(unpacker.no_password_fits()) };
    for index in 0..archive.blocks.len() {
        if let Some(block) = archive.blocks.get(index) {
            let mut reader = BlockReader { unpacker, path, archive: &archive, index, done: 0 };
            reader.read(&mut source, block, &mut passwords)?;
        }
    }
    for (file, block) in archive.files.iter().zip(&archive.stream_map.file_block_index) {
        if block.is_none() && is_file(file) {
            unpacker.budget.take_member()?;
            unpacker.take(path, file.name.as_bytes(), Vec::new())?;
        }
    }
    Ok(())
}

fn is_file(entry: &ArchiveEntry) -> bool {
    // Attributes of Unix are in the upper half: symbolic links are no files.
    let link = entry.windows_attributes & 0x8000 != 0 && entry.windows_attributes >> 28 == 0o12;
    !entry.is_directory && !entry.is_anti_item && !link
}

/// Reads one block.
struct BlockReader<'a, 'b> {
    unpacker: &'a mut Unpacker<'b>,
    path: &'a Path,
    archive: &'a Archive,
    index: usize,
    /// Entries of the block that were passed on, read or not.
    done: usize,
}

/// How reading a block with one password ended.
enum Outcome {
    /// All entries were passed on.
    Read,
    /// Nothing was passed on: the first bytes are wrong, as after a wrong password.
    Nothing(ArchiveError),
    /// The rest of the block cannot be read.
    Broken(ArchiveError),
}

impl BlockReader<'_, '_> {
    /// Reads the block and passes its members on. The password that opens it is the first of `passwords` afterwards.
    fn read(
        &mut self,
        source: &mut OffsetSource<'_>,
        block: &Block,
        passwords: &mut [Option<String>],
    ) -> Result<(), ArchiveError> {
        let encrypted =
            block.coders.iter().any(|coder| coder.encoder_method_id() == EncoderMethod::ID_AES256_SHA256);
        let mut failed = None;
        let tried = if encrypted { passwords.len() } else { 1 };
        for at in 0..tried {
            let password = passwords.get(at).cloned().flatten().filter(|_| encrypted);
            if encrypted && password.is_none() {
                continue;
            }
            match self.read_with(source, password.as_deref())? {
                Outcome::Read => {
                    passwords.swap(0, at);
                    return Ok(());
                }
                Outcome::Broken(error) => {
                    passwords.swap(0, at);
                    return self.fail_rest(|| copy(&error));
                }
                Outcome::Nothing(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            // The names were opened with the only password, or an earlier block: this one is damaged.
            Some(error) if !encrypted || passwords.len() == 1 => self.fail_rest(|| copy(&error)),
            Some(ArchiveError::Method(method)) => self.fail_rest(|| ArchiveError::Method(method.clone())),
            _ => {
                let count = self.unpacker.passwords.len();
                self.fail_rest(|| ArchiveError::PasswordOrDamage(count))
            }
        }
    }

    /// Reports the entries that were not passed on.
    fn fail_rest(&mut self, error: impl Fn() -> ArchiveError) -> Result<(), ArchiveError> {
        let map = &self.archive.stream_map;
        let first = map.file_block_index.iter().position(|block| *block == Some(self.index)).unwrap_or(0);
        let rest = map.file_block_index.iter().zip(&self.archive.files).skip(first);
        let files = rest.filter(|(block, _)| **block == Some(self.index)).map(|(_, file)| file);
        for file in files.skip(self.done).filter(|file| is_file(file)) {
            self.unpacker.budget.take_member()?;
            self.unpacker.fail(self.path, file.name.as_bytes(), error())?;
        }
        Ok(())
    }

    fn read_with(
        &mut self,
        source: &mut OffsetSource<'_>,
        password: Option<&str>,
    ) -> Result<Outcome, ArchiveError> {
        self.unpacker.budget.check_time()?;
        let memory = self.unpacker.budget.limits.memory_kib as usize;
        let open = password.map_or_else(Password::empty, Password::from);
        let decoder = BlockDecoder::new_with_memory_limit(1, memory, self.index, self.archive, &open, source);
        let mut stopped = None;
        let mut broken = None;
        let mut at = 0;
        let result = decoder.for_each_entries(&mut |entry, reader| {
            at += 1;
            if at <= self.done {
                return Ok(true);
            }
            if !is_file(entry) {
                self.done = at;
                return Ok(true);
            }
            let mut failed = None;
            let read = self.unpacker.budget.take_member().and_then(|()| {
                self.unpacker.budget.read(reader, |error| {
                    failed = Some(error);
                    ArchiveError::Empty
                })
            });
            let taken = match (read, failed) {
                (Ok(bytes), _) => self.unpacker.take(self.path, entry.name.as_bytes(), bytes),
                (Err(_), Some(error)) => {
                    let error = match error.downcast::<Error>() {
                        Ok(error) => error,
                        Err(error) => Error::Io(error, "".into()),
                    };
                    // A wrong checksum at the end of a file: the next one may be whole, if the password is right.
                    let next = matches!(error, Error::ChecksumVerificationFailed);
                    let error = why(error);
                    if !next || (password.is_some() && self.done == 0) {
                        broken = Some(error);
                        return Ok(false);
                    }
                    self.unpacker.fail(self.path, entry.name.as_bytes(), error)
                }
                (Err(error), None) => {
                    // The rest of a block cannot be read without unpacking the member that is too large.
                    let too_large = matches!(error, ArchiveError::TooLarge(_));
                    let passed = self.unpacker.fail(self.path, entry.name.as_bytes(), error);
                    if too_large && passed.is_ok() {
                        self.done = at;
                        broken = Some(ArchiveError::damaged(
                            "it is compressed together with a file that is too large",
                        ));
                        return Ok(false);
                    }
                    passed
                }
            };
            self.done = at;
            if let Err(error) = taken {
                stopped = Some(error);
                return Ok(false);
            }
            Ok(true)
        });
        if let Some(error) = stopped {
            return Err(error);
        }
        let error = match (broken, result) {
            (None, Ok(_)) => return Ok(Outcome::Read),
            (Some(error), _) => error,
            (None, Err(error)) => why(error),
        };
        Ok(if self.done == 0 { Outcome::Nothing(error) } else { Outcome::Broken(error) })
    }
}

/// The name of a method, which the reader gives as a list of its bytes if it does not know it.
fn method_name(method: &str) -> String {
    let id: Vec<u8> =
        method.trim_matches(['[', ']']).split(", ").filter_map(|byte| byte.parse::<u8>().ok()).collect();
    let name = match &id[..] {
        [2, 3, 2] => "the filter Swap2",
        [2, 3, 4] => "the filter Swap4",
        [0xb] => "the filter RISCV",
        [4, 0xf7, 0x11, 1] => "Zstandard compression",
        [4, 0xf7, 0x11, 2] => "Brotli compression",
        [4, 0xf7, 0x11, 4] => "LZ4 compression",
        [4, 0xf7, 0x11, 5] => "LZ5 compression",
        [4, 0xf7, 0x11, 6] => "Lizard compression",
        [] => return method.to_owned(),
        id => {
            let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            return format!("7z method {digits}");
        }
    };
    name.to_owned()
}

/// The same error again, for each file of a block.
fn copy(error: &ArchiveError) -> ArchiveError {
    match error {
        ArchiveError::Method(method) => ArchiveError::Method(method.clone()),
        ArchiveError::Damaged(why) => ArchiveError::Damaged(why.clone()),
        other => ArchiveError::damaged(other),
    }
}

/// What an error of the reader means.
fn why(error: Error) -> ArchiveError {
    ArchiveError::Damaged(match error {
        Error::UnsupportedCompressionMethod(method) => return ArchiveError::Method(method_name(&method)),
        Error::MaxMemLimited { max_kb, actaul_kb } => {
            return ArchiveError::Method(format!(
                "a dictionary of {} MiB, more than {} MiB",
                actaul_kb >> 10,
                max_kb >> 10
            ));
        }
        Error::ChecksumVerificationFailed => "the content does not fit its CRC-32".to_owned(),
        Error::NextHeaderCrcMismatch => "the list of its files does not fit its CRC-32".to_owned(),
        Error::BadSignature(_) => "it does not begin with the header of a 7z".to_owned(),
        Error::UnsupportedVersion { major, minor } => format!("its version is {major}.{minor}"),
        Error::Io(error, _) | Error::MaybeBadPassword(error) => match error.downcast::<Error>() {
            Ok(error) => return why(error),
            Err(error) => return ArchiveError::damaged(error),
        },
        Error::Other(text) | Error::Unsupported(text) => text.into_owned(),
        other => other.to_string(),
    })
}
