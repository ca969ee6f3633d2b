//! What a training starts from: random weights, those of a base model, or those of a model that is trained further.

use super::config::TrainConfig;
use super::labelled::Labelled;
use super::trainer::model_config;
use crate::job::{Reporter, Stop};
use crate::model::{Model, ModelConfig, Network, embed, picture_batch};
use crate::picture::{PictureSpec, View};
use rand_chacha::ChaCha8Rng;

/// Pictures on which batch-norm layers are set up and prototypes are placed.
const MEASURED: usize = 256;

/// What a training starts from.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// Random weights.
    Random,
    /// The weights of a model with other labels, whose views the trained model keeps.
    Base(&'a Model),
    /// A model with the same labels, which is trained further.
    Further(&'a Model),
}

impl<'a> Start<'a> {
    /// The model whose weights are taken over, if any.
    pub fn model(self) -> Option<&'a Model> {
        match self {
            Self::Random => None,
            Self::Base(model) | Self::Further(model) => Some(model),
        }
    }

    /// The model that is trained further, if any.
    pub fn further(self) -> Option<&'a Model> {
        match self {
            Self::Further(model) => Some(model),
            Self::Random | Self::Base(_) => None,
        }
    }

    /// How the pictures of the training are computed, where those of the set have the specification `own`.
    pub fn spec(self, own: PictureSpec) -> PictureSpec {
        self.model().map_or(own, |model| model.config.picture)
    }

    /// Batches for `files` files: from a base model, half as many are enough.
    pub fn steps(self, config: &TrainConfig, files: usize) -> usize {
        match self {
            Self::Base(_) if config.epochs.is_none() => config.steps(files).div_ceil(2),
            _ => config.steps(files),
        }
    }

    /// The configuration, and the network with weights of this start or, from a base model, with random ones: see
    /// [`Self::take_over`].
    pub fn network(
        self,
        data: &Labelled<'_>,
        config: &TrainConfig,
        rng: &mut ChaCha8Rng,
    ) -> Result<(ModelConfig, Network), Stop> {
        let own = model_config(data, config);
        match self {
            Self::Random => {
                let network = Network::new(&own, config.init, rng)?;
                Ok((own, network))
            }
            Self::Base(base) => {
                let from = &base.config;
                let own = ModelConfig {
                    picture: from.picture,
                    convolutions: from.convolutions.clone(),
                    embedding: from.embedding,
                    head: from.head,
                    calibration: from.calibration,
                    calibration_with_labels: from.calibration_with_labels,
                    ..own
                };
                let network = Network::new(&own, config.init, rng)?;
                Ok((own, network))
            }
            Self::Further(model) => {
                let from = &model.config;
                let spec = data.set.spec;
                if from.labels != data.labels || !spec.same_pictures(from.picture) {
                    return Err(Stop::failed(format!(
                        "expected the {} labels that the model was trained on and pictures of the same kind, found {} labels that differ or other pictures. Choose the folder it was trained on",
                        from.labels.len(),
                        data.labels.len()
                    )));
                }
                let mut own = from.clone();
                own.batch_norm = config.batch_norm;
                own.repairs.clear();
                Ok((own, model.network.duplicate()?))
            }
        }
    }

    /// From a base model, takes over its weights, and starts each prototype at the mean embedding of some files of its label.
    /// `training` are the files to train on, shuffled.
    pub fn take_over(
        self,
        network: &mut Network,
        data: &Labelled<'_>,
        training: &[usize],
    ) -> Result<(), Stop> {
        let Self::Base(base) = self else { return Ok(()) };
        let spec = base.config.picture;
        let files = data.files(training.iter().take(MEASURED));
        let views: Vec<_> = files.iter().map(|(picture, _)| (*picture, View::Whole)).collect();
        network.start_from(&base.network, &picture_batch(&views, spec)?)?;
        let pictures: Vec<_> = files.iter().map(|(picture, _)| *picture).collect();
        let embeddings = embed(&base.network, base.config.embedding, spec, &pictures, &Reporter::silent())?;
        let mut prototypes: Vec<Option<Vec<f32>>> = vec![None; data.labels.len()];
        for (row, (_, class)) in embeddings.rows().zip(&files) {
            match prototypes.get_mut(*class) {
                Some(Some(sum)) => sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value),
                Some(none) => *none = Some(row.to_vec()),
                None => {}
            }
        }
        Ok(network.set_prototypes(&prototypes)?)
    }
}
