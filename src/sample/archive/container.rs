//! Archive formats, recognised from the first bytes of a file.

use crate::sample::kind::FileKind;

/// An archive format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the name of the format")]
pub enum Container {
    Zip,
    SevenZip,
    Tar,
    Gzip,
    Xz,
    Zstd,
}

impl Container {
    /// The format of an archive with these first bytes; 512 bytes are enough.
    pub fn of(head: &[u8]) -> Option<Self> {
        let at = |place: usize, magic: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(magic));
        match () {
            () if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") => Some(Self::Zip),
            () if at(0, b"7z\xbc\xaf\x27\x1c") => Some(Self::SevenZip),
            () if at(0, b"\x1f\x8b\x08") => Some(Self::Gzip),
            () if at(0, b"\xfd7zXZ\0") => Some(Self::Xz),
            () if at(0, b"\x28\xb5\x2f\xfd") => Some(Self::Zstd),
            // POSIX.1-1988, 10.1.1: "ustar" is in the header of the first member.
            () if at(257, b"ustar") => Some(Self::Tar),
            () => None,
        }
    }

    /// The same for a file of this kind; executables and images are not archives.
    pub fn of_sample(kind: FileKind, head: &[u8]) -> Option<Self> {
        if kind == FileKind::Other { Self::of(head) } else { None }
    }
}
