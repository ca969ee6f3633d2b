//! Folder labels: which folder of a path is the label of a file, and which names are no families.

use std::path::Path;

/// Names of the parts into which data sets are split, in lower case.
const SPLITS: [&str; 14] = [
    "train",
    "training",
    "trainset",
    "val",
    "valid",
    "validation",
    "dev",
    "test",
    "testing",
    "tests",
    "testset",
    "eval",
    "evaluation",
    "holdout",
];

/// How a walk assigns labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labelling {
    /// The label of a file is the name of the folder this many levels below the root: 1 is the first. Files above it
    /// have no label.
    FromFolders(usize),
    /// Files have no labels.
    Unlabelled,
}

impl Labelling {
    /// The same with the labels one level deeper.
    pub(crate) fn next_level(self) -> Self {
        match self {
            Self::FromFolders(level) => Self::FromFolders(level.saturating_add(1)),
            Self::Unlabelled => Self::Unlabelled,
        }
    }

    /// The label of a file at `path` below `root`.
    pub(crate) fn label_of(self, root: &Path, path: &Path) -> Option<String> {
        let Self::FromFolders(level) = self else { return None };
        let folder = path.strip_prefix(root).ok()?.parent()?.components().nth(level.checked_sub(1)?)?;
        Some(folder.as_os_str().to_string_lossy().into_owned())
    }
}

/// Whether a label is probably a part of a data set, such as `train`, and not a family.
pub fn is_split(label: &str) -> bool {
    SPLITS.contains(&label.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_chooses_the_folder() {
        let label =
            |level, path: &str| Labelling::FromFolders(level).label_of(Path::new("r"), Path::new(path));
        assert_eq!(label(1, "r/a/b/c").as_deref(), Some("a"));
        assert_eq!(label(2, "r/train/a/c").as_deref(), Some("a"));
        assert_eq!(
            (label(1, "r/c"), label(2, "r/a/c"), label(0, "r/a/c"), label(1, "r")),
            (None, None, None, None)
        );
        assert_eq!(Labelling::Unlabelled.label_of(Path::new("r"), Path::new("r/a/b")), None);
    }

    #[test]
    fn splits_are_no_families() {
        assert!(is_split("train") && is_split("Validation") && is_split("TEST"));
        assert!(!is_split("trainer") && !is_split("emotet"));
    }
}
