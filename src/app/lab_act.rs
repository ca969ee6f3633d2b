//! Executes the commands of the batch-norm lab and applies their results.

use super::advice::error_advice;
use super::demo::unpack_digits;
use super::jobs::Task;
use super::lab::state::{Candidate, Dependence, Measured, Subject, Watched};
use super::lab_command::LabCommand;
use super::lab_facts::LabFacts;
use super::lab_kinds::{EMBED, EXPERIMENT, MEASURE, REPAIR, TRIAL};
use super::message::Tone;
use super::model::Previous;
use super::view::Tab;
use super::window::App;
use crate::batchnorm::{ModeSummary, Repair, batch_dependence, thousands};
use crate::escape;
use crate::experiment::{Row, Setup};
use crate::job::Stop;
use crate::model::{Embeddings, Model};
use crate::picture::Encoded;
use crate::sample::Labelling;
use crate::training::TrainConfig;
use crate::workflow::{self, Event, LabelledFolder, Outputs, Pictures, Run, SEED, Warning, read_folder};
use std::sync::Arc;

impl App {
    /// Executes a command of the lab.
    pub(super) fn act_in_lab(&mut self, command: LabCommand) {
        match command {
            LabCommand::Measure => self.measure(),
            LabCommand::Dependence => self.embed_in_batches(),
            LabCommand::Repair(how) => self.repair(how),
            LabCommand::TrainLonger => {
                self.make_candidate(command, "trained longer".into(), |model, folder, run| {
                    let (model, batches) = workflow::train_longer(model, &folder.set, run)?;
                    Ok((model, format!("trained for another {batches} batches")))
                });
            }
            LabCommand::TrainWithout => {
                let config = self.view.kept.train_config();
                self.make_candidate(
                    command,
                    "trained without batch norm".into(),
                    move |model, folder, run| {
                        let model = workflow::train_without_norm(model, &folder.set, config, run)?;
                        Ok((model, "trained without batch norm".to_owned()))
                    },
                );
            }
            LabCommand::Use(hash) => {
                let Some(candidate) = self.lab.candidate(hash) else { return };
                let (model, what) = (Arc::clone(&candidate.model), candidate.what.clone());
                self.use_model(
                    model,
                    format!("The repaired model is in use ({what})"),
                    Previous::Push(self.session.contents.model().cloned()),
                );
            }
            LabCommand::Undo => {
                if let Some(previous) = self.lab.previous.last().cloned() {
                    self.use_model(previous, "The previous model is in use again".into(), Previous::Pop);
                }
            }
            LabCommand::UseTrial => {
                if let (Some(_), Some(model)) = (&self.lab.trial, self.lab.model.clone()) {
                    let previous = Previous::Push(self.session.contents.model().cloned());
                    self.use_model(model, "The model trained in the lab is in use".into(), previous);
                }
            }
            LabCommand::LeaveTrial => self.leave_trial(),
            LabCommand::Article => {
                let Some(folder) = self.lab_folder().cloned() else { return };
                let title = match &self.lab.trial {
                    Some(trial) => trial.title.clone(),
                    None => escape::file_name(&folder.path),
                };
                self.try_article(title, move |_| Ok(folder));
            }
            LabCommand::Digits => {
                let (place, reader) = (self.demo_folder.clone(), self.session.reader.clone());
                self.try_article("Bundled digits".to_owned(), move |run| {
                    let folder = unpack_digits(&place, run.reporter())?;
                    read_folder(&folder, Labelling::FromFolders(1), Pictures::Chosen, &reader, run)
                });
            }
            LabCommand::Experiment => self.run_experiment(),
        }
    }

    /// The facts of the lab.
    pub(super) fn lab_facts(&self) -> LabFacts {
        let (lab, jobs) = (&self.lab, &self.jobs);
        let (folder, open) = (self.lab_folder(), self.session.folder.as_ref());
        LabFacts {
            model: lab.model.clone(),
            measured: lab.report().is_some(),
            measuring: jobs.runs(MEASURE),
            embedding: jobs.runs(EMBED),
            repairing: jobs.runs(REPAIR),
            experimenting: jobs.runs(EXPERIMENT),
            trying: jobs.runs(TRIAL),
            trial: lab.trial.is_some(),
            folder_labels: folder.map(|folder| folder.labels),
            foreign: folder.map(|folder| folder.hash) != open.map(|folder| folder.hash),
            rows: !lab.rows.is_empty(),
            previous: !lab.previous.is_empty(),
        }
    }

    /// The folder in the lab: that of the trial, or the open one.
    fn lab_folder(&self) -> Option<&LabelledFolder> {
        self.lab.trial.as_ref().map(|trial| &trial.folder).or(self.session.folder.as_ref())
    }

    /// The model and the folder in the lab.
    fn subject(&self) -> Option<(Arc<Model>, LabelledFolder)> {
        Some((self.lab.model.clone()?, self.lab_folder()?.clone()))
    }

    /// Trains a model as the article does on the folder that `read` returns. It comes into the lab, and into no library.
    fn try_article(
        &mut self,
        title: String,
        read: impl FnOnce(&Run<'_>) -> Result<LabelledFolder, Stop> + Send + 'static,
    ) {
        let config = TrainConfig::article(self.view.kept.seed);
        let watched = Watched::new(&title);
        self.lab.watched = watched.clone();
        self.view.kept.tab = Tab::BatchNorm;
        self.view.lab.jump = Some(1);
        self.start(
            Task::new("Training as in the article, for the lab").of_kind(TRIAL),
            move |run| {
                // The lab measures the model itself, on all files: the training's own figures would be others.
                let on_event = |event| match event {
                    Event::Epoch(point) => watched.add(point),
                    Event::Warning(Warning::Unreliable(_)) => {}
                    other => run.event(other),
                };
                let run = &Run::new(run.reporter(), &on_event);
                let folder = read(run)?;
                let trained = workflow::train_folder(&folder.set, &config, None, &Outputs::default(), run)?;
                Ok((Arc::new(trained.model), folder))
            },
            move |app, (model, folder)| {
                app.lab.begin_trial(title, model, folder);
                app.measure();
            },
        );
    }

    /// Puts the trial away and measures the library's model again.
    pub(super) fn leave_trial(&mut self) {
        if self.lab.end_trial() {
            self.measure();
        }
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
                if let Some(trial) = &self.lab.trial {
                    let [train, eval] = measured.report.summaries();
                    let text = format!(
                        "{}, trained as in the article: eval mode classifies {:.1} % of {} files correctly, train mode {:.1} %. No library was changed",
                        trial.title,
                        eval.accuracy * 100.0,
                        thousands(eval.files),
                        train.accuracy * 100.0
                    );
                    self.session.say(Tone::Note, text);
                }
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
                let by = LabCommand::Repair(how);
                Ok(Candidate { subject, by, what, model: Arc::new(repaired.model), numbers })
            },
            |app, candidate| app.apply_candidate(candidate),
        );
    }

    /// Makes a candidate with `make`, which also describes it, and measures it like the model in the lab.
    fn make_candidate(
        &mut self,
        by: LabCommand,
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
                Ok(Candidate { subject, by, what, model: Arc::new(model), numbers })
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
        self.lab.candidates.retain(|other| other.by != candidate.by);
        self.lab.candidates.push(candidate);
    }

    /// Runs the experiment with the chosen settings.
    fn run_experiment(&mut self) {
        let Some(folder) = self.lab_folder().cloned() else { return };
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
                    .say(Tone::Good, "The experiment is done; its chart is in part 8 of the batch-norm lab");
            },
        );
    }

    /// Puts a model that cannot be used into the lab, to be measured and repaired.
    pub(super) fn examine(&mut self, model: Arc<Model>) {
        if let Err(error) = model.usable() {
            self.session.say(Tone::Bad, error.to_string());
        }
        self.lab.end_trial();
        self.lab.set_model(Some(model));
        self.view.kept.tab = Tab::BatchNorm;
        self.measure();
    }
}

fn subject_of(model: &Model, folder: &LabelledFolder) -> Subject {
    Subject { model: model.hash, folder: folder.hash }
}
