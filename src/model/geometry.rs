//! The sizes of a convolution, and where it reads its input.

use super::layer::{Layer, LayerKind, Padding};
use candle_core::{Result, Shape, bail};

/// Sizes of one convolution.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    pub images: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub filters: usize,
    pub stride: usize,
    /// Rows and columns of the weights.
    pub kernel: usize,
    /// Zeros above and left of the input.
    pub before: usize,
}

impl Geometry {
    /// The sizes of a layer on square images, `[images][side][side][channels]`.
    pub fn of(layer: &Layer, images: usize, side: usize, channels: usize) -> Self {
        let Layer { kernel, stride, .. } = *layer;
        let before = match layer.padding {
            Padding::One => 1,
            Padding::Same => {
                let out = side.div_ceil(stride.max(1)).max(1);
                ((out - 1) * stride + kernel).saturating_sub(side) / 2
            }
        };
        let filters = if layer.kind == LayerKind::Depthwise { channels } else { layer.filters };
        Self { images, height: side, width: side, channels, filters, stride, kernel, before }
    }

    /// The sizes of a 3×3 convolution with a border of one zero of `x`, `[n][h][w][c]`, with `weights`, `[3][3][c][o]`; an error if the
    /// shapes do not match.
    pub fn new(x: &Shape, weights: &Shape, stride: usize) -> Result<Self> {
        let (images, height, width, channels) = x.dims4()?;
        let (kh, kw, c, filters) = weights.dims4()?;
        if (kh, kw, c) != (3, 3, channels) || stride == 0 {
            bail!(
                "conv3x3: expected weights [3, 3, {channels}, filters] and a stride of at least 1 for input {x:?}, found weights {weights:?} and stride {stride}"
            );
        }
        Ok(Self { images, height, width, channels, filters, stride, kernel: 3, before: 1 })
    }

    pub fn out_height(self) -> usize {
        self.height.div_ceil(self.stride)
    }

    pub fn out_width(self) -> usize {
        self.width.div_ceil(self.stride)
    }

    /// Output pixels of one image.
    pub fn pixels(self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Numbers in a patch.
    pub fn patch(self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// The input row that an output row and tap row read, or the same for columns; `None` in the border.
    pub fn source(self, out: usize, tap: usize, size: usize) -> Option<usize> {
        (out * self.stride + tap).checked_sub(self.before).filter(|at| *at < size)
    }

    /// Numbers in an input image.
    pub fn image(self) -> usize {
        self.height * self.width * self.channels
    }
}
