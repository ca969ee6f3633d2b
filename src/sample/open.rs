//! An open file: identified when it is opened, then streamed once.

use super::architecture::Architecture;
use super::archive::{
    self, ArchiveError, Budget, Container, Limits, OnMember, find_appended, hosts_archives, recognise,
};
use super::bytes::Bytes;
use super::error::SampleError;
use super::kind::FileKind;
use super::passwords::Passwords;
use super::read_at::{read_at, read_most};
use super::record::Sample;
use super::sha256::Sha256;
use sha2::Digest as _;
use std::fs::{File, Metadata};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that are read at a time, and read to identify a file: large enough that the cost of system calls does not
/// matter, small enough for the second-level cache.
const HEAD: usize = 64 << 10;

/// A regular file that is open and identified, but not yet read.
#[derive(Debug)]
pub struct OpenSample {
    file: File,
    /// The first bytes, which are already read.
    head: Vec<u8>,
    /// Its path.
    pub path: PathBuf,
    /// Its size in bytes when it was opened.
    pub size: u64,
    /// The format, from the first bytes.
    pub kind: FileKind,
    /// The processor that the header of an executable names.
    pub architecture: Option<Architecture>,
    /// The archive format, if it is an archive.
    pub container: Option<Container>,
}

impl OpenSample {
    /// Opens and identifies `path`.
    #[cfg(test)]
    pub fn open(path: &Path) -> Result<Self, SampleError> {
        let (file, size) = open_file(path)?;
        Self::identify(path, file, size)
    }

    /// Identifies a regular file of `size` bytes that is open at its start. `path` is not opened.
    pub fn identify(path: &Path, mut file: File, size: u64) -> Result<Self, SampleError> {
        let mut head = Vec::with_capacity(HEAD.min(size as usize));
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let end = file.stream_position()?;
        let (kind, architecture) =
            FileKind::identify_file(&head, size, &mut |offset, len| read_at(&mut file, offset, len));
        let container = recognise(kind, &head, &mut file);
        // Both may read other parts; streaming continues after the head.
        file.seek(SeekFrom::Start(end))?;
        Ok(Self { file, head, path: path.to_owned(), size, kind, architecture, container })
    }

    /// The first 64 KiB, or all bytes of a smaller file.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Passes every file in this archive to `on_member`. Fails if this is not an archive or cannot be read as one.
    pub fn unpack(
        &self,
        limits: Limits,
        passwords: &Passwords,
        on_member: OnMember<'_>,
    ) -> Result<(), ArchiveError> {
        let Some(container) = self.container else {
            return Err(ArchiveError::Damaged("expected an archive, found another file".to_owned()));
        };
        let damaged = |error: std::io::Error| ArchiveError::Damaged(error.to_string());
        let mut source = BufReader::new(self.file.try_clone().map_err(damaged)?);
        source.seek(SeekFrom::Start(0)).map_err(damaged)?;
        let result = archive::open(
            &self.path,
            container,
            &mut source,
            passwords,
            &mut Budget::new(limits, self.size),
            on_member,
        );
        // Both descriptors share the offset; streaming continues after the head.
        source.seek(SeekFrom::Start(self.head.len() as u64)).map_err(damaged)?;
        result
    }

    /// Passes every file in an archive that is appended to this program, document or image to `on_member`. A file
    /// without one passes nothing.
    pub fn unpack_appended(
        &self,
        limits: Limits,
        passwords: &Passwords,
        on_member: OnMember<'_>,
    ) -> Result<(), ArchiveError> {
        if !hosts_archives(self.kind, &self.head) {
            return Ok(());
        }
        let damaged = |error: std::io::Error| ArchiveError::Damaged(error.to_string());
        let mut source = BufReader::new(self.file.try_clone().map_err(damaged)?);
        source.seek(SeekFrom::Start(0)).map_err(damaged)?;
        let mut kept = Vec::new();
        source.by_ref().take(limits.member).read_to_end(&mut kept).map_err(damaged)?;
        let found = find_appended(self.kind, Bytes::new(&kept, self.size));
        drop(kept);
        let result = found.map_or(Ok(()), |found| {
            let mut budget = Budget::new(limits, self.size);
            archive::open_appended(&self.path, &found, &mut source, passwords, &mut budget, on_member)
        });
        source.seek(SeekFrom::Start(self.head.len() as u64)).map_err(damaged)?;
        result
    }

    /// Reads the file once from start to end and passes each chunk to `sink`. Fails if the file cannot be read or its
    /// size has changed.
    pub fn stream(self, sink: impl FnMut(&[u8])) -> Result<Sample, SampleError> {
        self.stream_keeping(&mut Vec::new(), 0, sink)
    }

    /// The same; the first `most` bytes of the file, or all of a smaller one, are then at the start of `kept`, which grows as
    /// needed. They are read into it, which is faster than copying them.
    pub fn stream_keeping(
        mut self,
        kept: &mut Vec<u8>,
        most: usize,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<Sample, SampleError> {
        let mut digest = sha2::Sha256::new();
        let mut buffer = std::mem::take(&mut self.head);
        let room = usize::try_from(self.size).map_or(most, |size| size.min(most));
        if kept.len() < room {
            kept.resize(room, 0);
        }
        let first = buffer.len().min(room);
        kept[..first].copy_from_slice(&buffer[..first]);
        let (mut found, mut now, mut is_kept) = (0, buffer.len(), false);
        while now > 0 {
            let from = usize::try_from(found).ok().filter(|_| is_kept);
            let chunk = from.map_or(&buffer[..now], |from| &kept[from..from + now]);
            digest.update(chunk);
            sink(chunk);
            found += now as u64;
            let Some(left) = self.size.checked_sub(found) else { break };
            let at = usize::try_from(found).unwrap_or(room);
            is_kept = at < room;
            let into = if is_kept {
                &mut kept[at..room.min(at + HEAD)]
            } else {
                // One byte more than expected, to detect a file that grew.
                let most = usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1);
                let most = buffer.len().min(most);
                &mut buffer[..most]
            };
            now = read_most(&mut self.file, into)?;
        }
        if found != self.size {
            return Err(SampleError::Changed { expected: self.size, found });
        }
        Ok(Sample {
            path: self.path,
            label: None,
            sha256: Sha256(digest.finalize().into()),
            size: self.size,
            kind: self.kind,
            architecture: self.architecture,
            facts: None,
        })
    }
}

/// Opens a regular file that is not empty; returns it with its size. Pipes, devices and sockets are refused before
/// they are opened, since opening one can block forever.
pub fn open_file(path: &Path) -> Result<(File, u64), SampleError> {
    if let Some(what) = other_than_file(&std::fs::metadata(path)?) {
        return Err(SampleError::NotAFile(what));
    }
    let mut options = File::options();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // It may have been replaced by a pipe or a device since the check.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    match (other_than_file(&metadata), metadata.len()) {
        (Some(what), _) => Err(SampleError::NotAFile(what)),
        (None, 0) => Err(SampleError::Empty),
        (None, size) => Ok((file, size)),
    }
}

/// What `metadata` describes, if it is not a regular file.
fn other_than_file(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_block_device() || kind.is_char_device() {
            return Some("a device");
        }
    }
    Some("another kind of file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn every_byte_is_streamed_and_hashed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..HEAD * 2 + 17).map(|i| (i % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let mut seen = Vec::new();
        let sample =
            OpenSample::open(file.path()).unwrap().stream(|chunk| seen.extend_from_slice(chunk)).unwrap();
        assert_eq!(seen, content);
        assert_eq!(sample.size, content.len() as u64);
        assert_eq!(sample.sha256, Sha256::of(&content));
    }

    #[test]
    fn folders_and_empty_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(OpenSample::open(folder.path()), Err(SampleError::NotAFile("a folder"))));
        let empty = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(OpenSample::open(empty.path()), Err(SampleError::Empty)));
    }

    #[test]
    fn a_file_that_grows_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"four").unwrap();
        let open = OpenSample::open(file.path()).unwrap();
        file.write_all(b" and more").unwrap();
        assert!(matches!(open.stream(|_| ()), Err(SampleError::Changed { expected: 4, .. })));
    }
}
