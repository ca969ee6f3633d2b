//! Adding samples to a library.

use super::{LibraryError, WholeSample};
use crate::model::{Embeddings, Model};
use crate::picture::Encoded;
use crate::sample::Sample;

/// What adding samples did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Samples that are new to the library, or are in it again.
    pub new: usize,
    /// Of those, the ones that had been removed and are in the library again, with the label that they had.
    pub restored: usize,
    /// Samples that were already there.
    pub known: usize,
    /// Of known and restored ones, those that came with a label other than their own, which was kept.
    pub relabelled: usize,
}

impl std::ops::AddAssign for Added {
    fn add_assign(&mut self, more: Self) {
        self.new += more.new;
        self.restored += more.restored;
        self.known += more.known;
        self.relabelled += more.relabelled;
    }
}

/// Samples to add, with their pictures and embeddings in the same order.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The samples.
    pub samples: &'a [Sample],
    /// Their pictures, for the thumbnails.
    pub pictures: &'a [Encoded],
    /// Their embeddings.
    pub embeddings: &'a Embeddings,
}

impl Batch<'_> {
    /// The samples as `model`, which made the embeddings, sees them.
    pub fn whole(&self, model: &Model) -> Vec<WholeSample> {
        let all = self.samples.iter().zip(self.pictures).zip(self.embeddings.rows());
        all.map(|((sample, picture), embedding)| WholeSample::new(sample, picture, model, embedding))
            .collect()
    }
}

/// An import of samples. The labels that it gives, in any number of batches, are one edit.
#[derive(Clone, Debug)]
pub struct Import {
    pub(super) source: String,
    pub(super) edit: Option<i64>,
}

impl Import {
    /// An import from `source`: the folders, for people.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), edit: None }
    }

    /// Where the samples come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its edit, once it has added a sample or given a label.
    pub fn edit(&self) -> Option<i64> {
        self.edit
    }

    /// Does `work`, which may begin its edit, in a transaction. An edit that began in one that failed does not exist, so nothing
    /// of it is kept then.
    pub(super) fn all_or_nothing<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let mut changed = self.clone();
        let done = work(&mut changed)?;
        *self = changed;
        Ok(done)
    }
}

/// Adding to a library.
pub trait AddSamples {
    /// Adds samples with their embeddings by `model`. A sample that is already in the library keeps its label; one without a
    /// label takes the new label. One that was removed is in the library again. The model becomes the current one only if there
    /// is none yet.
    fn add(&mut self, model: &Model, batch: Batch<'_>, import: &mut Import) -> Result<Added, LibraryError>;

    /// Stores embeddings by `model`, in the order of `samples` and their pictures, of those that the library has, and their facts
    /// where it has none. Others are ignored, and nothing else changes. Returns how many samples the library has.
    fn add_embeddings(
        &mut self,
        model: &Model,
        samples: &[&Sample],
        pictures: &[&Encoded],
        embeddings: &Embeddings,
    ) -> Result<usize, LibraryError>;
}
