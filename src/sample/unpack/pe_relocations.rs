//! The relocations of a PE that is packed with UPX: distances between their places. The addresses there have their bytes
//! swapped and no image base.

use super::pe_memory::Memory;

const ABSOLUTE: u16 = 0;
const HIGH: u16 = 1;
const LOW: u16 = 2;
const HIGH_LOW: u16 = 3;
const DIR64: u16 = 10;

/// Restores the addresses and returns the table of relocations. `list`: where the distances are in memory; `flags`: which
/// lists of halves follow. Fails if the list is cut off or goes beyond the sections.
pub fn restore(
    memory: &mut Memory,
    list: u32,
    flags: u8,
    wide: bool,
    image_base: u64,
) -> Result<Vec<u8>, String> {
    let cut = || "the list of relocations is cut off".to_owned();
    let mut at = list as usize;
    let mut place = 0_usize.wrapping_sub(4);
    let mut found = Vec::new();
    let size = if wide { 8 } else { 4 };
    let add = image_base.wrapping_add(memory.base.into());
    loop {
        let (first, rest) = memory.bytes.get(at..).and_then(<[u8]>::split_first).ok_or_else(cut)?;
        at += 1;
        let distance = match *first {
            0 => break,
            first @ ..0xf0 => u32::from(first),
            first => {
                let low: [u8; 2] = *rest.first_chunk().ok_or_else(cut)?;
                at += 2;
                match u32::from(first & 15) << 16 | u32::from(u16::from_le_bytes(low)) {
                    0 => {
                        at += 4;
                        u32::from_le_bytes(*rest.get(2..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?)
                    }
                    distance => distance,
                }
            }
        };
        if distance < 4 {
            return Err("two relocations overlap".to_owned());
        }
        place = place.wrapping_add(distance as usize);
        let slot = memory.bytes.get_mut(place..).and_then(|bytes| bytes.get_mut(..size));
        let slot = slot.ok_or("a relocation is outside of the sections")?;
        slot.reverse();
        if let Some(slot) = slot.first_chunk_mut::<8>().filter(|_| wide) {
            *slot = u64::from_le_bytes(*slot).wrapping_add(add).to_le_bytes();
        } else if let Some(slot) = slot.first_chunk_mut::<4>() {
            *slot = u32::from_le_bytes(*slot).wrapping_add(add as u32).to_le_bytes();
        }
        found.push((memory.base.wrapping_add(place as u32), if wide { DIR64 } else { HIGH_LOW }));
    }
    // Relocations of 16 bits, whose addresses are as they were.
    let lists: &[u16] = match flags & 6 {
        0 => &[],
        4 => &[LOW],
        2 => &[HIGH],
        _ => &[LOW, HIGH],
    };
    for kind in lists {
        loop {
            let place = memory.bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(cut)?;
            at += 4;
            match u32::from_le_bytes(*place) {
                0 => break,
                place => found.push((memory.base.wrapping_add(place), *kind)),
            }
        }
    }
    found.sort_unstable();
    Ok(table(&found))
}

/// The table: a block for each page of 4 KiB, of a multiple of four bytes.
fn table(relocations: &[(u32, u16)]) -> Vec<u8> {
    let mut table = Vec::new();
    for page in relocations.chunk_by(|a, b| a.0 >> 12 == b.0 >> 12) {
        let mut entries: Vec<u16> =
            page.iter().map(|(address, kind)| kind << 12 | (address & 0xfff) as u16).collect();
        if entries.len() % 2 == 1 {
            entries.push(ABSOLUTE << 12);
        }
        let start = page.first().map_or(0, |(address, _)| address & !0xfff);
        table.extend(start.to_le_bytes());
        table.extend((8 + 2 * entries.len() as u32).to_le_bytes());
        table.extend(entries.into_iter().flat_map(u16::to_le_bytes));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_become_a_table() {
        let mut bytes = vec![0_u8; 0x2000];
        bytes[8..12].copy_from_slice(&0x10_u32.to_be_bytes());
        bytes[0x1004..0x1008].copy_from_slice(&0x20_u32.to_be_bytes());
        bytes.extend([12, 0xf0, 0xfc, 0x0f, 0]);
        let mut memory = Memory { bytes, base: 0x1000 };
        let table = restore(&mut memory, 0x2000, 0, false, 0x40_0000).unwrap();
        assert_eq!(memory.number(0x1008), Some(0x40_1010));
        assert_eq!(memory.number(0x2004), Some(0x40_1020));
        assert_eq!(table, [0, 16, 0, 0, 12, 0, 0, 0, 8, 48, 0, 0, 0, 32, 0, 0, 12, 0, 0, 0, 4, 48, 0, 0]);
        assert!(restore(&mut memory, 0x2004, 0, false, 0).is_ok_and(|table| table.is_empty()));
        assert!(restore(&mut memory, 0x2005, 0, false, 0).is_err());
        memory.bytes.extend([3, 0]);
        assert!(restore(&mut memory, 0x2005, 0, false, 0).is_err());
    }
}
