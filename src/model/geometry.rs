//! The sizes of a 3×3 convolution with a border of one zero.

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
}

impl Geometry {
    /// The sizes of a convolution of `x`, `[n][h][w][c]`, with `weights`, `[3][3][c][o]`; an error if the
    /// shapes do not match.
    pub fn new(x: &Shape, weights: &Shape, stride: usize) -> Result<Self> {
        let (images, height, width, channels) = x.dims4()?;
        let (kh, kw, c, filters) = weights.dims4()?;
        if (kh, kw, c) != (3, 3, channels) || stride == 0 {
            bail!(
                "conv3x3: expected weights [3, 3, {channels}, filters] and a stride of at least 1 for input {x:?}, found weights {weights:?} and stride {stride}"
            );
        }
        Ok(Self { images, height, width, channels, filters, stride })
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
        9 * self.channels
    }

    /// Numbers in an input image.
    pub fn image(self) -> usize {
        self.height * self.width * self.channels
    }
}
