//! The small operations around the convolutions, by candle: pooling, unit length, the plane of text grams.

use crate::picture::TEXT_PLANE;
use candle_core::{D, Result, Tensor};

/// The plane of text grams of byte pictures: `[n][side · side]`.
pub(super) fn text_grams(x: &Tensor) -> Result<Tensor> {
    x.narrow(D::Minus1, TEXT_PLANE, 1)?.flatten_from(1)
}

/// Average pooling to `side × side`, flattened: `[n][side² · channels]`.
pub(super) fn pool(x: &Tensor, side: usize) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (rows, columns) = (h / side, w / side);
    if rows == 1 && columns == 1 {
        return x.reshape((n, side * side * c));
    }
    let rows_pooled = x.reshape((n, side, rows, w * c))?.mean(2)?;
    rows_pooled.reshape((n * side * side, columns, c))?.mean(1)?.reshape((n, side * side * c))
}

/// Scales each row to length 1.
pub(super) fn unit(x: &Tensor) -> Result<Tensor> {
    let length = (x.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
    x.broadcast_div(&length)
}
