//! Walks a folder: lists its files and their labels.
//!
//! A labelled folder is `FOLDER/<label>/…/file`, at any depth below the label, as torchvision's `ImageFolder` reads it.
//! Files directly in FOLDER have no label.

use super::clutter::{is_clutter_file, is_clutter_folder};
use super::labelling::Labelling;
use super::skipped::Skipped;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// The depth below the root at which folders are no longer listed.
const MAX_DEPTH: usize = 64;

/// A file that a walk found, not yet opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path.
    pub path: PathBuf,
    /// Its label, if it has one.
    pub label: Option<String>,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files, in the order of their paths.
    pub found: Vec<Found>,
    /// What could not be listed.
    pub skipped: Vec<Skipped>,
    /// Names of files and folders that were passed over: what systems leave in folders. Those in a folder that was
    /// passed over are not among them.
    pub passed_over: Vec<String>,
}

/// Lists the files below `root`, in the order of their paths so that the order is always the same. If `root` is a file,
/// it is the only one. Links are followed; loops of links are skipped. Folders and files that systems leave are passed
/// over, unless `root` is one.
pub fn walk(root: &Path, labelling: Labelling) -> Listing {
    let mut listing = Listing::default();
    let mut walker =
        WalkDir::new(root).follow_links(true).max_depth(MAX_DEPTH).sort_by_file_name().into_iter();
    while let Some(entry) = walker.next() {
        match entry {
            Ok(entry) if is_clutter(&entry) => {
                listing.passed_over.push(entry.file_name().to_string_lossy().into_owned());
                if entry.file_type().is_dir() {
                    walker.skip_current_dir();
                }
            }
            Ok(entry) if entry.file_type().is_dir() => {
                if entry.depth() == MAX_DEPTH {
                    let reason = format!(
                        "is more than {MAX_DEPTH} folders deep and was not listed. Open it by itself"
                    );
                    listing.skipped.push(Skipped::new(entry.into_path(), reason));
                }
            }
            Ok(entry) => {
                let label = labelling.label_of(root, entry.path());
                listing.found.push(Found { path: entry.into_path(), label });
            }
            Err(error) => listing.skipped.push(unlisted(root, &error)),
        }
    }
    listing
}

/// Whether an entry below the root is passed over.
fn is_clutter(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_dir = entry.file_type().is_dir();
    entry.depth() > 0 && if is_dir { is_clutter_folder(&name) } else { is_clutter_file(&name) }
}

fn unlisted(root: &Path, error: &walkdir::Error) -> Skipped {
    let reason = match (error.loop_ancestor(), error.io_error()) {
        (Some(_), _) => "is a link to a folder that contains it; it was not followed".to_owned(),
        (None, Some(io)) => format!(
            "could not be listed: {io}. Check that it still exists and that you have permission to read it"
        ),
        (None, None) => error.to_string(),
    };
    Skipped::new(error.path().unwrap_or(root).to_owned(), reason)
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
        let Listing { found, skipped, .. } = walk(root.path(), Labelling::FromFolders(1));
        assert!(skipped.is_empty());
        let got: Vec<_> = found.iter().map(|f| f.label.as_deref()).collect();
        assert_eq!(got, [Some("a"), Some("b"), None]);
        let plain = walk(root.path(), Labelling::Unlabelled);
        assert!(plain.found.iter().all(|f| f.label.is_none()));
        let single = walk(&root.path().join("loose"), Labelling::FromFolders(1));
        assert_eq!(single.found.len(), 1);
    }

    #[test]
    fn clutter_is_passed_over_unless_it_is_named() {
        let root = tempfile::tempdir().unwrap();
        for folder in [".git/objects", "__MACOSX", "a/.ipynb_checkpoints", ".hidden"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for name in [
            ".git/objects/0",
            "__MACOSX/._x",
            "a/.ipynb_checkpoints/x",
            "a/.DS_Store",
            "a/._x",
            "a/x",
            ".hidden/x",
        ] {
            fs::write(root.path().join(name), name).unwrap();
        }
        let listing = walk(root.path(), Labelling::FromFolders(1));
        let labels: Vec<_> = listing.found.iter().map(|found| found.label.as_deref()).collect();
        assert_eq!(labels, [Some(".hidden"), Some("a")]);
        assert_eq!(listing.passed_over, [".git", "__MACOSX", ".DS_Store", "._x", ".ipynb_checkpoints"]);
        assert_eq!(walk(&root.path().join(".git"), Labelling::Unlabelled).found.len(), 1);
        assert_eq!(walk(&root.path().join("a/.DS_Store"), Labelling::Unlabelled).found.len(), 1);
    }

    #[test]
    fn a_missing_folder_is_reported() {
        let Listing { found, skipped, .. } = walk(Path::new("/no/such/folder"), Labelling::FromFolders(1));
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
        let Listing { found, skipped, .. } = walk(root.path(), Labelling::FromFolders(1));
        assert_eq!(found.len(), 1);
        assert!(skipped[0].reason.contains("contains it"));
    }
}
