//! Lists of facts that are cut at a limit, and what one file may add to all of its lists.
//!
//! A fat Mach-O has many programs, and their facts go into one reply, so that the limits are those of the file.

use crate::sample::bytes::Bytes;
use crate::sample::entropy::EntropyMeter;
use crate::sample::facts::{MAX_NAME, MAX_NAMES, Notes};
use std::collections::HashSet;
use std::hash::Hash;

/// The most bytes that a list entry takes in a reply, without its names.
const ENTRY: usize = 8;

/// Why a list is not complete when the limit on the work is reached.
pub const SPENT: &str = "the tables of this file take too much work to be read to their ends";
/// The most bytes that the numbers of a section take in a reply.
pub const SECTION_COST: usize = 48;

/// Work that reading lists may take, about in bytes that are looked at: structures may overlap and refer to each other
/// as often as their author likes.
const MAX_WORK: u64 = 256 << 20;

/// What is left of the limits of one file.
#[derive(Debug)]
pub struct FileLimits {
    /// Bytes of names and numbers that may still be kept.
    bytes: usize,
    /// Those that lists may take before they are paid.
    unpaid: usize,
    work: u64,
    /// Computes entropies within a limit for the whole file.
    pub entropy: EntropyMeter,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self { bytes: MAX_NAMES, unpaid: MAX_NAMES, work: MAX_WORK, entropy: EntropyMeter::default() }
    }
}

impl FileLimits {
    /// Limits with which no entropy is computed: it takes as long as all else that is read of a program.
    pub fn without_entropy() -> Self {
        Self { entropy: EntropyMeter::off(), ..Self::default() }
    }

    /// Counts work; `false` beyond the limit.
    pub fn work(&mut self, bytes: u64) -> bool {
        let left = self.work.checked_sub(bytes);
        self.work = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether the limit on the work is reached: nothing more is read.
    pub fn is_spent(&self) -> bool {
        self.work == 0
    }

    /// The bytes at `offset` up to a zero byte; `None` if there is none within `most` bytes or in the length of a
    /// name, or beyond the limit on the work.
    pub fn text<'a>(&mut self, bytes: Bytes<'a>, offset: u64, most: u64) -> Option<&'a [u8]> {
        let most = usize::try_from(most).unwrap_or(MAX_NAME).min(MAX_NAME);
        if self.work == 0 {
            return None;
        }
        let text = bytes.text(offset, most);
        self.work(text.map_or(most, <[u8]>::len) as u64 + 1);
        text
    }

    /// Counts bytes of names and numbers that are kept; `false` beyond the limit.
    pub fn spend(&mut self, bytes: usize) -> bool {
        spend(&mut self.bytes, bytes)
    }

    /// A name as text; `None` beyond the limit.
    pub fn keep(&mut self, name: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(name).into_owned();
        self.spend(text.len()).then_some(text)
    }
}

fn spend(left: &mut usize, bytes: usize) -> bool {
    let rest = left.checked_sub(bytes);
    *left = rest.unwrap_or(*left);
    rest.is_some()
}

/// Says that a limit has cut a list: so many of all are listed.
pub fn say_cut(notes: &mut Notes, fact: &str, listed: usize, all: usize) {
    notes.problem(fact, format_args!("only the first {listed} of {all} are listed"));
}

/// A list without repetition, in the order of the file.
#[derive(Debug)]
pub struct Listing<K, T> {
    items: Vec<T>,
    seen: HashSet<K>,
    most: usize,
    cut: bool,
    /// What was left out. Repetitions of it are counted too.
    more: usize,
    /// What each entry takes, if the list is paid when it is complete.
    costs: Option<Vec<usize>>,
}

impl<K: Hash + Eq, T> Listing<K, T> {
    /// An empty list that takes `most` entries.
    pub fn new(most: usize) -> Self {
        Self { items: Vec::new(), seen: HashSet::new(), most, cut: false, more: 0, costs: None }
    }

    /// The same for a list that is only paid when others are complete: it takes no room from them.
    pub fn unpaid(most: usize) -> Self {
        Self { costs: Some(Vec::new()), ..Self::new(most) }
    }

    /// Adds what `item` makes, with `bytes` bytes of names and numbers, unless `key` is in the list. Beyond a limit
    /// the list stays as it is.
    pub fn add(
        &mut self,
        key: K,
        bytes: usize,
        limits: &mut FileLimits,
        item: impl FnOnce(&mut FileLimits) -> T,
    ) {
        if self.seen.contains(&key) {
            return;
        }
        let cost = bytes.saturating_add(ENTRY);
        let mut room = || match &mut self.costs {
            Some(costs) => {
                costs.push(cost);
                spend(&mut limits.unpaid, cost)
            }
            None => limits.spend(cost),
        };
        if self.cut || self.items.len() >= self.most || !room() {
            self.cut = true;
            self.more += 1;
            return;
        }
        self.seen.insert(key);
        self.items.push(item(limits));
    }

    /// Whether a limit has cut the list: nothing more can be added.
    #[cfg(test)]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Pays for a list that was not paid; what there is no room for is left out.
    pub fn pay(&mut self, limits: &mut FileLimits) {
        let costs = self.costs.take().unwrap_or_default();
        let paid = costs.iter().take(self.items.len()).take_while(|cost| limits.spend(**cost)).count();
        if paid < self.items.len().min(costs.len()) {
            self.more += self.items.len() - paid;
            self.items.truncate(paid);
            self.cut = true;
        }
    }

    /// The entries until now.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The list; `notes` say if it was cut.
    pub fn finish(self, fact: &str, notes: &mut Notes) -> Vec<T> {
        if self.cut {
            say_cut(notes, fact, self.items.len(), self.items.len() + self.more);
        }
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_its_limit_and_says_so() {
        let (mut limits, mut notes) = (FileLimits::default(), Notes::default());
        let mut list = Listing::new(2);
        for name in ["a", "a", "b", "c"] {
            list.add(name, name.len(), &mut limits, |_| name);
        }
        assert!(list.is_cut());
        assert_eq!(list.finish("imports", &mut notes), ["a", "b"]);
        assert_eq!(notes.problems, ["imports: only the first 2 of 3 are listed"]);
    }

    #[test]
    fn the_lists_of_a_file_share_one_limit() {
        let mut limits = FileLimits { bytes: 20, ..FileLimits::default() };
        let (mut first, mut second) = (Listing::new(9), Listing::new(9));
        first.add(1, 4, &mut limits, |_| 1);
        second.add(1, 1, &mut limits, |_| 1);
        assert!(!first.is_cut() && second.is_cut() && second.is_empty());
    }

    #[test]
    fn a_list_that_is_paid_later_takes_no_room_from_others() {
        let (mut limits, mut notes) = (FileLimits { bytes: 30, ..FileLimits::default() }, Notes::default());
        let (mut later, mut first) = (Listing::unpaid(9), Listing::new(9));
        for key in 1..4 {
            later.add(key, 2, &mut limits, |_| key);
        }
        first.add(1, 12, &mut limits, |_| 1);
        later.pay(&mut limits);
        assert_eq!((first.finish("imports", &mut notes), notes.problems.len()), (vec![1], 0));
        assert_eq!(later.finish("exports", &mut notes), [1]);
        assert_eq!(notes.problems, ["exports: only the first 1 of 3 are listed"]);
    }
}
