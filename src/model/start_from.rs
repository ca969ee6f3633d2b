//! Starting a network from the weights of another, so that a training begins with what was learned elsewhere.
//!
//! The other network may have no batch normalisation. Then each new batch-norm layer is set up to do nothing: γ is the
//! standard deviation and β the mean of what it normalises, measured on one batch, so that in train mode the network embeds
//! that batch as the other one does.

use super::network::{Mode, Network};
use candle_core::{Device, Result, Tensor, bail};

impl Network {
    /// Takes over all weights of `other` but the prototypes. Where this network normalises and `other` does not, `batch`,
    /// `[n][side][side][channels]` with at least two pictures, is measured. The running statistics keep their initial values, as at
    /// the start of any training. An error if the layers differ in shape.
    pub(crate) fn start_from(&self, other: &Self, batch: &Tensor) -> Result<()> {
        let text = match (&self.text, &other.text) {
            (Some(own), Some(other)) => Some((own, other)),
            (None, None) => None,
            _ => bail!("expected a network for the same kind of pictures, found one for another"),
        };
        if self.blocks.len() != other.blocks.len() {
            bail!("expected a network of {} convolutions, found {}", self.blocks.len(), other.blocks.len());
        }
        self.linear.set(&other.linear.as_detached_tensor())?;
        if let Some((own, other)) = text {
            own.set(&other.as_detached_tensor())?;
        }
        for (own, other) in self.blocks.iter().zip(&other.blocks) {
            own.weights.set(&other.weights.as_detached_tensor())?;
            match (&own.scale, &other.scale) {
                (Some(own), Some(other)) => own.set(&other.as_detached_tensor())?,
                (None, Some(_)) => bail!("expected a network without batch normalisation, found one with"),
                _ => {}
            }
            own.shift.set(&other.shift.as_detached_tensor())?;
        }
        if other.running.len() == self.running.len() {
            return Ok(());
        }
        // What a layer normalises depends on the layers before it: one after the other.
        for layer in 0..self.blocks.len() {
            let statistics = self.forward(batch, Mode::Train, false)?.statistics;
            let (Some(block), Some(measured)) = (self.blocks.get(layer), statistics.get(layer)) else {
                break;
            };
            let Some(scale) = &block.scale else { continue };
            let numbers = |values: Vec<f32>| Tensor::from_vec(values, measured.mean.len(), &Device::Cpu);
            let deviation = |variance: &f32| (f64::from(*variance) + self.epsilon()).sqrt() as f32;
            scale.set(&numbers(measured.variance.iter().map(deviation).collect())?)?;
            let bias: Vec<f32> = block.shift.as_detached_tensor().to_vec1()?;
            let shift = bias.iter().zip(&measured.mean).map(|(bias, mean)| bias + mean).collect();
            block.shift.set(&numbers(shift)?)?;
        }
        Ok(())
    }

    /// Replaces the prototypes of some labels; `None` leaves one as it is.
    pub(crate) fn set_prototypes(&self, prototypes: &[Option<Vec<f32>>]) -> Result<()> {
        let mut values: Vec<Vec<f32>> = self.prototypes.as_detached_tensor().to_vec2()?;
        for (to, from) in values.iter_mut().zip(prototypes) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        self.prototypes.set(&Tensor::new(values, &Device::Cpu)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::{Init, ModelConfig, Norm};
    use super::*;
    use crate::picture::PictureSpec;
    use rand::{Rng as _, SeedableRng as _};

    #[test]
    fn a_network_with_batch_norm_starts_as_the_one_without() {
        let mut config = ModelConfig::new(PictureSpec::image(16), vec!["a".into(), "b".into()]);
        (config.convolutions, config.embedding) = (vec![(6, 2), (8, 1)], 5);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut network = |norm| {
            let config = ModelConfig { norm, ..config.clone() };
            Network::new(&config, Init::He, &mut rng).unwrap()
        };
        let (other, own) = (network(Norm::None), network(Norm::Batch));
        let values: Vec<f32> = (0..9 * 16 * 16 * 3).map(|_| rng.random_range(-1.0..1.0)).collect();
        let batch = Tensor::from_vec(values, (9, 16, 16, 3), &Device::Cpu).unwrap();
        own.start_from(&other, &batch).unwrap();
        let embeddings = |network: &Network, mode| -> Vec<Vec<f32>> {
            network.forward(&batch, mode, false).unwrap().embeddings.to_vec2().unwrap()
        };
        let expected = embeddings(&other, Mode::Eval);
        for (found, expected) in embeddings(&own, Mode::Train).iter().flatten().zip(expected.iter().flatten())
        {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
        assert_eq!(own.running.iter().map(|running| running.batches).sum::<u64>(), 0);
        own.set_prototypes(&[None, Some(vec![1.0; 5])]).unwrap();
        let prototypes: Vec<Vec<f32>> = own.prototypes.as_detached_tensor().to_vec2().unwrap();
        assert_eq!(prototypes[1], [1.0; 5]);
        assert_ne!(prototypes[0], [1.0; 5]);
    }
}
