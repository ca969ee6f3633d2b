//! Volumes: an archive in several files, `a.7z.001`, `a.7z.002`, … or `a.z01`, `a.z02`, …, `a.zip`.
//!
//! The files of a set are recognised by their names; whether they are an archive, by the content of the first one.

use super::container::Container;
use super::member_path::SEPARATOR;
use super::prefix::seven_zip_end;
use super::recognise::recognise;
use crate::sample::kind::FileKind;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The most volumes that are joined.
pub const MAX_VOLUMES: usize = 200;
/// First bytes that recognise an archive.
const HEAD: u64 = super::container::HEAD;
/// Endings of names before `.001` that only archives have.
const ENDINGS: [&str; 14] =
    ["7z", "zip", "rar", "tar", "gz", "tgz", "xz", "txz", "bz2", "tbz2", "zst", "iso", "cab", "wim"];

/// The place of a file in a set of volumes, and what is there of the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volumes {
    /// Its number, from 1.
    pub number: usize,
    /// Whether the set is read when this file is; else it is read with another volume.
    pub reads: bool,
    /// The name of the volume that the set is read with.
    pub first: String,
    /// The name of the first volume that is missing, or that would follow the last one.
    pub next: String,
    /// Whether `next` is known to exist only if the set is not complete.
    pub missing: bool,
    /// The sizes of the other volumes to read, in order.
    pub others: Vec<u64>,
    /// The place of this file among them.
    pub place: usize,
}

/// A set of volumes on disk.
#[derive(Debug, PartialEq, Eq)]
pub struct Set {
    /// The number of the file in it, from 1.
    pub number: usize,
    /// The path before the number.
    base: PathBuf,
    scheme: Scheme,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// `.001`, `.002`, …
    Numbers,
    /// `.z01`, `.z02`, …, `.zip`.
    Zip,
}

impl Set {
    /// The set that a file belongs to by its name. A lone `.zip` belongs to one if there is a `.z01`.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        let base = path.with_extension("");
        if ending.len() == 3 && ending.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = ending.parse().ok().filter(|number| *number > 0)?;
            return Some(Self { number, base, scheme: Scheme::Numbers });
        }
        let lower = ending.to_ascii_lowercase();
        let set = |number| Self { number, base: base.clone(), scheme: Scheme::Zip };
        if lower == "zip" {
            // It is the last one; its number is not known from its name.
            return set(0).path(1).is_file().then(|| set(0));
        }
        let number = lower.strip_prefix('z').filter(|digits| (2..4).contains(&digits.len()))?.parse().ok()?;
        (number > 0).then(|| set(number))
    }

    /// The path of a volume; 0 is the last one of a zip.
    pub fn path(&self, number: usize) -> PathBuf {
        let mut path = self.base.clone().into_os_string();
        path.push(match (self.scheme, number) {
            (Scheme::Numbers, number) => format!(".{number:03}"),
            (Scheme::Zip, 0) => ".zip".to_owned(),
            (Scheme::Zip, number) => format!(".z{number:02}"),
        });
        PathBuf::from(path)
    }

    /// Describes the set and lists the other paths to open, in order.
    pub fn find(&self) -> (Volumes, Vec<PathBuf>) {
        let main = usize::from(self.scheme != Scheme::Zip);
        let mut number = 1;
        let mut paths = Vec::new();
        while number <= MAX_VOLUMES && self.path(number).is_file() {
            paths.push(self.path(number));
            number += 1;
        }
        let next = name(&self.path(number));
        let reads = self.number == main;
        let mut missing = self.number >= number;
        let mut place = 0;
        let others = match (self.scheme, reads) {
            (Scheme::Zip, true) => {
                place = paths.len();
                paths
            }
            (Scheme::Zip, false) => {
                missing = !self.path(0).is_file();
                Vec::new()
            }
            (Scheme::Numbers, true) => paths.get(1..).unwrap_or_default().to_vec(),
            // To see whether it is an archive.
            (Scheme::Numbers, false) => paths.get(..1).unwrap_or_default().to_vec(),
        };
        let next = if self.scheme == Scheme::Zip && missing { name(&self.path(0)) } else { next };
        let number = if self.number == 0 { number } else { self.number };
        let first = name(&self.path(main));
        (Volumes { number, reads, first, next, missing, others: Vec::new(), place }, others)
    }
}

impl Volumes {
    /// Whether this is a set of `.001`, `.002`, …: a file that is split without regard to its format.
    pub fn is_numbered(&self) -> bool {
        Path::new(&self.first).extension().is_some_and(|ending| !ending.eq_ignore_ascii_case("zip"))
    }

    /// Whether the name of the first volume is that of an archive, without its number.
    pub fn is_named_as_archive(&self) -> bool {
        let name = self.first.to_ascii_lowercase();
        let name = name.strip_suffix(".001").unwrap_or(&name);
        ENDINGS.iter().any(|ending| name.strip_suffix(ending).is_some_and(|name| name.ends_with('.')))
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit(SEPARATOR).next().unwrap_or_default().to_owned()
}

/// The volumes of a set as one file.
#[derive(Debug)]
pub struct Joined {
    /// Each file with its offset and size.
    parts: Vec<(File, u64, u64)>,
    size: u64,
    at: u64,
    /// The part whose file is at the current offset.
    current: Option<usize>,
}

impl Joined {
    /// Joins files of these sizes.
    pub fn new(files: Vec<(File, u64)>) -> Self {
        let mut at = 0_u64;
        let parts = files
            .into_iter()
            .map(|(file, size)| {
                let offset = at;
                at = at.saturating_add(size);
                (file, offset, size)
            })
            .collect();
        Self { parts, size: at, at: 0, current: None }
    }

    /// The size of all of them.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The format of the archive that they are together; `None` if they are none.
    pub fn container(&mut self) -> io::Result<Option<Container>> {
        let mut head = Vec::new();
        self.rewind()?;
        self.by_ref().take(HEAD).read_to_end(&mut head)?;
        let (kind, _) = FileKind::identify(&head);
        let found = recognise(kind, &head, self);
        self.rewind()?;
        Ok(found)
    }

    /// Whether the archive ends in these files; `None` if its format does not say so.
    pub fn is_complete(&mut self) -> io::Result<Option<bool>> {
        let mut head = Vec::new();
        self.rewind()?;
        self.by_ref().take(32).read_to_end(&mut head)?;
        let complete = match Container::of(&head) {
            Some(Container::SevenZip) => seven_zip_end(&head).map(|size| size <= self.size),
            Some(Container::Zip) => {
                let mut tail = Vec::new();
                self.seek(SeekFrom::Start(self.size.saturating_sub(ZIP_END + 0xffff)))?;
                self.by_ref().take(ZIP_END + 0xffff).read_to_end(&mut tail)?;
                Some(ends_zip(&tail))
            }
            _ => None,
        };
        self.rewind()?;
        Ok(complete)
    }
}

/// Bytes of the end record of a zip without its comment (APPNOTE 4.3.16).
const ZIP_END: u64 = 22;

/// Whether these last bytes of a file end with the end record of a zip and its comment.
fn ends_zip(tail: &[u8]) -> bool {
    memchr::memmem::find_iter(tail, b"PK\x05\x06").any(|at| {
        let record = tail.get(at..).unwrap_or_default();
        let comment = record.get(20..).and_then(<[u8]>::first_chunk);
        comment.is_some_and(|size| record.len() as u64 == ZIP_END + u64::from(u16::from_le_bytes(*size)))
    })
}

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let place = self.parts.partition_point(|(_, offset, size)| offset + size <= self.at);
        let Some((file, offset, size)) = self.parts.get_mut(place) else { return Ok(0) };
        let inside = self.at - *offset;
        if self.current != Some(place) {
            file.seek(SeekFrom::Start(inside))?;
            self.current = Some(place);
        }
        let most = usize::try_from(*size - inside).unwrap_or(usize::MAX).min(buffer.len());
        let read = file.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Joined {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        self.current = None;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_set_is_found_by_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in
            ["a.7z.001", "a.7z.002", "a.7z.004", "b.z01", "b.z02", "b.zip", "c.zip", "d.z01", "e.exe.002"]
        {
            std::fs::write(at(name), name).unwrap();
        }
        let find = |name: &str| Set::of(&at(name)).map(|set| set.find());
        let (first, others) = find("a.7z.001").unwrap();
        assert!(first.reads && first.is_named_as_archive());
        assert_eq!((first.next.as_str(), others), ("a.7z.003", vec![at("a.7z.002")]));
        let (second, others) = find("a.7z.002").unwrap();
        assert!(!second.reads && !second.missing);
        assert_eq!((second.number, second.first.as_str(), others), (2, "a.7z.001", vec![at("a.7z.001")]));
        let (fourth, _) = find("a.7z.004").unwrap();
        assert!(fourth.missing && fourth.next == "a.7z.003");
        let (last, others) = find("b.zip").unwrap();
        assert_eq!((last.reads, last.number, last.place, others.len()), (true, 3, 2, 2));
        assert_eq!(find("b.z02").map(|(volumes, _)| (volumes.missing, volumes.reads)), Some((false, false)));
        assert_eq!(find("c.zip"), None);
        let (lone, _) = find("d.z01").unwrap();
        assert!(lone.missing && lone.next == "d.zip");
        assert!(!find("e.exe.002").unwrap().0.is_named_as_archive());
        assert_eq!(find("report.123456"), None);
    }

    #[test]
    fn volumes_are_read_as_one_file() {
        let files = ["abc", "", "defgh"].map(|text| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            (file, text.len() as u64)
        });
        let mut joined = Joined::new(files.into());
        joined.rewind().unwrap();
        let mut all = String::new();
        joined.read_to_string(&mut all).unwrap();
        assert_eq!((all.as_str(), joined.size()), ("abcdefgh", 8));
        joined.seek(SeekFrom::Start(2)).unwrap();
        let mut two = [0; 3];
        joined.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"cde");
    }

    #[test]
    fn a_zip_and_a_7z_say_whether_they_are_complete() {
        let complete = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            Joined::new(vec![(file, bytes.len() as u64)]).is_complete().unwrap()
        };
        let mut zip = [&b"PK\x03\x04"[..], &[0; 40], b"PK\x05\x06", &[0; 16], b"\x03\0abc"].concat();
        assert_eq!(complete(&zip), Some(true));
        zip.pop();
        assert_eq!(complete(&zip), Some(false));
        let mut archive = [&b"7z\xbc\xaf\x27\x1c\0\x04"[..], &[0; 24]].concat();
        (archive[12], archive[20]) = (5, 2);
        assert_eq!(complete(&archive), None, "its checksum is wrong");
        let crc = crc32fast::hash(&archive[12..]);
        archive[8..12].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(complete(&archive), Some(false));
        archive.extend([0; 7]);
        assert_eq!(complete(&archive), Some(true));
        assert_eq!(complete(b"no archive"), None);
    }
}
