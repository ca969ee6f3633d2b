//! `--label-level`: which folders name the labels.

use crate::sample::Labelling;
use clap::Args;

/// Where the labels come from.
#[derive(Clone, Copy, Debug, Args)]
pub struct LabelArgs {
    /// Take the labels from the folders this many levels below FOLDER: 2 for FOLDER/train/<label>/…
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=63))]
    label_level: u8,
}

impl LabelArgs {
    /// How the files of a folder are labelled.
    pub fn labelling(self) -> Labelling {
        Labelling::FromFolders(usize::from(self.label_level))
    }
}
