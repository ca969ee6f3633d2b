//! What does this file look like: the nearest samples of a library.

use super::read::read_in_parts;
use crate::job::{Reporter, Stop};
use crate::library::{Contents, LibraryError};
use crate::model::embed;
use crate::picture::Encoded;
use crate::projection::place;
use crate::reading::Reader;
use crate::sample::{Labelling, Sample, Skipped};
use crate::search::{Neighbour, nearest};
use std::path::PathBuf;

/// Neighbours from which a place on the map is found.
const PLACED_BY: usize = 15;

/// One file and what it looks like.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What is known of the file.
    pub sample: Sample,
    /// Its picture, if it was to be kept.
    pub picture: Option<Encoded>,
    /// Its embedding by the library's model.
    pub embedding: Vec<f32>,
    /// Nearest first; the file itself is not among them.
    pub neighbours: Vec<Neighbour>,
    /// Where it would lie on the library's map, if that has one.
    pub place: Option<[f32; 2]>,
}

/// Answers, and the files that could not be asked about.
#[derive(Debug)]
pub struct Answers {
    /// One a file, in the order of their paths.
    pub answers: Vec<Answer>,
    /// The others, with their reasons.
    pub skipped: Vec<Skipped>,
}

/// Asks about all files below `paths`. The pictures of the first `keep` are kept: they take some tens of
/// KiB each.
pub fn ask(
    paths: &[PathBuf],
    contents: &Contents,
    k: usize,
    keep: usize,
    reader: &Reader,
    reporter: &Reporter,
) -> Result<Answers, Stop> {
    let Some(model) = &contents.model else {
        return Err(LibraryError::NoModel.into());
    };
    let spec = model.config.picture;
    let mut answers = Vec::new();
    let skipped = read_in_parts(paths, Labelling::Unlabelled, spec, reader, reporter, |set, part| {
        let pictures: Vec<_> = set.pictures.iter().collect();
        let embeddings = embed(&model.network, model.config.embedding, spec, &pictures, part)?;
        let stage = part.stage("Finding neighbours", embeddings.len());
        for ((sample, picture), embedding) in set.samples.into_iter().zip(set.pictures).zip(embeddings.rows())
        {
            part.check()?;
            let (neighbours, place) = answer(contents, &sample, embedding, k);
            stage.advance(1);
            let picture = (answers.len() < keep).then_some(picture);
            answers.push(Answer { sample, picture, embedding: embedding.to_vec(), neighbours, place });
        }
        Ok(())
    })?;
    Ok(Answers { answers, skipped })
}

/// The `k` nearest samples to one embedding and its place on the map; the sample itself, if the
/// library has it, is not its own neighbour, and its place is the one it has.
pub fn answer(
    contents: &Contents,
    sample: &Sample,
    embedding: &[f32],
    k: usize,
) -> (Vec<Neighbour>, Option<[f32; 2]>) {
    let own = super::known(contents, sample.sha256);
    let mut found = nearest(&contents.embeddings, embedding, k.max(PLACED_BY), |row| Some(row) == own);
    let there = own.and_then(|row| contents.places.get(row).copied());
    let at = there.or_else(|| place(found.get(..PLACED_BY).unwrap_or(&found), &contents.places));
    found.truncate(k);
    (found, at)
}
