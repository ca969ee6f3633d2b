//! The filter of code of x86, found from the code itself where the header does not say it.
//!
//! A filter with a marker changes each call to a place within the code, and no other operand begins with the marker: of
//! the operands that begin with it, all are addresses within the code. Filters without a marker change every call; after
//! the right one is undone, calls lead to places within the code.

use super::filter::Filter;

/// Code that is looked at.
const MOST: usize = 4 << 20;
/// Fewer calls decide nothing.
const FEW: usize = 3;
/// Filters without a marker, the usual ones first.
const PLAIN: [u8; 6] = [0x16, 0x13, 0x14, 0x11, 0x15, 0x12];

/// The filter that was applied to `code`. `add`: what was added to each address; `wide`: whether it is code of x86-64, for
/// which UPX has one filter.
pub fn guess(code: &[u8], add: u32, wide: bool) -> Filter {
    let code = code.get(..MOST).unwrap_or(code);
    let undone = |filter: Filter| {
        let mut restored = code.to_vec();
        filter.undo(&mut restored, add).map_or(0, |()| inside(&restored, filter))
    };
    let mut with_marker = with_marker(code, add);
    if let Some(filter) = with_marker.as_mut().filter(|_| wide) {
        filter.id = 0x49;
    }
    let plain = PLAIN.map(|id| Filter { id, marker: 0 });
    let candidates = with_marker.into_iter().chain(plain.into_iter().filter(|_| !wide));
    // Without the filter, few operands are of places within the code.
    let better = |filter: Filter| (undone(filter), 2 * inside(code, filter) + FEW);
    let fitting =
        candidates.map(|filter| (filter, better(filter))).filter(|(_, (with, without))| with > without);
    // Of several, the first.
    fitting.rev().max_by_key(|(_, (with, _))| *with).map(|(filter, _)| filter).unwrap_or_default()
}

/// Instructions by the first byte of their operand.
#[derive(Clone, Copy, Default)]
struct Counts {
    all: usize,
    /// Those whose operand is an address within the code.
    inside: usize,
}

impl Counts {
    /// Whether nearly all are addresses. Some operands are no operands, but parts of other instructions.
    fn are_addresses(self) -> bool {
        self.inside > 0 && self.inside * 5 >= self.all * 4
    }
}

fn with_marker(code: &[u8], add: u32) -> Option<Filter> {
    let mut counts = [[Counts::default(); 3]; 256];
    for window in code.windows(6) {
        let (class, operand) = match *window {
            [0xe8, a, b, c, d, _] => (0, [a, b, c, d]),
            [0xe9, a, b, c, d, _] => (1, [a, b, c, d]),
            [0x0f, 0x80..=0x8f, a, b, c, d] => (2, [a, b, c, d]),
            _ => continue,
        };
        let [marker, a, b, c] = operand;
        let address = u32::from_be_bytes([0, a, b, c]);
        let count = &mut counts[usize::from(marker)][class];
        count.all += 1;
        let inside = address.checked_sub(add).is_some_and(|address| (address as usize) < code.len());
        count.inside += usize::from(inside);
    }
    let of_both = |[calls, jumps, _]: &[Counts; 3]| Counts {
        all: calls.all + jumps.all,
        inside: calls.inside + jumps.inside,
    };
    let strength = |counts: &[Counts; 3]| {
        let [calls, jumps, _] = counts;
        [*calls, *jumps, of_both(counts)]
            .into_iter()
            .filter(|counts| counts.are_addresses())
            .map(|counts| counts.inside)
            .max()
            .unwrap_or_default()
    };
    let (marker, counts) = (0..=u8::MAX)
        .zip(&counts)
        .rev()
        .max_by_key(|(_, counts)| strength(counts))
        .filter(|(_, counts)| strength(counts) >= FEW)?;
    let [calls, jumps, conditional] = *counts;
    let id = if conditional.are_addresses() && conditional.inside >= FEW {
        0x49
    } else if !jumps.are_addresses() && jumps.all > 0 {
        0x24
    } else if !calls.are_addresses() && calls.all > 0 {
        0x25
    } else {
        0x26
    };
    Some(Filter { id, marker })
}

/// Calls that lead to places within the code; jumps if the filter is one of jumps alone.
fn inside(code: &[u8], filter: Filter) -> usize {
    let opcode = if matches!(filter.id, 0x12 | 0x15 | 0x25) { 0xe9 } else { 0xe8 };
    let mut count = 0;
    for (at, window) in code.windows(5).enumerate() {
        let [first, a, b, c, d] = *window else { continue };
        let to = at as i64 + 5 + i64::from(i32::from_le_bytes([a, b, c, d]));
        count += usize::from(first == opcode && (0..code.len() as i64).contains(&to));
    }
    count
}
