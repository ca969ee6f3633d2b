//! The file of a segment of either kind: eight bytes that name its format, the length of its header, the header's checksum (CRC-32), the
//! header, and the body, whose parts have checksums in it.

use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};

/// What a file begins with; its last digit is the version of the format.
pub type Magic = [u8; 8];

/// No header is longer.
const LONGEST: u64 = 64 << 20;
/// Bytes before the header.
const BEFORE: u64 = (size_of::<Magic>() + size_of::<u64>() + size_of::<u32>()) as u64;

pub fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the search index is damaged: {what}"))
}

/// A body to be written: the header says what is where in it, so it comes first in time and last in place.
pub fn new_body() -> io::Result<BufWriter<File>> {
    Ok(BufWriter::new(tempfile::tempfile()?))
}

/// Writes a file.
pub fn write_file(
    out: &mut impl Write,
    magic: Magic,
    header: &impl Serialize,
    body: BufWriter<File>,
) -> io::Result<()> {
    let bytes = postcard::to_stdvec(header).map_err(io::Error::other)?;
    out.write_all(&magic)?;
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    out.write_all(&crc32fast::hash(&bytes).to_le_bytes())?;
    out.write_all(&bytes)?;
    let mut body = body.into_inner().map_err(io::IntoInnerError::into_error)?;
    body.seek(SeekFrom::Start(0))?;
    io::copy(&mut body, out)?;
    Ok(())
}

/// Reads the header of a file from its beginning, and where its body begins. Fails if it is of another format or damaged.
pub fn read_header<T: DeserializeOwned>(mut file: &File, magic: Magic) -> io::Result<(T, u64)> {
    let (mut found, mut length, mut sum) = ([0; 8], [0; 8], [0; 4]);
    file.read_exact(&mut found)?;
    file.read_exact(&mut length)?;
    file.read_exact(&mut sum)?;
    let length = u64::from_le_bytes(length);
    if found != magic || length > LONGEST {
        return Err(damaged("it does not begin as one of this version"));
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if crc32fast::hash(&bytes) != u32::from_le_bytes(sum) {
        return Err(damaged("the checksum of its header does not fit"));
    }
    let header = postcard::from_bytes(&bytes).map_err(|error| damaged(&format!("its header: {error}")))?;
    Ok((header, BEFORE + length))
}

/// Reads as many bytes as `out` has, at an offset of the file.
#[cfg(unix)]
pub fn read_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
pub fn read_at(file: &File, mut out: &mut [u8], mut at: u64) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                out = out.get_mut(n..).unwrap_or_default();
                at += n as u64;
            }
        }
    }
    Ok(())
}
