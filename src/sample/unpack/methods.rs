//! The methods of compression that UPX uses, by their numbers in its headers.

use super::budget::Budget;
use super::nrv::{self, Decoded, Unit, Variant};
use lzma_rust2::LzmaReader;
use std::fmt;
use std::io::Read;

/// A method of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Nrv(Variant, Unit),
    Lzma,
    Deflate,
}

impl Method {
    /// The methods of programs for Windows, the usual ones first.
    pub const OF_PE: [Self; 7] = [
        Self::Nrv(Variant::E, Unit::Four),
        Self::Nrv(Variant::B, Unit::Four),
        Self::Nrv(Variant::D, Unit::Four),
        Self::Lzma,
        Self::Nrv(Variant::E, Unit::Byte),
        Self::Nrv(Variant::B, Unit::Byte),
        Self::Nrv(Variant::D, Unit::Byte),
    ];

    /// The method with this number in a header.
    pub fn of(number: u8) -> Option<Self> {
        let variant = match number {
            2..=4 => Variant::B,
            5..=7 => Variant::D,
            8..=10 => Variant::E,
            14 => return Some(Self::Lzma),
            15 => return Some(Self::Deflate),
            _ => return None,
        };
        let unit = match number % 3 {
            2 => Unit::Four,
            0 => Unit::Byte,
            _ => Unit::Two,
        };
        Some(Self::Nrv(variant, unit))
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nrv(Variant::B, _) => "NRV2B",
            Self::Nrv(Variant::D, _) => "NRV2D",
            Self::Nrv(Variant::E, _) => "NRV2E",
            Self::Lzma => "LZMA",
            Self::Deflate => "deflate",
        }
    }

    /// Decompresses to exactly `size` bytes.
    pub fn exactly(self, packed: &[u8], size: usize, budget: &mut Budget) -> Result<Vec<u8>, String> {
        budget.take(size)?;
        let bytes = match self {
            Self::Nrv(variant, unit) => nrv::decode(variant, unit, packed, size).map(|decoded| decoded.bytes),
            Self::Lzma => Ok(lzma(packed, size, size as u64).map(|decoded| decoded.bytes)?),
            Self::Deflate => {
                let mut bytes = Vec::new();
                let mut reader = flate2::read::DeflateDecoder::new(packed).take(size as u64);
                reader.read_to_end(&mut bytes).map(|_| bytes).map_err(|_| "the stream is damaged")
            }
        };
        let bytes = bytes.map_err(|why| format!("{self}: {why}"))?;
        if bytes.len() != size {
            return Err(format!("{self}: expected {size} bytes, found {}", bytes.len()));
        }
        Ok(bytes)
    }

    /// Decompresses a stream of unknown size, up to its end. LZMA of UPX has no end: all that can be decompressed comes,
    /// with what was not compressed at its end.
    pub fn to_the_end(self, packed: &[u8], most: usize, budget: &mut Budget) -> Result<Decoded, String> {
        let most = most.min(budget.left());
        let decoded = match self {
            Self::Nrv(variant, unit) => {
                nrv::decode(variant, unit, packed, most).map_err(|why| format!("{self}: {why}"))
            }
            Self::Lzma => lzma(packed, most, u64::MAX),
            Self::Deflate => Err("deflate: a stream of unknown size".to_owned()),
        };
        // What failed cost something too.
        budget.take(decoded.as_ref().map_or(packed.len(), |decoded| decoded.bytes.len()))?;
        decoded
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// LZMA behind two bytes of properties: the sum of the literal bits and the position bits, twice.
fn lzma(packed: &[u8], most: usize, size: u64) -> Result<Decoded, String> {
    let Some(([sum_and_pb, lp_and_lc], stream)) = packed.split_first_chunk::<2>() else {
        return Err("LZMA: the compressed bytes end too early".to_owned());
    };
    let (sum, pb, lp, lc) = (sum_and_pb >> 3, sum_and_pb & 7, lp_and_lc >> 4, lp_and_lc & 15);
    if lp + lc != sum || pb > 4 || lp > 4 || lc > 8 || stream.first() != Some(&0) {
        return Err(format!("LZMA: the properties {sum_and_pb:02x} {lp_and_lc:02x} are invalid"));
    }
    // A dictionary as large as the output reaches everything.
    let dictionary = u32::try_from(most.max(4096)).map_err(|_| "LZMA: too large".to_owned())?;
    let properties = (u32::from(lc), u32::from(lp), u32::from(pb));
    let mut reader =
        LzmaReader::new(stream, size, properties.0, properties.1, properties.2, dictionary, None)
            .map_err(|error| format!("LZMA: {error}"))?;
    // What comes before an error counts.
    reader.set_defer_errors(true);
    let mut bytes = Vec::new();
    let read = reader.take(most as u64).read_to_end(&mut bytes);
    // Without a size, the stream ends in an error.
    if let Err(error) = read.as_ref().map(drop)
        && size != u64::MAX
    {
        return Err(format!("LZMA: {error} after {} bytes", bytes.len()));
    }
    Ok(Decoded { bytes, read: packed.len() })
}
