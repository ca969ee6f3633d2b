//! Stamps: for few points, each drawn as the symbol of its label. The topmost point of each pixel is found; then
//! each pixel with a point is stamped with a precomputed small image. There is one for each part of a pixel that
//! the centre of a symbol can be in.

use super::cloud::Cloud;
use super::viewport::{Band, Frame, Ink, Viewport};
use crate::app::symbol::{SYMBOLS, Symbol, covers};
use egui::Color32;
use egui_plot::MarkerShape;

/// Parts of a pixel along a side. Each has its own stamps, so that points move smoothly.
const PHASES: usize = 4;

/// Writes the keys of the points into the pixels of a band, margin included, whose first row is `first`. Returns
/// the pixels of the frame with a point, in the order of the points.
pub fn rasterize(
    cloud: &Cloud,
    viewport: &Viewport,
    frame: &Frame,
    first: usize,
    top: &mut [u32],
) -> Vec<u32> {
    let stride = frame.stride;
    let rows = top.len() / stride;
    let view = frame.band(viewport, first, rows);
    let phases = PHASES as f32;
    let mut taken = Vec::new();
    for (places, labels) in cloud.within(&view) {
        for (place, label) in places.iter().zip(labels) {
            // In parts of a pixel. Negative values become 0, so 1 is added and the first pixel is skipped.
            let [px, py] = view.pixel(*place).map(|v| (v * phases + phases) as i32 as usize);
            let (column, row) = (px / PHASES, py / PHASES);
            if column == 0 || row == 0 || column > stride || row > rows {
                continue;
            }
            let focused = viewport.focus.is_none_or(|focus| focus == *label as usize);
            let key = key(focused, *label, (py % PHASES) * PHASES + px % PHASES);
            let at = (row - 1) * stride + column - 1;
            let Some(top) = top.get_mut(at) else { continue };
            if *top == 0 {
                taken.push((first * stride + at) as u32);
            }
            *top = key.max(*top);
        }
    }
    taken
}

/// The key of a point in its pixel: never 0, which means no point; the larger key is on top.
fn key(focused: bool, label: u16, phase: usize) -> u32 {
    (u32::from(focused) << 24 | u32::from(label) << 4 | phase as u32) + 1
}

/// The reverse of [`key`], for a key above 0.
fn from_key(key: u32) -> (bool, u16, usize) {
    let key = key - 1;
    (key >> 24 == 1, (key >> 4) as u16, key as usize % (PHASES * PHASES))
}

/// The topmost point of each pixel of the frame.
pub struct Top<'a> {
    /// A key for each pixel.
    pub keys: &'a [u32],
    /// Pixels in a row.
    pub stride: usize,
}

impl Top<'_> {
    /// Whether all pixels around this one have the same label: then only its own pixel is visible.
    fn inner(&self, at: usize, key: u32) -> bool {
        let stride = self.stride;
        let like = |from: usize| {
            let three: Option<&[u32; 3]> = self.keys.get(from..).and_then(<[u32]>::first_chunk);
            three.is_some_and(|three| three.iter().all(|other| other.wrapping_sub(1) >> 4 == (key - 1) >> 4))
        };
        at > stride && like(at - 1) && like(at - 1 - stride) && like(at - 1 + stride)
    }
}

/// Draws the symbols of the points in and near a band, in the order of `taken`.
pub fn stamp(cloud: &Cloud, stamps: &Stamps, top: &Top<'_>, taken: &[Vec<u32>], band: &mut Band<'_>) {
    let (reach, width) = (stamps.reach, band.width);
    let rows = band.pixels.len() / width;
    for at in taken.iter().flatten() {
        let at = *at as usize;
        // The upper left corner of the stamp in the image, plus twice the reach.
        let (row, column) = (at / top.stride, at % top.stride);
        if row < band.first || row >= band.first + rows + 2 * reach {
            continue;
        }
        let key = top.keys[at];
        let (focused, label, phase) = from_key(key);
        let symbol = cloud.symbols.get(label as usize).map_or(0, |symbol| *symbol as usize);
        let stamp = stamps.of(focused, symbol, phase);
        let lines = if top.inner(at, key) { reach..reach + 1 } else { 0..stamp.len() };
        let inner = lines.len() == 1;
        for (y, line) in stamp.iter().enumerate().take(lines.end).skip(lines.start) {
            let Some(y) = (row + y).checked_sub(2 * reach + band.first).filter(|y| *y < rows) else {
                continue;
            };
            let (from, colours) =
                if inner { (reach, stamps.middle(line)) } else { (line.from, stamps.line(line)) };
            // Parts of the stamp outside the image are cut off.
            let left = (column + from) as isize - 2 * reach as isize;
            let cut = left.min(0).unsigned_abs().min(colours.len());
            let start = (y * width).saturating_add_signed(left.max(0)).min((y + 1) * width);
            let pixels = band.pixels.get_mut(start..(y + 1) * width).unwrap_or_default();
            for (pixel, colour) in pixels.iter_mut().zip(&colours[cut..]) {
                *pixel = match colour.a() {
                    255 => *colour,
                    // Faded colours do not add up.
                    _ if !focused => lighter(*pixel, *colour),
                    _ => over(*pixel, *colour),
                };
            }
        }
    }
}

/// The colour with more weight.
#[inline(always)]
fn lighter(a: Color32, b: Color32) -> Color32 {
    if a.a() >= b.a() { a } else { b }
}

/// `above` over `below`, both premultiplied: two channels at a time, each with eight bits of room.
#[inline(always)]
fn over(below: Color32, above: Color32) -> Color32 {
    const TWO: u32 = 0x00ff_00ff;
    let (below, above) = (u32::from_le_bytes(below.to_array()), u32::from_le_bytes(above.to_array()));
    let rest = 256 - (above >> 24);
    let low = (((below & TWO) * rest) >> 8) & TWO;
    let high = (((below >> 8) & TWO) * rest) & !TWO;
    let [r, g, b, a] = (above + (low | high)).to_le_bytes();
    Color32::from_rgba_premultiplied(r, g, b, a)
}

/// Small images of every symbol, for each part of a pixel that its centre can be in.
pub struct Stamps {
    /// The radius and the colours they were computed for.
    pub made_for: (f32, Ink),
    /// Pixels from the centre to the edge of a stamp.
    pub reach: usize,
    pixels: Vec<Color32>,
    /// `[focused][symbol][phase][side]`.
    lines: Vec<Line>,
}

/// The part of a row of a stamp that is not empty.
#[derive(Clone, Copy)]
struct Line {
    /// The first pixel that is not empty, and how many from there on.
    from: usize,
    length: usize,
    /// Where the whole row begins in the pixels.
    row: usize,
}

impl Stamps {
    /// The stamps of this radius, in pixels.
    pub fn new(radius: f32, ink: Ink) -> Self {
        let reach = radius.ceil() as usize + 1;
        let side = 2 * reach + 1;
        let mut stamps = Self { made_for: (radius, ink), reach, pixels: Vec::new(), lines: Vec::new() };
        for focused in [false, true] {
            for i in 0..SYMBOLS {
                let symbol = Symbol::of(i);
                let (colour, radius) =
                    if focused { (ink.of(symbol), radius) } else { (ink.faded, radius * 0.7) };
                for phase in 0..PHASES * PHASES {
                    let middle = |part: usize| reach as f32 + (part as f32 + 0.5) / PHASES as f32;
                    let (cx, cy) = (middle(phase % PHASES), middle(phase / PHASES));
                    for y in 0..side {
                        let row = stamps.pixels.len();
                        stamps.pixels.extend((0..side).map(|x| {
                            colour.gamma_multiply(coverage(
                                symbol.shape(),
                                radius,
                                x as f32 - cx,
                                y as f32 - cy,
                            ))
                        }));
                        let filled = |colour: &Color32| *colour != Color32::TRANSPARENT;
                        let own = &stamps.pixels[row..];
                        let from = own.iter().position(filled).unwrap_or(0);
                        let length = own.iter().rposition(filled).map_or(0, |last| last + 1 - from);
                        stamps.lines.push(Line { from, length, row });
                    }
                }
            }
        }
        stamps
    }

    fn of(&self, focused: bool, symbol: usize, phase: usize) -> &[Line] {
        let side = 2 * self.reach + 1;
        let index = (usize::from(focused) * SYMBOLS + symbol) * PHASES * PHASES + phase;
        &self.lines[index * side..(index + 1) * side]
    }

    fn line(&self, line: &Line) -> &[Color32] {
        let start = line.row + line.from;
        &self.pixels[start..start + line.length]
    }

    /// The pixel in the middle of a row.
    fn middle(&self, line: &Line) -> &[Color32] {
        let at = line.row + self.reach;
        &self.pixels[at..at + 1]
    }
}

/// The share of the pixel with its upper left corner at (x, y) that a symbol of this radius covers.
fn coverage(shape: MarkerShape, radius: f32, x: f32, y: f32) -> f32 {
    const PARTS: usize = 4;
    let part = |i: usize| (i as f32 + 0.5) / PARTS as f32;
    let covered = (0..PARTS * PARTS)
        .filter(|i| covers(shape, (x + part(i % PARTS)) / radius, (y + part(i / PARTS)) / radius))
        .count();
    covered as f32 / (PARTS * PARTS) as f32
}
