//! Compressed streams that follow each other in one file: gzip (RFC 1952), xz, zstd (RFC 8878), bzip2, lz4, lzip, and
//! the single stream of lzma and compress.

use super::compress;
use super::container::Compression;
use super::error::SHORT;
use super::lz4;
use super::lzma;
use super::peekable::Peekable;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{self, BufRead, Read};

/// Streams that are read however short they are.
const SHORT_STREAMS: u64 = 10_000;
/// Bytes that each further stream has on average: to start one takes longer than to read its bytes.
const STREAM_BYTES: u64 = 1024;

/// The decoder of one stream.
enum Decoder<R: Read> {
    Gzip(Box<flate2::bufread::GzDecoder<Peekable<R>>>),
    Xz(Box<lzma_rust2::XzReader<Peekable<R>>>),
    Zstd(Box<StreamingDecoder<Peekable<R>, FrameDecoder>>),
    Bzip2(Box<bzip2::bufread::BzDecoder<Peekable<R>>>),
    Lz4(Box<lz4::Frame<Peekable<R>>>),
    Lzip(Box<lzma::LzipMember<R>>),
    Lzma(Box<lzma_rust2::LzmaReader<Peekable<R>>>),
    Z(Box<compress::Decoder<Peekable<R>>>),
}

/// Reads all streams of a file as one.
pub struct Streams<R: Read> {
    compression: Compression,
    memory_kib: u32,
    decoder: Option<Decoder<R>>,
    /// What comes after the last stream.
    rest: Option<Peekable<R>>,
    streams: u64,
    bytes: u64,
    /// The size of the file, to say where it ends.
    size: u64,
}

impl<R: Read> Streams<R> {
    /// A reader of `source`, which has `size` bytes, and whose decoder takes at most so much memory.
    pub fn new(source: R, size: u64, compression: Compression, memory_kib: u32) -> io::Result<Self> {
        let mut streams =
            Self { compression, memory_kib, decoder: None, rest: None, streams: 0, bytes: 0, size };
        streams.start(Peekable::new(source)).map_err(|error| cut_off(error, size))?;
        Ok(streams)
    }

    /// The number of bytes after the last stream, once all is read.
    pub fn trailing(&mut self) -> io::Result<u64> {
        let Some(rest) = &mut self.rest else { return Ok(0) };
        io::copy(rest, &mut io::sink())
    }

    fn start(&mut self, mut source: Peekable<R>) -> io::Result<()> {
        self.decoder = Some(match self.compression {
            Compression::Gzip => Decoder::Gzip(Box::new(flate2::bufread::GzDecoder::new(source))),
            Compression::Xz => {
                let reader = lzma_rust2::XzReader::new_mem_limit(source, false, self.memory_kib);
                Decoder::Xz(Box::new(reader))
            }
            Compression::Zstd => {
                skip_frames(&mut source)?;
                let window = u64::from(self.memory_kib) << 10;
                let decoder = StreamingDecoder::new_with_max_window_size(source, window);
                Decoder::Zstd(Box::new(decoder.map_err(io::Error::other)?))
            }
            Compression::Bzip2 => Decoder::Bzip2(Box::new(bzip2::bufread::BzDecoder::new(source))),
            Compression::Lz4 => Decoder::Lz4(Box::new(lz4::Frame::new(source)?)),
            Compression::Lzip => Decoder::Lzip(Box::new(lzma::LzipMember::new(source, self.memory_kib)?)),
            Compression::Lzma => {
                let reader = lzma_rust2::LzmaReader::new_mem_limit(source, self.memory_kib, None)?;
                Decoder::Lzma(Box::new(reader))
            }
            Compression::Z => Decoder::Z(Box::new(compress::Decoder::new(source)?)),
        });
        Ok(())
    }

    /// Starts the stream after the one that ended, if there is one.
    fn next(&mut self) -> io::Result<()> {
        let mut source = match self.decoder.take() {
            None => return Ok(()),
            Some(Decoder::Gzip(decoder)) => {
                let mut source = decoder.into_inner();
                // Zeros fill the last block of a tape.
                skip_zeros(&mut source, 1)?;
                source
            }
            Some(Decoder::Xz(decoder)) => {
                let mut source = decoder.into_inner();
                // The format pads streams with zeros, four at a time.
                skip_zeros(&mut source, 4)?;
                source
            }
            Some(Decoder::Zstd(decoder)) => {
                let (mut source, frame) = decoder.into_parts();
                if let (Some(expected), Some(found)) =
                    (frame.get_checksum_from_data(), frame.get_calculated_checksum())
                    && expected != found
                {
                    return Err(io::Error::other("the content does not fit its checksum"));
                }
                skip_frames(&mut source)?;
                source
            }
            Some(Decoder::Bzip2(decoder)) => decoder.into_inner(),
            Some(Decoder::Lz4(decoder)) => decoder.into_inner(),
            Some(Decoder::Lzip(decoder)) => decoder.finish()?,
            Some(Decoder::Lzma(decoder)) => {
                let (mut source, unread) = decoder.into_parts();
                source.unread(&unread);
                source
            }
            Some(Decoder::Z(decoder)) => decoder.into_inner(),
        };
        let head = source.peek(4)?;
        let another = match self.compression {
            Compression::Gzip => head.starts_with(b"\x1f\x8b\x08"),
            Compression::Xz => head == b"\xfd7zX",
            Compression::Zstd => head == b"\x28\xb5\x2f\xfd",
            Compression::Bzip2 => matches!(head, [b'B', b'Z', b'h', b'1'..=b'9']),
            Compression::Lz4 => lz4::is_frame(head),
            Compression::Lzip => head == b"LZIP",
            Compression::Lzma | Compression::Z => false,
        };
        if !another {
            self.rest = Some(source);
            return Ok(());
        }
        self.streams += 1;
        if self.streams > SHORT_STREAMS + self.bytes / STREAM_BYTES {
            return Err(io::Error::other("it consists of too many short streams"));
        }
        self.start(source)
    }
}

impl<R: Read> Read for Streams<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.decoder {
                None => return Ok(0),
                Some(Decoder::Gzip(decoder)) => decoder.read(buffer),
                Some(Decoder::Xz(decoder)) => decoder.read(buffer),
                Some(Decoder::Zstd(decoder)) => decoder.read(buffer),
                Some(Decoder::Bzip2(decoder)) => decoder.read(buffer),
                Some(Decoder::Lz4(decoder)) => decoder.read(buffer),
                Some(Decoder::Lzip(decoder)) => decoder.read(buffer),
                Some(Decoder::Lzma(decoder)) => decoder.read(buffer),
                Some(Decoder::Z(decoder)) => decoder.read(buffer),
            };
            let read = read.map_err(|error| cut_off(error, self.size))?;
            if read > 0 {
                self.bytes = self.bytes.saturating_add(read as u64);
                return Ok(read);
            }
            self.next().map_err(|error| cut_off(error, self.size))?;
        }
    }
}

/// The error of a decoder, in words if the file ends before its data.
fn cut_off(error: io::Error, size: u64) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof || error.to_string().contains(SHORT) {
        let why = format!(
            "the compressed data is cut off: expected its end, found the end of the file after {size} bytes"
        );
        io::Error::new(io::ErrorKind::UnexpectedEof, why)
    } else {
        error
    }
}

/// Skips zeros, so many at a time.
fn skip_zeros<R: Read>(source: &mut Peekable<R>, together: usize) -> io::Result<()> {
    loop {
        let zeros = source.peek(together)?;
        if zeros.len() < together || zeros.iter().any(|byte| *byte != 0) {
            return Ok(());
        }
        source.consume(together);
    }
}

/// Skips the frames of zstd that hold no content (RFC 8878, 3.1.2).
fn skip_frames<R: Read>(source: &mut Peekable<R>) -> io::Result<()> {
    while let [a, b, c, d, size @ ..] = source.peek(8)?
        && u32::from_le_bytes([*a, *b, *c, *d]) & 0xffff_fff0 == 0x184d_2a50
        && let Some(size) = size.first_chunk()
    {
        let size = u64::from(u32::from_le_bytes(*size));
        source.consume(8);
        if io::copy(&mut source.take(size), &mut io::sink())? < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
