//! The reader: reads many files, on all cores, through the workers or in this process.

use super::task::{Input, Output, ReadError, ReadOptions, Settings, Task, run};
#[cfg(unix)]
use super::workers::{Limits, Workers};
use crate::job::Reporter;
use crate::picture::{Encoded, PictureSet, PictureSpec};
use crate::sample::archive::{Set, Volumes, archive_of};
use crate::sample::{Facts, Found, KeepFacts, Passwords, Skipped, open_file};
use crate::view::Views;
use rayon::prelude::*;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most files that are identified to choose a picture specification, evenly spread.
const MAX_IDENTIFIED: usize = 200;
/// The most files of one request.
const MAX_BATCH: usize = 16;

/// Reads files. Clones share the workers.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// The passwords to try on archives.
    pub passwords: Passwords,
    /// How to read archives.
    pub options: ReadOptions,
    /// The views that pictures of bytes come with.
    pub views: Option<Arc<Views>>,
    /// The facts that samples come with that are read for their pictures.
    pub facts: KeepFacts,
    #[cfg(unix)]
    workers: Option<Arc<Workers>>,
}

/// The pictures of many files.
#[derive(Debug)]
pub struct ReadSet {
    /// The files that were read, in the order given.
    pub set: PictureSet,
    /// The files that were skipped.
    pub skipped: Vec<Skipped>,
}

/// The outputs for one file and for the files in it.
type Outputs = Vec<(PathBuf, Result<Output, ReadError>)>;

impl Reader {
    /// A reader whose workers are processes of the running program, which must start a worker
    /// ([`serve`](super::worker::serve)) when asked to. On systems without workers it reads in this process.
    pub(crate) fn of_this_program() -> Self {
        #[cfg(unix)]
        {
            // On Linux this is the running program even if its file was replaced.
            let own = Path::new("/proc/self/exe");
            let program = if own.exists() { Some(own.to_owned()) } else { std::env::current_exe().ok() };
            if let Some(program) = program {
                return Self::with_workers(Workers::new(program, Limits::default()));
            }
        }
        Self::default()
    }

    /// A reader with these workers.
    #[cfg(unix)]
    pub fn with_workers(workers: Workers) -> Self {
        Self {
            passwords: Passwords::default(),
            options: ReadOptions::default(),
            views: None,
            facts: KeepFacts::No,
            workers: Some(Arc::new(workers)),
        }
    }

    /// The same reader, whose pictures of bytes come with what `views` see.
    pub fn with_views(&self, views: Option<Arc<Views>>) -> Self {
        Self { views, ..self.clone() }
    }

    /// The same reader, whose samples come with these facts.
    pub fn with_facts(&self, facts: KeepFacts) -> Self {
        Self { facts, ..self.clone() }
    }

    /// How the workers are restricted, in words; `None` before the first was started, and where there are none.
    pub fn protection(&self) -> Option<String> {
        #[cfg(unix)]
        return Some(self.workers.as_ref()?.protection()?.to_string());
        #[cfg(not(unix))]
        None
    }

    /// The process identifiers of the workers.
    #[cfg(unix)]
    pub fn workers(&self) -> Vec<u32> {
        self.workers.as_ref().map(|workers| workers.running()).unwrap_or_default()
    }

    /// Computes the pictures of all of `found`, on all cores. If the job is cancelled, the remaining files are missing
    /// from the result.
    pub fn pictures(&self, found: &[Found], spec: PictureSpec, reporter: &Reporter) -> ReadSet {
        let stage = reporter.stage("Reading files", found.len());
        let results: Vec<(&Found, Outputs)> = found
            .par_chunks(batch_size(found.len()))
            .flat_map_iter(|files| {
                let mut out: Vec<(&Found, Outputs)> = files.iter().map(|file| (file, Vec::new())).collect();
                if !stage.cancelled() {
                    let paths = files.iter().map(|file| (file.path.clone(), None));
                    let mut done = 0;
                    self.read(Task::Picture(spec), paths, &|| stage.cancelled(), &mut |at, path, output| {
                        // A file is done when the next one starts.
                        stage.advance(at.saturating_sub(done));
                        done = done.max(at);
                        if let Some((_, outputs)) = out.get_mut(at) {
                            outputs.push((path, output));
                        }
                    });
                    stage.advance(files.len() - done);
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
        for (file, outputs) in results {
            for (path, output) in outputs {
                match output {
                    Ok(Output::Picture(output)) => {
                        let (mut sample, picture) = *output;
                        sample.label.clone_from(&file.label);
                        set.samples.push(sample);
                        set.pictures.push(picture);
                    }
                    Ok(Output::Side(_) | Output::Inspected(..)) => {}
                    Err(error) => skipped.push(error.of(path)),
                }
            }
        }
        ReadSet { set, skipped }
    }

    /// Reads the facts of all of `found` and of the files in them, on all cores, in their order; and the files that were
    /// skipped. If the job is cancelled, the remaining files are missing from the result.
    pub(crate) fn inspect_all(
        &self,
        found: &[Found],
        reporter: &Reporter,
    ) -> (Vec<(PathBuf, Facts)>, Vec<Skipped>) {
        let outputs: Vec<(PathBuf, Result<Output, ReadError>)> = found
            .par_chunks(batch_size(found.len()))
            .flat_map_iter(|files| {
                let paths = files.iter().map(|file| (file.path.clone(), None));
                let mut out = Vec::new();
                self.read(Task::Inspect(None), paths, &|| reporter.cancelled(), &mut |_, path, output| {
                    out.push((path, output));
                });
                out
            })
            .collect();
        let (mut facts, mut skipped) = (Vec::new(), Vec::new());
        for (path, output) in outputs {
            match output {
                Ok(Output::Inspected(output)) => facts.push((path, output.0)),
                Ok(Output::Side(_) | Output::Picture(_)) => {}
                Err(error) => skipped.push(error.of(path)),
            }
        }
        (facts, skipped)
    }

    /// Reads the facts of one sample, which may be a member of an archive, and its picture if `spec` asks for one
    /// and it has one.
    pub fn inspect(
        &self,
        path: &Path,
        spec: Option<PictureSpec>,
    ) -> Result<(Facts, Option<Encoded>), ReadError> {
        match self.read_one(Task::Inspect(spec), path)? {
            Output::Inspected(output) => Ok(*output),
            _ => Err(missing()),
        }
    }

    /// Identifies a part of `found`: the longer side of each image in pixels, `None` for other files. Files that cannot
    /// be read are not in the result.
    pub(crate) fn sides(&self, found: &[Found]) -> Vec<Option<u32>> {
        let step = found.len().div_ceil(MAX_IDENTIFIED).max(1);
        let some: Vec<&Found> = found.iter().step_by(step).collect();
        some.par_chunks(MAX_BATCH)
            .flat_map_iter(|files| {
                let mut sides: Vec<Option<Option<u32>>> = vec![None; files.len()];
                let paths = files.iter().map(|file| (file.path.clone(), None));
                self.read(Task::Side, paths, &|| false, &mut |at, _, output| {
                    if let (Some(side), Ok(Output::Side(found))) = (sides.get_mut(at), output) {
                        // The first member of an archive.
                        side.get_or_insert(found);
                    }
                });
                sides
            })
            .flatten_iter()
            .collect()
    }

    fn read_one(&self, task: Task, path: &Path) -> Result<Output, ReadError> {
        let archive = archive_of(path);
        let file = match &archive {
            Some(archive) => (archive.clone(), Some(path.to_owned())),
            None => (path.to_owned(), None),
        };
        let mut found = Err(missing());
        self.read(task, [file].into_iter(), &|| false, &mut |_, name, output| {
            // An error of the archive matters only if the file was not read before.
            if name == path || (found.is_err() && output.is_err()) {
                found = output;
            }
        });
        found
    }

    /// Opens files, at most [`MAX_BATCH`], and reads them. `paths`: each file, and the member to read if only one is
    /// needed. `on_output` receives the index of the file, the path of the file or member, and the output.
    fn read(
        &self,
        task: Task,
        paths: impl Iterator<Item = (PathBuf, Option<PathBuf>)>,
        stop: &dyn Fn() -> bool,
        on_output: &mut dyn FnMut(usize, PathBuf, Result<Output, ReadError>),
    ) {
        let settings = Settings {
            passwords: &self.passwords,
            options: self.options,
            views: self.views.as_deref(),
            facts: self.facts,
        };
        let mut files = Vec::new();
        let mut places = Vec::new();
        for (place, (path, only)) in paths.enumerate() {
            match open_file(&path) {
                Ok((file, size)) => {
                    let (volumes, others) = volumes_of(&path);
                    let all = std::iter::once(file).chain(others).collect();
                    files.push((Input { path, only, size, volumes }, all));
                    places.push(place);
                }
                Err(error) => on_output(place, path, Err(error.into())),
            }
        }
        #[cfg(unix)]
        if let Some(workers) = &self.workers {
            workers.read(task, settings, &files, stop, &mut |at, path, output| {
                if let Some(place) = places.get(at) {
                    on_output(*place, path, output);
                }
            });
            return;
        }
        for ((input, files), place) in files.into_iter().zip(places) {
            if stop() {
                return;
            }
            run(task, &input, files, settings, &mut |path, output| {
                on_output(place, path, output);
            });
        }
    }
}

/// The place of a file in a set of volumes, if its name has one, and the other volumes to read with it.
fn volumes_of(path: &Path) -> (Option<Volumes>, Vec<File>) {
    let Some(set) = Set::of(path) else { return (None, Vec::new()) };
    let (mut volumes, paths) = set.find();
    let mut others = Vec::new();
    for path in paths {
        // What cannot be opened is missing, and so is what follows it.
        let Ok((file, size)) = open_file(&path) else { break };
        others.push(file);
        volumes.others.push(size);
    }
    (Some(volumes), others)
}

/// Files of one request when `files` are read: so few that all cores have work until the end.
fn batch_size(files: usize) -> usize {
    (files / (4 * rayon::current_num_threads())).clamp(1, MAX_BATCH)
}

fn missing() -> ReadError {
    ReadError::new("is no longer there: expected a file of this name in the archive. Open the archive again")
}
