//! The labelled samples of a set.

use crate::job::Stop;
use crate::picture::{Encoded, PictureSet};

/// The samples of a set that have a label.
pub struct Labelled<'a> {
    /// All samples.
    pub set: &'a PictureSet,
    /// The index in the set of each labelled sample.
    pub members: Vec<usize>,
    /// The label of each, as an index of `labels`.
    pub classes: Vec<usize>,
    /// The labels, sorted.
    pub labels: Vec<String>,
}

impl<'a> Labelled<'a> {
    /// The labelled samples of `set`. An error if there are fewer than two labels.
    pub fn new(set: &'a PictureSet) -> Result<Self, Stop> {
        let mut labels: Vec<String> = set.samples.iter().filter_map(|sample| sample.label.clone()).collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.len() < 2 {
            return Err(Stop::failed(format!(
                "expected a folder with at least two labels (FOLDER/<label>/<files>), found {}. Put the files of each family into their own folder, and choose the folder that contains these folders",
                match labels.first() {
                    Some(only) => format!("only \"{}\"", crate::escape::text(only)),
                    None => "none".to_owned(),
                }
            )));
        }
        let (mut members, mut classes) = (Vec::new(), Vec::new());
        for (i, sample) in set.samples.iter().enumerate() {
            if let Some(class) = sample.label.as_ref().and_then(|label| labels.binary_search(label).ok()) {
                members.push(i);
                classes.push(class);
            }
        }
        Ok(Self { set, members, classes, labels })
    }

    /// Pictures and labels of some labelled samples.
    pub fn files<'i>(&self, files: impl Iterator<Item = &'i usize>) -> Vec<(&'a Encoded, usize)> {
        files.map(|file| (&self.set.pictures[self.members[*file]], self.classes[*file])).collect()
    }
}
