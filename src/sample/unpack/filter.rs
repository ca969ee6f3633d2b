//! Filters: how UPX makes code more compressible. An operand of a call, relative to its place, becomes the address that
//! is called, so that calls of one function look the same.
//!
//! The numbers are those of UPX's table of filters. The "clever" ones only change calls within the code: their first byte
//! is then the marker, which follows no other call.

/// The longest code of filters with a marker: an address in it takes three bytes.
const MAX_MARKED: usize = 0x00ff_ffff;

/// A filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Its number; 0 is none.
    pub id: u8,
    /// The first byte of a changed operand.
    pub marker: u8,
}

/// Which instructions a filter of x86 changes.
#[derive(Clone, Copy)]
struct Which {
    call: bool,
    jump: bool,
    conditional: bool,
}

impl Filter {
    /// Whether `undo` knows it.
    pub fn is_known(self) -> bool {
        matches!(self.id, 0 | 0x11..=0x19 | 0x24..=0x26 | 0x36 | 0x46 | 0x49 | 0x50..=0x52 | 0xd0)
    }

    /// Restores filtered code. `add`: what was added to each address. Fails if the filter is unknown.
    pub fn undo(self, code: &mut [u8], add: u32) -> Result<(), String> {
        let which = |call, jump| Which { call, jump, conditional: false };
        match self.id {
            0 => {}
            0x11 => plain(code, add, which(true, false), u32::from_le_bytes, u32::to_le_bytes),
            0x12 => plain(code, add, which(false, true), u32::from_le_bytes, u32::to_le_bytes),
            0x13 => plain(code, add, which(true, true), u32::from_le_bytes, u32::to_le_bytes),
            0x14 => plain(code, add, which(true, false), u32::from_be_bytes, u32::to_le_bytes),
            0x15 => plain(code, add, which(false, true), u32::from_be_bytes, u32::to_le_bytes),
            0x16 => plain(code, add, which(true, true), u32::from_be_bytes, u32::to_le_bytes),
            0x17 => plain(code, add, which(true, false), u32::from_le_bytes, u32::to_be_bytes),
            0x18 => plain(code, add, which(false, true), u32::from_le_bytes, u32::to_be_bytes),
            0x19 => plain(code, add, which(true, true), u32::from_le_bytes, u32::to_be_bytes),
            0x24 => marked(code, add, self.marker, which(true, false)),
            0x25 => marked(code, add, self.marker, which(false, true)),
            0x26 | 0x36 | 0x46 => marked(code, add, self.marker, which(true, true)),
            0x49 => marked(code, add, self.marker, Which { call: true, jump: true, conditional: true }),
            0x50 => arm(code, add, false),
            0x51 => arm(code, add, true),
            0x52 => arm64(code, add),
            0xd0 => powerpc(code, add, self.marker),
            id => return Err(format!("filter 0x{id:02x} is unknown")),
        }
        Ok(())
    }
}

impl Which {
    /// Whether the opcode at `at` is one of them. `after`: where the last changed operand ended.
    fn has(self, code: &[u8], at: usize, after: usize) -> bool {
        match code.get(at) {
            Some(0xe8) => self.call,
            Some(0xe9) => self.jump,
            Some(0x80..=0x8f) => {
                // The byte before it may belong to an operand.
                self.conditional
                    && at != after
                    && at.checked_sub(1).and_then(|at| code.get(at)) == Some(&0x0f)
            }
            _ => false,
        }
    }
}

/// The four bytes after `at`.
fn operand(code: &mut [u8], at: usize) -> Option<&mut [u8; 4]> {
    code.get_mut(at + 1..)?.first_chunk_mut()
}

/// Every call or jump.
fn plain(code: &mut [u8], add: u32, which: Which, read: fn([u8; 4]) -> u32, write: fn(u32) -> [u8; 4]) {
    let end = code.len().saturating_sub(5);
    let mut at = 0;
    while at < end {
        if which.has(code, at, at) {
            if let Some(operand) = operand(code, at) {
                let relative = read(*operand).wrapping_sub(at as u32 + 1).wrapping_sub(add);
                *operand = write(relative);
            }
            at += 4;
        }
        at += 1;
    }
}

/// Calls and jumps with the marker.
fn marked(code: &mut [u8], add: u32, marker: u8, which: Which) {
    if code.len() > MAX_MARKED {
        return;
    }
    let end = code.len().saturating_sub(5);
    let (mut at, mut after) = (0, 0);
    while at < end {
        if which.has(code, at, after)
            && let Some(operand) = operand(code, at)
            && operand[0] == marker
        {
            let address = u32::from_be_bytes(*operand) & 0x00ff_ffff;
            *operand = address.wrapping_sub(at as u32 + 1).wrapping_sub(add).to_le_bytes();
            at += 4;
            after = at + 1;
        }
        at += 1;
    }
}

/// Branches with link of 32-bit ARM: 24 bits, in instructions.
fn arm(code: &mut [u8], add: u32, big_endian: bool) {
    let end = code.len().saturating_sub(4);
    for (index, instruction) in whole_words(code, end).enumerate() {
        let read = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let word = read(*instruction);
        if word >> 24 & 0x0f == 0x0b {
            let relative = word.wrapping_sub(index as u32).wrapping_sub(add) & 0x00ff_ffff;
            let word = word & 0xff00_0000 | relative;
            *instruction = if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        }
    }
}

/// Branches of 64-bit ARM: 26 bits, in instructions.
fn arm64(code: &mut [u8], add: u32) {
    let end = code.len().saturating_sub(4);
    for (index, instruction) in whole_words(code, end).enumerate() {
        let word = u32::from_le_bytes(*instruction);
        if word >> 26 & 0x1f == 5 {
            let relative = word.wrapping_sub(index as u32).wrapping_sub(add) & 0x03ff_ffff;
            *instruction = (word & 0xfc00_0000 | relative).to_le_bytes();
        }
    }
}

/// The instructions that begin before `end`.
fn whole_words(code: &mut [u8], end: usize) -> impl Iterator<Item = &mut [u8; 4]> {
    let words = code.as_chunks_mut().0;
    words
        .iter_mut()
        .enumerate()
        .take_while(move |(index, _)| *index == 0 || index * 4 < end)
        .map(|(_, word)| word)
}

/// Branches of PowerPC: 24 bits of instructions, the upper four of which are the marker.
fn powerpc(code: &mut [u8], add: u32, marker: u8) {
    let end = code.len().saturating_sub(4).min(0x003f_ffff);
    for (index, instruction) in code.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let (at, word) = (index * 4, u32::from_be_bytes(*instruction));
        if at > end {
            break;
        }
        if word >> 26 == 18 && word >> 22 & 15 == u32::from(marker) {
            let relative = (word & 0x003f_fffc).wrapping_sub(at as u32).wrapping_sub(add) & 0x03ff_fffc;
            *instruction = (word & 0xfc00_0003 | relative).to_be_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call at offset 4 of a place at 0x20, in 64 bytes.
    fn code(operand: [u8; 4]) -> Vec<u8> {
        let mut code = vec![0x90; 64];
        code[4] = 0xe8;
        code[5..9].copy_from_slice(&operand);
        code
    }

    #[test]
    fn calls_become_relative() {
        let relative = code([0x17, 0, 0, 0]);
        for (id, operand) in [
            (0x11, [0x1c, 0x10, 0, 0]),
            (0x13, [0x1c, 0x10, 0, 0]),
            (0x14, [0, 0, 0x10, 0x1c]),
            (0x16, [0, 0, 0x10, 0x1c]),
            (0x24, [7, 0, 0x10, 0x1c]),
            (0x26, [7, 0, 0x10, 0x1c]),
            (0x46, [7, 0, 0x10, 0x1c]),
            (0x49, [7, 0, 0x10, 0x1c]),
        ] {
            let mut filtered = code(operand);
            Filter { id, marker: 7 }.undo(&mut filtered, 0x1000).unwrap();
            assert_eq!(filtered, relative, "0x{id:02x}");
        }
        // Another marker, another opcode.
        for (id, marker) in [(0x26, 8), (0x25, 7)] {
            let mut filtered = code([7, 0, 0x10, 0x1c]);
            Filter { id, marker }.undo(&mut filtered, 0x1000).unwrap();
            assert_eq!(filtered, code([7, 0, 0x10, 0x1c]));
        }
    }

    #[test]
    fn conditional_jumps() {
        let mut jump = vec![0x90; 64];
        jump[4..10].copy_from_slice(&[0x0f, 0x84, 7, 0, 0, 0x20]);
        Filter { id: 0x49, marker: 7 }.undo(&mut jump, 0).unwrap();
        assert_eq!(jump[4..10], [0x0f, 0x84, 0x1a, 0, 0, 0]);
    }

    #[test]
    fn branches_of_arm_and_powerpc() {
        let filtered = |id, word: [u8; 4]| {
            let mut code = vec![0; 32];
            code[8..12].copy_from_slice(&word);
            Filter { id, marker: 3 }.undo(&mut code, 0).unwrap();
            code[8..12].to_vec()
        };
        assert_eq!(filtered(0x50, [9, 0, 0, 0xeb]), [7, 0, 0, 0xeb]);
        assert_eq!(filtered(0x51, [0xeb, 0, 0, 9]), [0xeb, 0, 0, 7]);
        assert_eq!(filtered(0x52, [9, 0, 0, 0x94]), [7, 0, 0, 0x94]);
        assert_eq!(filtered(0xd0, [0x48, 0xc0, 0, 0x21]), [0x48, 0, 0, 0x19]);
        assert_eq!(filtered(0x50, [9, 0, 0, 0xea]), [9, 0, 0, 0xea]);
        assert!(Filter { id: 0x77, marker: 0 }.undo(&mut [0; 32], 0).is_err());
    }

    #[test]
    fn short_code_is_left_alone_or_read_within_its_bounds() {
        for id in 0..=u8::MAX {
            for size in 0..12 {
                let mut code = vec![0xe8; size];
                let known = Filter { id, marker: 0xe8 }.undo(&mut code, u32::MAX).is_ok();
                assert!(!known || Filter { id, marker: 0 }.is_known(), "0x{id:02x}");
            }
        }
    }
}
