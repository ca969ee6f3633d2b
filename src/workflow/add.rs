//! Adding queried files to a library, under a label or without.

use super::index::{ChangedLibrary, add_to_library};
use super::nothing_to_read::NothingToRead;
use super::query::Queried;
use super::read::read_in_parts;
use super::run::Run;
use crate::job::Stop;
use crate::library::{Adopt, Library};
use crate::model::Model;
use crate::picture::PictureSet;
use crate::reading::Reader;
use crate::sample::{KeepFacts, Labelling, Sample, Sha256};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Adds `files`, which were queried with `model`, to `library`. Files whose pictures were not kept are read again; those that
/// are gone or have changed meanwhile are left out, and counted in the second part of the result.
pub fn add_queried(
    files: Vec<Queried>,
    label: Option<&str>,
    model: &Model,
    library: Library,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<(ChangedLibrary, usize), Stop> {
    let mut set = PictureSet { spec: model.config.picture, samples: Vec::new(), pictures: Vec::new() };
    let mut wanted: HashSet<Sha256> = HashSet::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    let labelled = |sample: Sample| Sample { label: label.map(str::to_owned), ..sample };
    for file in files {
        match file.picture {
            Some(picture) => {
                set.samples.push(labelled(file.sample));
                set.pictures.push(Arc::unwrap_or_clone(picture));
            }
            None => {
                wanted.insert(file.sample.sha256);
                paths.extend(super::embed_again::file_of(&file.sample.path));
            }
        }
    }
    if !paths.is_empty() {
        let reader = reader.with_views(model.views.clone()).with_facts(KeepFacts::Hashes);
        let read = read_in_parts(&paths, Labelling::Unlabelled, set.spec, &reader, run, |read, _| {
            for (sample, picture) in read.samples.into_iter().zip(read.pictures) {
                if wanted.remove(&sample.sha256) {
                    set.samples.push(labelled(sample));
                    set.pictures.push(picture);
                }
            }
            Ok(())
        });
        match read {
            Err(Stop::Failed(why)) if why.downcast_ref::<NothingToRead>().is_none() => {
                return Err(Stop::Failed(why));
            }
            Err(Stop::Cancelled) => return Err(Stop::Cancelled),
            _ => {}
        }
    }
    if set.samples.is_empty() {
        return Err(Stop::failed("expected the files where they were dropped, found none. Drop them again"));
    }
    Ok((add_to_library(&set, model, library, Adopt::IfComplete, run)?, wanted.len()))
}
