//! What UPX writes behind the sections of a PE before it compresses them: the original headers, the places of the lists of
//! imports and relocations, and at the very end where the headers are. It proves that the decompressed bytes are right.

use super::pe_headers::{PeHeaders, SECTION};
use crate::sample::bytes::{Bytes, Endian};

/// Signatures that are looked at in bytes of unknown length.
const MAX_FOUND: usize = 1024;

/// The original headers and what follows them.
#[derive(Clone, Debug)]
pub struct Original {
    pub headers: PeHeaders,
    /// Where the list of imports is, and the address of the names; both count from the first section.
    pub imports: Option<(u32, u32)>,
    /// Where the list of relocations is, and its flags.
    pub relocations: Option<(u32, u8)>,
    /// The number of icons in the first group.
    pub icons: Option<u16>,
    /// The number of decompressed bytes.
    pub size: usize,
}

impl Original {
    /// Reads it from the end of the decompressed bytes.
    pub fn at_end(bytes: &[u8], packed: &PeHeaders) -> Option<Self> {
        let at = u32::from_le_bytes(*bytes.last_chunk()?);
        Self::read(bytes, at as usize, bytes.len(), packed)
    }

    /// Searches for it in bytes with something else behind them.
    pub fn search(bytes: &[u8], packed: &PeHeaders) -> Option<Self> {
        // What follows the headers has at most this size.
        const MOST: u64 = 8 + 5 + 2;
        memchr::memmem::rfind_iter(bytes, b"PE\0\0").take(MAX_FOUND).find_map(|at| {
            let view = Bytes::new(bytes, bytes.len() as u64);
            let headers = PeHeaders::read(view, at as u64)?;
            let table = at as u64 + headers.size() + SECTION * headers.sections.len() as u64;
            let end = (table..=table + MOST)
                .find(|end| view.u32(*end, Endian::Little).is_some_and(|number| number as usize == at))?;
            Self::read(bytes, at, usize::try_from(end).ok()?.checked_add(4)?, packed)
        })
    }

    /// `at`: the signature; `size`: the end of everything.
    fn read(bytes: &[u8], at: usize, size: usize, packed: &PeHeaders) -> Option<Self> {
        let bytes = bytes.get(..size)?;
        let view = Bytes::new(bytes, size as u64);
        let headers = PeHeaders::read(view, at as u64)?;
        let first = headers.sections.first()?;
        let fits = headers.machine == packed.machine
            && headers.wide == packed.wide
            && first.address > 0
            && headers.sections.is_sorted_by_key(|section| section.address);
        let mut next = at as u64 + headers.size() + SECTION * headers.sections.len() as u64;
        let left = (size as u64).checked_sub(4)?.checked_sub(next)?;
        // The size says which of the three are there.
        let (imports, relocations, icons) = match left {
            0 => (false, false, false),
            2 => (false, false, true),
            5 => (false, true, false),
            7 => (false, true, true),
            8 => (true, false, false),
            10 => (true, false, true),
            13 => (true, true, false),
            15 => (true, true, true),
            _ => return None,
        };
        let mut take = |size: u64| {
            next += size;
            next - size
        };
        let number = |at: u64| view.u32(at, Endian::Little);
        let imports = if imports { Some((number(take(4))?, number(take(4))?)) } else { None };
        let relocations =
            if relocations { Some((number(take(4))?, view.array::<1>(take(1))?[0])) } else { None };
        let icons = if icons { view.u16(take(2), Endian::Little) } else { None };
        fits.then_some(Self { headers, imports, relocations, icons, size })
    }
}
