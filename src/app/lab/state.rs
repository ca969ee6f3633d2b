//! The results of the batch-norm lab. A model can also be trained for the lab alone: a *trial*, which has its own folder and
//! which no library has. Every result carries the hashes of the model and of the folder it belongs
//! to, and is dropped when they are no longer the ones in the lab. Plain data.

use crate::app::lab_command::LabCommand;
use crate::batchnorm::{BatchDependence, ModeSummary, Report};
use crate::experiment::{Chart, Row, mean_over_seeds};
use crate::job::Stop;
use crate::model::{Embeddings, Epoch, Model};
use crate::projection::Axes;
use crate::sample::Sha256;
use crate::workflow::{self, LabelledFolder, Run};
use std::sync::{Arc, Mutex, PoisonError};

/// The model and the folder that a result belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The hash of the model.
    pub model: Sha256,
    /// The hash of the folder's samples and labels.
    pub folder: Sha256,
}

/// Both modes of one model on one folder.
pub struct Measured {
    /// What it belongs to.
    pub subject: Subject,
    /// The comparison of the modes.
    pub report: Report,
    /// The directions in which the embeddings of both modes differ most.
    pub axes: Axes,
    /// The places of the files along them in train mode and in eval mode.
    pub places: [Vec<[f32; 2]>; 2],
}

impl Measured {
    /// Measures `model` on `folder`.
    pub fn new(model: &Model, folder: &LabelledFolder, run: &Run<'_>) -> Result<Self, Stop> {
        let report = workflow::measure(model, &folder.set, run)?;
        let [train, eval] = [&report.compared.train, &report.compared.eval].map(|mode| &mode.embeddings);
        // Embeddings that are not finite have no place.
        let finite = eval.data.iter().all(|v| v.is_finite());
        let both = Embeddings {
            dimension: train.dimension,
            data: if finite { [train.data.as_slice(), &eval.data].concat() } else { train.data.clone() },
        };
        let axes = Axes::new(&both);
        let places = [axes.places(train), if finite { axes.places(eval) } else { Vec::new() }];
        Ok(Self { subject: Subject { model: model.hash, folder: folder.hash }, report, axes, places })
    }
}

/// One file in many random batches.
pub struct Dependence {
    /// What it belongs to.
    pub subject: Subject,
    /// The file.
    pub file: Sha256,
    /// Its embeddings, batch size by batch size.
    pub found: BatchDependence,
    /// The places of these embeddings.
    pub places: Vec<Vec<[f32; 2]>>,
    /// Its place in eval mode.
    pub eval: [f32; 2],
}

/// A model that could replace the one in use.
pub struct Candidate {
    /// The model and the folder it was made from.
    pub subject: Subject,
    /// The command that made it.
    pub by: LabCommand,
    /// How it was made, for the user.
    pub what: String,
    /// The model.
    pub model: Arc<Model>,
    /// Train mode and eval mode, measured like the model it was made from.
    pub numbers: [ModeSummary; 2],
}

/// The model in the lab was trained there, and is in no library.
pub struct Trial {
    /// What it was trained on, for the user.
    pub title: String,
    /// The folder it was trained on.
    pub folder: LabelledFolder,
    /// The library's model, which is in the lab again once the trial is put away.
    library: Option<Arc<Model>>,
}

/// The points of a running trial's curves, as its job measures them.
#[derive(Clone, Default)]
pub struct Watched {
    /// What is trained on, for the user.
    pub title: String,
    points: Arc<Mutex<Vec<Epoch>>>,
}

impl Watched {
    /// Without points.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Adds a point.
    pub fn add(&self, point: Epoch) {
        self.points.lock().unwrap_or_else(PoisonError::into_inner).push(point);
    }

    /// The points so far.
    pub fn points(&self) -> Vec<Epoch> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The state of the lab.
#[derive(Default)]
pub struct Lab {
    /// The model in the lab: the library's, that of the trial, or one that cannot be used.
    pub model: Option<Arc<Model>>,
    /// The trial whose model is in the lab.
    pub trial: Option<Trial>,
    /// The curves of the trial that is being trained.
    pub watched: Watched,
    /// Its two modes on the open folder.
    pub measured: Option<Arc<Measured>>,
    /// Why it cannot be measured.
    pub obstacle: Option<String>,
    /// One file in many batches.
    pub dependence: Option<Dependence>,
    /// Repaired models.
    pub candidates: Vec<Candidate>,
    /// Previous models, newest last.
    pub previous: Vec<Arc<Model>>,
    /// Rows of the experiment so far.
    pub rows: Vec<Row>,
    /// The rows as a chart.
    pub chart: Chart,
}

impl Lab {
    /// Puts the library's model into the lab. The results of a different model are dropped. While there is a trial, the model
    /// waits until that is put away.
    pub fn set_model(&mut self, model: Option<Arc<Model>>) {
        match &mut self.trial {
            Some(trial) => trial.library = model,
            None => self.show_model(model),
        }
    }

    /// Puts a model into the lab that was trained there on `folder`.
    pub fn begin_trial(&mut self, title: String, model: Arc<Model>, folder: LabelledFolder) {
        let library = match self.trial.take() {
            Some(former) => former.library,
            None => self.model.clone(),
        };
        self.show_model(Some(model));
        self.trial = Some(Trial { title, folder, library });
    }

    /// Puts the trial away: the library's model is in the lab again, and has to be measured. Returns whether there was a trial.
    pub fn end_trial(&mut self) -> bool {
        let Some(trial) = self.trial.take() else { return false };
        self.show_model(trial.library);
        true
    }

    fn show_model(&mut self, model: Option<Arc<Model>>) {
        let hash = |model: &Option<Arc<Model>>| model.as_ref().map(|model| model.hash);
        if hash(&self.model) != hash(&model) {
            *self = Self {
                model,
                previous: std::mem::take(&mut self.previous),
                rows: std::mem::take(&mut self.rows),
                chart: std::mem::take(&mut self.chart),
                watched: std::mem::take(&mut self.watched),
                ..Self::default()
            };
        }
    }

    /// Drops the results of the previous folder, and the trial.
    pub fn forget_folder(&mut self) {
        self.end_trial();
        self.obstacle = None;
        self.measured = None;
        self.dependence = None;
        self.candidates.clear();
        self.show_rows(Vec::new());
    }

    /// The library's model, or one that cannot be used; not that of a trial.
    pub fn library_model(&self) -> Option<&Arc<Model>> {
        match &self.trial {
            Some(trial) => trial.library.as_ref(),
            None => self.model.as_ref(),
        }
    }

    /// The report on the model in the lab, once it is measured.
    pub fn report(&self) -> Option<&Report> {
        let model = self.model.as_ref()?;
        self.measured.as_ref().filter(|measured| measured.subject.model == model.hash).map(|m| &m.report)
    }

    /// The model with this hash: a repaired one, or the one in the lab.
    pub fn made(&self, hash: Sha256) -> Option<Arc<Model>> {
        let repaired = self.candidate(hash).map(|candidate| &candidate.model);
        repaired.or(self.model.as_ref().filter(|model| model.hash == hash)).cloned()
    }

    /// The repaired model with this hash.
    pub fn candidate(&self, model: Sha256) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.model.hash == model)
    }

    /// Adds a row of the experiment.
    pub fn add_row(&mut self, row: Row) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.push(row);
        self.show_rows(rows);
    }

    /// Replaces the rows of the experiment.
    pub fn show_rows(&mut self, rows: Vec<Row>) {
        self.chart = Chart::new(&mean_over_seeds(&rows));
        self.rows = rows;
    }
}
