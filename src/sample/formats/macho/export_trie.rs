//! The export trie of a Mach-O program: the names of its exported symbols, each split along the edges of a tree.

use super::leb128::Cursor;
use crate::sample::bytes::Bytes;
use crate::sample::facts::MAX_NAME;
use crate::sample::formats::layout::Region;
use crate::sample::formats::listing::{FileLimits, Listing};
use std::collections::HashSet;

/// Work on a trie, about in bytes that are looked at and kept. The names of a list take far less.
const MAX_WORK: u64 = 32 << 20;
/// Bytes that a node takes in memory, without its name.
const NODE: u64 = 64;

/// Adds all names; `None` if the trie is damaged.
pub fn add_names(
    bytes: Bytes<'_>,
    region: Region,
    limits: &mut FileLimits,
    list: &mut Listing<Vec<u8>, String>,
) -> Option<()> {
    let trie = bytes.get(region.offset, region.size)?;
    let (mut seen, mut left) = (HashSet::new(), MAX_WORK);
    let mut open = vec![(0_u64, Vec::new())];
    while let Some((at, prefix)) = open.pop() {
        // Two edges to one node would be a loop, or the same names again and again.
        if !seen.insert(at) {
            return None;
        }
        let mut cursor = Cursor::new(trie);
        cursor.skip(at)?;
        let terminal = cursor.number()?;
        if terminal > 0 {
            let text = || String::from_utf8_lossy(&prefix).into_owned();
            list.add(prefix.clone(), prefix.len(), limits, |_| text());
        }
        cursor.skip(terminal)?;
        let children = cursor.byte()?;
        let first = open.len();
        for _ in 0..children {
            let label = cursor.text()?;
            let child = cursor.number()?;
            let name = [&prefix[..], label].concat();
            let cost = name.len() as u64 + NODE;
            left = left.checked_sub(cost).filter(|_| name.len() <= MAX_NAME && limits.work(cost))?;
            open.push((child, name));
        }
        // The first edge is followed first.
        open.get_mut(first..)?.reverse();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::facts::Notes;

    fn names(trie: &[u8]) -> (Vec<String>, bool) {
        let mut list = Listing::new(10);
        let region = Region { offset: 0, size: trie.len() as u64 };
        let bytes = Bytes::new(trie, trie.len() as u64);
        let whole = add_names(bytes, region, &mut FileLimits::default(), &mut list);
        (list.finish("exports", &mut Notes::default()), whole.is_some())
    }

    #[test]
    fn names_are_joined_from_the_edges() {
        let trie = b"\x00\x01_\0\x05\x00\x02a\0\x0ebc\0\x12\x02\0\0\x00\x02\0\0\x00\0";
        assert_eq!(names(trie), (vec!["_a".into(), "_bc".into()], true));
    }

    #[test]
    fn loops_and_edges_to_nowhere_end() {
        assert_eq!(names(b"\x00\x01_\0\x00"), (vec![], false));
        assert_eq!(names(b"\x00\x01_\0\x7f"), (vec![], false));
        assert_eq!(names(b"\x00\xff_"), (vec![], false));
        assert_eq!(names(b""), (vec![], false));
    }
}
