//! A run of a task: through it the task reports its progress, its warnings and its results as they come, and
//! sees whether it was cancelled. The window and the command line each show the events in their own way.

use super::inspected::Inspected;
use super::names::some_of;
use crate::escape;
use crate::experiment::Row;
use crate::job::{Reporter, Stop};
use crate::library::Missing;
use crate::model::{Epoch, Model, ModelConfig};
use crate::sample::{Sha256, Skipped};
use std::fmt;
use std::path::PathBuf;

/// What a task reports while it runs, in addition to its progress.
#[derive(Clone, Debug)]
pub enum Event {
    /// Files that were skipped, with the reasons.
    Skipped(Vec<Skipped>),
    /// Something the user should know, which does not stop the task.
    Warning(Warning),
    /// A point of a training's curves.
    Epoch(Epoch),
    /// Samples that are now in the library.
    Added(Vec<Sha256>),
    /// The facts of an inspected file.
    Inspected(Box<Inspected>),
    /// A row of the experiment, of the training with this seed.
    Row(Row, u64),
}

/// Something the user should know. It reports the problem; the window and the command line add what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Eval mode of the model is much worse than its train mode.
    Unreliable(String),
    /// The training continued an interrupted one.
    Resumed {
        /// Batches that were done already.
        done: usize,
        /// Batches in all.
        of: usize,
    },
    /// The checkpoint of the training could not be written.
    Checkpoint(String),
    /// Samples whose label in the library differs from that of the folder. The library's label was kept.
    OtherLabel(usize),
    /// Files and folders of these names were passed over: systems leave them, and nobody means them.
    PassedOver(Vec<String>),
    /// All labels of this folder are names of the parts of a data set.
    Splits {
        /// The folder.
        folder: PathBuf,
        /// The labels.
        labels: Vec<String>,
        /// Whether there are folders below them, which may name the families.
        deeper: bool,
    },
    /// Folders whose name would be a label, of which no file could be used.
    NoFiles(Vec<String>),
    /// The map was computed and not stored, since the library has other samples or another model by now.
    MapNotStored,
    /// Servers that keep a part of the library did not answer, so that part was not compared.
    ShardsMissing(Missing),
    /// What a search of a large library reads could not be prepared: the reason. Searches take longer.
    SearchNotPrepared(String),
}

impl Warning {
    /// The warning about a model whose eval mode cannot be trusted.
    pub fn about(model: &ModelConfig) -> Option<Self> {
        crate::batchnorm::warning(model).map(Self::Unreliable)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreliable(why) => f.write_str(why),
            Self::ShardsMissing(missing) => missing.fmt(f),
            Self::Resumed { done, of } => {
                write!(f, "the training continued at batch {done} of {of}, where it had been interrupted")
            }
            Self::Checkpoint(why) => write!(f, "the checkpoint {why}"),
            Self::OtherLabel(1) => {
                f.write_str("1 file came with another label than the library has; the library's was kept")
            }
            Self::OtherLabel(n) => {
                write!(f, "{n} files came with another label than the library has; the library's were kept")
            }
            Self::PassedOver(names) => {
                let files = if names.len() == 1 { "file or folder" } else { "files and folders" };
                let n = names.len();
                write!(f, "{n} {files} that systems leave were passed over ({})", some_of(names))
            }
            Self::NoFiles(names) => {
                let labels =
                    if names.len() == 1 { "label of the folder has" } else { "labels of the folder have" };
                write!(f, "{} {labels} no file that can be used ({})", names.len(), some_of(names))
            }
            Self::Splits { folder, labels, .. } => {
                let labels: Vec<_> = labels.iter().map(|label| escape::text(label)).collect();
                write!(
                    f,
                    "{}: the labels are {}, which are probably the parts of one data set and not families",
                    escape::path(folder),
                    labels.join(", ")
                )
            }
            Self::SearchNotPrepared(why) => {
                write!(f, "searches of this library take longer: their index could not be written ({why})")
            }
            Self::MapNotStored => {
                f.write_str("the map was not stored: the library has other samples or another model by now")
            }
        }
    }
}

/// One run of a task.
#[derive(Clone)]
pub struct Run<'a> {
    reporter: Reporter,
    on_event: &'a (dyn Fn(Event) + Sync),
}

impl<'a> Run<'a> {
    /// Reports progress to `reporter` and everything else to `on_event`.
    pub fn new(reporter: &Reporter, on_event: &'a (dyn Fn(Event) + Sync)) -> Self {
        Self { reporter: reporter.clone(), on_event }
    }

    /// A run whose progress and events are discarded.
    pub fn silent() -> Run<'static> {
        Run { reporter: Reporter::silent(), on_event: &|_| () }
    }

    /// The same run for a part of the work whose progress another stage reports.
    pub fn quiet(&self) -> Self {
        Run { reporter: self.reporter.quietly(), on_event: self.on_event }
    }

    /// The same run for work that a cancelled task still does, so that what it has is of use.
    pub fn uncancelled(&self) -> Self {
        Run { reporter: Reporter::silent(), on_event: self.on_event }
    }

    /// For the progress.
    pub fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// Whether the task was cancelled.
    pub fn cancelled(&self) -> bool {
        self.reporter.cancelled()
    }

    /// `Err` once the task was cancelled, for `?`.
    pub fn check(&self) -> Result<(), Stop> {
        self.reporter.check()
    }

    /// Reports an event.
    pub fn event(&self, event: Event) {
        (self.on_event)(event);
        self.reporter.wake();
    }

    /// Reports a warning.
    pub fn warn(&self, warning: Warning) {
        self.event(Event::Warning(warning));
    }

    /// Warns if the eval mode of this model cannot be trusted.
    pub fn warn_about(&self, model: &Model) {
        if let Some(warning) = Warning::about(&model.config) {
            self.warn(warning);
        }
    }

    /// Reports skipped files, if there are any.
    pub fn skipped(&self, files: Vec<Skipped>) {
        if !files.is_empty() {
            self.event(Event::Skipped(files));
        }
    }
}
