//! Inspecting files: what each file, and each member of an archive, says about itself. It needs no model and no
//! library.

use super::inspected::Inspected;
use super::nothing_to_read::NothingToRead;
use super::read::list;
use super::run::{Event, Run};
use crate::job::Stop;
use crate::reading::Reader;
use crate::sample::Labelling;
use std::path::PathBuf;

/// Files inspected together: memory holds the facts of one part at a time.
const PART: usize = 128;

/// Inspects all files below `paths`, and reports the facts ([`Event::Inspected`]) and the skipped files part by part,
/// in the order of their paths. Finding nothing usable is an error.
pub fn inspect(paths: &[PathBuf], reader: &Reader, run: &Run<'_>) -> Result<(), Stop> {
    let (found, skipped) = list(paths, Labelling::Unlabelled, run)?;
    let stage = run.reporter().stage("Inspecting files", found.len());
    let mut read = 0;
    let mut all_skipped = skipped.clone();
    run.skipped(skipped);
    for part in found.chunks(PART) {
        let (inspected, skipped) = reader.inspect_all(part, run.quiet().reporter());
        run.check()?;
        stage.advance(part.len());
        read += inspected.len();
        if read == 0 {
            all_skipped.extend(skipped.iter().cloned());
        }
        for (path, facts) in inspected {
            run.event(Event::Inspected(Box::new(Inspected { path, facts })));
        }
        run.skipped(skipped);
    }
    if read == 0 {
        return Err(NothingToRead::Unusable(found.len(), all_skipped).into());
    }
    Ok(())
}
