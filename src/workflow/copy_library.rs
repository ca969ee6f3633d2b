//! Copying a library into another: from a file to a team's database, back, or between two of a kind. What is there already is not
//! sent again, so a copy that was interrupted goes on. Each sample is read back and compared: what is there already before
//! anything is sent, the rest after.

use super::names::count;
use super::prepare_library::prepare_added;
use super::run::Run;
use crate::job::Stop;
use crate::library::{Added, Adopt, Adopted, Import, Library, Wanted, WholeSample};
use crate::sample::Sha256;
use sha2::{Digest as _, Sha256 as Hasher};
use std::collections::HashMap;

/// Samples that are sent at once.
const BATCH: usize = 500;

/// What a copy did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// What was added.
    pub added: Added,
    /// Samples that were there already, as they are.
    pub there: usize,
    /// Samples that were read back and are as they were sent: all.
    pub verified: usize,
    /// A hash of the checksums of all of them, in the order of the library that they come from: equal for equal libraries.
    pub checksum: Sha256,
    /// The current model of the library that was copied, and whether it is current in the other one too.
    pub adopted: Option<(Sha256, Adopted)>,
}

/// Copies all samples of `from` that are not removed into `to`, with their labels, facts, thumbnails, and all that the models of
/// `from` make of them; and these models. A sample that has another label in `to` keeps that. Maps and histories are not copied; a
/// label says who gave it when.
///
/// # Errors
/// A sample that was read back is not as it was sent; a library that cannot be read or written.
pub fn copy_library(from: &Library, to: &mut Library, run: &Run<'_>) -> Result<Copied, Stop> {
    to.check_writable()?;
    copy_models(from, to)?;
    let stage = run.reporter().stage("Copying", from.sample_count()?);
    let mut import = Import::new(from.location().to_string());
    let mut hasher = Hasher::new();
    let mut copied =
        Copied { added: Added::default(), there: 0, verified: 0, checksum: Sha256([0; 32]), adopted: None };
    let mut last = i64::MIN;
    loop {
        run.check()?;
        let page = from.whole_samples(Wanted::After(last, BATCH))?;
        let Some((latest, _)) = page.last() else { break };
        last = *latest;
        let samples: Vec<WholeSample> = page.into_iter().map(|(_, sample)| sample).collect();
        let hashes: Vec<Sha256> = samples.iter().map(|sample| sample.sha256).collect();
        let mut there = stored(to, &hashes)?;
        let (known, new): (Vec<WholeSample>, Vec<WholeSample>) =
            samples.iter().cloned().partition(|sample| is_in(sample, &there));
        copied.there += known.len();
        // Of what is there the label may be new.
        copied.added += to.put_whole(&new, &mut import)?;
        let labelled: Vec<WholeSample> = known.into_iter().filter(|sample| sample.label.is_some()).collect();
        copied.added.relabelled += to.put_whole(&labelled, &mut import)?.relabelled;
        // The others are as they were read above.
        let sent: Vec<Sha256> = new.iter().map(|sample| sample.sha256).collect();
        there.extend(stored(to, &sent)?);
        for sample in &samples {
            if !is_in(sample, &there) {
                return Err(Stop::failed(format!(
                    "expected the sample {} in {} as it is in {}, found other values: another version of the program may have read it, or one of the libraries was changed by hand. {} before it were copied",
                    sample.sha256,
                    to.location(),
                    from.location(),
                    count(copied.verified, "sample")
                )));
            }
            hasher.update(sample.checksum().0);
            copied.verified += 1;
        }
        stage.advance(samples.len());
    }
    copied.checksum = Sha256(hasher.finalize().into());
    if let Some(model) = from.models()?.into_iter().find(|model| model.current) {
        copied.adopted = Some((model.hash, to.adopt(model.hash, Adopt::IfComplete)?));
    }
    prepare_added(to, run);
    Ok(copied)
}

/// The models of `from`, the current one first: a library without a model takes the first as its own.
pub(super) fn copy_models(from: &Library, to: &mut Library) -> Result<(), Stop> {
    let has: Vec<Sha256> = to.models()?.into_iter().map(|model| model.hash).collect();
    let mut models = from.models()?;
    models.sort_by_key(|model| !model.current);
    for stored in models.iter().filter(|model| !has.contains(&model.hash)) {
        to.add_model(&from.stored_model(stored.hash)?, "")?;
        let names: Vec<String> = to.models()?.into_iter().map(|model| model.name).collect();
        let taken = names.iter().any(|name| name.to_lowercase() == stored.name.to_lowercase());
        // A contributor to a team's library adds models and does not name them.
        if let Some(Err(error)) = (!taken).then(|| to.rename_model(stored.hash, &stored.name)) {
            tracing::info!("the model {} has the name that it was given: {error}", stored.hash.short());
        }
    }
    Ok(())
}

/// Whether a sample is among these, with all that it has.
fn is_in(sample: &WholeSample, there: &HashMap<Sha256, WholeSample>) -> bool {
    there.get(&sample.sha256).is_some_and(|there| sample.is_in(there))
}

/// Those of these samples that a library has.
fn stored(library: &Library, samples: &[Sha256]) -> Result<HashMap<Sha256, WholeSample>, Stop> {
    let found = library.whole_samples(Wanted::Of(samples))?;
    Ok(found.into_iter().map(|(_, sample)| (sample.sha256, sample)).collect())
}
