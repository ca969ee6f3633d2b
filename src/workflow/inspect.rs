//! Inspecting files: what each file, and each member of an archive, says about itself. It needs no model and no
//! library.

use super::inspected::Inspected;
use super::read::list_all;
use super::run::{Event, Run};
use crate::job::Stop;
use crate::reading::Reader;
use crate::sample::{Cause, Labelling, Skipped};
use std::path::{Path, PathBuf};

/// Files inspected together: memory holds the facts of one part at a time.
const PART: usize = 128;

/// Inspects all files below `paths`, and reports the facts ([`Event::Inspected`]) and the skipped files part by part,
/// in the order of their paths. Returns a reason for each of `paths` of which nothing could be read. Finding no file at
/// all is an error.
pub fn inspect(paths: &[PathBuf], reader: &Reader, run: &Run<'_>) -> Result<Vec<Skipped>, Stop> {
    let (found, skipped) = list_all(paths, Labelling::Unlabelled, run)?;
    let stage = run.reporter().stage("Inspecting files", found.len());
    let mut named: Vec<Named<'_>> = paths.iter().map(|path| Named { path, read: false, why: None }).collect();
    named.iter_mut().for_each(|named| named.see::<Inspected>(&[], &skipped));
    run.skipped(skipped);
    for part in found.chunks(PART) {
        let (inspected, skipped) = reader.inspect_all(part, run.quiet().reporter());
        run.check()?;
        stage.advance(part.len());
        named.iter_mut().for_each(|named| named.see(&inspected, &skipped));
        for (path, facts) in inspected {
            run.event(Event::Inspected(Box::new(Inspected { path, facts })));
        }
        run.skipped(skipped);
    }
    Ok(named.into_iter().filter(|named| !named.read).filter_map(|named| named.why).collect())
}

/// A path that was named.
struct Named<'a> {
    path: &'a Path,
    /// Whether something of it was read, or will be read with another file.
    read: bool,
    /// The first reason why something of it was skipped.
    why: Option<Skipped>,
}

impl Named<'_> {
    fn see<T>(&mut self, read: &[(PathBuf, T)], skipped: &[Skipped]) {
        if self.read {
            return;
        }
        self.read = read.iter().any(|(path, _)| self.has(path));
        for file in skipped {
            if !self.has(&file.path) {
                continue;
            }
            self.read |= file.cause == Cause::OtherVolume;
            self.why.get_or_insert_with(|| file.clone());
        }
    }

    /// Whether a file is this one, in this folder, or a member of this archive.
    fn has(&self, file: &Path) -> bool {
        let (own, file) = (self.path.as_os_str().as_encoded_bytes(), file.as_os_str().as_encoded_bytes());
        file.strip_prefix(own).is_some_and(|rest| {
            matches!(rest.first(), None | Some(b'/' | b'\\' | b'!')) || own.ends_with(b"/")
        })
    }
}
