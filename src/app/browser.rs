//! The window's own file browser, for systems where no dialog answers: one folder at a time, read by a job.

use super::picker::Pick;
use super::question::Purpose;
use std::path::{Path, PathBuf};

/// Entries listed of one folder.
const MOST: usize = 20_000;

/// What the chosen path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To open.
    Open,
    /// For the open question.
    Question(Purpose),
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: PathBuf,
    /// It is a folder.
    pub folder: bool,
    /// Its size in bytes, of a file.
    pub size: u64,
}

/// The open browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// What is chosen: a folder, a file, or where to save.
    pub pick: Pick,
    /// What the chosen path is for.
    pub wanted: Wanted,
    /// The folder that is shown.
    pub folder: PathBuf,
    /// Its entries, folders first; `None` while they are read, or why they cannot be.
    pub entries: Option<Result<Vec<Entry>, String>>,
    /// Whether the folder has more entries than are listed.
    pub more: bool,
    /// The chosen entry.
    pub at: Option<usize>,
}

/// The entries of a folder: folders first, each by name. Hidden ones are left out. And whether there are more than are listed.
pub fn entries(folder: &Path) -> std::io::Result<(Vec<Entry>, bool)> {
    let mut all = std::fs::read_dir(folder)?
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut found: Vec<Entry> = all
        .by_ref()
        .take(MOST)
        .map(|entry| {
            // A link counts as what it leads to.
            let data = std::fs::metadata(entry.path()).ok();
            let folder = data.as_ref().is_some_and(std::fs::Metadata::is_dir);
            Entry { path: entry.path(), folder, size: data.map_or(0, |data| data.len()) }
        })
        .collect();
    found.sort_by(|a, b| b.folder.cmp(&a.folder).then_with(|| a.path.cmp(&b.path)));
    Ok((found, all.next().is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_first_and_hidden_entries_are_left_out() {
        let home = tempfile::tempdir().unwrap();
        for name in ["b.bin", ".hidden", "a.bin"] {
            std::fs::write(home.path().join(name), b"xyz").unwrap();
        }
        std::fs::create_dir(home.path().join("z")).unwrap();
        let (found, more) = entries(home.path()).unwrap();
        assert!(!more);
        let names: Vec<_> =
            found.iter().map(|entry| entry.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["z", "a.bin", "b.bin"]);
        assert_eq!((found[0].folder, found[1].size), (true, 3));
        assert!(entries(&home.path().join("none")).is_err());
    }
}
