//! The resources of a PE that is packed with UPX. Icons, version and manifest stay readable in the last section, each
//! behind its original address; the others are compressed with the program. The tree that describes all of them is in
//! the last section and belongs back to its place.

use super::pe_headers::{PeHeaders, RESOURCES};
use super::pe_memory::Memory;
use crate::sample::bytes::Bytes;

/// Directories and resources together.
const MOST: usize = 1 << 16;
/// Directories above a resource: type, name, language.
const DEPTH: usize = 3;
/// The type of a group of icons.
const GROUP_ICON: u32 = 14;
/// The bit of an entry that points to a directory, or to a name.
const FLAG: u32 = 1 << 31;

/// One entry of a directory.
struct Entry {
    id: u32,
    /// The name as the file has it: its length and UTF-16.
    name: Option<Vec<u8>>,
    child: Node,
}

enum Node {
    Directory([u8; 16], Vec<Entry>),
    Resource([u8; 16]),
}

struct Tree<'a> {
    bytes: &'a [u8],
    left: usize,
    /// Sizes of the directories and resources, and of the names.
    structure: usize,
    names: usize,
}

impl Tree<'_> {
    fn read(&mut self, at: usize, depth: usize) -> Option<Node> {
        self.left = self.left.checked_sub(1)?;
        let head = *self.bytes.get(at..)?.first_chunk()?;
        self.structure += 16;
        if depth == DEPTH {
            return Some(Node::Resource(head));
        }
        let count = |at: usize| head.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
        let count = usize::from(count(12)?) + usize::from(count(14)?);
        let table = self.bytes.get(at + 16..)?.get(..8 * count)?;
        self.structure += 8 * count;
        let mut entries = Vec::new();
        for entry in table.as_chunks::<8>().0 {
            let [a, b, c, d, e, f, g, h] = *entry;
            let (id, child) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
            if (child & FLAG != 0) != (depth < DEPTH - 1) {
                return None;
            }
            let name = if id & FLAG != 0 {
                let at = self.bytes.get((id & !FLAG) as usize..)?;
                let length = usize::from(u16::from_le_bytes(*at.first_chunk()?));
                let name = at.get(..2 + 2 * length)?.to_vec();
                self.names = self.names.checked_add(name.len()).filter(|size| *size <= self.bytes.len())?;
                Some(name)
            } else {
                None
            };
            entries.push(Entry { id, name, child: self.read((child & !FLAG) as usize, depth + 1)? });
        }
        Some(Node::Directory(head, entries))
    }
}

/// Restores the resources. `icons`: the number of icons in the first group, of which UPX leaves one; 0 if it left them
/// all. Fails if the tree is damaged.
pub fn restore(
    bytes: Bytes<'_>,
    packed: &PeHeaders,
    original: &PeHeaders,
    memory: &mut Memory,
    icons: u16,
) -> Result<(), String> {
    let (from, to) = (packed.directories[RESOURCES].0, original.directories[RESOURCES].0);
    let view = packed.view(bytes, from).ok_or("the resources are outside of the sections")?;
    let mut tree = Tree { bytes: view, left: MOST, structure: 0, names: 0 };
    let mut root = tree.read(0, 0).ok_or("the tree of the resources is damaged")?;
    let mut icons = Some(icons).filter(|icons| *icons > 0);
    PutBack { bytes, packed, from, memory, icons: &mut icons, left: bytes.kept().len() }
        .walk(&mut root, None);
    // Otherwise it is there already.
    if memory.from(to).get(12..16) == Some(&[0; 4]) {
        let mut table = Vec::with_capacity(tree.structure + tree.names);
        let mut names = Vec::new();
        write(&root, tree.structure, &mut table, &mut names);
        table.extend(names);
        table.resize(table.len().next_multiple_of(4), 0);
        if !memory.put(to, &table) {
            return Err("the resources are outside of the original sections".to_owned());
        }
    }
    Ok(())
}

/// Copies what was not compressed to its original address.
struct PutBack<'a> {
    bytes: Bytes<'a>,
    packed: &'a PeHeaders,
    from: u32,
    memory: &'a mut Memory,
    icons: &'a mut Option<u16>,
    /// Bytes that may still be copied: resources do not overlap.
    left: usize,
}

impl PutBack<'_> {
    /// `kind`: the type of the resources in this directory.
    fn walk(&mut self, node: &mut Node, kind: Option<u32>) {
        match node {
            Node::Directory(_, entries) => {
                for entry in entries {
                    self.walk(&mut entry.child, kind.or(Some(entry.id)));
                }
            }
            Node::Resource(head) => {
                if let Some(place) = self.copy(*head) {
                    head[..4].copy_from_slice(&place.to_le_bytes());
                    if kind == Some(GROUP_ICON)
                        && let Some(icons) = self.icons.take()
                    {
                        self.memory.put(place.wrapping_add(4), &icons.to_le_bytes());
                    }
                }
            }
        }
    }

    /// Copies one resource and returns its original address.
    fn copy(&mut self, [a, b, c, d, e, f, g, h, ..]: [u8; 16]) -> Option<u32> {
        let (address, size) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]) as usize);
        let before = address.checked_sub(4).filter(|_| address > self.from)?;
        let (place, data) = self.packed.view(self.bytes, before)?.split_first_chunk()?;
        let place = u32::from_le_bytes(*place);
        let data = data.get(..size.next_multiple_of(4)).or(data.get(..size))?;
        self.left = self.left.checked_sub(data.len())?;
        self.memory.put(place, data).then_some(place)
    }
}

/// Writes a directory, then what is in it. `names_at`: where the names begin.
fn write(node: &Node, names_at: usize, table: &mut Vec<u8>, names: &mut Vec<u8>) {
    match node {
        Node::Resource(head) => table.extend(head),
        Node::Directory(head, entries) => {
            table.extend(head);
            let mut slot = table.len();
            table.resize(slot + 8 * entries.len(), 0);
            for Entry { id, name, child } in entries {
                let id = match name {
                    None => *id,
                    Some(name) => {
                        let at = names_at + names.len();
                        names.extend(name);
                        at as u32 | FLAG
                    }
                };
                let flag = if matches!(child, Node::Directory(..)) { FLAG } else { 0 };
                let entry = u64::from(id) | u64::from(table.len() as u32 | flag) << 32;
                if let Some(place) = table.get_mut(slot..slot + 8) {
                    place.copy_from_slice(&entry.to_le_bytes());
                }
                slot += 8;
                write(child, names_at, table, names);
            }
        }
    }
}
