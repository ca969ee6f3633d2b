//! Keeping a copy of a team's library on this machine, and bringing it up to what the server has: only what the copy lacks is read.

use super::copy_library::copy_models;
use super::prepare_library::prepare_added;
use super::run::Run;
use super::send_waiting::send_waiting;
use crate::job::Stop;
use crate::library::{Import, KeptCopy, Library, Wanted};
use crate::sample::Sha256;
use std::collections::HashSet;
use std::path::Path;

/// Samples that are read at once.
const BATCH: usize = 500;
/// How often labels are read again, since something was changed in the copy meanwhile.
const TRIES: usize = 5;

/// What refreshing a copy did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Samples that were read.
    pub read: usize,
    /// Samples that the copy has now.
    pub samples: usize,
}

/// Makes the copy of the team's library at `place`, or brings it up to what the server has, after what waits in it was sent. One that was
/// interrupted goes on. Until a copy has been whole once, it is not used.
///
/// # Errors
/// It is not a team's library; the server cannot be reached.
pub fn refresh_copy(place: &Path, run: &Run<'_>) -> Result<Refreshed, Stop> {
    let server = Library::reach(place)?;
    let mut copy = KeptCopy::make(place)?;
    send_waiting(place, run)?;
    let mut into = Library::open(&copy.file())?;
    copy_models(&server, &mut into)?;
    let current = server.models()?.into_iter().find(|model| model.current).map(|model| model.hash);
    if let Some(current) = current {
        into.set_current_model(current)?;
    }
    let mut import = Import::new(server.location().to_string());
    let mut read = 0;
    for _ in 0..TRIES {
        run.check()?;
        let (queue, at) = (copy.queue_state()?, KeptCopy::now());
        let labels = server.labels()?;
        let lacking = lacking(&copy, &into, current, labels.iter().map(|(sample, _)| *sample))?;
        let stage = run.reporter().stage("Copying", lacking.len());
        for samples in lacking.chunks(BATCH) {
            run.check()?;
            let whole: Vec<_> =
                server.whole_samples(Wanted::Of(samples))?.into_iter().map(|(_, sample)| sample).collect();
            into.put_whole(&whole, &mut import)?;
            read += whole.len();
            stage.advance(samples.len());
        }
        if copy.mirror(&labels, queue)? {
            copy.set_refreshed(&at, server.read_only())?;
            prepare_added(&mut into, run);
            return Ok(Refreshed { read, samples: into.sample_count()? });
        }
    }
    Err(Stop::failed(
        "expected a copy in which nothing is changed while it is refreshed, found changes again and again. Try again later",
    ))
}

/// Those of the server's samples that the copy lacks, or of which it lacks what the current model makes. What waits to be sent about a
/// sample is later than what the server has of it.
fn lacking(
    copy: &KeptCopy,
    into: &Library,
    current: Option<Sha256>,
    there: impl Iterator<Item = Sha256>,
) -> Result<Vec<Sha256>, Stop> {
    let mut whole: HashSet<Sha256> = into.samples()?.into_iter().map(|(sample, _)| sample).collect();
    if let Some(current) = current {
        for (sample, _) in into.lacking(current)? {
            whole.remove(&sample);
        }
    }
    let queued: HashSet<Sha256> = copy.queued_samples()?.into_iter().collect();
    Ok(there.filter(|sample| !whole.contains(sample) && !queued.contains(sample)).collect())
}
