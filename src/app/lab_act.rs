//! Executes the commands of the batch-norm lab and applies their results.

use super::advice::error_advice;
use super::jobs::Task;
use super::lab::state::{Candidate, Dependence, Measured, Subject};
use super::lab_command::LabCommand;
use super::lab_kinds::{EMBED, EXPERIMENT, MEASURE, REPAIR};
use super::message::Tone;
use super::model::Previous;
use super::view::Tab;
use super::window::App;
use crate::batchnorm::{ModeSummary, Repair, batch_dependence};
use crate::experiment::{Row, Setup};
use crate::job::Stop;
use crate::model::{Embeddings, Model};
use crate::picture::Encoded;
use crate::training::TrainConfig;
use crate::workflow::{self, LabelledFolder, Run, SEED};
use std::sync::Arc;

impl App {
    /// Executes a command of the lab.
    pub(super) fn act_in_lab(&mut self, command: LabCommand) {
        match command {
            LabCommand::Measure => self.measure(),
            LabCommand::Dependence => self.embed_in_batches(),
            LabCommand::Repair(how) => self.repair(how),
            LabCommand::TrainLonger => {
                self.make_candidate("trained longer".into(), |model, folder, run| {
                    let (model, batches) = workflow::train_longer(model, &folder.set, run)?;
                    Ok((model, format!("trained for another {batches} batches")))
                });
            }
            LabCommand::TrainWithout => {
                let config = self.view.kept.train_config();
                self.make_candidate("trained without batch norm".into(), move |model, folder, run| {
                    let model = workflow::train_without_norm(model, &folder.set, config, run)?;
                    Ok((model, "trained without batch norm".to_owned()))
                });
            }
            LabCommand::Use(hash) => {
                let Some(candidate) = self.lab.candidate(hash) else { return };
                let (model, what) = (Arc::clone(&candidate.model), candidate.what.clone());
                self.use_model(
                    model,
                    format!("The repaired model is in use ({what})"),
                    Previous::Push(self.lab.model.clone()),
                );
            }
            LabCommand::Undo => {
                if let Some(previous) = self.lab.previous.last().cloned() {
                    self.use_model(previous, "The previous model is in use again".into(), Previous::Pop);
                }
            }
            LabCommand::Article => {
                self.train(TrainConfig::article(self.view.kept.seed));
                self.view.kept.tab = Tab::BatchNorm;
            }
            LabCommand::Experiment => self.run_experiment(),
        }
    }

    /// The model and the folder in the lab.
    fn subject(&self) -> Option<(Arc<Model>, LabelledFolder)> {
        Some((self.lab.model.clone()?, self.session.folder.clone()?))
    }

    /// Whether a result belongs to the model and the folder that are in the lab now.
    fn is_current(&self, subject: Subject) -> bool {
        self.subject().is_some_and(|(model, folder)| subject_of(&model, &folder) == subject)
    }

    /// Measures both modes, if a model and a folder are open.
    pub(super) fn measure(&mut self) {
        self.lab.obstacle = None;
        let Some((model, folder)) = self.subject() else { return };
        let subject = subject_of(&model, &folder);
        self.start(
            Task::new("Measuring train mode and eval mode").of_kind(MEASURE),
            move |run| match Measured::new(&model, &folder, run) {
                Err(Stop::Failed(why)) => Ok(Err(error_advice(why.as_ref()))),
                measured => Ok(Ok(Arc::new(measured?))),
            },
            move |app, measured| app.apply_measured(subject, measured),
        );
    }

    fn apply_measured(&mut self, subject: Subject, measured: Result<Arc<Measured>, String>) {
        if !self.is_current(subject) {
            return;
        }
        match measured {
            Ok(measured) => {
                self.lab.measured = Some(measured);
                self.embed_in_batches();
            }
            Err(why) => self.lab.obstacle = Some(why),
        }
    }

    /// Embeds the chosen file in random batches.
    fn embed_in_batches(&mut self) {
        let (Some((model, folder)), Some(measured)) = (self.subject(), self.lab.measured.clone()) else {
            return;
        };
        let subject = measured.subject;
        let files = &measured.report.known.files;
        let hash = |at: usize| folder.set.samples.get(files.get(at)?.0).map(|sample| sample.sha256);
        let chosen = self.view.lab.file;
        let which = chosen.and_then(|file| (0..files.len()).find(|at| hash(*at) == Some(file))).unwrap_or(0);
        let Some(file) = hash(which) else { return };
        self.start(
            Task::new("Embedding a file in other batches").of_kind(EMBED).quiet(),
            move |run| {
                let set = &folder.set;
                let known = measured.report.known.pictures(set);
                let files: Vec<&Encoded> = known.into_iter().map(|(picture, _)| picture).collect();
                let spec = model.config.picture;
                let found = batch_dependence(&model.network, spec, &files, which, SEED, run.reporter())?;
                let places = found.sizes.iter().map(|size| measured.axes.places(&size.embeddings));
                let places = places.collect();
                let eval = Embeddings { dimension: found.eval.len(), data: found.eval.clone() };
                let eval = measured.axes.places(&eval).first().copied().unwrap_or_default();
                Ok(Dependence { subject, file, found, places, eval })
            },
            |app, dependence| app.apply_dependence(dependence),
        );
    }

    fn apply_dependence(&mut self, dependence: Dependence) {
        if self.is_current(dependence.subject) {
            self.lab.dependence = Some(dependence);
        }
    }

    /// Makes a candidate with the same weights and other running statistics. Its train mode is the model's.
    fn repair(&mut self, how: Repair) {
        let (Some((model, folder)), Some(measured)) = (self.subject(), self.lab.measured.clone()) else {
            return;
        };
        let (what, subject) = (how.text(), measured.subject);
        self.start(
            Task::new(format!("Repair: {what}")).of_kind(REPAIR),
            move |run| {
                let report = &measured.report;
                let repaired = workflow::repair_model(&model, how, &folder.set, report, run)?;
                let [train, _] = report.summaries();
                let recall = repaired.eval.recall_at_1(&report.known.classes());
                let numbers = [train, ModeSummary::new(&repaired.eval, recall)];
                Ok(Candidate { subject, what, model: Arc::new(repaired.model), numbers })
            },
            |app, candidate| app.apply_candidate(candidate),
        );
    }

    /// Makes a candidate with `make`, which also describes it, and measures it like the model in the lab.
    fn make_candidate(
        &mut self,
        title: String,
        make: impl FnOnce(&Model, &LabelledFolder, &Run<'_>) -> Result<(Model, String), Stop> + Send + 'static,
    ) {
        let Some((model, folder)) = self.subject() else { return };
        let subject = subject_of(&model, &folder);
        self.start(
            Task::new(format!("Repair: {title}")).of_kind(REPAIR),
            move |run| {
                let (model, what) = make(&model, &folder, run)?;
                let numbers = workflow::measure(&model, &folder.set, run)?.summaries();
                Ok(Candidate { subject, what, model: Arc::new(model), numbers })
            },
            |app, candidate| app.apply_candidate(candidate),
        );
    }

    fn apply_candidate(&mut self, candidate: Candidate) {
        if !self.is_current(candidate.subject) {
            let text =
                format!("Repaired model dropped ({}): another model or folder is open now", candidate.what);
            self.session.say(Tone::Note, text);
            return;
        }
        self.lab.candidates.retain(|other| other.what != candidate.what);
        self.lab.candidates.push(candidate);
    }

    /// Runs the experiment with the chosen settings.
    fn run_experiment(&mut self) {
        let Some(folder) = self.session.folder.clone() else { return };
        let view = &self.view.lab;
        let reference = Setup::reference(folder.set.spec);
        let last = view.steps.unwrap_or(usize::MAX);
        let setup = Setup {
            steps: reference.steps.iter().copied().filter(|step| *step <= last).collect(),
            learning_rate: view.learning_rate.unwrap_or(reference.learning_rate),
            seeds: (0..view.seeds).collect(),
            ..reference
        };
        self.lab.show_rows(Vec::new());
        self.start(
            Task::new("Experiment").of_kind(EXPERIMENT),
            move |run| workflow::experiment(&folder.set, &setup, run),
            |app, rows: Vec<Row>| {
                app.lab.show_rows(rows);
                app.session
                    .say(Tone::Good, "The experiment is done; its chart is in part 6 of the batch-norm lab");
            },
        );
    }

    /// Puts a model that cannot be used into the lab, to be measured and repaired.
    pub(super) fn examine(&mut self, model: Arc<Model>) {
        if let Err(error) = model.usable() {
            self.session.say(Tone::Bad, error.to_string());
        }
        self.lab.set_model(Some(model));
        self.view.kept.tab = Tab::BatchNorm;
        self.measure();
    }
}

fn subject_of(model: &Model, folder: &LabelledFolder) -> Subject {
    Subject { model: model.hash, folder: folder.hash }
}
