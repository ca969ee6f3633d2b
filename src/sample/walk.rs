//! Walks a folder: lists its files and their labels.
//!
//! A labelled folder is `FOLDER/<label>/…/file`, at any depth below the label, as torchvision's `ImageFolder` reads it.
//! Files directly in FOLDER have no label.

use super::skipped::Skipped;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The depth below the root at which folders are no longer listed.
const MAX_DEPTH: usize = 64;

/// How a walk assigns labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labelling {
    /// The label of a file is the name of the first folder below the root.
    FromFolders,
    /// Files have no labels.
    Unlabelled,
}

/// A file that a walk found, not yet opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path.
    pub path: PathBuf,
    /// Its label, if it has one.
    pub label: Option<String>,
}

/// Lists the files below `root`, in the order of their paths so that the order is always the same, and what could not
/// be listed. If `root` is a file, it is the only one. Links are followed; loops of links are skipped.
pub fn walk(root: &Path, labelling: Labelling) -> (Vec<Found>, Vec<Skipped>) {
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    let walker = WalkDir::new(root).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name();
    for entry in walker {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                if entry.depth() == MAX_DEPTH {
                    let reason = format!(
                        "is more than {MAX_DEPTH} folders deep and was not listed. Open it by itself"
                    );
                    skipped.push(Skipped::new(entry.into_path(), reason));
                }
            }
            Ok(entry) => {
                let label = match labelling {
                    Labelling::FromFolders => label_of(root, entry.path()),
                    Labelling::Unlabelled => None,
                };
                found.push(Found { path: entry.into_path(), label });
            }
            Err(error) => {
                let reason = match error.loop_ancestor() {
                    Some(_) => "is a link to a folder that contains it; it was not followed".to_owned(),
                    None => match error.io_error() {
                        Some(io) => format!(
                            "could not be listed: {io}. Check that it still exists and that you have permission to read it"
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

/// The name of the first folder of `path` below `root`; `None` if the file is directly in `root`.
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
        let (found, skipped) = walk(root.path(), Labelling::FromFolders);
        assert!(skipped.is_empty());
        let got: Vec<_> = found.iter().map(|f| f.label.as_deref()).collect();
        assert_eq!(got, [Some("a"), Some("b"), None]);
        let (plain, _) = walk(root.path(), Labelling::Unlabelled);
        assert!(plain.iter().all(|f| f.label.is_none()));
        let (single, _) = walk(&root.path().join("loose"), Labelling::FromFolders);
        assert_eq!(single.len(), 1);
    }

    #[test]
    fn a_missing_folder_is_reported() {
        let (found, skipped) = walk(Path::new("/no/such/folder"), Labelling::FromFolders);
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
        let (found, skipped) = walk(root.path(), Labelling::FromFolders);
        assert_eq!(found.len(), 1);
        assert!(skipped[0].reason.contains("contains it"));
    }
}
