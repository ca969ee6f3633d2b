//! Querying a library: what does a file look like? Its nearest samples, and its place among them on the map.

use super::find_near::find_near;
use super::near::{AskedAs, Near, WantedNear};
use super::read::read_in_parts;
use super::run::Run;
use crate::job::Stop;
use crate::library::{Contents, LibraryError};
use crate::model::{Model, embed_with_shifts};
use crate::picture::Encoded;
use crate::reading::Reader;
use crate::sample::{KeepFacts, Labelling, Sample, Sha256};
use crate::search::{Look, Looks};
use crate::view::FileViews;
use std::path::PathBuf;
use std::sync::Arc;

/// Queried samples whose facts have names too, which take up to 60 KiB.
const NAMED: usize = 1000;

/// One queried sample.
#[derive(Debug, Clone)]
pub struct Queried {
    /// The sample.
    pub sample: Sample,
    /// Its picture, if it was kept.
    pub picture: Option<Arc<Encoded>>,
    /// What it looks like to the library's model.
    pub look: Look,
    /// Why the network's opinion does not count, if it does not: its layers were never shown such a file.
    pub out_of_range: Option<OutOfRange>,
    /// What it is near to.
    pub near: Near,
}

/// A file whose activations lie far outside the running statistics of the network's batch norm: the code view abstains. A model
/// without views has no other, so its distances say little.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfRange {
    /// How far its farthest layer is from the running means, in running deviations.
    pub shift: f32,
    /// What 1 % of the files exceed that were held out of the training.
    pub above: f32,
}

impl OutOfRange {
    fn of(shift: f32, above: f32) -> Option<Self> {
        // A shift that is not a number is out of range too.
        (shift.is_nan() || shift > above).then_some(Self { shift, above })
    }
}

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shift, above } = self;
        write!(
            f,
            "the network was not trained on such files: their activations are {shift:.2} deviations from its running means, \
             those of 99 % of the files held out of its training at most {above:.2}"
        )
    }
}

/// The result of a query.
#[derive(Debug)]
pub struct QueryResult {
    /// The hash of the model that embedded the samples.
    pub model: Sha256,
    /// The samples, in the order of their paths.
    pub queried: Vec<Queried>,
}

/// Queries all files below `paths` for their `k` nearest samples. The pictures of the first `keep` are kept:
/// they take some tens of KiB each. Skipped files are reported.
pub fn query(
    paths: &[PathBuf],
    contents: &Contents,
    k: usize,
    keep: usize,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<QueryResult, Stop> {
    let Some(model) = contents.model() else {
        return Err(LibraryError::NoModel.into());
    };
    let wanted = WantedNear::all(AskedAs::File, k);
    let near = |looks: &Looks, own: &[Sha256], run: &Run<'_>| find_near(contents, looks, own, &wanted, run);
    let queried = look_at(paths, model, keep, reader, run, near)?;
    Ok(QueryResult { model: model.hash, queried })
}

/// Reads and embeds all files below `paths`. `near` finds what those with these looks and hashes, a part of them, are near to.
pub(super) fn look_at(
    paths: &[PathBuf],
    model: &Model,
    keep: usize,
    reader: &Reader,
    run: &Run<'_>,
    mut near: impl FnMut(&Looks, &[Sha256], &Run<'_>) -> Result<Vec<Near>, Stop>,
) -> Result<Vec<Queried>, Stop> {
    run.warn_about(model);
    let spec = model.config.picture;
    let reader = &reader.with_views(model.views.clone()).with_facts(KeepFacts::Named);
    let mut queried = Vec::new();
    read_in_parts(paths, Labelling::Unlabelled, spec, reader, run, |set, run| {
        let pictures: Vec<_> = set.pictures.iter().collect();
        let (embeddings, shifts) =
            embed_with_shifts(&model.network, model.config.embedding, spec, &pictures, run.reporter())?;
        let out_of_range: Vec<_> = shifts
            .into_iter()
            .map(|shift| OutOfRange::of(shift?, model.config.training.shift_above?))
            .collect();
        let own: Vec<Sha256> = set.samples.iter().map(|sample| sample.sha256).collect();
        // A picture without views, which no worker of ours sends, has nothing to go by.
        let seen = |picture: &Encoded| picture.views().cloned().unwrap_or_default();
        let mut views: Vec<FileViews> =
            if model.views.is_some() { set.pictures.iter().map(seen).collect() } else { Vec::new() };
        for (views, out_of_range) in views.iter_mut().zip(&out_of_range) {
            if out_of_range.is_some() {
                views.code = None;
            }
        }
        let looks = Looks { embeddings, views };
        let near = near(&looks, &own, run)?;
        for (i, ((mut sample, picture), near)) in
            set.samples.into_iter().zip(set.pictures).zip(near).enumerate()
        {
            if let Some(facts) = sample.facts.as_mut().filter(|_| queried.len() >= NAMED) {
                facts.names = Vec::new();
            }
            let picture = (queried.len() < keep).then(|| Arc::new(picture));
            let out_of_range = out_of_range.get(i).copied().flatten();
            queried.push(Queried {
                sample,
                picture,
                look: looks.get(i).unwrap_or_default(),
                out_of_range,
                near,
            });
        }
        Ok(())
    })?;
    Ok(queried)
}
