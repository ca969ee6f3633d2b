//! Put files into a library.

use super::read::{Pictures, read};
use crate::job::{Reporter, Stop};
use crate::library::{Added, Contents, Library};
use crate::model::{Model, embed};
use crate::picture::PictureSet;
use crate::sample::{Layout, Passwords, Sha256, Skipped};
use std::path::PathBuf;

/// What indexing did.
#[derive(Debug)]
pub struct Indexed {
    /// How many samples are new, and how many were there.
    pub added: Added,
    /// Files that could not be used.
    pub skipped: Vec<Skipped>,
}

/// Reads the files below `folders`, each FOLDER/<label>/…, embeds them and adds them to `library`.
pub fn index(
    folders: &[PathBuf],
    model: &Model,
    library: &mut Library,
    passwords: &Passwords,
    reporter: &Reporter,
) -> Result<Indexed, Stop> {
    let taken = read(folders, Layout::Labelled, Pictures::Of(model.config.picture), passwords, reporter)?;
    let added = index_set(&taken.set, model, library, reporter)?;
    Ok(Indexed { added, skipped: taken.skipped })
}

/// Likewise for files already read. Refuses pictures that the model was not made for.
pub fn index_set(
    set: &PictureSet,
    model: &Model,
    library: &mut Library,
    reporter: &Reporter,
) -> Result<Added, Stop> {
    if set.spec != model.config.picture {
        return Err(Stop::Failed(format!(
            "expected {}, found {}: the model was made for other pictures. Train a model on such files, or choose another model",
            model.config.picture.kind, set.spec.kind
        )));
    }
    model.usable()?;
    let pictures: Vec<_> = set.pictures.iter().collect();
    let embeddings = embed(&model.network, model.config.embedding, set.spec, &pictures, reporter)?;
    let stage = reporter.stage("Writing to the library", 0);
    let added = library.add(model, set, &embeddings)?;
    stage.advance(set.samples.len());
    Ok(added)
}

/// The row of a digest in `contents`, if it is there.
pub fn known(contents: &Contents, sha256: Sha256) -> Option<usize> {
    contents.entries.iter().position(|entry| entry.sha256 == sha256)
}
