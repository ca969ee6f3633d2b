//! Reading the files of a library's samples again, so that another model can embed them.

use super::index::put_embeddings;
use super::nothing_to_read::NothingToRead;
use super::read::read_in_parts;
use super::run::Run;
use crate::job::Stop;
use crate::library::Library;
use crate::model::Model;
use crate::reading::Reader;
use crate::sample::{KeepFacts, Labelling, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What became of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbeddedAgain {
    /// Samples that were read and embedded.
    pub embedded: usize,
    /// Samples whose files are gone, have changed, or cannot be read for this model.
    pub gone: usize,
}

/// Reads the files of `samples` and stores what `model` makes of them. What is stored before it is cancelled stays. Nothing else
/// of the library changes, but that it holds the model once it has embedded a sample.
pub fn embed_again(
    samples: Vec<(Sha256, PathBuf)>,
    model: &Model,
    library: &mut Library,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<EmbeddedAgain, Stop> {
    let files: BTreeSet<PathBuf> = samples.iter().filter_map(|(_, path)| file_of(path)).collect();
    let files: Vec<PathBuf> = files.into_iter().collect();
    let mut left: BTreeSet<Sha256> = samples.into_iter().map(|(sha256, _)| sha256).collect();
    let mut embedded = 0;
    if !files.is_empty() {
        let reader = reader.with_views(model.views.clone()).with_facts(KeepFacts::Hashes);
        let read =
            read_in_parts(&files, Labelling::Unlabelled, model.config.picture, &reader, run, |set, run| {
                run.check()?;
                let known = set.samples.iter().zip(&set.pictures);
                // An archive may hold others too.
                let known = known.filter(|(sample, _)| left.remove(&sample.sha256));
                let (samples, pictures): (Vec<_>, Vec<_>) = known.unzip();
                put_embeddings(model, &samples, &pictures, library)?;
                embedded += samples.len();
                Ok(())
            });
        match read {
            Err(Stop::Failed(error)) => match error.downcast::<NothingToRead>() {
                // None of them can be used: all are gone.
                Ok(nothing) => run.skipped(nothing.into_skipped()),
                Err(error) => return Err(Stop::Failed(error)),
            },
            read => read?,
        }
    }
    Ok(EmbeddedAgain { embedded, gone: left.len() })
}

/// The file in which a sample is: its own, or the archive that it is a member of.
pub fn file_of(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let text = path.to_str()?;
    let archive =
        text.match_indices('!').map(|(at, _)| Path::new(&text[..at])).find(|path| path.is_file())?;
    Some(archive.to_owned())
}
