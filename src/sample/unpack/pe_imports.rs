//! The imports of a PE that is packed with UPX: the original tables are filled from a list behind the sections.
//!
//! For each library the list has where its name is in the import table of the stub, where its addresses are, and its
//! functions: 1 and a name, 255 and an ordinal, or another byte and the place of an ordinal in the stub's own addresses
//! of kernel32.dll. A zero ends them.

use super::pe_headers::{IMPORTS, PeHeaders};
use super::pe_memory::{Memory, text};
use crate::sample::bytes::Bytes;

/// The size of a descriptor of a library.
const DESCRIPTOR: u32 = 20;
/// Libraries and functions that are read.
const MOST: usize = 1 << 18;

/// One library of the list.
struct Library<'a> {
    name: &'a [u8],
    addresses: u32,
    functions: Vec<Function>,
}

enum Function {
    Name(Vec<u8>),
    Ordinal(u16),
    /// The offset of the address from the stub's import table.
    OfStub(u32),
}

/// Restores the tables. `list`: where the list is in memory; `names`: the address of the names, or 0 if the descriptors
/// still have the addresses. Fails if something is outside or cut off; what was restored before stays.
pub fn restore(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    original: &PeHeaders,
    memory: &mut Memory,
    list: u32,
    names: u32,
) -> Result<(), String> {
    let stub = packed.directories[IMPORTS].0;
    let libraries = read(bytes, packed, memory, list)?;
    let outside = || "a table of the imports is outside of the sections".to_owned();
    let relative = Some(names).filter(|names| *names != 0);
    let all: usize = libraries.iter().map(|library| library.name.len() + 1).sum();
    let mut next_library = relative.map_or(0, |names| memory.base.wrapping_add(names));
    let first_function = next_library.wrapping_add(all.next_multiple_of(2) as u32);
    let mut next_function = first_function;
    let mut descriptor = original.directories[IMPORTS].0;
    for library in &libraries {
        let name = [library.name, b"\0"].concat();
        let place = if relative.is_some() {
            let place = next_library;
            next_library = next_library.wrapping_add(name.len() as u32);
            memory.put(descriptor.wrapping_add(12), &place.to_le_bytes()).then_some(place)
        } else {
            memory.number(descriptor.wrapping_add(12))
        };
        let addresses = memory.base.wrapping_add(library.addresses);
        let fits = place.is_some_and(|place| memory.put(place, &name))
            && memory.put(descriptor.wrapping_add(16), &addresses.to_le_bytes());
        if !fits {
            return Err(outside());
        }
        descriptor = descriptor.wrapping_add(DESCRIPTOR);
        let mut slot = addresses;
        for function in &library.functions {
            let value = match function {
                Function::Name(name) => {
                    let name = [name.as_slice(), b"\0"].concat();
                    let place = if relative.is_some() {
                        // Each begins at an even offset, with two bytes for a hint.
                        next_function =
                            next_function.wrapping_add(next_function.wrapping_sub(first_function) & 1);
                        let place = next_function;
                        next_function = next_function.wrapping_add(2 + name.len() as u32);
                        place
                    } else {
                        memory.number(slot).ok_or_else(outside)?
                    };
                    if !memory.put(place.wrapping_add(2), &name) {
                        return Err(outside());
                    }
                    place.into()
                }
                Function::Ordinal(ordinal) => ordinal_value(*ordinal, original.wide),
                Function::OfStub(offset) => {
                    let view = packed.view(bytes, stub.wrapping_add(*offset)).unwrap_or_default();
                    let ordinal = view.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
                    ordinal_value(ordinal.ok_or_else(outside)?, original.wide)
                }
            };
            if !put_slot(memory, &mut slot, value, original.wide) {
                return Err(outside());
            }
        }
        if !put_slot(memory, &mut slot, 0, original.wide) {
            return Err(outside());
        }
    }
    Ok(())
}

fn ordinal_value(ordinal: u16, wide: bool) -> u64 {
    u64::from(ordinal) | 1 << if wide { 63 } else { 31 }
}

/// Writes one address and moves on to the next one.
fn put_slot(memory: &mut Memory, slot: &mut u32, value: u64, wide: bool) -> bool {
    let bytes = value.to_le_bytes();
    let size = if wide { 8 } else { 4 };
    let fits = bytes.get(..size).is_some_and(|bytes| memory.put(*slot, bytes));
    *slot = slot.wrapping_add(size as u32);
    fits
}

/// Reads the list.
fn read<'a>(
    bytes: Bytes<'a>,
    packed: &PeHeaders,
    memory: &Memory,
    list: u32,
) -> Result<Vec<Library<'a>>, String> {
    let cut = || "the list of imports is cut off".to_owned();
    let stub = packed.directories[IMPORTS].0;
    let mut rest = memory.bytes.get(list as usize..).ok_or_else(cut)?;
    let mut take = |size: usize| {
        let (front, back) = rest.split_at_checked(size)?;
        rest = back;
        Some(front)
    };
    let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let mut libraries = Vec::new();
    let mut left = MOST;
    loop {
        let name = number(take(4).ok_or_else(cut)?);
        if name == 0 {
            return Ok(libraries);
        }
        let addresses = number(take(4).ok_or_else(cut)?);
        let name = packed.view(bytes, stub.wrapping_add(name)).and_then(text);
        let name = name.ok_or("the name of a library is outside of the stub's imports")?;
        let mut functions = Vec::new();
        loop {
            left = left.checked_sub(1).ok_or("the list of imports is too long")?;
            match take(1).ok_or_else(cut)?.first() {
                None | Some(0) => break,
                Some(1) => {
                    let mut name = Vec::new();
                    while let Some(byte) = take(1).ok_or_else(cut)?.first().filter(|byte| **byte != 0) {
                        name.push(*byte);
                    }
                    functions.push(Function::Name(name));
                }
                Some(255) => {
                    let ordinal = take(2).and_then(|bytes| bytes.first_chunk()).ok_or_else(cut)?;
                    functions.push(Function::Ordinal(u16::from_le_bytes(*ordinal)));
                }
                Some(_) => functions.push(Function::OfStub(number(take(4).ok_or_else(cut)?))),
            }
        }
        libraries.push(Library { name, addresses, functions });
    }
}
