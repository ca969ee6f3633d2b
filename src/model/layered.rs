//! The forward pass of a network with layers of other kinds than those that we train, in both modes, on the CPU. It records
//! nothing for a backward pass.

use super::batch_norm::NormRelu;
use super::config::Head;
use super::geometry::Geometry;
use super::layer::LayerKind;
use super::network::{Forward, Mode, Network};
use super::pooling::pool_grid;
use super::statistics::Normalise;
use super::tensor_ops::unit;
use candle_core::{Device, Result, Tensor, Var, bail};

fn numbers(var: &Var) -> Result<Vec<f32>> {
    var.as_detached_tensor().flatten_all()?.to_vec1()
}

impl Network {
    /// Embeds `x`, `[n][side][side][channels]`, as [`Network::forward`] does.
    pub(super) fn forward_layers(&self, x: &Tensor, mode: Mode) -> Result<Forward> {
        let (images, mut side, _, mut channels) = x.dims4()?;
        let mut activations: Vec<f32> = x.flatten_all()?.to_vec1()?;
        let mut statistics = Vec::new();
        // Only those outputs are kept that a later layer adds.
        let mut kept: Vec<Option<Vec<f32>>> = vec![None; self.blocks.len()];
        for (i, block) in self.blocks.iter().enumerate() {
            let layer = block.layer;
            let geometry = Geometry::of(&layer, images, side, channels);
            let weights = numbers(&block.weights)?;
            let linear = match layer.kind {
                LayerKind::Full => geometry.forward(&activations, &weights),
                LayerKind::Depthwise => geometry.depthwise(&activations, &weights),
            };
            let (Some(scale), Some(running)) = (&block.scale, self.running.get(i)) else {
                bail!("expected batch normalisation in every layer, found none in layer {}", i + 1);
            };
            let by = match mode {
                Mode::Train => Normalise::Batch,
                Mode::Eval => Normalise::Running(running),
            };
            let norm = NormRelu::new(self.epsilon(), by).with_activation(layer.activation);
            activations = norm.forward(&linear, &numbers(scale)?, &numbers(&block.shift)?)?;
            drop(linear);
            statistics.extend(norm.batch());
            if let Some(added) = layer.adds.and_then(|earlier| kept.get(earlier)?.as_ref()) {
                activations.iter_mut().zip(added).for_each(|(to, from)| *to += from);
            }
            let later = self.blocks.iter().skip(i + 1);
            if later.clone().any(|block| block.layer.adds == Some(i)) {
                kept[i] = Some(activations.clone());
            }
            if let Some(added) =
                layer.adds.filter(|added| later.clone().all(|b| b.layer.adds != Some(*added)))
            {
                kept[added] = None;
            }
            (side, channels) = (geometry.out_height(), geometry.filters);
        }
        if self.head != Head::Grid {
            let x = Tensor::from_vec(activations, (images, side, side, channels), &Device::Cpu)?;
            let (embeddings, features) = self.tail(&x, &x, false)?;
            return Ok(Forward { features, embeddings, statistics });
        }
        let parts = self.head.pooled();
        let mut pooled = vec![0.0; images * parts * parts * channels];
        let each = (parts * parts * channels).max(1);
        for (image, out) in
            activations.chunks_exact(side * side * channels).zip(pooled.chunks_exact_mut(each))
        {
            pool_grid(image, side, channels, parts, out);
        }
        let pooled = unit(&Tensor::from_vec(pooled, (images, each), &Device::Cpu)?)?;
        let mut features = pooled.matmul(&self.linear.as_detached_tensor())?;
        if let Some(bias) = &self.linear_bias {
            features = features.broadcast_add(&bias.as_detached_tensor())?;
        }
        Ok(Forward { embeddings: unit(&features)?, features, statistics })
    }
}

#[cfg(test)]
mod tests {
    use super::super::model_file::read_tensor;
    use super::*;
    use crate::model::{Embedder, Model, ModelConfig, base_model};
    use crate::picture::test_images::{pattern, reference};
    use crate::picture::{Encoded, ImagePlanes, PictureKind, PictureSpec, View, fill};
    use safetensors::SafeTensors;

    /// The network of the base model, whose embeddings are what its last layer gives, of length 1.
    fn network(model: &Model, side: usize) -> (PictureSpec, Network) {
        let spec = PictureSpec { side, ..PictureSpec::BASE_IMAGE };
        let config = ModelConfig { embedding: 768, picture: spec, ..model.config.clone() };
        let tensors = SafeTensors::deserialize(&model.bytes).unwrap();
        let mut identity = vec![0.0; 768 * 768];
        identity.iter_mut().step_by(769).for_each(|value| *value = 1.0);
        let find = |name: &str, shape: &[usize]| read_tensor(&tensors, name, shape);
        (spec, Network::with_projection(&config, find, identity, vec![0.0; 768]).unwrap())
    }

    fn filled(spec: PictureSpec, kind: u64) -> Vec<f32> {
        let planes = ImagePlanes::from_rgb(spec.side, pattern(kind, spec.side, spec.side)).unwrap();
        let mut out = vec![0.0; spec.len()];
        fill(&Encoded::Image(planes), spec, View::Whole, &mut out);
        out
    }

    /// Within 3e-5 of PyTorch with the same weights, where the largest numbers of a vector of length 1 are about 0.2; and by cosine
    /// within 2 % of what PyTorch gives with the weights as they were published.
    #[test]
    fn equals_pytorch() {
        let model = base_model(PictureKind::Image).unwrap();
        for row in reference()["network"].as_array().unwrap() {
            let (spec, network) = network(&model, row["side"].as_u64().unwrap() as usize);
            let x = filled(spec, row["pattern"].as_u64().unwrap());
            let theirs = |name: &str| -> Vec<f32> {
                let values = row[name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
                let values: Vec<f64> = values.collect();
                let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
                values.into_iter().map(|v| (v / length) as f32).collect()
            };
            let tensor = Tensor::from_slice(&x, (1, spec.side, spec.side, 3), &Device::Cpu).unwrap();
            let layers = network.forward(&tensor, Mode::Eval, false).unwrap();
            let folded = Embedder::new(&network).unwrap().embed(&x, spec).unwrap();
            for ours in [layers.embeddings.flatten_all().unwrap().to_vec1::<f32>().unwrap(), folded] {
                assert_eq!(ours.len(), 768);
                for (a, b) in ours.iter().zip(theirs("int8")) {
                    assert!((a - b).abs() < 3e-5, "{a} {b} {}", row["side"]);
                }
                let cosine: f32 = ours.iter().zip(theirs("f32")).map(|(a, b)| a * b).sum();
                assert!(cosine > 0.98, "{cosine}");
            }
        }
    }

    #[test]
    fn batches_have_statistics_of_every_layer_and_do_not_change_the_running_ones() {
        let model = base_model(PictureKind::Image).unwrap();
        let (spec, network) = network(&model, 64);
        let x: Vec<f32> = (0..3).flat_map(|kind| filled(spec, kind)).collect();
        let tensor = Tensor::from_slice(&x, (3, 64, 64, 3), &Device::Cpu).unwrap();
        let before = network.running.clone();
        let forward = network.forward(&tensor, Mode::Train, false).unwrap();
        assert_eq!(forward.statistics.len(), 45);
        assert_eq!(forward.statistics[0].count, 3 * 32 * 32);
        assert_eq!(forward.statistics[44].count, 3 * 2 * 2);
        assert_eq!(network.running, before);
        assert!(network.forward(&tensor, Mode::Train, true).is_err(), "it cannot be trained");
        assert!(network.backward(&tensor, &[0, 0, 0]).is_err());
    }
}
