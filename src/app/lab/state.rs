//! What the lab knows, and how it is looked at. Plain data.

use crate::batchnorm::{BatchDependence, ModeSummary, Report, report};
use crate::experiment::{Chart, Row, mean_over_seeds};
use crate::job::{Reporter, Stop};
use crate::model::{Embeddings, Model};
use crate::picture::PictureSet;
use crate::projection::Axes;
use crate::sample::Sha256;
use crate::workflow::SEED;
use std::sync::Arc;

/// Both modes of one model on one folder.
pub struct Measured {
    /// The model.
    pub model: Sha256,
    /// Everything found.
    pub report: Report,
    /// The directions in which the embeddings of both modes differ most.
    pub axes: Axes,
    /// Where each file lies along them in train mode and in eval mode.
    pub places: [Vec<[f32; 2]>; 2],
}

impl Measured {
    /// Measures `model` on `set`.
    pub fn of(model: &Model, set: &PictureSet, reporter: &Reporter) -> Result<Self, Stop> {
        let report = report(model, set, SEED, reporter)?;
        let [train, eval] = [&report.compared.train, &report.compared.eval].map(|mode| &mode.embeddings);
        // Embeddings that are not numbers have no place.
        let finite = eval.data.iter().all(|v| v.is_finite());
        let both = Embeddings {
            dimension: train.dimension,
            data: if finite { [train.data.as_slice(), &eval.data].concat() } else { train.data.clone() },
        };
        let axes = Axes::new(&both);
        let places = [axes.places(train), if finite { axes.places(eval) } else { Vec::new() }];
        Ok(Self { model: model.hash, report, axes, places })
    }
}

/// One file in company.
pub struct InCompanyShown {
    /// The file, as an index of the folder's samples.
    pub file: usize,
    /// What was found.
    pub company: BatchDependence,
    /// Places of its embeddings, size by size.
    pub places: Vec<Vec<[f32; 2]>>,
    /// Its place in eval mode.
    pub eval: [f32; 2],
}

/// A model that could take the place of the one that answers.
pub struct Candidate {
    /// How it was made.
    pub what: String,
    /// The model.
    pub model: Arc<Model>,
    /// Train mode and eval mode, measured as the model it was made from was.
    pub numbers: [ModeSummary; 2],
}

/// What the lab's jobs end with.
pub enum LabFinished {
    /// Both modes were measured, or cannot be.
    Measured(Result<Arc<Measured>, String>),
    /// A file was embedded in company.
    Company(Box<InCompanyShown>),
    /// A candidate was made.
    Candidate(Box<Candidate>),
    /// All rows of the experiment.
    Experiment(Vec<Row>),
    /// A model that gives no answers until it is repaired.
    Examine(Arc<Model>),
}

/// What the lab knows.
#[derive(Default)]
pub struct Lab {
    /// The model that is looked at: the one that answers, or one that cannot.
    pub model: Option<Arc<Model>>,
    /// It on the open folder.
    pub measured: Option<Arc<Measured>>,
    /// Why it is not measured.
    pub obstacle: Option<String>,
    /// A file in company.
    pub company: Option<InCompanyShown>,
    /// What could take its place.
    pub candidates: Vec<Candidate>,
    /// The models that answered before, newest last.
    pub former: Vec<Arc<Model>>,
    /// Rows of the experiment so far.
    pub rows: Vec<Row>,
    /// The same as a chart.
    pub chart: Chart,
}

impl Lab {
    /// Another model is looked at; what is known of the one before does not hold for it.
    pub fn look_at(&mut self, model: Option<Arc<Model>>) {
        let same = match (&self.model, &model) {
            (Some(a), Some(b)) => a.hash == b.hash,
            (None, None) => true,
            _ => false,
        };
        if !same {
            *self = Self {
                model,
                former: std::mem::take(&mut self.former),
                rows: std::mem::take(&mut self.rows),
                chart: std::mem::take(&mut self.chart),
                ..Self::default()
            };
        }
    }

    /// What was measured, if it was of this model.
    pub fn report(&self) -> Option<&Report> {
        let model = self.model.as_ref()?;
        self.measured.as_ref().filter(|measured| measured.model == model.hash).map(|m| &m.report)
    }

    /// Another row of the experiment.
    pub fn add_row(&mut self, row: Row) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.push(row);
        self.show_rows(rows);
    }

    /// These are the experiment's rows, and its chart shows them.
    pub fn show_rows(&mut self, rows: Vec<Row>) {
        self.chart = Chart::new(&mean_over_seeds(&rows));
        self.rows = rows;
    }
}

/// How it is looked at.
#[derive(Clone, Debug)]
pub struct LabView {
    /// The part to scroll to.
    pub jump: Option<usize>,
    /// The layer, from 0.
    pub layer: usize,
    /// The channel, or the most harmful one.
    pub channel: Option<usize>,
    /// The file in company, as an index of what was measured.
    pub file: usize,
    /// Weight of a new batch.
    pub momentum: f64,
    /// Batches seen.
    pub batches: u64,
    /// Files to a batch.
    pub batch_size: u32,
    /// The convention chosen last.
    pub convention: Option<usize>,
    /// Learning rate of the experiment; `None` for the reference's.
    pub learning_rate: Option<f64>,
    /// Seeds of the experiment.
    pub seeds: u64,
    /// Largest step of the experiment; `None` for the reference's.
    pub steps: Option<usize>,
}

impl Default for LabView {
    fn default() -> Self {
        Self {
            jump: None,
            layer: 0,
            channel: None,
            file: 0,
            momentum: 0.1,
            batches: 40,
            batch_size: 64,
            convention: Some(0),
            learning_rate: None,
            seeds: 1,
            steps: None,
        }
    }
}
