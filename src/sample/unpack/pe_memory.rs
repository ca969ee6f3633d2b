//! The decompressed sections of a PE at their addresses.

/// Bytes from the address of the first section on.
#[derive(Debug)]
pub struct Memory {
    pub bytes: Vec<u8>,
    /// The address of the first byte, relative to the image base.
    pub base: u32,
}

impl Memory {
    fn index(&self, address: u32) -> Option<usize> {
        Some(address.checked_sub(self.base)? as usize)
    }

    /// All bytes from an address on.
    pub fn from(&self, address: u32) -> &[u8] {
        self.index(address).and_then(|at| self.bytes.get(at..)).unwrap_or_default()
    }

    /// Replaces bytes; false if they are outside.
    pub fn put(&mut self, address: u32, bytes: &[u8]) -> bool {
        let place = self.index(address).and_then(|at| self.bytes.get_mut(at..at.checked_add(bytes.len())?));
        place.map(|place| place.copy_from_slice(bytes)).is_some()
    }

    /// The 32-bit number at an address.
    pub fn number(&self, address: u32) -> Option<u32> {
        self.from(address).first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }
}

/// The text at the start of `bytes`, without the zero that ends it.
pub fn text(bytes: &[u8]) -> Option<&[u8]> {
    const MOST: usize = 4096;
    let head = bytes.get(..MOST).unwrap_or(bytes);
    head.get(..head.iter().position(|byte| *byte == 0)?)
}
