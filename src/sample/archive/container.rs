//! The archive formats.

/// First bytes that recognise a format: an ISO image has its mark at 32 KiB.
pub const HEAD: u64 = 64 << 10;

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
    Ar,
    Cpio,
    Rpm,
    Cab,
    Iso,
    Msi,
    Rar,
    /// A file or a tar, compressed.
    Compressed(Compression),
    /// A format that this version does not open, with its article: "a RAR archive". Such a file is never a sample.
    NotOpened(&'static str),
}

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Of gzip.
    Gzip,
    /// Of XZ Utils.
    Xz,
    /// Zstandard.
    Zstd,
    /// Of bzip2, by Julian Seward.
    Bzip2,
    /// Frames of lz4, or its legacy format.
    Lz4,
    /// Of lzip (RFC draft-diaz-lzip).
    Lzip,
    /// The format of LZMA Utils, which xz calls lzma: one stream with hardly a mark.
    Lzma,
    /// Of the program `compress`.
    Z,
}

/// An archive behind a program or a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// What it is: "zip archive".
    pub name: &'static str,
    /// Its offset in the file.
    pub offset: u64,
    /// The number of its members, where that is known without unpacking.
    pub members: Option<u64>,
    /// The format, if it can be opened.
    pub container: Option<Container>,
    /// Where it may begin: the bytes before belong to the program.
    pub from: u64,
}
