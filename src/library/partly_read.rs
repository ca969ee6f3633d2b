//! A large library, of which only what is asked for is read.

use super::LibraryError;
use super::block::Block;
use super::contents::Contents;
use super::row::{Listed, Row};
use super::rows::Rows;
use super::search::{Nearest, Search};
use crate::job::{Reporter, Stop};
use crate::model::{Calibration, Model};
use crate::sample::Sha256;
use crate::search::{LabelFit, Looks};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows by their ids.
pub type Found = BTreeMap<i64, Row>;

/// What was read, or `None` if a part of it is damaged or missing, so that the library should be read whole.
pub type Part<T> = Result<Option<T>, LibraryError>;

/// A large library as it is now, whatever is written to it meanwhile. Only samples that the current model has embedded and that
/// are not removed count, but for [`Self::others`].
pub trait PartlyRead {
    /// Its current model.
    fn model(&self) -> &Arc<Model>;

    /// The number of its samples, counted up to `most`.
    fn count(&self, most: usize) -> Part<usize>;

    /// The number of samples that the model has not embedded.
    fn others(&self) -> Part<usize>;

    /// The ids of those of these samples that it has.
    fn ids(&self, samples: &[Sha256]) -> Part<Vec<i64>>;

    /// The ids of the first `most` samples whose SHA-256 is from the first to the last of these, in their order.
    fn ids_between(&self, range: (Sha256, Sha256), most: u32) -> Part<Vec<i64>>;

    /// The ids of the samples with one of these labels, in ascending order.
    fn with_labels(&self, labels: &[String]) -> Part<Vec<i64>>;

    /// What is nearest: by views if there is a `calibration`, else by embeddings. Among what is found are the nearest of each query,
    /// itself if it is in the library, and as many as are compared again by what labels say. `None` if something is damaged or
    /// missing.
    fn nearest(
        &self,
        search: &Search<'_>,
        calibration: Option<&Calibration>,
        reporter: &Reporter,
    ) -> Result<Option<Nearest>, Stop>;

    /// The ids of the labelled samples, by label, labels by name.
    fn labelled(&self) -> Part<Vec<Vec<i64>>>;

    /// Adds the rows with these ids to `found`. `None` if one cannot be read.
    fn read(&self, ids: &[i64], found: &mut Found) -> Part<()>;

    /// What the samples with these ids look like, in their order, which rises. `None` if one cannot be read.
    fn looks(&self, ids: &[i64]) -> Part<Looks>;

    /// Passes the looks of all samples to `take`, in blocks, ids rising, until it returns `false`. Returns `None` then, or if
    /// something is damaged or missing.
    fn blocks(&self, reporter: &Reporter, take: &mut dyn FnMut(Block) -> bool) -> Result<Option<()>, Stop>;
}

impl dyn PartlyRead + '_ {
    /// The contents with the first `most` samples whose SHA-256 is in `range`, both ends included, and with the samples `also`, and no
    /// others. If there are none, they know the number of samples that the model has not embedded. `None` if the library must be
    /// read whole.
    pub fn some(
        &self,
        range: (Sha256, Sha256),
        most: u32,
        also: &[Sha256],
    ) -> Result<Option<Contents>, LibraryError> {
        let within = self.ids_between(range, most)?;
        let (Some(within), Some(also)) = (within, self.ids(also)?) else { return Ok(None) };
        let mut rows = Found::new();
        if self.read(&within, &mut rows)?.is_none() || self.read(&also, &mut rows)?.is_none() {
            return Ok(None);
        }
        let others = if rows.is_empty() { self.others()? } else { Some(0) };
        Ok(others.map(|others| self.contents(rows, others, None)))
    }

    /// Contents with these rows, in their order, and with what was learned from the labels of all. They have no map.
    pub(super) fn contents(&self, found: Found, others: usize, fit: Option<LabelFit>) -> Contents {
        let mut rows = Rows::new(self.model().config.embedding);
        rows.others = others;
        for row in found.into_values() {
            rows.push(Listed { place: None, ..row.listed }, Some(&row.look));
        }
        Contents::new(Arc::clone(self.model()), rows).learned(fit)
    }
}
