//! Archives, in which malware is usually shared. Members are read into memory, one at a time and within limits, and
//! never written to disk.
//!
//! Formats: zip (also with ZipCrypto or AES), 7z, RAR, cabinet, tar, ar, cpio, RPM, MSI, images of ISO 9660 and UDF, and
//! the compressed streams of `container::Compression` around a tar or a single file. Archives may be in volumes or
//! appended to a program, a document or an image. A member `m` of an archive `a` is named `a!m`. Office documents, Java
//! and Android packages are zips too, but an analyst wants to see them as a whole: they are samples and not archives here.

mod appended;
mod ar;
mod cab;
mod cab_codec;
mod compress;
mod container;
mod cpio;
mod documents;
mod error;
mod extents;
#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod hostile_tests;
mod image_file;
mod iso;
mod limits;
mod lz4;
mod lzma;
mod member;
mod member_path;
mod named;
mod names;
mod ole;
mod open;
mod peekable;
mod prefix;
mod rar;
mod rar_blocks;
mod recognise;
mod rpm;
mod seven_zip;
mod source;
mod streams;
mod tar;
mod tar_header;
mod udf;
mod unpacker;
mod volumes;
mod wrapped;
mod zip;

pub(crate) use appended::add_hint as add_appended_hint;
pub(crate) use appended::{find_appended, hosts_archives};
pub use container::Container;
pub use error::ArchiveError;
pub use limits::{Budget, Limits};
pub use member::{Member, Note};
pub(crate) use member_path::archive_of;
pub use open::open;
pub(crate) use open::open_appended;
pub use recognise::recognise;
pub(crate) use unpacker::OnMember;
#[cfg(unix)]
pub(crate) use volumes::MAX_VOLUMES;
pub(crate) use volumes::{Joined, Set, Volumes};
