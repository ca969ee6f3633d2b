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
    /// The offset in the file of the first of these instructions.
    pub entry: u64,
}

/// Finds them at the entry point.
pub fn find(bytes: Bytes<'_>, headers: &PeHeaders) -> Option<Stub> {
    let entry = headers.offset(headers.entry)?;
    let code = bytes.from(entry);
    find_in(headers, code.get(..SEARCHED).unwrap_or(code), headers.entry, entry)
}

/// Finds them anywhere in the section with the compressed bytes, if they lead from there to the first section.
pub fn search(bytes: Bytes<'_>, headers: &PeHeaders) -> Option<Stub> {
    let [first, second, ..] = *headers.sections else { return None };
    let code = headers.view(bytes, second.address)?;
    find_in(headers, code, second.address, second.offset.into()).filter(|stub| stub.target == first.address)
}

/// `address` and `offset`: of the first byte of `code`.
fn find_in(headers: &PeHeaders, code: &[u8], address: u32, offset: u64) -> Option<Stub> {
    (0..code.len()).find_map(|at| {
        let (source, next) = source(headers, code, at, address.wrapping_add(at as u32))?;
        let target = source.wrapping_add(target(headers, code.get(next..)?)?);
        Some(Stub { source: headers.offset(source)?, target, entry: offset + at as u64 })
    })
}

/// The address in the source register, esi or rsi, and where the next instruction begins. `here`: the address of the
/// instruction.
fn source(headers: &PeHeaders, code: &[u8], at: usize, here: u32) -> Option<(u32, usize)> {
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
