//! A run of a task: through it the task reports its progress, its warnings and its results as they come, and
//! sees whether it was cancelled. The window and the command line each show the events in their own way.

use super::inspected::Inspected;
use super::names::{count, some_of};
use crate::escape;
use crate::experiment::Row;
use crate::job::{Reporter, Stop};
use crate::library::{FromCopy, Missing, Waiting};
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
    /// The server cannot be reached, and the library answers from its copy.
    FromCopy(FromCopy),
    /// What was changed is kept in the copy, until this server can be reached.
    Kept(String),
    /// What had waited in the copy was sent.
    Sent {
        /// What the server has now.
        taken: usize,
        /// Samples that others changed later, and that were left as these made them.
        left: usize,
        /// The library.
        place: PathBuf,
        /// The numbers that edits had in the copy, below zero, and those that the server gave them.
        numbers: Vec<(i64, i64)>,
    },
    /// What waits in the copy could not be sent: the reason. It waits on.
    NotSent(String),
    /// The server did not take something that waits in the copy.
    Refused {
        /// How much.
        waiting: usize,
        /// The first of it.
        first: Waiting,
    },
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
            Self::FromCopy(from) => write!(f, "{from}"),
            Self::Kept(host) => {
                write!(f, "what was changed is kept on this machine, and sent when {host} can be reached")
            }
            Self::Sent { taken, left: 0, .. } => {
                write!(f, "{} that had waited on this machine {} sent", count(*taken, "change"), were(*taken))
            }
            Self::Sent { taken, left, .. } => write!(
                f,
                "{} that had waited on this machine {} sent; {} changed later by others, and left so",
                count(*taken, "change"),
                were(*taken),
                format_args!("{} {}", count(*left, "sample"), were(*left))
            ),
            Self::NotSent(why) => write!(f, "what waits on this machine was not sent, and waits on: {why}"),
            Self::Refused { waiting, first } => write!(
                f,
                "the server did not take {} that {} on this machine, the first since {}",
                count(*waiting, "change"),
                if *waiting == 1 { "waits" } else { "wait" },
                first.refused.as_deref().unwrap_or_default()
            ),
            Self::MapNotStored => {
                f.write_str("the map was not stored: the library has other samples or another model by now")
            }
        }
    }
}

fn were(n: usize) -> &'static str {
    if n == 1 { "was" } else { "were" }
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
