//! The file of a segment of either kind: eight bytes that name its format, the length of its header, the header's checksum (CRC-32), the
//! header, and the body, whose parts have checksums in it. The last four bytes are the checksum of the whole body.

use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write};

/// What a file begins with; its last digit is the version of the format.
pub type Magic = [u8; 8];

/// Bytes of a checksum.
const SUM: u64 = size_of::<u32>() as u64;
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;
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
    let sum = summed(&mut body, |piece| out.write_all(piece))?;
    out.write_all(&sum.to_le_bytes())
}

/// The checksum of all that is read, which is passed on to `take`.
fn summed(from: &mut impl Read, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<u32> {
    let mut sum = crc32fast::Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece)?;
        let read = piece.get(..read).unwrap_or_default();
        if read.is_empty() {
            return Ok(sum.finalize());
        }
        sum.update(read);
        take(read)?;
    }
}

/// What a file begins with, the length of its header, and the header's checksum.
fn read_beginning(mut file: &File) -> io::Result<(Magic, u64, u32)> {
    let (mut magic, mut length, mut sum) = ([0; 8], [0; 8], [0; 4]);
    file.read_exact(&mut magic)?;
    file.read_exact(&mut length)?;
    file.read_exact(&mut sum)?;
    Ok((magic, u64::from_le_bytes(length), u32::from_le_bytes(sum)))
}

/// Reads a whole file of either kind. Fails if it is damaged anywhere.
pub fn check_segment_file(mut file: &File) -> io::Result<()> {
    let (_, length, of_header) = read_beginning(file)?;
    let body = file.metadata()?.len().checked_sub(BEFORE + SUM).and_then(|rest| rest.checked_sub(length));
    let Some(body) = body else { return Err(damaged("it is cut off")) };
    let header = summed(&mut file.take(length), |_| Ok(()))?;
    let body = summed(&mut file.take(body), |_| Ok(()))?;
    let mut of_body = [0; SUM as usize];
    file.read_exact(&mut of_body)?;
    if (header, body) != (of_header, u32::from_le_bytes(of_body)) {
        return Err(damaged("a checksum does not fit"));
    }
    Ok(())
}

/// Reads the header of a file from its beginning, and where its body begins. Fails if it is of another format or damaged.
pub fn read_header<T: DeserializeOwned>(file: &File, magic: Magic) -> io::Result<(T, u64)> {
    let (found, length, sum) = read_beginning(file)?;
    if found != magic || length > LONGEST {
        return Err(damaged("it does not begin as one of this version"));
    }
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if crc32fast::hash(&bytes) != sum {
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
