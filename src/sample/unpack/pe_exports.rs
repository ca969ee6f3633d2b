//! The exports of a PE that is packed with UPX: they are moved to the stub's section, and belong back to their place.

use super::pe_headers::{EXPORTS, PeHeaders};
use super::pe_memory::{Memory, text};
use crate::sample::bytes::Bytes;

/// The size of the directory.
const DIRECTORY: u32 = 40;
/// Functions, and names.
const MOST: u32 = 1 << 16;

/// Copies the exports to their original address: the directory, addresses, pointers to names, ordinals, the name of the
/// library, the names and the forwarders. Fails if a table is outside or they do not fit.
pub fn restore(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    original: &PeHeaders,
    memory: &mut Memory,
) -> Result<(), String> {
    let ((from, size), (to, original_size)) = (packed.directories[EXPORTS], original.directories[EXPORTS]);
    if original_size == 0 || size == 0 || from == to {
        return Ok(());
    }
    let table =
        build(bytes, packed, from, size, to, memory.from(to).len()).ok_or("the exports are damaged")?;
    if memory.put(to, &table) { Ok(()) } else { Err("the exports are outside of the sections".to_owned()) }
}

fn build(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    from: u32,
    size: u32,
    to: u32,
    room: usize,
) -> Option<Vec<u8>> {
    let view = |address: u32| packed.view(bytes, address);
    let mut directory = *view(from)?.first_chunk::<40>()?;
    let field = |at: usize| directory.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let (functions, names) = (field(20)?, field(24)?);
    if functions > MOST || names > MOST {
        return None;
    }
    let library = text(view(field(12)?)?)?;
    let numbers = |address: u32, count: u32| {
        let table = if count == 0 { &[][..] } else { view(address)?.get(..4 * count as usize)? };
        Some(table.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect::<Vec<_>>())
    };
    let mut addresses = numbers(field(28)?, functions)?;
    let pointers = numbers(field(32)?, names)?;
    let ordinals = if names == 0 { &[][..] } else { view(field(36)?)?.get(..2 * names as usize)? };
    // What has a fixed size.
    let pointers_at = to.checked_add(DIRECTORY)?.checked_add(4 * functions)?;
    let ordinals_at = pointers_at.checked_add(4 * names)?;
    let library_at = ordinals_at.checked_add(2 * names)?;
    let mut texts = Vec::new();
    let mut next = |text: &[u8]| {
        let at = library_at.checked_add(u32::try_from(texts.len()).ok()?)?;
        texts.extend_from_slice(text);
        texts.push(0);
        (texts.len() <= room).then_some(at)
    };
    next(library)?;
    let pointers =
        pointers.into_iter().map(|pointer| next(text(view(pointer)?)?)).collect::<Option<Vec<_>>>()?;
    for address in &mut addresses {
        // An address in the exports is the name of a function elsewhere.
        if address.checked_sub(from).is_some_and(|inside| inside < size) {
            *address = next(text(view(*address)?)?)?;
        }
    }
    for (at, value) in [(12, library_at), (28, to + DIRECTORY), (32, pointers_at), (36, ordinals_at)] {
        directory.get_mut(at..at + 4)?.copy_from_slice(&value.to_le_bytes());
    }
    let mut table = directory.to_vec();
    table.extend(addresses.into_iter().chain(pointers).flat_map(u32::to_le_bytes));
    table.extend_from_slice(ordinals);
    table.extend(texts);
    Some(table)
}
