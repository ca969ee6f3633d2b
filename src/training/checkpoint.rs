//! A checkpoint: the state of a training between two steps in one file. A training resumed from it ends with
//! the same bits as one that was never interrupted, on the same machine with the same number of threads.
//!
//! The file is a line that names the format, the SHA-256 of the rest, and the rest in postcard's wire format.
//! It belongs to one training, identified by its settings and files ([`Identity`]), is replaced atomically,
//! and is removed at the end.

use super::config::TrainConfig;
use super::labelled::Labelled;
use super::trainer::State;
use crate::model::{Epoch, Model, NetworkState};
use crate::picture::{PLANE_SET, PictureSpec};
use crate::sample::Sha256;
use crate::whole_file::write_whole;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The first line of the file.
const HEAD: &[u8] = b"Lookalike checkpoint 1\n";
/// Version of the training. To be raised when the same settings and files give other bits.
const TRAINING_VERSION: u32 = 1;
/// A longer file is no checkpoint: they have a few megabytes.
const MAX_FILE: u64 = 1 << 30;
/// Time between checkpoints, in addition to one at each measured point.
const EVERY: Duration = Duration::from_secs(30);

/// The state of the training loop, apart from the trainer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LoopState {
    /// Measured points.
    pub history: Vec<Epoch>,
    /// Score, step and network of the best of them.
    pub best: Option<(f64, usize, NetworkState)>,
    /// Losses since the last measured point.
    pub losses: Vec<f64>,
    /// Seconds so far.
    pub seconds: f64,
}

/// Everything that decides the result of a training. Two trainings with the same identity end with the same
/// model, so one may resume from the other's checkpoint.
///
/// Its digest is of its JSON. A field added here, or to the settings, gives all trainings another identity: a
/// checkpoint from before is then ignored.
#[derive(Serialize)]
struct Identity<'a> {
    /// [`TRAINING_VERSION`] and the version of the program: another one may compute other bits.
    version: u32,
    program: &'static str,
    plane_set: u32,
    picture: PictureSpec,
    config: &'a TrainConfig,
    labels: &'a [String],
    /// The digest of each labelled sample, and its label as an index of `labels`.
    samples: Vec<(String, usize)>,
    /// The model that is trained further, if any.
    start: Option<String>,
}

impl<'a> Identity<'a> {
    fn new(data: &'a Labelled<'_>, config: &'a TrainConfig, start: Option<&Model>) -> Self {
        let members = data.members.iter().zip(&data.classes);
        let samples = members
            .filter_map(|(member, class)| Some((data.set.samples.get(*member)?.sha256.to_string(), *class)));
        Self {
            version: TRAINING_VERSION,
            program: env!("CARGO_PKG_VERSION"),
            plane_set: PLANE_SET,
            picture: data.set.spec,
            config,
            labels: &data.labels,
            samples: samples.collect(),
            start: start.map(|model| model.hash.to_string()),
        }
    }

    fn digest(&self) -> io::Result<Sha256> {
        let json = serde_json::to_vec(self).map_err(io::Error::other)?;
        Ok(Sha256::of(&json))
    }
}

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    identity: Sha256,
    trainer: State,
    state: LoopState,
}

/// Writes and reads the checkpoints of one training.
#[derive(Debug)]
pub struct Checkpoints {
    path: PathBuf,
    identity: Sha256,
    written: Instant,
    /// Why the last checkpoint could not be written.
    failed: Option<String>,
}

impl Checkpoints {
    /// Checkpoints at `path` for a training with `config` on `data`, of `start` or of a new network.
    pub fn new(
        path: &Path,
        data: &Labelled<'_>,
        config: &TrainConfig,
        start: Option<&Model>,
    ) -> io::Result<Self> {
        let identity = Identity::new(data, config, start).digest()?;
        Ok(Self { path: path.to_owned(), identity, written: Instant::now(), failed: None })
    }

    /// The checkpoint of this training; `None` if there is none, it is damaged, or it belongs to another
    /// training. The training then starts from the beginning.
    pub fn load(&self) -> Option<(State, LoopState)> {
        let refuse = |why: &str| {
            tracing::warn!(
                "{}: the checkpoint {why}; the training starts from the beginning",
                crate::escape::path(&self.path)
            );
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
            Ok(found) if found.identity == self.identity => Some((found.trainer, found.state)),
            Ok(_) => {
                refuse("belongs to other files or settings");
                None
            }
            Err(error) => {
                refuse(&format!("cannot be decoded ({error})"));
                None
            }
        }
    }

    /// Whether the next checkpoint is due.
    pub fn due(&self) -> bool {
        self.written.elapsed() >= EVERY
    }

    /// Writes a checkpoint. An error does not stop the training; [`Self::remove`] returns it at the end.
    pub fn write(&mut self, trainer: State, state: &LoopState) {
        let checkpoint = Checkpoint { identity: self.identity, trainer, state: state.clone() };
        let written = postcard::to_allocvec(&checkpoint).map_err(io::Error::other).and_then(|body| {
            let digest = Sha256::of(&body);
            write_whole(&self.path, &[HEAD, &digest.0, &body].concat())
        });
        self.failed = written.err().map(|error| error.to_string());
        self.written = Instant::now();
    }

    /// Removes the file of a finished training. Returns a sentence if the last checkpoint could not be
    /// written.
    pub fn remove(self) -> Option<String> {
        match std::fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(
                "{} is no longer needed and could not be removed: {error}",
                crate::escape::path(&self.path)
            ),
        }
        self.failed.map(|why| {
            format!(
                "could not be written: {why} ({}). An interrupted training would have started from the beginning",
                crate::escape::path(&self.path)
            )
        })
    }
}

/// The file's bytes; `None` if there is no file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_FILE => std::fs::read(path).map(Some),
        Ok(_) => Err(io::Error::other("is not a file of at most 1 GiB")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::{Optimiser, Sampling};
    use super::*;
    use crate::batchnorm::testing::pictures;
    use crate::model::{BatchNormPolicy, Head, Init, Norm, RunningVariance, StatisticsPolicy};
    use crate::picture::PictureSet;
    use crate::sample::{FileKind, Sample};

    fn set(labels: [&str; 4]) -> PictureSet {
        let (pictures, spec) = pictures(4);
        let samples = labels.iter().enumerate().map(|(i, label)| Sample {
            path: PathBuf::from(i.to_string()),
            sha256: Sha256([i as u8; 32]),
            size: 1,
            kind: FileKind::Other,
            architecture: None,
            facts: None,
            label: Some((*label).to_owned()),
        });
        PictureSet { spec, samples: samples.collect(), pictures }
    }

    fn identity(set: &PictureSet, config: &TrainConfig) -> Sha256 {
        Identity::new(&Labelled::new(set).unwrap(), config, None).digest().unwrap()
    }

    #[test]
    fn every_setting_every_sample_and_every_label_changes_the_identity() {
        let files = set(["a", "a", "b", "b"]);
        let config = TrainConfig::default;
        let policy = BatchNormPolicy::default();
        let own = identity(&files, &config());
        assert_eq!(own, identity(&set(["a", "a", "b", "b"]), &config()));
        let settings = [
            TrainConfig { epochs: Some(3.0), ..config() },
            TrainConfig { min_steps: 2, ..config() },
            TrainConfig { batch_size: 32, ..config() },
            TrainConfig { norm: Norm::None, ..config() },
            TrainConfig {
                batch_norm: BatchNormPolicy { statistics: StatisticsPolicy::Moving, ..policy },
                ..config()
            },
            TrainConfig { batch_norm: BatchNormPolicy { momentum: 0.01, ..policy }, ..config() },
            TrainConfig { batch_norm: BatchNormPolicy { epsilon: 1e-3, ..policy }, ..config() },
            TrainConfig {
                batch_norm: BatchNormPolicy { running_variance: RunningVariance::Biased, ..policy },
                ..config()
            },
            TrainConfig { learning_rate: 4.000_000_000_1e-3, ..config() },
            TrainConfig { one_cycle: false, ..config() },
            TrainConfig { optimiser: Optimiser::Sgd, ..config() },
            TrainConfig { sampling: Sampling::Shuffled, ..config() },
            TrainConfig { head: Head::Classifier, ..config() },
            TrainConfig { init: Init::He, ..config() },
            TrainConfig { seed: 1, ..config() },
        ];
        let mut seen = vec![own];
        seen.extend(settings.iter().map(|config| identity(&files, config)));
        seen.push(identity(&set(["a", "b", "a", "b"]), &config()));
        seen.push(identity(&set(["a", "a", "c", "c"]), &config()));
        let mut changed = files;
        changed.samples[2].sha256 = Sha256([9; 32]);
        seen.push(identity(&changed, &config()));
        let distinct: std::collections::HashSet<String> = seen.iter().map(Sha256::to_string).collect();
        assert_eq!(distinct.len(), seen.len());
    }
}
