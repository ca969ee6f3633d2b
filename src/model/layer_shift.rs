//! The layer shift of a file: how far the means of its activations lie from the running means of a network's batch-norm layers.
//! Far outside, the network is shown what it was not trained on, as files of another system, and what it says of them is chance.

use super::folded::FoldedLayer;

/// Channels whose scale is smaller say nothing about their input.
const SMALLEST: f32 = 1e-3;

/// Collects the layer shifts of some images.
#[derive(Default)]
pub(super) struct LayerShifts {
    /// Of each image, that of its farthest layer so far; empty without batch norm.
    farthest: Vec<f32>,
}

impl LayerShifts {
    /// Adds a layer: its output for some images, `[n][pixels][filters]`, before bias and rectifier.
    pub fn add(&mut self, layer: &FoldedLayer, output: &[f32], pixels: usize) {
        let Some((scale, shift)) = &layer.norm else { return };
        let filters = layer.bias.len().max(1);
        let images = output.chunks_exact((pixels * filters).max(1));
        self.farthest.resize(images.len(), 0.0);
        for (image, farthest) in images.zip(&mut self.farthest) {
            let mut means = vec![0.0_f32; filters];
            for pixel in image.chunks_exact(filters) {
                means.iter_mut().zip(pixel).for_each(|(mean, value)| *mean += value);
            }
            let (mut squares, mut channels) = (0.0, 0);
            for (i, mean) in means.iter().enumerate().filter(|(i, _)| scale[*i].abs() > SMALLEST) {
                // In units of the running deviation.
                let from_mean = (mean / pixels as f32 + layer.bias[i] - shift[i]) / scale[i];
                squares += from_mean * from_mean;
                channels += 1;
            }
            let shift = (squares / channels.max(1) as f32).sqrt();
            // Not `max`, which would hide NaN.
            if shift.is_nan() || shift > *farthest {
                *farthest = shift;
            }
        }
    }

    /// The shift of each image: the root mean square, over the channels of its farthest layer, of mean activation less running
    /// mean in running deviations. Empty without batch norm.
    pub fn finish(self) -> Vec<f32> {
        self.farthest
    }
}
