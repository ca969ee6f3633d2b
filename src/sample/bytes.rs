//! Bytes of a file, read at offsets that its author chose: outside of the file there is `None`, never a panic.

/// The byte order of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// The lowest byte first.
    Little,
    /// The highest byte first.
    Big,
}

/// The first bytes of a file, or all of them.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    kept: &'a [u8],
    size: u64,
}

impl<'a> Bytes<'a> {
    /// `kept`: the first bytes of a file of `size` bytes.
    pub fn new(kept: &'a [u8], size: u64) -> Self {
        Self { kept, size }
    }

    /// The size of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The first bytes of the file that are in memory.
    pub fn kept(&self) -> &'a [u8] {
        self.kept
    }

    /// `len` bytes at `offset`.
    pub fn get(&self, offset: u64, len: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = usize::try_from(offset.checked_add(len)?).ok()?;
        self.kept.get(start..end)
    }

    /// All kept bytes from `offset`; none if it is outside.
    pub fn from(&self, offset: u64) -> &'a [u8] {
        usize::try_from(offset).ok().and_then(|start| self.kept.get(start..)).unwrap_or_default()
    }

    /// `N` bytes at `offset`.
    pub fn array<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        self.from(offset).first_chunk().copied()
    }

    /// The 16-bit number at `offset`.
    pub fn u16(&self, offset: u64, endian: Endian) -> Option<u16> {
        let bytes = self.array(offset)?;
        Some(if endian == Endian::Little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    /// The 32-bit number at `offset`.
    pub fn u32(&self, offset: u64, endian: Endian) -> Option<u32> {
        let bytes = self.array(offset)?;
        Some(if endian == Endian::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// The 64-bit number at `offset`.
    pub fn u64(&self, offset: u64, endian: Endian) -> Option<u64> {
        let bytes = self.array(offset)?;
        Some(if endian == Endian::Little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }

    /// The bytes at `offset` up to a zero byte; `None` if there is none within `most` bytes.
    pub fn text(&self, offset: u64, most: usize) -> Option<&'a [u8]> {
        let rest = self.from(offset);
        let rest = rest.get(..most).unwrap_or(rest);
        rest.get(..rest.iter().position(|byte| *byte == 0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_outside_of_the_file_are_none() {
        let bytes = Bytes::new(b"\x01\x02\x03\x04\x05\x06\x07\x08abc\0d", 13);
        assert_eq!(bytes.u16(0, Endian::Little), Some(0x0201));
        assert_eq!(bytes.u32(1, Endian::Big), Some(0x0203_0405));
        assert_eq!(bytes.u64(0, Endian::Big), Some(0x0102_0304_0506_0708));
        assert_eq!((bytes.text(8, 10), bytes.text(8, 3), bytes.text(12, 9)), (Some(&b"abc"[..]), None, None));
        assert_eq!(bytes.get(u64::MAX, 2), None);
        assert_eq!(bytes.u64(6, Endian::Little), None);
        assert!(bytes.from(u64::MAX).is_empty());
    }
}
