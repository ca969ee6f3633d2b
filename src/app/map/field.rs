//! A field: for so many points that their symbols could not be distinguished. Each pixel shows the topmost label
//! in it or next to it, in one pass over the points and one over the pixels.

use super::cloud::Cloud;
use super::viewport::{Band, Frame, Viewport};
use crate::app::symbol::Symbol;
use crate::numeric::wide;
use egui::Color32;
use pulp::NullaryFnOnce;

/// Points converted to pixels at once.
const BLOCK: usize = 64;

/// Writes the keys of the points into the pixels of a band, margin included, whose first row is `first`.
pub fn rasterize(cloud: &Cloud, viewport: &Viewport, frame: &Frame, first: usize, top: &mut [u32]) {
    let stride = frame.stride;
    let rows = top.len() / stride;
    let view = frame.band(viewport, first, rows);
    let focus = viewport.focus.map_or(u32::MAX, |focus| focus as u32 + 1);
    for (places, labels) in cloud.within(&view) {
        for (places, labels) in places.chunks(BLOCK).zip(labels.chunks(BLOCK)) {
            let mut pixels = [0_u32; BLOCK];
            wide(Pixels {
                places,
                view: [view.scale, view.offset],
                size: [stride, rows],
                pixels: &mut pixels,
            });
            for (at, label) in pixels.iter().zip(labels) {
                if let Some(top) = top.get_mut(*at as usize) {
                    let label = u32::from(*label) + 1;
                    *top = (*top).max(if label == focus { label | FOCUSED } else { label });
                }
            }
        }
    }
}

/// Set in the keys of the label in focus.
const FOCUSED: u32 = 1 << 20;

/// Computes the pixel of each place; `u32::MAX` for places outside.
struct Pixels<'a> {
    places: &'a [[f32; 2]],
    /// Pixels per unit, and the pixel of the origin.
    view: [[f32; 2]; 2],
    size: [usize; 2],
    pixels: &'a mut [u32; BLOCK],
}

impl NullaryFnOnce for Pixels<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let [[sx, sy], [ox, oy]] = self.view;
        let [width, height] = self.size.map(|side| side as f32);
        let stride = self.size[0] as u32;
        for (pixel, [x, y]) in self.pixels.iter_mut().zip(self.places) {
            let (px, py) = (x * sx + ox, y * sy + oy);
            let inside = (px >= 0.0) & (py >= 0.0) & (px < width) & (py < height);
            // Within these bounds the conversion is exact.
            let (column, row) = (px.clamp(0.0, 65535.0) as i32 as u32, py.clamp(0.0, 65535.0) as i32 as u32);
            *pixel = if inside { row.wrapping_mul(stride).wrapping_add(column) } else { u32::MAX };
        }
    }
}

/// The colours of all labels: `[focused][label + 1]`; 0 is no point.
pub fn colours(cloud: &Cloud, viewport: &Viewport) -> [Vec<Color32>; 2] {
    let of = |focused: bool| {
        let own = cloud.symbols.iter().map(|symbol| match focused {
            true => viewport.ink.of(Symbol::of_number(*symbol)),
            false => viewport.ink.faded,
        });
        std::iter::once(Color32::TRANSPARENT).chain(own).collect()
    };
    [of(viewport.focus.is_none()), of(true)]
}

/// Fills a band of the image from the points in its pixels and next to them; the margin is one pixel.
pub fn fill(top: &[u32], stride: usize, colours: &[Vec<Color32>; 2], band: &mut Band<'_>) {
    let mut keys = vec![0_u32; band.width];
    for (y, line) in band.pixels.chunks_exact_mut(band.width).enumerate() {
        let row = |row: usize| top.get((band.first + y + row) * stride..).and_then(|row| row.get(..stride));
        let (Some(above), Some(own), Some(below)) = (row(0), row(1), row(2)) else { continue };
        wide(Topmost { rows: [above, own, below], keys: &mut keys });
        for (pixel, key) in line.iter_mut().zip(&keys) {
            if *key > 0 {
                let colours = &colours[usize::from(key & FOCUSED != 0)];
                *pixel = colours.get((key & !FOCUSED) as usize).copied().unwrap_or_default();
            }
        }
    }
}

/// Computes the largest key of each pixel and its four neighbours.
struct Topmost<'a> {
    rows: [&'a [u32]; 3],
    keys: &'a mut [u32],
}

impl NullaryFnOnce for Topmost<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let n = self.keys.len();
        let [above, own, below] = self.rows;
        let (Some(above), Some(below)) = (above.get(1..n + 1), below.get(1..n + 1)) else { return };
        let (Some(left), Some(middle), Some(right)) = (own.get(..n), own.get(1..n + 1), own.get(2..n + 2))
        else {
            return;
        };
        for (i, key) in self.keys.iter_mut().enumerate() {
            *key = above[i].max(below[i]).max(left[i]).max(right[i]).max(middle[i]);
        }
    }
}
