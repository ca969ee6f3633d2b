//! One opened file: identified at once, then streamed exactly once.

use super::archive::{ArchiveError, Budget, Container, Each, Limits};
use super::{Architecture, FileKind, Passwords, Sample, SampleError, Sha256, archive};
use sha2::Digest as _;
use std::fs::{File, Metadata};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes looked at to identify a file, and read at a time: large enough that system calls do not show,
/// small enough for L2.
const HEAD: usize = 64 << 10;

/// A regular file, open for reading and identified, not yet read through.
#[derive(Debug)]
pub struct OpenSample {
    file: File,
    /// The first bytes, read already.
    head: Vec<u8>,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes, when it was opened.
    pub size: u64,
    /// What the first bytes say it is.
    pub kind: FileKind,
    /// For executables, the processor the header names.
    pub architecture: Option<Architecture>,
    /// The archive that it is, if it is one.
    pub container: Option<Container>,
}

impl OpenSample {
    /// Opens and identifies `path`, as [`open_file`] and [`OpenSample::identify`] do.
    pub fn open(path: &Path) -> Result<Self, SampleError> {
        let (file, size) = open_file(path)?;
        Self::identify(path, file, size)
    }

    /// Identifies a regular file of `size` bytes that is open at its start; `path` is only its name.
    pub fn identify(path: &Path, mut file: File, size: u64) -> Result<Self, SampleError> {
        let mut head = Vec::with_capacity(HEAD.min(size as usize));
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let (kind, architecture) = FileKind::identify(&head);
        let container = Container::of_sample(kind, &head);
        Ok(Self { file, head, path: path.to_owned(), size, kind, architecture, container })
    }

    /// The first bytes: 64 KiB, or all.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Gives every file in the archive that it is to `each`. Fails if it is none, or cannot be read as one.
    pub fn unpack(&self, limits: Limits, passwords: &Passwords, each: Each<'_>) -> Result<(), ArchiveError> {
        let Some(container) = self.container else {
            return Err(ArchiveError::Document);
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
            each,
        );
        // Both share the place in the file: whoever streams it goes on behind the head.
        source.seek(SeekFrom::Start(self.head.len() as u64)).map_err(damaged)?;
        result
    }

    /// Reads the file once from start to end, giving each chunk to `sink`, and returns what is
    /// then known of it. Fails if the file cannot be read or is no longer as long as it was.
    pub fn stream(mut self, mut sink: impl FnMut(&[u8])) -> Result<Sample, SampleError> {
        let mut digest = sha2::Sha256::new();
        let mut buffer = std::mem::take(&mut self.head);
        let (mut found, mut now) = (0, buffer.len());
        while now > 0 {
            let chunk = &buffer[..now];
            digest.update(chunk);
            sink(chunk);
            found += now as u64;
            let Some(left) = self.size.checked_sub(found) else { break };
            // One byte more than there should be, to see whether the file grew.
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX).saturating_add(1));
            now = read_most(&mut self.file, &mut buffer[..most])?;
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
        })
    }
}

/// Fills `buffer` as far as the file goes; says how far.
fn read_most(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Opens a regular file that has bytes; with their number. Pipes, devices and sockets are refused before
/// they are opened, since opening one can block for ever.
pub fn open_file(path: &Path) -> Result<(File, u64), SampleError> {
    if let Some(what) = other_than_file(&std::fs::metadata(path)?) {
        return Err(SampleError::NotAFile(what));
    }
    let mut options = File::options();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // It may have become something else since it was looked at.
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

/// What `metadata` describes, if that is not a regular file.
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
    Some("something else")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn streams_every_byte_and_hashes_it() {
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
    fn sha256_of_the_fips_180_example() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha256::of(b"abc").to_string(), hex);
        assert_eq!(Sha256::from_hex(hex), Some(Sha256::of(b"abc")));
        assert_eq!(Sha256::from_hex("ab"), None);
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
