//! Traits of a program: the functions that it imports and exports, and the strings in it, by hashes.
//!
//! Of a program with more of them than are kept, those with the lowest hashes are kept (a bottom-k sketch; Broder, "On the
//! resemblance and containment of documents", 1997): the same ones for all files, so that they can still be counted.

use serde::{Deserialize, Serialize};

/// Bytes of a stored hash.
const BYTES: usize = 5;
/// Bits of a hash.
const BITS: u32 = 8 * BYTES as u32;
/// The shortest string.
const LEAST: usize = 8;
/// Characters of a string that are hashed, and kept where it is named.
const MOST: usize = 200;

/// What a trait is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TraitKind {
    /// An imported function.
    Import,
    /// An exported function.
    Export,
    /// A string of eight printable characters or more, wide ones (UTF-16) too.
    String,
}

impl TraitKind {
    /// All.
    pub const ALL: [Self; 3] = [Self::Import, Self::Export, Self::String];

    /// How many are kept of a file.
    pub const fn most(self) -> usize {
        match self {
            Self::Import | Self::Export => 384,
            Self::String => 512,
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
            Self::String => "string",
        }
    }
}

/// The hash of a trait: 40 bits of FNV-1a of its kind and name, mixed. Different kinds have different hashes.
pub fn name_hash(kind: TraitKind, name: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in [kind as u8].iter().chain(name) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)
}

/// The hashes of a file's traits of one kind, or the lowest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraitSet {
    /// In ascending order, each once.
    hashes: Vec<u64>,
    /// Whether higher ones were left out.
    is_cut: bool,
}

impl TraitSet {
    /// The `most` lowest of these hashes.
    pub fn of(mut hashes: Vec<u64>, most: usize) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        let is_cut = hashes.len() > most;
        hashes.truncate(most);
        Self { hashes, is_cut }
    }

    /// The hashes, in ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u64> {
        self.hashes.iter().copied()
    }

    /// Whether it has this hash.
    pub fn contains(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }

    /// Whether the file has a trait of this hash; `None` if it may be among those that were left out.
    pub fn has(&self, hash: u64) -> Option<bool> {
        let known = !self.is_cut || self.hashes.last().is_some_and(|last| hash <= *last);
        known.then(|| self.contains(hash))
    }

    /// [`has`](Self::has) for each of `asked`, which are in ascending order.
    pub fn has_each<'a>(&'a self, asked: &'a [u64]) -> impl Iterator<Item = Option<bool>> + 'a {
        let mut rest = &self.hashes[..];
        asked.iter().map(move |asked| {
            while rest.first().is_some_and(|hash| hash < asked) {
                rest = &rest[1..];
            }
            match rest.first() {
                Some(hash) => Some(hash == asked),
                None => (!self.is_cut).then_some(false),
            }
        })
    }

    /// Whether the file has more than are kept.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether it is one of at most this many.
    pub fn is_valid(&self, most: usize) -> bool {
        self.hashes.len() <= most
            && self.hashes.is_sorted_by(|a, b| a < b)
            && self.hashes.last().is_none_or(|last| *last < 1 << BITS)
    }

    /// Five bytes a hash, little endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.to_le_bytes().into_iter().take(BYTES)).collect()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else, or more than `most`.
    pub fn from_bytes(bytes: &[u8], is_cut: bool, most: usize) -> Option<Self> {
        let (packed, rest) = bytes.as_chunks::<BYTES>();
        let hashes = packed.iter().map(|[a, b, c, d, e]| u64::from_le_bytes([*a, *b, *c, *d, *e, 0, 0, 0]));
        let set = Self { hashes: hashes.collect(), is_cut };
        (rest.is_empty() && set.is_valid(most)).then_some(set)
    }
}

/// Strings of a file: hash, offset, characters, and whether they are wide.
pub struct Strings {
    found: Vec<(u64, usize, usize, bool)>,
    is_cut: bool,
}

impl Strings {
    /// The strings in `bytes` with the lowest hashes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut strings = Self { found: Vec::new(), is_cut: false };
        strings.add_narrow(bytes);
        strings.add_wide(bytes);
        strings.shrink();
        strings
    }

    /// A string has a character at one of any [`LEAST`] places in a row, so one place in as many is looked at.
    fn add_narrow(&mut self, bytes: &[u8]) {
        let (mut at, mut low) = (LEAST - 1, 0);
        while let Some(byte) = bytes.get(at) {
            if !is_character(*byte) {
                at += LEAST;
                continue;
            }
            let before = bytes[low..at].iter().rev().take_while(|byte| is_character(**byte)).count();
            let after = bytes[at..].iter().take_while(|byte| is_character(**byte)).count();
            self.add(bytes, at - before, before + after, false);
            low = at + after;
            at = low + LEAST;
        }
    }

    /// The same for characters that are each followed by a zero.
    fn add_wide(&mut self, bytes: &[u8]) {
        const STEP: usize = 2 * LEAST;
        let is_wide = |pair: &[u8]| matches!(pair, [character, 0] if is_character(*character));
        let (mut at, mut low) = (STEP - 1, 0);
        while at < bytes.len() {
            // The character at this place, or the one whose zero is at this place.
            let first = [at, at - 1].into_iter().find(|at| bytes.get(*at..at + 2).is_some_and(is_wide));
            let Some(first) = first.filter(|first| *first >= low) else {
                at += STEP;
                continue;
            };
            let before = bytes[low..first].rchunks_exact(2).take_while(|pair| is_wide(pair)).count();
            let after = bytes[first..].chunks_exact(2).take_while(|pair| is_wide(pair)).count();
            self.add(bytes, first - 2 * before, before + after, true);
            low = first + 2 * after;
            at = low + STEP - 1;
        }
    }

    fn add(&mut self, bytes: &[u8], at: usize, characters: usize, wide: bool) {
        /// Found strings between two times that they are reduced to the lowest.
        const SOME: usize = 4 * TraitKind::String.most();
        if characters < LEAST {
            return;
        }
        let characters = characters.min(MOST);
        let hash = name_hash(TraitKind::String, &text(bytes, at, characters, wide));
        self.found.push((hash, at, characters, wide));
        if self.found.len() >= SOME {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.found.sort_unstable();
        self.found.dedup_by_key(|(hash, ..)| *hash);
        self.is_cut |= self.found.len() > TraitKind::String.most();
        self.found.truncate(TraitKind::String.most());
    }

    /// Their hashes.
    pub fn set(&self) -> TraitSet {
        TraitSet { hashes: self.found.iter().map(|(hash, ..)| *hash).collect(), is_cut: self.is_cut }
    }

    /// Those that are in `set`, with their hashes. `bytes` are what they were found in.
    pub fn texts<'a>(
        &'a self,
        bytes: &'a [u8],
        set: &'a TraitSet,
    ) -> impl Iterator<Item = (u64, String)> + 'a {
        self.found.iter().filter(|(hash, ..)| set.contains(*hash)).map(|(hash, at, characters, wide)| {
            (*hash, String::from_utf8_lossy(&text(bytes, *at, *characters, *wide)).into_owned())
        })
    }
}

fn is_character(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// The characters of a string, one byte each.
fn text(bytes: &[u8], at: usize, characters: usize, wide: bool) -> Vec<u8> {
    bytes
        .get(at..)
        .unwrap_or_default()
        .iter()
        .step_by(1 + usize::from(wide))
        .take(characters)
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(bytes: &[u8]) -> Vec<String> {
        let found = Strings::of(bytes);
        let set = found.set();
        let mut texts: Vec<String> = found.texts(bytes, &set).map(|(_, text)| text).collect();
        texts.sort();
        texts
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn strings_are_runs_of_characters_narrow_or_wide() {
        assert_eq!(
            strings(b"\x01at least eight\0seven c\0and more than that"),
            ["and more than that", "at least eight"]
        );
        let both =
            [&wide("wide characters")[..], b"\0\0narrow characters\0", &wide("six wi"), b"\0\xff"].concat();
        assert_eq!(strings(&both), ["narrow characters", "wide characters"]);
        // At an odd offset, and at the end.
        assert_eq!(strings(&[b"\x01", &wide("odd offset")[..]].concat()), ["odd offset"]);
        assert_eq!(strings(b""), Vec::<String>::new());
        let same = Strings::of(&[&wide("the same text")[..], b"\0\0\0the same text"].concat());
        assert_eq!(same.set().iter().len(), 1, "it counts once");
        assert_eq!(strings(&b"x".repeat(5000)), ["x".repeat(200)]);
    }

    #[test]
    fn of_many_the_same_ones_are_kept_in_every_file() {
        let file = |first: usize, last: usize| -> Vec<u8> {
            (first..last).flat_map(|i| format!("string number {i}\0").into_bytes()).collect()
        };
        let (a, b) = (Strings::of(&file(0, 9000)).set(), Strings::of(&file(3000, 12_000)).set());
        assert!(a.is_cut() && b.is_cut() && a.is_valid(512));
        let shared = a.iter().filter(|hash| b.contains(*hash)).count();
        // Two thirds of each are in the other, and each says of what it lacks that it lacks it or that it may have it.
        assert!((280..400).contains(&shared), "{shared}");
        let unknown = a.iter().filter(|hash| b.has(*hash).is_none()).count();
        assert!(unknown < 80, "{unknown}");
        let few = TraitSet::of(vec![9, 3, 9], 5);
        assert_eq!(few.has_each(&[1, 3, 9, 11]).collect::<Vec<_>>(), [1, 3, 9, 11].map(|hash| few.has(hash)));
        let asked: Vec<u64> = a.iter().chain([(1 << 40) - 1]).collect();
        assert!(b.has_each(&asked).eq(asked.iter().map(|hash| b.has(*hash))));
        assert_eq!((few.has(3), few.has(4), few.is_cut()), (Some(true), Some(false), false));
        assert_eq!(TraitSet::from_bytes(&few.to_bytes(), false, 2), Some(few.clone()));
        assert_eq!(TraitSet::from_bytes(&few.to_bytes(), false, 1), None);
        assert_eq!(TraitSet::from_bytes(&few.to_bytes()[1..], false, 9), None);
        assert_eq!(TraitSet::from_bytes(&[[1; 5], [1; 5]].concat(), false, 9), None, "a hash twice");
        assert_ne!(name_hash(TraitKind::Import, b"x"), name_hash(TraitKind::Export, b"x"));
    }
}
