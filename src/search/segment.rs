//! A segment: the codes of many vectors in a file, so that a search reads a quarter of their bytes, and keeps none of them in memory.
//!
//! It holds what a [`Searcher`](super::Searcher) holds: vectors that are nearly alike are in clouds, each with codes of their
//! differences from its centre, and equal vectors are known to be. A part, a cloud or what is in none, is cut into chunks, each with a
//! checksum.

use super::clouds::clouds;
use super::code_scan::GROUP;
use super::codes::Codes;
use super::copies::Copies;
use super::segment_file::{Magic, damaged, new_body, read_at, read_header, write_file};
use crate::model::Embeddings;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write};

const MAGIC: Magic = *b"LKALseg1";
/// Rows of a chunk: whole groups, about a megabyte of codes of 64 numbers.
pub const CHUNK: usize = 1024 * GROUP;
/// Bytes of the checksum of a chunk (CRC-32).
const SUM: usize = 4;

/// A chunk: rows of one part that lie together in the file.
#[derive(Serialize, Deserialize)]
struct Chunk {
    /// Where it begins, counted from the end of the header.
    at: u64,
    rows: u32,
}

/// Vectors around a centre, or those that are in no cloud.
#[derive(Serialize, Deserialize)]
pub struct Part {
    centre: Option<Vec<f32>>,
    /// The largest rounding error of a row.
    error: f32,
    /// The lengths of the shortest and the longest row.
    lengths: [f32; 2],
    chunks: Vec<Chunk>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    /// What the segment is known by.
    token: [u8; 16],
    dimension: u32,
    /// The number of the first vector: all others are counted from it.
    first: i64,
    rows: u64,
    parts: Vec<Part>,
}

/// An open segment.
pub struct Segment {
    file: File,
    header: Header,
    /// Codes of no rows with the centre and the errors of each part.
    shapes: Vec<Codes>,
    /// Where the chunks begin.
    begin: u64,
}

/// Rows of one part, read into memory.
#[derive(Default)]
pub struct Loaded {
    /// As they are in the file.
    bytes: Vec<u8>,
    /// Their codes.
    pub codes: Codes,
    /// The number of each vector.
    pub numbers: Vec<i64>,
    /// The number of the first vector that is equal to each.
    pub equals: Vec<i64>,
}

/// Writes a segment of `vectors` of length 1 with these `numbers`, which rise by less than 2^32 in all.
pub fn write_segment(
    out: &mut impl Write,
    token: [u8; 16],
    numbers: &[i64],
    vectors: &Embeddings,
) -> io::Result<()> {
    let copies = Copies::new(vectors);
    let first = numbers.first().copied().unwrap_or(0);
    let mut equals = vec![0_u32; vectors.len()];
    for vector in 0..copies.len() {
        for row in copies.rows(vector) {
            equals[*row as usize] = copies.first(vector) as u32;
        }
    }
    let offset = |row: u32| {
        let number = numbers.get(row as usize).copied().unwrap_or(first);
        u32::try_from(number - first).map_err(io::Error::other)
    };
    let clouds = clouds(vectors, &|vector| copies.first(vector as usize), copies.len());
    let mut header = Header {
        token,
        dimension: vectors.dimension as u32,
        first,
        rows: vectors.len() as u64,
        parts: Vec::new(),
    };
    let mut body = new_body()?;
    let mut at = 0;
    for cloud in clouds.into_iter().filter(|cloud| !cloud.vectors.is_empty()) {
        let mut rows: Vec<u32> =
            cloud.vectors.iter().flat_map(|vector| copies.rows(*vector as usize)).copied().collect();
        rows.sort_unstable();
        let mut part =
            Part { centre: cloud.centre, error: 0.0, lengths: [f32::INFINITY, 0.0], chunks: Vec::new() };
        for rows in rows.chunks(CHUNK) {
            let codes = Codes::new(rows.iter().map(|row| vectors.row(*row as usize)), part.centre.clone());
            let mut bytes = Vec::new();
            part.error = part.error.max(codes.error());
            part.lengths = [part.lengths[0].min(codes.lengths()[0]), part.lengths[1].max(codes.lengths()[1])];
            codes.write(&mut bytes);
            for row in rows {
                bytes.extend(offset(*row)?.to_le_bytes());
            }
            for row in rows {
                bytes.extend(offset(equals[*row as usize])?.to_le_bytes());
            }
            bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
            part.chunks.push(Chunk { at, rows: rows.len() as u32 });
            at += bytes.len() as u64;
            body.write_all(&bytes)?;
        }
        header.parts.push(part);
    }
    write_file(out, MAGIC, &header, body)
}

impl Segment {
    /// Opens the segment in `file` that is known by `token` and has vectors of this `dimension`. Fails if it is another one or its
    /// header is damaged.
    pub fn open(file: File, token: [u8; 16], dimension: usize) -> io::Result<Self> {
        let (header, begin): (Header, u64) = read_header(&file, MAGIC)?;
        let fits = header.parts.iter().all(|part| {
            part.centre.as_ref().is_none_or(|centre| centre.len() == dimension)
                && part.chunks.iter().all(|chunk| chunk.rows as usize <= CHUNK)
        });
        if header.token != token || header.dimension as usize != dimension || !fits {
            return Err(damaged("its header is not what was written"));
        }
        let shape = |part: &Part| Codes::empty(dimension, part.centre.clone(), part.error, part.lengths);
        let shapes = header.parts.iter().map(shape).collect();
        Ok(Self { file, header, shapes, begin })
    }

    /// The number of vectors.
    pub fn count(&self) -> usize {
        self.header.rows as usize
    }

    /// The squared distance of a vector from the centre of a part; of one without, 1.
    pub fn away(&self, part: usize, vector: &[f32]) -> f32 {
        self.shapes.get(part).map_or(1.0, |shape| shape.away(vector))
    }

    /// The number of its parts.
    pub fn parts(&self) -> usize {
        self.header.parts.len()
    }

    /// The number of chunks of a part.
    pub fn chunks(&self, part: usize) -> usize {
        self.header.parts.get(part).map_or(0, |part| part.chunks.len())
    }

    /// The smallest possible cosine distance of a vector from any of a part, if it is `away` from its centre.
    pub fn least_distance(&self, part: usize, away: f32) -> f32 {
        self.shapes.get(part).map_or(0.0, |shape| shape.least_distance(away))
    }

    /// Reads a chunk of a part into `out`, whose memory is used again. Fails if it is not what was written.
    pub fn load(&self, part: usize, chunk: usize, out: &mut Loaded) -> io::Result<()> {
        let found = self.header.parts.get(part).and_then(|part| part.chunks.get(chunk));
        let found = found.zip(self.shapes.get(part));
        let (found, shape) = found.ok_or_else(|| damaged("a chunk is missing"))?;
        let rows = found.rows as usize;
        out.codes.shape_as(shape);
        let (length, numbers) = (out.codes.bytes_of(rows), rows * size_of::<u32>());
        out.bytes.resize(length + 2 * numbers + SUM, 0);
        read_at(&self.file, &mut out.bytes, self.begin + found.at)?;
        let (bytes, sum) = out.bytes.split_last_chunk::<SUM>().ok_or_else(|| damaged("a chunk is empty"))?;
        if crc32fast::hash(bytes) != u32::from_le_bytes(*sum) {
            return Err(damaged("a checksum does not fit"));
        }
        let (codes, rest) = bytes.split_at(length);
        let (own, equals) = rest.split_at(numbers);
        let number = |bytes: &[u8; 4]| self.header.first + i64::from(u32::from_le_bytes(*bytes));
        out.codes.read(rows, codes).ok_or_else(|| damaged("a chunk has another length"))?;
        out.numbers.clear();
        out.numbers.extend(own.as_chunks().0.iter().map(number));
        out.equals.clear();
        out.equals.extend(equals.as_chunks().0.iter().map(number));
        Ok(())
    }
}
