//! One layer of a network: a convolution, what is done to its output, and which earlier output is added to that.
//!
//! A network that we train is a row of 3×3 convolutions, each with a rectifier. The base model for images has other
//! layers too: depthwise and 1×1 convolutions, linear ones, and skips (Sandler et al., "MobileNetV2: Inverted Residuals
//! and Linear Bottlenecks", 2018).

use serde::{Deserialize, Serialize};

/// What a convolution multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// All channels, by weights `[k][k][c][o]`.
    Full,
    /// Each channel on its own, by weights `[k][k][c]`.
    Depthwise,
}

/// What is done to the normalised output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Negative numbers become 0.
    #[default]
    Relu,
    /// The same, and numbers above 6 become 6.
    Relu6,
    /// Nothing.
    None,
}

impl Activation {
    /// The least and the greatest output.
    pub(super) fn limits(self) -> (f32, f32) {
        match self {
            Self::Relu => (0.0, f32::INFINITY),
            Self::Relu6 => (0.0, 6.0),
            Self::None => (f32::NEG_INFINITY, f32::INFINITY),
        }
    }
}

/// The zeros around the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// As few as give an output of `⌈input / stride⌉`, the odd one after the input: TensorFlow's `SAME`.
    #[default]
    Same,
    /// One on each side.
    One,
}

/// One layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// What its convolution multiplies.
    pub kind: LayerKind,
    /// Rows and columns of its weights.
    pub kernel: usize,
    /// Channels of its output.
    pub filters: usize,
    /// Distance between the pixels that it is computed at.
    pub stride: usize,
    /// What is done to the normalised output.
    pub activation: Activation,
    /// The earlier layer whose output is added to its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adds: Option<usize>,
    /// The zeros around the input: those of a trained network are [`Padding::One`], and no file says so.
    #[serde(skip)]
    pub padding: Padding,
}

impl Layer {
    /// A layer of a network that we train.
    pub(super) fn plain((filters, stride): (usize, usize)) -> Self {
        Self {
            kind: LayerKind::Full,
            kernel: 3,
            filters,
            stride,
            activation: Activation::Relu,
            adds: None,
            padding: Padding::One,
        }
    }

    /// Whether it is one that we train.
    pub(super) fn is_plain(self) -> bool {
        self == Self::plain((self.filters, self.stride))
    }

    /// The shape of its weights for inputs of so many channels.
    pub(super) fn weights(self, channels: usize) -> Vec<usize> {
        match self.kind {
            LayerKind::Full => vec![self.kernel, self.kernel, channels, self.filters],
            LayerKind::Depthwise => vec![self.kernel, self.kernel, channels],
        }
    }
}

/// Whether these layers fit behind each other on inputs of `side` and `channels`: kernels and strides are small, depthwise layers
/// keep the number of channels, and what is added has the shape of what it is added to.
pub(super) fn fit_together(layers: &[Layer], side: usize, channels: usize) -> bool {
    let mut shapes: Vec<(usize, usize)> = Vec::with_capacity(layers.len());
    let (mut side, mut channels) = (side, channels);
    layers.iter().all(|layer| {
        let keeps = layer.kind == LayerKind::Full || layer.filters == channels;
        (side, channels) = (side.div_ceil(layer.stride.max(1)), layer.filters);
        let added = layer.adds.is_none_or(|earlier| shapes.get(earlier) == Some(&(side, channels)));
        shapes.push((side, channels));
        keeps && added && (1..=8).contains(&layer.stride) && matches!(layer.kernel, 1 | 3 | 5 | 7)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_that_do_not_fit_are_found() {
        let full = |filters, stride| Layer { padding: Padding::Same, ..Layer::plain((filters, stride)) };
        let depthwise = Layer { kind: LayerKind::Depthwise, ..full(8, 1) };
        let adding = |earlier| Layer { adds: Some(earlier), ..full(8, 1) };
        assert!(fit_together(&[full(8, 2), depthwise, adding(0)], 16, 3));
        assert!(!fit_together(&[full(8, 2), Layer { filters: 9, ..depthwise }], 16, 3));
        assert!(!fit_together(&[full(8, 2), full(8, 2), adding(0)], 16, 3), "another side");
        assert!(!fit_together(&[full(8, 1), adding(1)], 16, 3), "its own output");
        assert!(!fit_together(&[Layer { kernel: 2, ..full(8, 1) }], 16, 3));
        assert!(!fit_together(&[Layer { stride: 0, ..full(8, 1) }], 16, 3));
    }
}
