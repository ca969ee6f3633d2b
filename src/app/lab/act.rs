//! The lab's jobs, and taking in what they end with.

use super::{Candidate, InCompanyShown, LabCommand, LabFinished, Measured};
use crate::app::App;
use crate::app::jobs::{Finished, Kind};
use crate::app::session::Tone;
use crate::app::view::Tab;
use crate::batchnorm::moving_average::batches_until;
use crate::batchnorm::{ModeSummary, Repair, Repaired, batch_dependence, repair};
use crate::experiment::{Setup, run};
use crate::job::{Reporter, Stop};
use crate::model::{Head, Model, Norm, StatisticsPolicy};
use crate::picture::{Encoded, PictureSet};
use crate::training::{TrainConfig, continue_training, train};
use crate::workflow::SEED;
use std::sync::Arc;

/// Batches of "train on": at least, at most.
const MORE: std::ops::RangeInclusive<u64> = 44..=480;
/// Its learning rate: low, so that the average catches up.
const LOW_RATE: f64 = 3e-4;

impl App {
    pub(in crate::app) fn act_in_lab(&mut self, command: LabCommand) {
        match command {
            LabCommand::Measure => self.measure(),
            LabCommand::Company => self.company(),
            LabCommand::Repair(how) => self.repair(how),
            LabCommand::TrainOn => self.train_on(),
            LabCommand::TrainWithout => {
                let seed = self.view.kept.seed;
                let defaults = self.view.kept.train_config();
                self.candidate("trained without batch norm".into(), move |model, set, reporter| {
                    let config = match model.config.head {
                        Head::Cosine => TrainConfig { norm: Norm::None, ..defaults },
                        Head::Classifier => TrainConfig { norm: Norm::None, ..TrainConfig::article(seed) },
                    };
                    Ok(train(set, &config, reporter, |_| ())?.model)
                });
            }
            LabCommand::Use(i) => {
                let Some(candidate) = self.lab.candidates.get(i) else { return };
                let (model, what) = (Arc::clone(&candidate.model), candidate.what.clone());
                if let Some(former) = self.lab.model.clone() {
                    self.lab.former.push(former);
                }
                self.answer_by(model, format!("The repaired model answers now ({what})"));
            }
            LabCommand::Undo => {
                if let Some(former) = self.lab.former.pop() {
                    self.answer_by(former, "The former model answers again".into());
                }
            }
            LabCommand::Article => {
                self.train_by(TrainConfig::article(self.view.kept.seed));
                self.view.kept.tab = Tab::BatchNorm;
            }
            LabCommand::Experiment => self.experiment(),
        }
    }

    /// The model and the files that the lab is about.
    fn subject(&self) -> Option<(Arc<Model>, Arc<PictureSet>)> {
        let folder = self.session.folder.as_ref()?;
        Some((self.lab.model.clone()?, Arc::clone(&folder.set)))
    }

    /// Measures both modes, where there is something to measure.
    pub(in crate::app) fn measure(&mut self) {
        self.lab.obstacle = None;
        let Some((model, set)) = self.subject() else { return };
        self.jobs.start(Kind::Lab, "Measuring train mode and eval mode", move |reporter| {
            let measured = match Measured::of(&model, &set, reporter) {
                Ok(measured) => Ok(Arc::new(measured)),
                Err(Stop::Failed(why)) => Err(why),
                Err(Stop::Cancelled) => return Err(Stop::Cancelled),
            };
            Ok(Finished::Lab(LabFinished::Measured(measured)))
        });
    }

    fn company(&mut self) {
        let (Some((model, set)), Some(measured)) = (self.subject(), &self.lab.measured) else { return };
        let known = measured.report.known.clone();
        let (axes, which) = (measured.axes.clone(), self.view.lab.file);
        self.jobs.start(Kind::Company, "Embedding one file in company", move |reporter| {
            let files: Vec<&Encoded> = known.pictures(&set).into_iter().map(|(picture, _)| picture).collect();
            let company = batch_dependence(&model.network, set.spec, &files, which, SEED, reporter)?;
            let places = company.sizes.iter().map(|found| axes.places(&found.embeddings)).collect();
            let eval = crate::model::Embeddings { dimension: company.eval.len(), data: company.eval.clone() };
            let eval = axes.places(&eval).first().copied().unwrap_or_default();
            let file = known.files.get(which).map_or(0, |(file, _)| *file);
            let shown = InCompanyShown { file, company, places, eval };
            Ok(Finished::Lab(LabFinished::Company(Box::new(shown))))
        });
    }

    /// Makes a candidate with other statistics and the same weights: train mode is known already.
    fn repair(&mut self, how: Repair) {
        let (Some((model, set)), Some(measured)) = (self.subject(), self.lab.measured.clone()) else {
            return;
        };
        let what = how.text();
        self.jobs.start(Kind::Repair, format!("Repair: {what}"), move |reporter| {
            let report = &measured.report;
            let files = report.known.pictures(&set);
            let Repaired { model, eval } =
                repair(&model, how, &files, report.batch_size, &report.compared, reporter)?;
            let [train, _] = report.summaries();
            let eval = ModeSummary::new(&eval, eval.recall_at_1(&report.known.classes()));
            let candidate = Candidate { what, model: Arc::new(model), numbers: [train, eval] };
            Ok(Finished::Lab(LabFinished::Candidate(Box::new(candidate))))
        });
    }

    /// Makes a candidate by `make` and measures it as the model was measured.
    fn candidate(
        &mut self,
        what: String,
        make: impl FnOnce(&Model, &PictureSet, &Reporter) -> Result<Model, Stop> + Send + 'static,
    ) {
        let Some((model, set)) = self.subject() else { return };
        self.jobs.start(Kind::Repair, format!("Repair: {what}"), move |reporter| {
            let model = make(&model, &set, reporter)?;
            let numbers = crate::batchnorm::report(&model, &set, SEED, reporter)?.summaries();
            let candidate = Candidate { what, model: Arc::new(model), numbers };
            Ok(Finished::Lab(LabFinished::Candidate(Box::new(candidate))))
        });
    }

    fn train_on(&mut self) {
        let Some((model, _)) = self.subject() else { return };
        let policy = model.config.batch_norm;
        let seen = model.network.running.first().map_or(0, |kept| kept.batches);
        let until = batches_until(0.01, policy.momentum).unwrap_or(*MORE.end());
        let batches = until.saturating_sub(seen).clamp(*MORE.start(), *MORE.end()) as usize;
        let base = match model.config.head {
            Head::Cosine => TrainConfig::default(),
            Head::Classifier => TrainConfig::article(0),
        };
        let config = TrainConfig {
            epochs: Some(0.0),
            min_steps: batches,
            batch_norm: crate::model::BatchNormPolicy { statistics: StatisticsPolicy::Moving, ..policy },
            learning_rate: LOW_RATE,
            one_cycle: false,
            seed: model.config.training.seed,
            ..base
        };
        self.candidate(format!("trained on for {batches} batches"), move |model, set, reporter| {
            Ok(continue_training(set, model, &config, reporter, |_| ())?.model)
        });
    }

    fn experiment(&mut self) {
        let Some(folder) = &self.session.folder else { return };
        let set = Arc::clone(&folder.set);
        let view = &self.view.lab;
        let reference = Setup::reference(set.spec);
        let last = view.steps.unwrap_or(usize::MAX);
        let setup = Setup {
            steps: reference.steps.iter().copied().filter(|step| *step <= last).collect(),
            learning_rate: view.learning_rate.unwrap_or(reference.learning_rate),
            seeds: (0..view.seeds).collect(),
            ..reference
        };
        self.lab.show_rows(Vec::new());
        let rows = self.jobs.rows.0.clone();
        self.jobs.start(Kind::Experiment, "Experiment", move |reporter| {
            let rows = run(&set, &setup, reporter, |row, _| {
                // The window may be gone by now.
                let _ = rows.send(row.clone());
                reporter.wake();
            })?;
            Ok(Finished::Lab(LabFinished::Experiment(rows)))
        });
    }

    pub(in crate::app) fn take_lab(&mut self, finished: LabFinished) {
        match finished {
            LabFinished::Measured(measured) => match measured {
                Ok(measured) => {
                    if self.lab.model.as_ref().is_some_and(|model| model.hash == measured.model) {
                        self.lab.measured = Some(measured);
                        self.company();
                    }
                }
                Err(why) => self.lab.obstacle = Some(why),
            },
            LabFinished::Company(shown) => self.lab.company = Some(*shown),
            LabFinished::Candidate(candidate) => {
                self.lab.candidates.retain(|other| other.what != candidate.what);
                self.lab.candidates.push(*candidate);
            }
            LabFinished::Experiment(rows) => {
                self.lab.show_rows(rows);
                self.session.say(
                    Tone::Good,
                    "The experiment is done; its chart stands in part 6 of the batch-norm lab",
                );
            }
            LabFinished::Examine(model) => {
                if let Err(error) = model.usable() {
                    self.session.say(Tone::Bad, error.to_string());
                }
                self.lab.look_at(Some(model));
                self.view.kept.tab = Tab::BatchNorm;
                self.measure();
            }
        }
    }
}
