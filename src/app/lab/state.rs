//! What the batch-norm lab has found. Every result carries the hashes of the model and of the folder it belongs
//! to, and is dropped when they are no longer the ones in the lab. Plain data.

use crate::batchnorm::{BatchDependence, ModeSummary, Report};
use crate::experiment::{Chart, Row, mean_over_seeds};
use crate::job::Stop;
use crate::model::{Embeddings, Model};
use crate::projection::Axes;
use crate::sample::Sha256;
use crate::workflow::{self, LabelledFolder, Run};
use std::sync::Arc;

/// What a result of the lab belongs to.
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
    /// Everything found.
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
        // Embeddings that are not numbers have no place.
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
    /// What was found.
    pub company: BatchDependence,
    /// Places of its embeddings, batch size by batch size.
    pub places: Vec<Vec<[f32; 2]>>,
    /// Its place in eval mode.
    pub eval: [f32; 2],
}

/// A model that could replace the one in use.
pub struct Candidate {
    /// What it was made from.
    pub subject: Subject,
    /// How it was made.
    pub what: String,
    /// The model.
    pub model: Arc<Model>,
    /// Train mode and eval mode, measured as the model it was made from.
    pub numbers: [ModeSummary; 2],
}

/// What the lab has found.
#[derive(Default)]
pub struct Lab {
    /// The model in the lab: the one in use, or one that cannot be used.
    pub model: Option<Arc<Model>>,
    /// Its two modes on the open folder.
    pub measured: Option<Arc<Measured>>,
    /// Why it is not measured.
    pub obstacle: Option<String>,
    /// A file in many batches.
    pub dependence: Option<Dependence>,
    /// Repaired models.
    pub candidates: Vec<Candidate>,
    /// The models that were used before, newest last.
    pub previous: Vec<Arc<Model>>,
    /// Rows of the experiment so far.
    pub rows: Vec<Row>,
    /// The rows as a chart.
    pub chart: Chart,
}

impl Lab {
    /// Puts another model into the lab. What is known of the one before does not hold for it.
    pub fn look_at(&mut self, model: Option<Arc<Model>>) {
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

    /// Forgets what was measured on the folder that was open before.
    pub fn forget_folder(&mut self) {
        self.measured = None;
        self.dependence = None;
        self.candidates.clear();
    }

    /// What was measured of the model in the lab.
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
