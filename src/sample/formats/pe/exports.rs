//! Exports of a PE.

use super::headers::Optional;
use super::image::Image;
use super::names::is_name;
use crate::sample::facts::{MAX_FUNCTIONS, MAX_NAME, Notes, Program};
use crate::sample::formats::listing::{FileLimits, say_cut};
use object::pe;

/// Functions that a table can have, since their numbers have 16 bits.
const MAX_ENTRIES: u32 = 1 << 16;
/// Unreadable entries after which a table is taken for rubbish, unless most entries are readable.
const MAX_BAD: usize = 32;

/// Reads the names of the exported functions: first those with a name, in the order of the name table, then `#5` for
/// those that only have an ordinal. Forwarders are among them.
pub fn read_exports(image: &Image<'_>, optional: &Optional, limits: &mut FileLimits, program: &mut Program) {
    let Some(directory) = optional.directory(pe::IMAGE_DIRECTORY_ENTRY_EXPORT) else {
        program.exports = Some(Vec::new());
        return;
    };
    let notes = &mut program.notes;
    let at = u64::from(directory.rva);
    let word = |offset| image.u32(at + offset);
    let (Some(base), Some(functions), Some(named), Some(addresses), Some(name_table), Some(ordinals)) =
        (word(16), word(20), word(24), word(28), word(32), word(36))
    else {
        notes.problem("exports", "the export directory is outside of the image");
        return;
    };
    let mut exports = Exports { limits, notes, found: Vec::new(), left_out: 0, bad: 0 };
    let functions = exports.limit(functions, "functions");
    let named = exports.limit(named, "names");
    let mut has_name = vec![false; functions as usize];
    for number in 0..named {
        let number = u64::from(number);
        let entry =
            (image.u16(u64::from(ordinals) + number * 2), image.u32(u64::from(name_table) + number * 4));
        let (Some(index), Some(name)) = entry else {
            exports.notes.problem("exports", "the table of names continues after the end of the image");
            exports.bad += 1;
            break;
        };
        let name = image.text(u64::from(name), MAX_NAME).filter(|name| is_name(name));
        let address = (u32::from(index) < functions)
            .then(|| image.u32(u64::from(addresses) + u64::from(index) * 4))
            .flatten();
        let (Some(name), Some(address)) = (name, address) else {
            if exports.lose(format_args!("name {} cannot be read or belongs to no function", number + 1)) {
                break;
            }
            continue;
        };
        if let Some(has_name) = has_name.get_mut(usize::from(index)) {
            *has_name = true;
        }
        if address != 0 {
            exports.push(name);
        }
    }
    for (index, _) in has_name.iter().enumerate().filter(|(_, has_name)| !**has_name) {
        let Some(address) = image.u32(u64::from(addresses) + index as u64 * 4) else {
            exports.notes.problem("exports", "the table of functions continues after the end of the image");
            exports.bad += 1;
            break;
        };
        let ordinal = u64::from(base) + index as u64;
        if address == 0 {
            continue;
        }
        if address >= optional.image_size {
            if exports.lose(format_args!("function #{ordinal} is outside of the image")) {
                break;
            }
        } else {
            exports.push(format!("#{ordinal}").as_bytes());
        }
    }
    if exports.left_out > 0 {
        let listed = exports.found.len();
        say_cut(exports.notes, "exports", listed, listed + exports.left_out);
    }
    let (found, bad) = (exports.found, exports.bad);
    program.exports = (bad == 0 || !found.is_empty()).then_some(found);
}

struct Exports<'f> {
    limits: &'f mut FileLimits,
    notes: &'f mut Notes,
    found: Vec<String>,
    /// Exports beyond a limit.
    left_out: usize,
    bad: usize,
}

impl Exports<'_> {
    fn limit(&mut self, count: u32, what: &str) -> u32 {
        if count > MAX_ENTRIES {
            self.notes.problem(
                "exports",
                format_args!("{count} {what} are impossible; the first {MAX_ENTRIES} are read"),
            );
        }
        count.min(MAX_ENTRIES)
    }

    /// Adds an export, up to a limit.
    fn push(&mut self, name: &[u8]) {
        let room = self.left_out == 0 && self.found.len() < MAX_FUNCTIONS;
        match room.then(|| self.limits.keep(name)).flatten() {
            Some(name) => self.found.push(name),
            None => self.left_out += 1,
        }
    }

    /// Notes an unreadable entry; `true` if the table is rubbish.
    fn lose(&mut self, why: impl std::fmt::Display) -> bool {
        self.bad += 1;
        if self.bad > MAX_BAD.max(self.found.len()) {
            self.notes.problem("exports", "the tables hold rubbish; what follows is left out");
            return true;
        }
        if self.bad <= 3 {
            self.notes.problem("exports", why);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::TestPe;

    /// Functions 10 (Run), 11 (without a name), 12 (unused) and 13 (Old, a forwarder).
    fn with_exports() -> TestPe {
        let mut pe = TestPe::plain();
        pe.directory(0, 0x1200, 0x100);
        pe.words_rva(0x120c, &[0x1300, 10, 4, 2, 0x1240, 0x1260, 0x1280]);
        pe.words_rva(0x1240, &[0x1800, 0x1810, 0, 0x1290]).words_rva(0x1260, &[0x1310, 0x1320]);
        pe.put_rva(0x1280, &[3, 0, 0, 0])
            .put_rva(0x1290, b"n.Old")
            .put_rva(0x1310, b"Old")
            .put_rva(0x1320, b"Run");
        pe
    }

    #[test]
    fn names_come_first_and_then_numbers() {
        assert_eq!(with_exports().facts().exports.unwrap(), ["Old", "Run", "#11"]);
        assert_eq!(TestPe::plain().facts().exports, Some(Vec::new()));
    }

    #[test]
    fn impossible_counts_are_bounded() {
        let mut pe = with_exports();
        pe.words_rva(0x1214, &[u32::MAX, u32::MAX]);
        let program = pe.facts();
        assert_eq!(program.exports.unwrap()[..2], ["Old", "Run"]);
        assert!(program.notes.problems.iter().any(|problem| problem.contains("impossible")));
        pe.directory(0, 0x8000_0000, 40);
        assert_eq!(pe.facts().exports, None);
    }

    #[test]
    fn a_bad_name_costs_one_function() {
        let mut pe = with_exports();
        pe.words_rva(0x1260, &[0x7777_7777]);
        let program = pe.facts();
        assert_eq!(program.exports.unwrap(), ["Run", "#11", "#13"]);
        assert_eq!(program.notes.problems.len(), 1);
    }
}
