//! The stub of a PE: its first instructions load the addresses of the compressed and of the decompressed bytes. They are
//! right whatever was done to names and headers, since the program runs by them.

use super::pe_headers::PeHeaders;
use crate::sample::bytes::Bytes;

/// Bytes from the entry point on that are searched.
const SEARCHED: usize = 192;

/// What the stub's first instructions say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// The offset in the file of the compressed bytes.
    pub source: u64,
    /// The address of the decompressed bytes, relative to the image base.
    pub target: u32,
    /// The offset in the file of the entry point.
    pub entry: u64,
}

/// Finds them at the entry point.
pub fn find(bytes: Bytes<'_>, headers: &PeHeaders) -> Option<Stub> {
    let entry = headers.offset(headers.entry)?;
    let code = bytes.from(entry);
    let code = code.get(..SEARCHED).unwrap_or(code);
    (0..code.len()).find_map(|at| {
        let (source, next) = source(headers, code, at)?;
        let target = target(headers, code.get(next..)?)?;
        Some(Stub { source: headers.offset(source)?, target: source.wrapping_add(target), entry })
    })
}

/// The address in the source register, esi or rsi, and where the next instruction begins.
fn source(headers: &PeHeaders, code: &[u8], at: usize) -> Option<(u32, usize)> {
    let here = headers.entry.wrapping_add(at as u32);
    match (headers.wide, code.get(at..)?) {
        // lea rsi, [rip + n]
        (true, [0x48, 0x8d, 0x35, a, b, c, d, ..]) => {
            Some((here.wrapping_add(7).wrapping_add(u32::from_le_bytes([*a, *b, *c, *d])), at + 7))
        }
        // mov esi, n
        (false, [0xbe, a, b, c, d, ..]) => {
            Some((u32::from_le_bytes([*a, *b, *c, *d]).wrapping_sub(headers.image_base as u32), at + 5))
        }
        // call next; next: pop eax; lea esi, [eax + n]
        (false, [0xe8, 0, 0, 0, 0, 0x58, 0x8d, 0xb0, a, b, c, d, ..]) => {
            Some((here.wrapping_add(5).wrapping_add(u32::from_le_bytes([*a, *b, *c, *d])), at + 12))
        }
        _ => None,
    }
}

/// The distance in `lea edi, [esi + n]` or `lea rdi, [rsi + n]`.
fn target(headers: &PeHeaders, code: &[u8]) -> Option<u32> {
    match (headers.wide, code) {
        (true, [0x48, 0x8d, 0xbe, a, b, c, d, ..]) | (false, [0x8d, 0xbe, a, b, c, d, ..]) => {
            Some(u32::from_le_bytes([*a, *b, *c, *d]))
        }
        _ => None,
    }
}
