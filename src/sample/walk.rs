//! Walking a folder: which files are there, and which label each one's place gives it.
//!
//! A labelled folder is FOLDER/<label>/…/file, at any depth below the label, as torchvision's
//! `ImageFolder` reads it. Files that lie directly in FOLDER have no label.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Folders within folders that are followed before a walk gives up on the branch.
const MAX_DEPTH: usize = 64;

/// How the label of a file follows from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The first folder below the root is the label.
    Labelled,
    /// No file has a label.
    Plain,
}

/// A file that a walk found, not yet opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it lies.
    pub path: PathBuf,
    /// The label its place gives it.
    pub label: Option<String>,
}

/// Something that could not be used, and why: shown to the user, never fatal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it was.
    pub path: PathBuf,
    /// One sentence: what was expected, what was found, what to do.
    pub reason: String,
    /// Whether it is an archive, or in one, that a password would open.
    pub locked: bool,
}

impl Skipped {
    /// Something that no password would help.
    pub fn new(path: PathBuf, reason: impl Into<String>) -> Self {
        Self { path, reason: reason.into(), locked: false }
    }
}

/// Lists the files below `root` in the order of their paths (so that one folder always gives one
/// order), and what could not be listed. If `root` is a file, it is the only one listed. Links
/// are followed; loops are reported as skipped.
pub fn walk(root: &Path, layout: Layout) -> (Vec<Found>, Vec<Skipped>) {
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    let walker = WalkDir::new(root).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
    for entry in walker {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                if entry.depth() == MAX_DEPTH {
                    let reason =
                        format!("lies more than {MAX_DEPTH} folders deep. Open it by itself if it matters");
                    skipped.push(Skipped::new(entry.into_path(), reason));
                }
            }
            Ok(entry) => {
                let label = match layout {
                    Layout::Labelled => label_of(root, entry.path()),
                    Layout::Plain => None,
                };
                found.push(Found { path: entry.into_path(), label });
            }
            Err(error) => {
                let reason = match error.loop_ancestor() {
                    Some(_) => "is a link to a folder that contains it; it was not followed".to_owned(),
                    None => match error.io_error() {
                        Some(io) => format!(
                            "could not be listed: {io}. Check that it still exists and that you may read it"
                        ),
                        None => error.to_string(),
                    },
                };
                skipped.push(Skipped::new(error.path().unwrap_or(root).to_owned(), reason));
            }
        }
    }
    (found, skipped)
}

/// The distinct labels in `found`, sorted.
pub fn labels(found: &[Found]) -> BTreeSet<&str> {
    found.iter().filter_map(|f| f.label.as_deref()).collect()
}

fn label_of(root: &Path, path: &Path) -> Option<String> {
    let mut parts = path.strip_prefix(root).ok()?.components();
    let first = parts.next()?;
    parts.next()?;
    Some(first.as_os_str().to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_first_folder_is_the_label() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("b/deep/er")).unwrap();
        fs::create_dir_all(root.path().join("a")).unwrap();
        for name in ["b/deep/er/two", "a/one", "loose"] {
            fs::write(root.path().join(name), name).unwrap();
        }
        let (found, skipped) = walk(root.path(), Layout::Labelled);
        assert!(skipped.is_empty());
        let got: Vec<_> = found.iter().map(|f| f.label.as_deref()).collect();
        assert_eq!(got, [Some("a"), Some("b"), None]);
        assert_eq!(labels(&found).into_iter().collect::<Vec<_>>(), ["a", "b"]);
        let (plain, _) = walk(root.path(), Layout::Plain);
        assert!(plain.iter().all(|f| f.label.is_none()));
        let (single, _) = walk(&root.path().join("loose"), Layout::Labelled);
        assert_eq!(single.len(), 1);
    }

    #[test]
    fn what_is_missing_is_reported() {
        let (found, skipped) = walk(Path::new("/no/such/folder"), Layout::Labelled);
        assert!(found.is_empty());
        assert_eq!(skipped.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_loop_of_links_ends() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/file"), "x").unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        let (found, skipped) = walk(root.path(), Layout::Labelled);
        assert_eq!(found.len(), 1);
        assert!(skipped[0].reason.contains("contains it"));
    }
}
