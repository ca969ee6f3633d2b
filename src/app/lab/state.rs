//! The results of the batch-norm lab. Every result carries the hashes of the model and of the folder it belongs
//! to, and is dropped when they are no longer the ones in the lab. Plain data.

use crate::batchnorm::{BatchDependence, ModeSummary, Report};
use crate::experiment::{Chart, Row, mean_over_seeds};
use crate::job::Stop;
use crate::model::{Embeddings, Model};
use crate::projection::Axes;
use crate::sample::Sha256;
use crate::workflow::{self, LabelledFolder, Run};
use std::sync::Arc;

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
    /// How it was made, for the user.
    pub what: String,
    /// The model.
    pub model: Arc<Model>,
    /// Train mode and eval mode, measured like the model it was made from.
    pub numbers: [ModeSummary; 2],
}

/// The state of the lab.
#[derive(Default)]
pub struct Lab {
    /// The model in the lab: the library's, or one that cannot be used.
    pub model: Option<Arc<Model>>,
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
    /// Puts a model into the lab. The results of a different model are dropped.
    pub fn set_model(&mut self, model: Option<Arc<Model>>) {
        let hash = |model: &Option<Arc<Model>>| model.as_ref().map(|model| model.hash);
        if hash(&self.model) != hash(&model) {
            *self = Self {
                model,
                previous: std::mem::take(&mut self.previous),
                rows: std::mem::take(&mut self.rows),
                chart: std::mem::take(&mut self.chart),
                ..Self::default()
            };
        }
    }

    /// Drops the results of the previous folder.
    pub fn forget_folder(&mut self) {
        self.measured = None;
        self.dependence = None;
        self.candidates.clear();
        self.show_rows(Vec::new());
    }

    /// The report on the model in the lab, once it is measured.
    pub fn report(&self) -> Option<&Report> {
        let model = self.model.as_ref()?;
        self.measured.as_ref().filter(|measured| measured.subject.model == model.hash).map(|m| &m.report)
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
