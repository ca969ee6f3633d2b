//! The filter of code of x86, found from the code itself where the header does not say it.
//!
//! After the right filter is undone, calls lead to places within the code. With a wrong one, few do.

use super::filter::Filter;

/// Code that is looked at.
const MOST: usize = 4 << 20;
/// Markers that are tried.
const MARKERS: usize = 3;
/// Fewer calls decide nothing.
const FEW: usize = 4;

/// The filter that was applied to `code`. `add`: what was added to each address.
pub fn guess(code: &[u8], add: u32) -> Filter {
    let code = code.get(..MOST).unwrap_or(code);
    let mut candidates = vec![Filter::default()];
    for marker in markers(code, add) {
        candidates.extend([0x49, 0x26, 0x24, 0x25].map(|id| Filter { id, marker }));
    }
    candidates.extend([0x16, 0x13, 0x14, 0x11, 0x15, 0x12].map(|id| Filter { id, marker: 0 }));
    let scores = candidates.into_iter().map(|filter| {
        let mut restored = code.to_vec();
        let known = filter.undo(&mut restored, add).is_ok();
        (filter, if known { score(&restored) } else { 0 })
    });
    // Of several with the same score, the first.
    let mut best = (Filter::default(), 0);
    for (filter, score) in scores {
        if score > best.1 + if best.0.id == 0 { FEW } else { 0 } {
            best = (filter, score);
        }
    }
    best.0
}

/// The most frequent first bytes of operands that are addresses within the code.
fn markers(code: &[u8], add: u32) -> Vec<u8> {
    let mut counts = [0_usize; 256];
    for window in code.windows(5) {
        let [0xe8 | 0xe9, marker, a, b, c] = *window else { continue };
        let address = u32::from_be_bytes([0, a, b, c]);
        if address.checked_sub(add).is_some_and(|address| (address as usize) < code.len())
            && let Some(count) = counts.get_mut(usize::from(marker))
        {
            *count += 1;
        }
    }
    let mut order: Vec<u8> = (0..=255).collect();
    order.sort_by_key(|marker| std::cmp::Reverse(counts.get(usize::from(*marker)).copied()));
    order.truncate(MARKERS);
    order
}

/// Calls, jumps and conditional jumps that lead to places within the code.
fn score(code: &[u8]) -> usize {
    let mut score = 0;
    for (at, window) in code.windows(6).enumerate() {
        let operand = match *window {
            [0xe8 | 0xe9, a, b, c, d, _] => Some(([a, b, c, d], 5)),
            [0x0f, 0x80..=0x8f, a, b, c, d] => Some(([a, b, c, d], 6)),
            _ => None,
        };
        if let Some((operand, size)) = operand {
            let to = (at as i64 + size).checked_add(i32::from_le_bytes(operand).into());
            score += usize::from(to.is_some_and(|to| (0..code.len() as i64).contains(&to)));
        }
    }
    score
}
