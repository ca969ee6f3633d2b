//! The user's choices for the table of dropped files.

use super::verdict_look::State;
use crate::sample::Sha256;
use std::collections::HashSet;

/// A column that the table can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// The verdict; files of one verdict by distance.
    #[default]
    Verdict,
    /// The file name.
    Name,
    /// The file format.
    Kind,
    /// The label of the nearest sample.
    Label,
    /// The distance of the nearest sample.
    Distance,
    /// The probability.
    Probability,
}

/// What decides the rows of the table and their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The column it is sorted by.
    pub by: Column,
    /// In falling order.
    pub falling: bool,
    /// Part of a name, or the start of a SHA-256.
    pub filter: String,
    /// Only files with this verdict.
    pub only: Option<State>,
}

/// The user's choices for the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesView {
    /// Which rows are shown, and how they are sorted.
    pub order: Order,
    /// The files that are ticked.
    pub ticked: HashSet<Sha256>,
}
