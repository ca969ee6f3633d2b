//! Reading what the user points at: walk, read every file once, leave out what was seen before.

use crate::job::{Reporter, Stop};
use crate::picture::{PictureSet, PictureSpec, choose, choose_native};
use crate::reading::{ReadSet, Reader};
use crate::sample::{Found, Labelling, Sha256, Skipped, walk};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

/// Files that were read, and those that could not be used.
pub type Read = ReadSet;

/// Which pictures to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// Of the kind that most files are.
    Chosen,
    /// Likewise, small images at their own size.
    Native,
    /// These: what a model reads.
    Of(PictureSpec),
}

/// Reads all files below `roots`, and those in archives there.
/// A content that occurs twice is taken once; the others are listed. Finding nothing at all is an
/// error that says so.
pub fn read(
    roots: &[PathBuf],
    labelling: Labelling,
    pictures: Pictures,
    reader: &Reader,
    reporter: &Reporter,
) -> Result<Read, Stop> {
    let (found, mut skipped) = list(roots, labelling, reporter)?;
    let spec = match pictures {
        Pictures::Chosen => choose(&reader.sides(&found)),
        Pictures::Native => choose_native(&reader.sides(&found)),
        Pictures::Of(spec) => spec,
    };
    let mut taken = reader.pictures(&found, spec, reporter);
    reporter.check()?;
    Seen::default().leave_out(&mut taken);
    skipped.append(&mut taken.skipped);
    taken.skipped = skipped;
    if taken.set.samples.is_empty() {
        return Err(Stop::Failed(nothing_usable(found.len(), &taken.skipped)));
    }
    Ok(taken)
}

/// Files that are read before what was made of them is given away.
const PART: usize = 2048;

/// Likewise, but part by part: `take` is given the files of each, and a reporter for what it does with
/// them; pictures are held no longer than it wants. Returns those that could not be used.
pub fn read_in_parts(
    roots: &[PathBuf],
    labelling: Labelling,
    spec: PictureSpec,
    reader: &Reader,
    reporter: &Reporter,
    mut take: impl FnMut(PictureSet, &Reporter) -> Result<(), Stop>,
) -> Result<Vec<Skipped>, Stop> {
    let (found, mut skipped) = list(roots, labelling, reporter)?;
    let mut seen = Seen::default();
    // One part is told in detail, many together.
    let many = found.len() > PART;
    let whole = many.then(|| reporter.stage("Reading and comparing files", found.len()));
    let inner = if many { reporter.quietly() } else { reporter.clone() };
    for part in found.chunks(PART) {
        let mut taken = reader.pictures(part, spec, &inner);
        reporter.check()?;
        seen.leave_out(&mut taken);
        skipped.append(&mut taken.skipped);
        if !taken.set.samples.is_empty() {
            take(taken.set, &inner)?;
        }
        if let Some(whole) = &whole {
            whole.advance(part.len());
        }
    }
    if seen.first.is_empty() {
        return Err(Stop::Failed(nothing_usable(found.len(), &skipped)));
    }
    Ok(skipped)
}

/// All files below `roots`, and what could not be listed. Finding none is an error.
fn list(
    roots: &[PathBuf],
    labelling: Labelling,
    reporter: &Reporter,
) -> Result<(Vec<Found>, Vec<Skipped>), Stop> {
    let stage = reporter.stage("Listing files", 0);
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    for root in roots {
        reporter.check()?;
        let (more, less) = walk(root, labelling);
        stage.advance(more.len());
        found.extend(more);
        skipped.extend(less);
    }
    if found.is_empty() {
        return Err(Stop::Failed(nothing(roots, &skipped)));
    }
    Ok((found, skipped))
}

/// The contents that were read: one content under two names would stand on both sides of the held-back split.
#[derive(Default)]
struct Seen {
    /// The first file of each, and its label.
    first: HashMap<Sha256, (PathBuf, Option<String>)>,
}

impl Seen {
    /// Takes what was seen before out of `taken`, and lists it as skipped.
    fn leave_out(&mut self, taken: &mut ReadSet) {
        let set = &mut taken.set;
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
                    let same = crate::escape::path(path);
                    let reason = match (label, &sample.label) {
                        (Some(a), Some(b)) if a != b => format!(
                            "has the same content as {same}, but lies under another label ({} there, {} here); the first was kept. Decide which label is right and remove the other file",
                            crate::escape::text(a),
                            crate::escape::text(b)
                        ),
                        _ => format!("has the same content as {same}; one is enough"),
                    };
                    taken.skipped.push(Skipped::new(sample.path, reason));
                }
            }
        }
    }
}

fn nothing(roots: &[PathBuf], skipped: &[Skipped]) -> String {
    let names = roots.iter().map(|root| crate::escape::path(root)).collect::<Vec<_>>().join(", ");
    match skipped.first() {
        Some(first) => {
            format!("expected files, found none: {} {}", crate::escape::path(&first.path), first.reason)
        }
        None => format!(
            "expected files in {names}, found an empty folder. Put files there, or choose another folder"
        ),
    }
}

fn nothing_usable(found: usize, skipped: &[Skipped]) -> String {
    let first = skipped
        .first()
        .map(|first| format!(": {} {}", crate::escape::path(&first.path), first.reason))
        .unwrap_or_default();
    match found.max(skipped.len()) {
        1 => first.trim_start_matches(": ").to_owned(),
        n => format!("none of {n} files could be used; the first{first}"),
    }
}
