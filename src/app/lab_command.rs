//! The commands of the batch-norm lab.

use super::about::About;
use super::facts::Facts;
use crate::batchnorm::Repair;
use crate::model::Norm;
use crate::sample::Sha256;

/// An action in the lab that the user requests.
#[derive(Clone, Debug, PartialEq)]
pub enum LabCommand {
    /// Measure both modes of the model on the open folder.
    Measure,
    /// Embed the chosen file in random batches.
    Dependence,
    /// Make a repaired model.
    Repair(Repair),
    /// Train the model for more batches.
    TrainLonger,
    /// Train a model without batch normalisation.
    TrainWithout,
    /// Use the repaired model with this hash.
    Use(Sha256),
    /// Use the model that was trained in the lab.
    UseTrial,
    /// Take the model that was trained in the lab out of it.
    LeaveTrial,
    /// Use the previous model again.
    Undo,
    /// Train on the folder in the lab as the article does, to reproduce its failure.
    Article,
    /// The same on the bundled digits.
    Digits,
    /// Run the experiment.
    Experiment,
}

impl LabCommand {
    /// Text and hint.
    pub fn about(&self) -> About {
        match self {
            Self::Measure => About::new(
                "Measure again",
                "Measures both modes on the open folder; the model is not changed",
            ),
            Self::Dependence => About::new(
                "Embed in other batches",
                "Embeds the file in train mode, in random batches of 2 to 256 files",
            ),
            Self::Repair(Repair::Recompute) => About::new(
                "Recompute the statistics",
                "Pooled over the open folder with the weights frozen; takes seconds",
            ),
            Self::Repair(Repair::Average) => {
                About::new("Plain average", "Averages all batches of the training with equal weight")
            }
            Self::Repair(Repair::Debias) => {
                About::new("Take the start out", "Removes the share of the initial 0 and 1; needs no files")
            }
            Self::Repair(Repair::Momentum(_)) => About::new(
                "Measure with this momentum",
                "As if the model had been trained with it. Train mode never reads the running statistics, so the weights would be the same. The result is in part 4",
            ),
            Self::TrainLonger => About::new(
                "Train longer",
                "Trains at a low learning rate until the weight of the initial value is below 1 %",
            ),
            Self::TrainWithout => {
                About::new("Train without batch norm", "Trains a new model, whose two modes are the same")
            }
            Self::Use(_) => About::new(
                "Use the repaired model",
                "Makes it the library's model and embeds the open folder again. The present one stays in the library",
            ),
            Self::UseTrial => About::new(
                "Use it for this library",
                "Makes it the library's model, as it is, and embeds the open folder again. The present one stays in the library",
            ),
            Self::LeaveTrial => About::new(
                "Put it away",
                "Shows the library's model in the lab again. This one is in no library: save it first to keep it",
            ),
            Self::Undo => About::new(
                "Undo: use the previous model again",
                "Makes the previous model the library's model",
            ),
            Self::Article => About::new(
                "Train it as in the article",
                "To see it fail: a plain classifier, one epoch (at least 40 batches), a moving average with Keras' momentum 0.99 (0.01 here). The model is shown here only: no library is changed",
            ),
            Self::Digits => About::new(
                "Show me on bundled digits",
                "Trains a small network on 1,438 images as in the article and measures it, in about a minute. No library is changed",
            ),
            Self::Experiment => About::new(
                "Run the experiment",
                "Trains three kinds of network on the open folder; the model is not changed",
            ),
        }
    }

    /// Why the command is not available; `None` if it is.
    pub fn obstacle(&self, facts: &Facts) -> Option<&'static str> {
        let lab = &facts.lab;
        let repairing = || {
            (lab.repairing || lab.trying || facts.training)
                .then_some("Another repair or a training is running")
        };
        let measured = || (!lab.measured).then_some("The model has to be measured first");
        let trying = || lab.trying.then_some("A training in the lab is running");
        let foreign = || {
            lab.foreign.then_some(
                "The bundled digits are in no library of yours: open a labelled folder to use a model of it",
            )
        };
        match self {
            Self::Measure if lab.measuring => Some("The model is being measured"),
            Self::Measure => (lab.model.is_none() || lab.folder_labels.is_none())
                .then_some("Needs a model and an open labelled folder"),
            Self::Dependence if lab.embedding => Some("The file is being embedded"),
            Self::Dependence => measured(),
            Self::Repair(how) => match &lab.model {
                None => Some("Needs a model"),
                Some(model) => how.obstacle(model).or_else(repairing).or_else(measured),
            },
            Self::TrainLonger | Self::TrainWithout => match &lab.model {
                None => Some("Needs a model"),
                Some(model) if model.config.norm == Norm::None => {
                    Some("This model has no batch normalisation")
                }
                Some(_) => repairing().or_else(measured),
            },
            Self::Undo if !lab.previous => Some("There is no previous model"),
            Self::Undo => lab.repairing.then_some("Another repair is running"),
            Self::Use(_) => foreign()
                .or_else(|| facts.write_obstacle())
                .or_else(|| lab.repairing.then_some("Another repair is running")),
            Self::UseTrial => (!lab.trial)
                .then_some("The model in the lab is the library's")
                .or_else(foreign)
                .or_else(|| facts.write_obstacle())
                .or_else(repairing),
            Self::LeaveTrial => (!lab.trial).then_some("The model in the lab is the library's"),
            Self::Experiment if lab.experimenting => Some("The experiment is running"),
            Self::Digits => trying(),
            Self::Article | Self::Experiment => trying().or_else(|| lab.folder_obstacle()),
        }
    }
}
