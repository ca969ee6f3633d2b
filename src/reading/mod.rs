//! Reading: from files to what the program knows of them. Files are opened here and their bytes are looked
//! at elsewhere, by worker processes that can do nothing else, so that a file that breaks its reader costs
//! itself alone. On systems without descriptors that travel (Windows), and in tests of other
//! things, the program reads them itself.

#[cfg(unix)]
mod protocol;
#[cfg(unix)]
pub mod sandbox;
mod task;
#[cfg(unix)]
mod worker;
#[cfg(unix)]
mod workers;

pub use task::Refused;
#[cfg(unix)]
pub use worker::serve;
#[cfg(unix)]
pub use workers::{Limits, Workers};

use crate::job::Reporter;
use crate::picture::{Encoded, PictureSet, PictureSpec};
use crate::sample::archive::archive_of;
use crate::sample::{Executable, Found, Passwords, Sample, Sha256, Skipped, open_file};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::Arc;
use task::{Item, Made, Task, perform};

/// Files whose kind is looked at before pictures are chosen, at most, evenly spread.
const LOOKED_AT: usize = 200;
/// Files that are read together, at most.
const TOGETHER: usize = 16;

/// Reads files. Clones share their workers.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// Tried on archives.
    pub passwords: Passwords,
    #[cfg(unix)]
    workers: Option<Arc<Workers>>,
}

/// Files that became pictures, and those that did not.
#[derive(Debug)]
pub struct Taken {
    /// In the order given.
    pub set: PictureSet,
    /// The others, with their reasons.
    pub skipped: Vec<Skipped>,
}

/// What was made of one file and of those in it.
type Results = Vec<(PathBuf, Result<Made, Refused>)>;

impl Reader {
    /// Reads in processes of the program that runs. Only a program that serves as one ([`serve`]) may say so.
    pub fn of_this_program() -> Self {
        #[cfg(unix)]
        {
            // On Linux the program that runs, even if its file was replaced.
            let own = Path::new("/proc/self/exe");
            let program = if own.exists() { Some(own.to_owned()) } else { std::env::current_exe().ok() };
            if let Some(program) = program {
                return Self::with_workers(Workers::new(program, Limits::default()));
            }
        }
        Self::default()
    }

    /// Reads in these.
    #[cfg(unix)]
    pub fn with_workers(workers: Workers) -> Self {
        Self { passwords: Passwords::default(), workers: Some(Arc::new(workers)) }
    }

    /// What the workers cannot do, once one was started.
    #[cfg(unix)]
    pub fn protection(&self) -> Option<sandbox::Protection> {
        self.workers.as_ref()?.protection()
    }

    /// The process identifiers of the workers.
    #[cfg(unix)]
    pub fn workers(&self) -> Vec<u32> {
        self.workers.as_ref().map(|workers| workers.running()).unwrap_or_default()
    }

    /// Pictures of all of `found`, on all cores. Files that fail are listed; cancelling leaves the
    /// rest out.
    pub fn pictures(&self, found: &[Found], spec: PictureSpec, reporter: &Reporter) -> Taken {
        let stage = reporter.stage("Reading files", found.len());
        // Enough parts for all cores until the end.
        let together = (found.len() / (4 * rayon::current_num_threads())).clamp(1, TOGETHER);
        let results: Vec<(&Found, Results)> = found
            .par_chunks(together)
            .flat_map_iter(|files| {
                let mut out: Vec<(&Found, Results)> = files.iter().map(|file| (file, Vec::new())).collect();
                if !stage.cancelled() {
                    let paths = files.iter().map(|file| (file.path.clone(), None));
                    let mut told = 0;
                    self.read(Task::Picture(spec), paths, &|| stage.cancelled(), &mut |at, path, made| {
                        // A file is done when the next is begun.
                        stage.advance(at.saturating_sub(told));
                        told = told.max(at);
                        if let Some((_, results)) = out.get_mut(at) {
                            results.push((path, made));
                        }
                    });
                    stage.advance(files.len() - told);
                }
                out
            })
            .collect();
        let mut set = PictureSet {
            spec,
            samples: Vec::with_capacity(results.len()),
            pictures: Vec::with_capacity(results.len()),
        };
        let mut skipped = Vec::new();
        for (file, results) in results {
            for (path, result) in results {
                match result {
                    Ok(Made::Picture(made)) => {
                        let (mut sample, picture) = *made;
                        sample.label.clone_from(&file.label);
                        set.samples.push(sample);
                        set.pictures.push(picture);
                    }
                    Ok(Made::Side(_) | Made::Header(..)) => {}
                    Err(Refused { reason, locked }) => skipped.push(Skipped { path, reason, locked }),
                }
            }
        }
        Taken { set, skipped }
    }

    /// One sample by its name, which may be that of a file in an archive.
    pub fn picture(&self, path: &Path, spec: PictureSpec) -> Result<(Sample, Encoded), Refused> {
        match self.one(Task::Picture(spec), path)? {
            Made::Picture(made) => Ok(*made),
            _ => Err(gone()),
        }
    }

    /// Digest and header of a file by its name, which may be that of one in an archive. `None` if it is no
    /// executable.
    pub fn header(&self, path: &Path) -> Result<(Sha256, Option<Executable>), Refused> {
        match self.one(Task::Header, path)? {
            Made::Header(sha256, header) => Ok((sha256, header)),
            _ => Err(gone()),
        }
    }

    /// Of some of `found` that can be read: the longer side of an image, `None` of other files.
    pub fn sides(&self, found: &[Found]) -> Vec<Option<u32>> {
        let step = found.len().div_ceil(LOOKED_AT).max(1);
        let some: Vec<&Found> = found.iter().step_by(step).collect();
        some.par_chunks(TOGETHER)
            .flat_map_iter(|files| {
                let mut sides: Vec<Option<Option<u32>>> = vec![None; files.len()];
                let paths = files.iter().map(|file| (file.path.clone(), None));
                self.read(Task::Side, paths, &|| false, &mut |at, _, made| {
                    if let (Some(side), Ok(Made::Side(found))) = (sides.get_mut(at), made) {
                        // The first of an archive.
                        side.get_or_insert(found);
                    }
                });
                sides
            })
            .flatten_iter()
            .collect()
    }

    fn one(&self, task: Task, path: &Path) -> Result<Made, Refused> {
        let archive = archive_of(path);
        let file = match &archive {
            Some(archive) => (archive.clone(), Some(path.to_owned())),
            None => (path.to_owned(), None),
        };
        let mut found = Err(gone());
        self.read(task, [file].into_iter(), &|| false, &mut |_, name, made| {
            // Why an archive ended early matters only if the file did not come before.
            if name == path || (found.is_err() && made.is_err()) {
                found = made;
            }
        });
        found
    }

    /// Opens the files and has them read: [`TOGETHER`] at most.
    fn read(
        &self,
        task: Task,
        paths: impl Iterator<Item = (PathBuf, Option<PathBuf>)>,
        stop: &dyn Fn() -> bool,
        each: &mut dyn FnMut(usize, PathBuf, Result<Made, Refused>),
    ) {
        let mut files = Vec::new();
        let mut places = Vec::new();
        for (place, (path, only)) in paths.enumerate() {
            match open_file(&path) {
                Ok((file, size)) => {
                    files.push((Item { path, only, size }, file));
                    places.push(place);
                }
                Err(error) => each(place, path, Err(error.into())),
            }
        }
        #[cfg(unix)]
        if let Some(workers) = &self.workers {
            workers.read(task, &self.passwords, &files, stop, &mut |at, path, made| {
                if let Some(place) = places.get(at) {
                    each(*place, path, made);
                }
            });
            return;
        }
        for ((item, file), place) in files.into_iter().zip(places) {
            if stop() {
                return;
            }
            perform(task, &item, file, &self.passwords, &mut |path, made| each(place, path, made));
        }
    }
}

fn gone() -> Refused {
    Refused::new("is no longer there: the archive holds no file of this name. Open what it lies in again")
}
