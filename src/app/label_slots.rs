//! The slots of labels: which symbol each has. A label gets the next free slot when it is first seen and keeps it, so
//! its colour stays when other labels come and go. The slots are remembered with the library.

use super::symbol::{SYMBOLS, Symbol};
use crate::library::LabelCount;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Labels kept for a library, at most: more have no symbol of their own.
const MOST: usize = 1000;
/// Libraries whose labels are remembered.
const LIBRARIES: usize = 16;

/// The slots of the labels of one library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSlots {
    /// The labels in the order of their slots.
    names: Vec<String>,
    slot_of: HashMap<String, usize>,
    /// For each label of the contents, its symbol.
    symbols: Vec<Symbol>,
}

impl LabelSlots {
    /// The slots remembered as `names`.
    pub fn new(names: Vec<String>) -> Self {
        let slot_of = names.iter().cloned().zip(0..).collect();
        Self { names, slot_of, symbols: Vec::new() }
    }

    /// Gives each new label the next slot, those of most samples first.
    pub fn refresh(&mut self, counts: &[LabelCount]) {
        let mut new: Vec<_> = counts
            .iter()
            .filter_map(|(label, n)| {
                label.as_ref().filter(|label| !self.slot_of.contains_key(*label)).map(|label| (label, *n))
            })
            .collect();
        new.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        for (label, _) in new {
            // With all symbols given away, one of a label that no sample has any more.
            let free = || {
                let used = |name: &String| counts.iter().any(|(label, _)| label.as_ref() == Some(name));
                self.names.iter().take(SYMBOLS - 1).position(|name| !used(name))
            };
            let free = (self.names.len() + 1 >= SYMBOLS).then(free).flatten();
            if let Some(slot) = free {
                if let Some(name) = self.names.get_mut(slot) {
                    self.slot_of.remove(&*name);
                    name.clone_from(label);
                    self.slot_of.insert(label.clone(), slot);
                }
            } else if self.names.len() < MOST {
                self.slot_of.insert(label.clone(), self.names.len());
                self.names.push(label.clone());
            } else {
                break;
            }
        }
        self.symbols = counts.iter().map(|(label, _)| self.symbol(label.as_deref())).collect();
    }

    /// Gives the slot of a label to its new name, unless that has one.
    pub fn rename(&mut self, from: &str, to: &str) {
        if self.slot_of.contains_key(to) {
            return;
        }
        if let Some(slot) = self.slot_of.remove(from)
            && let Some(name) = self.names.get_mut(slot)
        {
            to.clone_into(name);
            self.slot_of.insert(to.to_owned(), slot);
        }
    }

    /// The symbol of a label.
    pub fn symbol(&self, label: Option<&str>) -> Symbol {
        label.and_then(|label| self.slot_of.get(label)).map_or(Symbol::NONE, |slot| Symbol::of(*slot))
    }

    /// For each label of the contents, its symbol.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The labels in the order of their slots.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The labels of the libraries opened last, in the order of their slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSlots(Vec<(PathBuf, Vec<String>)>);

impl KnownSlots {
    /// The slots of a library.
    pub fn of(&self, library: &Path) -> LabelSlots {
        let known = self.0.iter().find(|(path, _)| path == library);
        LabelSlots::new(known.map(|(_, names)| names.clone()).unwrap_or_default())
    }

    /// Remembers the slots of a library.
    pub fn keep(&mut self, library: &Path, slots: &LabelSlots) {
        self.0.retain(|(path, _)| path != library);
        if !slots.names.is_empty() {
            self.0.push((library.to_owned(), slots.names.clone()));
        }
        let most = self.0.len().saturating_sub(LIBRARIES);
        self.0.drain(..most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(labels: &[(&str, usize)]) -> Vec<LabelCount> {
        labels.iter().map(|(label, n)| (Some((*label).to_owned()), *n)).chain([(None, 1)]).collect()
    }

    #[test]
    fn a_label_keeps_its_symbol_when_others_come_and_go() {
        let mut slots = LabelSlots::default();
        slots.refresh(&counts(&[("b", 2), ("c", 9)]));
        let (b, c) = (slots.symbol(Some("b")), slots.symbol(Some("c")));
        assert_eq!((c, b), (Symbol::of(0), Symbol::of(1)), "the largest first");
        slots.refresh(&counts(&[("a", 50), ("b", 2)]));
        assert_eq!(slots.symbols(), [Symbol::of(2), b, Symbol::NONE]);
        slots.refresh(&counts(&[("a", 50), ("b", 2), ("c", 1)]));
        assert_eq!(slots.symbol(Some("c")), c);

        let mut known = KnownSlots::default();
        known.keep(Path::new("l"), &slots);
        assert_eq!(known.of(Path::new("l")).symbol(Some("a")), Symbol::of(2));
        assert_eq!(known.of(Path::new("other")), LabelSlots::default());
        for i in 0..LIBRARIES {
            known.keep(Path::new(&i.to_string()), &slots);
        }
        assert_eq!(known.of(Path::new("l")), LabelSlots::default(), "the oldest is dropped");
    }
}
