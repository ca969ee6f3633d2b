//! The methods of compression that UPX uses, by their numbers in its headers.

use super::budget::Budget;
use super::nrv::{self, Unit, Variant};
use lzma_rust2::LzmaReader;
use std::fmt;
use std::io::Read;

/// What an attempt costs at least, in bytes.
const SMALLEST: usize = 1 << 12;

/// What was decompressed.
#[derive(Debug)]
pub struct Decoded {
    pub bytes: Vec<u8>,
    /// The number of compressed bytes.
    pub read: usize,
}

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
        let mut bytes = Vec::new();
        let done = match self {
            Self::Nrv(variant, unit) => {
                nrv::decode(variant, unit, packed, size, &mut bytes).map(drop).map_err(str::to_owned)
            }
            Self::Lzma => lzma(packed, size, size as u64, &mut bytes),
            Self::Deflate => {
                let reader = flate2::read::DeflateDecoder::new(packed);
                reader.take(size as u64).read_to_end(&mut bytes).map(drop).map_err(|error| error.to_string())
            }
        };
        done.map_err(|why| format!("{self}: {why}"))?;
        if bytes.len() != size {
            return Err(format!("{self}: expected {size} bytes, found {}", bytes.len()));
        }
        Ok(bytes)
    }

    /// Decompresses a stream of unknown size, up to its end. LZMA of UPX has no end: all that can be decompressed comes,
    /// with what was not compressed at its end.
    pub fn to_the_end(self, packed: &[u8], most: usize, budget: &mut Budget) -> Result<Decoded, String> {
        let most = most.min(budget.left());
        let mut bytes = Vec::new();
        let read = match self {
            Self::Nrv(variant, unit) => {
                nrv::decode(variant, unit, packed, most, &mut bytes).map_err(str::to_owned)
            }
            Self::Lzma => lzma(packed, most, u64::MAX, &mut bytes).map(|()| packed.len()),
            Self::Deflate => Err("a stream of unknown size".to_owned()),
        };
        // What fails costs something too.
        budget.take(bytes.len() + SMALLEST)?;
        Ok(Decoded { read: read.map_err(|why| format!("{self}: {why}"))?, bytes })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// LZMA behind two bytes of properties: the sum of the literal bits and the position bits, and each of the literal bits.
/// `size` is `u64::MAX` if it is unknown.
fn lzma(packed: &[u8], most: usize, size: u64, out: &mut Vec<u8>) -> Result<(), String> {
    let Some(([sum_and_pb, lp_and_lc], stream)) = packed.split_first_chunk::<2>() else {
        return Err("the compressed bytes end too early".to_owned());
    };
    let (sum, pb, lp, lc) = (sum_and_pb >> 3, sum_and_pb & 7, lp_and_lc >> 4, lp_and_lc & 15);
    if lp + lc != sum || pb > 4 || lp > 4 || lc > 8 || stream.first() != Some(&0) {
        return Err(format!("the properties {sum_and_pb:02x} {lp_and_lc:02x} are invalid"));
    }
    // A dictionary as large as the output reaches everything.
    let dictionary = u32::try_from(most.max(4096)).unwrap_or(u32::MAX);
    let mut reader = LzmaReader::new(stream, size, lc.into(), lp.into(), pb.into(), dictionary, None)
        .map_err(|error| error.to_string())?;
    // What comes before an error counts.
    reader.set_defer_errors(true);
    match reader.take(most as u64).read_to_end(out) {
        // Without a size, the stream ends in an error.
        Err(error) if size != u64::MAX => Err(format!("{error} after {} bytes", out.len())),
        _ => Ok(()),
    }
}
