//! Inspecting files: what each file, and each member of an archive, says about itself. It needs no model and no
//! library.

use super::inspected::Inspected;
use super::read::list_all;
use super::run::{Event, Run};
use crate::job::Stop;
use crate::reading::Reader;
use crate::sample::{Cause, Labelling, Skipped};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Files inspected together: memory holds the facts of one part at a time.
const PART: usize = 128;

/// Inspects all files below `paths`, and reports the facts ([`Event::Inspected`]) and the skipped files part by part,
/// in the order of their paths. Returns a reason for each of `paths` of which nothing could be read. Finding no file at
/// all is an error.
pub fn inspect(paths: &[PathBuf], reader: &Reader, run: &Run<'_>) -> Result<Vec<Skipped>, Stop> {
    let (found, skipped) = list_all(paths, Labelling::Unlabelled, run)?;
    let stage = run.reporter().stage("Inspecting files", found.len());
    let mut named = NamedPaths::new(paths);
    skipped.iter().for_each(|file| named.skipped(file));
    run.skipped(skipped);
    for part in found.chunks(PART) {
        let (inspected, skipped) = reader.inspect_all(part, run.quiet().reporter());
        run.check()?;
        stage.advance(part.len());
        inspected.iter().for_each(|(path, _)| named.read(path));
        skipped.iter().for_each(|file| named.skipped(file));
        for (path, facts) in inspected {
            run.event(Event::Inspected(Box::new(Inspected { path, facts })));
        }
        run.skipped(skipped);
    }
    Ok(named.unread())
}

/// The paths that were named, and what became of them.
struct NamedPaths<'a> {
    outcomes: Vec<Outcome>,
    /// The outcomes of a path, which may have been named twice.
    by_path: HashMap<&'a [u8], Vec<usize>>,
}

/// What became of a named path.
#[derive(Clone, Default)]
struct Outcome {
    /// Whether something of it was read, or will be read with another file.
    read: bool,
    /// The first reason why something of it was skipped.
    why: Option<Skipped>,
}

impl<'a> NamedPaths<'a> {
    fn new(paths: &'a [PathBuf]) -> Self {
        let mut by_path = HashMap::<_, Vec<_>>::new();
        for (index, path) in paths.iter().enumerate() {
            by_path.entry(path.as_os_str().as_encoded_bytes()).or_default().push(index);
        }
        Self { outcomes: vec![Outcome::default(); paths.len()], by_path }
    }

    fn read(&mut self, file: &Path) {
        self.change(file, |outcome| outcome.read = true);
    }

    fn skipped(&mut self, file: &Skipped) {
        self.change(&file.path, |outcome| {
            outcome.read |= file.cause == Cause::OtherVolume;
            outcome.why.get_or_insert_with(|| file.clone());
        });
    }

    /// Changes the outcomes of the named paths that are this file, a folder it is in, or an archive it is a member of.
    fn change(&mut self, file: &Path, change: impl Fn(&mut Outcome)) {
        let file = file.as_os_str().as_encoded_bytes();
        let ends = file.iter().enumerate().flat_map(|(at, byte)| match byte {
            // A folder may have been named with its slash.
            b'/' => [Some(at), Some(at + 1)],
            b'\\' | b'!' => [Some(at), None],
            _ => [None, None],
        });
        for end in ends.flatten().chain([file.len()]) {
            for index in file.get(..end).and_then(|path| self.by_path.get(path)).into_iter().flatten() {
                if let Some(outcome) = self.outcomes.get_mut(*index) {
                    change(outcome);
                }
            }
        }
    }

    /// A reason for each path of which nothing was read.
    fn unread(self) -> Vec<Skipped> {
        self.outcomes.into_iter().filter(|outcome| !outcome.read).filter_map(|outcome| outcome.why).collect()
    }
}
