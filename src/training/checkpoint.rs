//! A checkpoint: a training between two steps, whole in one file, from which it goes on as if it had never
//! been interrupted, bit for bit on one machine and thread count.
//!
//! The file is a line that says what it is, the SHA-256 of the rest, and the rest in postcard's wire
//! format. It is replaced whole, belongs to one training (its settings and the very files it is about), and is
//! removed when that is done.

use super::trainer::State;
use super::{Labelled, TrainConfig};
use crate::model::{Epoch, Model, NetworkState};
use crate::sample::Sha256;
use crate::whole_file::write_whole;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const HEAD: &[u8] = b"Lookalike checkpoint 1\n";
/// A longer file is none of ours: they take some megabytes.
const MAX_FILE: u64 = 1 << 30;
/// Time between two, besides those at each measured point.
const EVERY: Duration = Duration::from_secs(30);

/// What the loop has so far, besides the trainer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Course {
    /// Measured points.
    pub history: Vec<Epoch>,
    /// Score, step and network of the best of them.
    pub best: Option<(f64, usize, NetworkState)>,
    /// Losses since the last.
    pub losses: Vec<f64>,
    /// Time that it took.
    pub seconds: f64,
}

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    belongs_to: Sha256,
    trainer: State,
    course: Course,
}

/// Where the checkpoints of a training lie, and when the next is due.
#[derive(Debug)]
pub struct Checkpoints {
    path: PathBuf,
    belongs_to: Sha256,
    written: Instant,
    /// Why the last could not be written.
    failed: Option<String>,
}

impl Checkpoints {
    /// At `path`, for the training of `config` on `data`, from `start` or from nothing.
    pub fn new(path: &Path, data: &Labelled<'_>, config: &TrainConfig, start: Option<&Model>) -> Self {
        let mut text = format!(
            "{} {config:?} {:?} {:?} {:?}",
            env!("CARGO_PKG_VERSION"),
            data.set.spec,
            data.labels,
            start.map(|model| model.hash)
        );
        for (member, class) in data.members.iter().zip(&data.classes) {
            if let Some(sample) = data.set.samples.get(*member) {
                text.push_str(&format!(" {} {class}", sample.sha256));
            }
        }
        let belongs_to = Sha256::of(text.as_bytes());
        Self { path: path.to_owned(), belongs_to, written: Instant::now(), failed: None }
    }

    /// The checkpoint of this training; `None` if there is none, it is damaged, or it belongs to another
    /// training: then that one begins anew.
    pub fn load(&self) -> Option<(State, Course)> {
        let refuse = |why: &str| {
            tracing::warn!("{}: the checkpoint {why}; training begins anew", crate::escape::path(&self.path));
        };
        let bytes = match read(&self.path) {
            Ok(bytes) => bytes?,
            Err(error) => {
                refuse(&error.to_string());
                return None;
            }
        };
        let body = bytes.strip_prefix(HEAD).and_then(|rest| rest.split_first_chunk());
        let Some((_, body)) = body.filter(|(digest, body)| Sha256(**digest) == Sha256::of(body)) else {
            refuse("is damaged");
            return None;
        };
        match postcard::from_bytes::<Checkpoint>(body) {
            Ok(found) if found.belongs_to == self.belongs_to => Some((found.trainer, found.course)),
            Ok(_) => {
                refuse("belongs to other files or settings");
                None
            }
            Err(error) => {
                refuse(&format!("cannot be understood ({error})"));
                None
            }
        }
    }

    /// Whether it is time for one.
    pub fn due(&self) -> bool {
        self.written.elapsed() >= EVERY
    }

    /// Writes one. That it cannot be written does not stop the training: it is told at its end.
    pub fn write(&mut self, trainer: State, course: &Course) {
        let checkpoint = Checkpoint { belongs_to: self.belongs_to, trainer, course: course.clone() };
        let written = postcard::to_allocvec(&checkpoint).map_err(io::Error::other).and_then(|body| {
            let digest = Sha256::of(&body);
            write_whole(&self.path, &[HEAD, &digest.0, &body].concat())
        });
        self.failed = written.err().map(|error| error.to_string());
        self.written = Instant::now();
    }

    /// Removes the file of a training that is done. One sentence if checkpoints could not be written.
    pub fn finish(self) -> Option<String> {
        match std::fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(
                "{} is of no more use and could not be removed: {error}",
                crate::escape::path(&self.path)
            ),
        }
        self.failed.map(|why| {
            format!(
                "could not be written: {why} ({}). Had the training been interrupted, it would have begun anew",
                crate::escape::path(&self.path)
            )
        })
    }
}

/// The file's bytes; `None` if there is no file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_FILE => std::fs::read(path).map(Some),
        Ok(_) => Err(io::Error::other("is no file of at most 1 GiB")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
