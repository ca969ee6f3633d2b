//! Reading what the user names: finds the files, reads each once, and skips repeated contents.

use super::nothing_to_read::NothingToRead;
use super::run::{Run, Warning};
use crate::escape;
use crate::job::Stop;
use crate::picture::{PictureKind, PictureSet, PictureSpec, choose, choose_native};
use crate::reading::{ReadSet, Reader};
use crate::sample::{Cause, Found, KeepFacts, Labelling, Sha256, Skipped, is_clutter_folder, is_split, walk};
use sha2::{Digest as _, Sha256 as Hasher};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which pictures to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// Of the kind that most files are.
    Chosen,
    /// The same, but small images at their own size.
    Native,
    /// These: what a model reads.
    Of(PictureSpec),
}

/// A labelled folder that was read.
#[derive(Clone)]
pub struct LabelledFolder {
    /// The folder.
    pub path: PathBuf,
    /// Its samples, with their labels and pictures.
    pub set: Arc<PictureSet>,
    /// The number of its labels.
    pub labels: usize,
    /// A hash of its samples and their labels, in their order: results belong to a folder by this.
    pub hash: Sha256,
}

/// Reads a labelled folder: FOLDER/<label>/…, or with the labels at another level. Skipped files are reported; finding nothing usable is an error.
pub fn read_folder(
    folder: &Path,
    labelling: Labelling,
    pictures: Pictures,
    reader: &Reader,
    run: &Run<'_>,
) -> Result<LabelledFolder, Stop> {
    let roots = [folder.to_owned()];
    let (found, mut skipped) = list(&roots, labelling, run)?;
    let spec = match pictures {
        Pictures::Chosen => choose(&reader.sides(&found)),
        Pictures::Native => choose_native(&reader.sides(&found)),
        Pictures::Of(spec) => spec,
    };
    // What was chosen may be added to a library.
    let facts = if pictures == Pictures::Chosen { KeepFacts::Hashes } else { KeepFacts::No };
    let mut read_set = reader.with_facts(facts).pictures(&found, spec, run.reporter());
    run.check()?;
    Seen::default().skip_repeated(&mut read_set);
    skipped.append(&mut read_set.skipped);
    if read_set.set.samples.is_empty() {
        return Err(NothingToRead::Unusable(found.len(), skipped).into());
    }
    run.skipped(skipped);
    let mut labels: Vec<_> =
        read_set.set.samples.iter().filter_map(|sample| sample.label.as_deref()).collect();
    labels.sort_unstable();
    labels.dedup();
    let empty = match labelling {
        Labelling::FromFolders(1) => without_files(folder, &labels),
        _ => Vec::new(),
    };
    if !empty.is_empty() {
        run.warn(Warning::NoFiles(empty));
    }
    Ok(LabelledFolder {
        path: folder.to_owned(),
        labels: labels.len(),
        hash: hash(&read_set.set),
        set: Arc::new(read_set.set),
    })
}

/// The folders in `folder` that are none of the labels, by name. What systems leave is none of them.
fn without_files(folder: &Path, labels: &[&str]) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !is_clutter_folder(name) && labels.binary_search(&name.as_str()).is_err())
        .collect();
    names.sort_unstable();
    names
}

/// The kind of picture for the files below `roots`: that of most of them. Nothing is reported, and no file is read whole.
pub fn kind_of(roots: &[PathBuf], labelling: Labelling, reader: &Reader) -> PictureKind {
    let found: Vec<Found> = roots.iter().flat_map(|root| walk(root, labelling).found).collect();
    choose(&reader.sides(&found)).kind
}

fn hash(set: &PictureSet) -> Sha256 {
    let mut hasher = Hasher::new();
    for sample in &set.samples {
        let label = sample.label.as_deref().unwrap_or_default();
        hasher.update(sample.sha256.0);
        hasher.update((label.len() as u64).to_le_bytes());
        hasher.update(label);
    }
    Sha256(hasher.finalize().into())
}

/// Files read together: memory holds the pictures of one part at a time.
const PART: usize = 2048;

/// Reads all files below `roots` part by part. `take` gets each part, and a run for what it does with it.
/// Skipped files are reported; finding nothing usable is an error.
pub fn read_in_parts(
    roots: &[PathBuf],
    labelling: Labelling,
    spec: PictureSpec,
    reader: &Reader,
    run: &Run<'_>,
    mut take: impl FnMut(PictureSet, &Run<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (found, mut skipped) = list(roots, labelling, run)?;
    let mut seen = Seen::default();
    // The progress of one part is shown in detail; of many parts, that of all files together.
    let many = found.len() > PART;
    let whole = many.then(|| run.reporter().stage("Reading and comparing files", found.len()));
    let part_run = if many { run.quiet() } else { run.clone() };
    for part in found.chunks(PART) {
        let mut read_set = reader.pictures(part, spec, part_run.reporter());
        run.check()?;
        seen.skip_repeated(&mut read_set);
        skipped.append(&mut read_set.skipped);
        if !read_set.set.samples.is_empty() {
            take(read_set.set, &part_run)?;
        }
        if let Some(whole) = &whole {
            whole.advance(part.len());
        }
    }
    if seen.first.is_empty() {
        return Err(NothingToRead::Unusable(found.len(), skipped).into());
    }
    run.skipped(skipped);
    Ok(())
}

/// All files below `roots`, and those that could not be listed. Finding none to read is an error.
fn list(roots: &[PathBuf], labelling: Labelling, run: &Run<'_>) -> Result<(Vec<Found>, Vec<Skipped>), Stop> {
    let (found, skipped) = list_all(roots, labelling, run)?;
    if found.is_empty() {
        return Err(NothingToRead::not_found(roots, skipped, Vec::new()).into());
    }
    Ok((found, skipped))
}

/// The same, but an error only if there is nothing of either.
pub(super) fn list_all(
    roots: &[PathBuf],
    labelling: Labelling,
    run: &Run<'_>,
) -> Result<(Vec<Found>, Vec<Skipped>), Stop> {
    let stage = run.reporter().stage("Listing files", 0);
    let (mut found, mut skipped, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
    for root in roots {
        run.check()?;
        let listing = walk(root, labelling);
        stage.advance(listing.found.len());
        if let Some(warning) = splits(root, labelling, &listing.found) {
            run.warn(warning);
        }
        found.extend(listing.found);
        skipped.extend(listing.skipped);
        passed_over.extend(listing.passed_over);
    }
    if found.is_empty() && skipped.is_empty() {
        return Err(NothingToRead::not_found(roots, skipped, passed_over).into());
    }
    if !passed_over.is_empty() {
        run.warn(Warning::PassedOver(passed_over));
    }
    Ok((found, skipped))
}

/// The warning that all labels are the parts of a data set, if they are.
fn splits(folder: &Path, labelling: Labelling, found: &[Found]) -> Option<Warning> {
    let labels: BTreeSet<_> = found.iter().filter_map(|file| file.label.as_deref()).collect();
    if labels.is_empty() || !labels.iter().all(|label| is_split(label)) {
        return None;
    }
    let below = labelling.next_level();
    let deeper = found.iter().any(|file| below.label_of(folder, &file.path).is_some());
    let labels = labels.into_iter().map(str::to_owned).collect();
    Some(Warning::Splits { folder: folder.to_owned(), labels, deeper })
}

/// The contents that were read. The same content under two names would end on both sides of the held-out
/// split.
#[derive(Default)]
struct Seen {
    /// The first file of each content, and its label.
    first: HashMap<Sha256, (PathBuf, Option<String>)>,
}

impl Seen {
    /// Removes contents that were seen before from `read_set`, and lists them as skipped.
    fn skip_repeated(&mut self, read_set: &mut ReadSet) {
        let set = &mut read_set.set;
        let (samples, pictures) = (std::mem::take(&mut set.samples), std::mem::take(&mut set.pictures));
        for (sample, picture) in samples.into_iter().zip(pictures) {
            match self.first.entry(sample.sha256) {
                Entry::Vacant(entry) => {
                    entry.insert((sample.path.clone(), sample.label.clone()));
                    set.samples.push(sample);
                    set.pictures.push(picture);
                }
                Entry::Occupied(entry) => {
                    let (path, label) = entry.get();
                    let first = escape::path(path);
                    let reason = match (label, &sample.label) {
                        (Some(a), Some(b)) if a != b => format!(
                            "has the same content as {first} under another label ({} there, {} here); the first was kept. Decide which label is right and remove the other file",
                            escape::text(a),
                            escape::text(b)
                        ),
                        _ => format!("has the same content as {first}; it was kept once"),
                    };
                    read_set.skipped.push(Skipped { path: sample.path, reason, cause: Cause::Duplicate });
                }
            }
        }
    }
}
