//! Blocks of an ELF that is packed with UPX: 12 bytes with the sizes decompressed and compressed, a method, a filter and
//! its marker, and then the bytes, which are as they were if both sizes are equal.

use super::budget::{Budget, MAX_UNPACKED};
use super::filter::Filter;
use super::methods::Method;
use super::unpacked::UnpackError;
use crate::sample::bytes::{Bytes, Endian};
use adler2::Adler32;

/// The size of the header of a block.
pub const BLOCK: u64 = 12;

/// The header of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its size decompressed.
    pub unpacked: u32,
    /// Its size compressed.
    pub packed: u32,
    /// The number of the method.
    pub method: u8,
    pub filter: Filter,
}

impl Block {
    /// Reads it at `at`.
    pub fn read(bytes: Bytes<'_>, at: u64, endian: Endian) -> Option<Self> {
        let [method, id, marker] = bytes.array(at.checked_add(8)?)?;
        Some(Self {
            unpacked: bytes.u32(at, endian)?,
            packed: bytes.u32(at.checked_add(4)?, endian)?,
            method,
            filter: Filter { id, marker },
        })
    }

    /// Whether it can be one with bytes.
    pub fn is_plausible(&self) -> bool {
        self.packed > 0
            && self.packed <= self.unpacked
            && self.unpacked as usize <= MAX_UNPACKED
            && (self.packed == self.unpacked || Method::of(self.method).is_some() && self.filter.is_known())
    }
}

/// Reads one block after the other.
#[derive(Debug)]
pub struct Blocks<'a> {
    pub bytes: Bytes<'a>,
    pub endian: Endian,
    /// The offset of the next block.
    pub at: u64,
    packed: Adler32,
    unpacked: Adler32,
    /// The first method, and the last filter.
    pub method: Option<Method>,
    pub filter: u8,
    budget: Budget,
}

impl<'a> Blocks<'a> {
    /// The blocks from `at` on.
    pub fn new(bytes: Bytes<'a>, endian: Endian, at: u64) -> Self {
        Self {
            bytes,
            endian,
            at,
            packed: Adler32::new(),
            unpacked: Adler32::new(),
            method: None,
            filter: 0,
            budget: Budget::default(),
        }
    }

    /// The checksums of all compressed and all decompressed bytes so far.
    pub fn sums(&self) -> (u32, u32) {
        (self.packed.checksum(), self.unpacked.checksum())
    }

    /// Decompresses the next block.
    pub fn next(&mut self) -> Result<Vec<u8>, UnpackError> {
        let at = self.at;
        let wrong = |why: String| damaged(format!("the block at offset {at}: {why}"));
        let block = Block::read(self.bytes, at, self.endian)
            .ok_or_else(|| wrong("expected its header, found the end of the file".to_owned()))?;
        if !block.is_plausible() {
            return Err(wrong(format!(
                "expected sizes and a method, found {} -> {} bytes, method {}, filter 0x{:02x}",
                block.packed, block.unpacked, block.method, block.filter.id
            )));
        }
        let packed = self
            .bytes
            .get(at.saturating_add(BLOCK), block.packed.into())
            .ok_or_else(|| wrong(format!("expected {} bytes, found the end of the file", block.packed)))?;
        let unpacked = match Method::of(block.method) {
            Some(method) if block.packed < block.unpacked => {
                let mut unpacked =
                    method.exactly(packed, block.unpacked as usize, &mut self.budget).map_err(wrong)?;
                block.filter.undo(&mut unpacked, 0).map_err(wrong)?;
                self.method = self.method.or(Some(method));
                self.filter = if block.filter.id == 0 { self.filter } else { block.filter.id };
                unpacked
            }
            _ => {
                self.budget.take(packed.len()).map_err(wrong)?;
                packed.to_vec()
            }
        };
        self.packed.write_slice(packed);
        self.unpacked.write_slice(&unpacked);
        self.at = at.saturating_add(BLOCK).saturating_add(block.packed.into());
        Ok(unpacked)
    }

    /// Decompresses blocks of `wanted` bytes together into `image` at `offset`.
    pub fn extent(&mut self, image: &mut Vec<u8>, offset: u64, wanted: u64) -> Result<(), UnpackError> {
        let mut done = 0_u64;
        while done < wanted {
            let block = self.next()?;
            if block.len() as u64 > wanted - done {
                return Err(damaged(format!(
                    "expected {} bytes of a segment, found a block of {} before offset {}",
                    wanted - done,
                    block.len(),
                    self.at
                )));
            }
            put(image, offset.saturating_add(done), &block)?;
            done += block.len() as u64;
        }
        Ok(())
    }
}

/// The most zeros between what is in the image and what comes behind it.
const MAX_ZEROS: usize = 16 << 20;

/// Copies bytes into the image, which grows.
pub fn put(image: &mut Vec<u8>, offset: u64, bytes: &[u8]) -> Result<(), UnpackError> {
    let room = usize::try_from(offset).ok().and_then(|from| Some((from, from.checked_add(bytes.len())?)));
    let Some((from, end)) =
        room.filter(|(from, end)| *end <= MAX_UNPACKED && *from <= image.len() + MAX_ZEROS)
    else {
        return Err(damaged(format!(
            "a segment at offset {offset} is beyond the {} MiB that are unpacked, or far behind the one before it",
            MAX_UNPACKED >> 20
        )));
    };
    if image.len() < end {
        image.resize(end, 0);
    }
    if let Some(room) = image.get_mut(from..end) {
        room.copy_from_slice(bytes);
    }
    Ok(())
}

/// A structure is not as expected.
pub fn damaged(why: String) -> UnpackError {
    UnpackError::Damaged(why)
}
