//! The jobs that run behind the window, and what they end with.

use super::lab::LabFinished;
use crate::experiment::Row;
use crate::job::{Job, Outcome, Reporter, Stop};
use crate::library::{Contents, Library};
use crate::model::Epoch;
use crate::picture::Encoded;
use crate::sample::{Executable, Sample, Skipped};
use crate::workflow::{Answers, Read};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

/// What a job ends with.
pub enum Finished {
    /// A labelled folder was read.
    Folder(PathBuf, Read),
    /// A library was opened or changed; the sentence says how.
    Library(Box<(Library, Contents)>, Option<String>, Vec<Skipped>),
    /// A model was trained, and the folder is in the library.
    Trained(Box<(Library, Contents)>, String),
    /// Files were asked about.
    Answers(Answers),
    /// The map was laid out, for the model with this digest.
    Places(Vec<[f32; 2]>, crate::sample::Sha256),
    /// How far samples usually lie apart, for the model with this digest.
    Usual(Option<f32>, crate::sample::Sha256),
    /// A library sample was read again.
    Inspected(usize, Box<(Sample, Encoded)>),
    /// The header of an executable was read again; `None` if it is none.
    Header(crate::sample::Sha256, Option<Executable>),
    /// Labels were written to the library; the sentence says which.
    Labels(super::label::Labels, String),
    /// Something was written; the sentence says what.
    Saved(String),
    /// The bundled samples lie ready: the folder, the files held back, the library.
    Demo(PathBuf, Vec<PathBuf>, PathBuf),
    /// Something of the batch-norm lab.
    Lab(LabFinished),
}

/// One job.
pub struct Running {
    /// What it does, for people.
    pub title: String,
    /// The work.
    pub job: Job<Finished>,
    /// Too small to be shown, and to fail is no news.
    pub quiet: bool,
    /// What it is told apart by: a second one of the same kind takes the place of the first.
    pub kind: Kind,
}

/// Kinds of job of which one runs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Training.
    Train,
    /// Laying out the map.
    Map,
    /// Reading one picture.
    Inspect,
    /// Reading one header.
    Header,
    /// Measuring how far samples usually lie apart.
    Usual,
    /// Measuring both modes of the model.
    Lab,
    /// Embedding a file in company.
    Company,
    /// Making a repaired model, or letting one answer.
    Repair,
    /// The experiment.
    Experiment,
    /// Everything else: they run side by side.
    Other,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// All jobs that run.
pub struct Jobs {
    /// In the order in which they were started.
    pub running: Vec<Running>,
    /// Points of a training's curve, as they are measured.
    pub epochs: (mpsc::Sender<Epoch>, mpsc::Receiver<Epoch>),
    /// Rows of the experiment, as they are measured.
    pub rows: (mpsc::Sender<Row>, mpsc::Receiver<Row>),
    wake: Wake,
}

impl Jobs {
    /// None yet; `wake` makes the window look.
    pub fn new(wake: Wake) -> Self {
        Self { running: Vec::new(), epochs: mpsc::channel(), rows: mpsc::channel(), wake }
    }

    /// Starts one.
    pub fn start(
        &mut self,
        kind: Kind,
        title: impl Into<String>,
        work: impl FnOnce(&Reporter) -> Result<Finished, Stop> + Send + 'static,
    ) {
        if kind != Kind::Other {
            // Dropping a job cancels it.
            self.running.retain(|running| running.kind != kind);
        }
        let job = Job::spawn(Arc::clone(&self.wake), |reporter| {
            super::start::give_way();
            work(reporter)
        });
        self.running.push(Running {
            title: title.into(),
            job,
            quiet: matches!(kind, Kind::Inspect | Kind::Header | Kind::Usual | Kind::Company),
            kind,
        });
    }

    /// What ended since the last look.
    pub fn poll(&mut self) -> Vec<(String, bool, Outcome<Finished>)> {
        let mut ended = Vec::new();
        self.running.retain(|running| match running.job.poll() {
            None => true,
            Some(outcome) => {
                ended.push((running.title.clone(), running.quiet, outcome));
                false
            }
        });
        ended
    }

    /// Whether one of this kind runs.
    pub fn runs(&self, kind: Kind) -> bool {
        self.running.iter().any(|running| running.kind == kind)
    }

    /// Whether anything that is shown runs.
    pub fn busy(&self) -> bool {
        self.running.iter().any(|running| !running.quiet)
    }
}
