//! Adler-32, the checksum of UPX (RFC 1950, section 8.2).

/// Bytes that can be added before the sums have to be reduced.
const BLOCK: usize = 5552;
/// The largest prime below 2^16.
const MODULUS: u32 = 65_521;

/// The checksum of several pieces.
#[derive(Clone, Copy, Debug)]
pub struct Adler {
    low: u32,
    high: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Self { low: 1, high: 0 }
    }
}

impl Adler {
    /// Appends a piece.
    pub fn push(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK) {
            for byte in block {
                self.low += u32::from(*byte);
                self.high += self.low;
            }
            self.low %= MODULUS;
            self.high %= MODULUS;
        }
    }

    /// The checksum of all pieces.
    pub fn sum(self) -> u32 {
        self.high << 16 | self.low
    }
}

/// The checksum of one piece.
pub fn adler32(bytes: &[u8]) -> u32 {
    let mut adler = Adler::default();
    adler.push(bytes);
    adler.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        let mut pieces = Adler::default();
        pieces.push(b"Wiki");
        pieces.push(b"pedia");
        assert_eq!(pieces.sum(), 0x11e6_0398);
        // The largest sums that are not reduced in between.
        assert_eq!(adler32(&[0xff; 1 << 20]), slow(&[0xff; 1 << 20]));
    }

    fn slow(bytes: &[u8]) -> u32 {
        let (mut low, mut high) = (1_u32, 0_u32);
        for byte in bytes {
            low = (low + u32::from(*byte)) % MODULUS;
            high = (high + low) % MODULUS;
        }
        high << 16 | low
    }
}
