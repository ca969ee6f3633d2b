//! The viewport: the part of the map in view, in pixels, and the bands of rows that threads draw.

use crate::app::symbol::Symbol;
use crate::app::theme::Tokens;
use crate::app::theme::tokens::mix;
use egui::Color32;

/// The part of the map in view, and how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// Pixels, width and height.
    pub size: [usize; 2],
    /// The place on the map at the middle of the viewport.
    pub centre: [f32; 2],
    /// Pixels per unit of the map; negative where y points up.
    pub scale: [f32; 2],
    /// Radius of a symbol, in pixels; `None` to draw a field.
    pub radius: Option<f32>,
    /// The index of the label in focus, if only one is.
    pub focus: Option<usize>,
    /// The colours.
    pub ink: Ink,
}

/// The colours that points are drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink {
    /// Whether the theme is dark.
    pub dark: bool,
    /// The colour of points that are not in focus. It does not add up where symbols overlap.
    pub faded: Color32,
    /// Whether all points stand back behind what is drawn on top of them: a selection and its neighbours.
    pub muted: bool,
}

impl Ink {
    /// The colour of a symbol in focus.
    pub fn of(self, symbol: Symbol) -> Color32 {
        let colour = symbol.colour(self.dark);
        if self.muted {
            // Opaque, since symbols overlap.
            mix(Tokens::by(self.dark).sunken, colour, if self.dark { 0.66 } else { 0.8 })
        } else {
            colour
        }
    }
}

/// The viewport with a margin, for points outside whose symbols reach into view.
pub struct Frame {
    /// Pixels on each side of the viewport.
    pub margin: usize,
    /// Pixels in a row.
    pub stride: usize,
}

/// Some rows of a [`Frame`], and the part of the map they show.
pub struct BandView {
    /// Pixels per unit of the map.
    pub scale: [f32; 2],
    /// The pixel of the map's origin.
    pub offset: [f32; 2],
    centre: [f32; 2],
    origin: [f32; 2],
    /// The corner with the smallest coordinates.
    pub min: [f32; 2],
    /// The corner with the largest coordinates.
    pub max: [f32; 2],
}

impl Frame {
    /// `rows` rows from row `first` on.
    pub fn band(&self, viewport: &Viewport, first: usize, rows: usize) -> BandView {
        let (centre, scale, margin) = (viewport.centre, viewport.scale, self.margin as f32);
        let [width, height] = viewport.size.map(|side| side as f32);
        let origin = [width / 2.0 + margin, height / 2.0 + margin - first as f32];
        let corner =
            |x: f32, y: f32| [centre[0] + (x - origin[0]) / scale[0], centre[1] + (y - origin[1]) / scale[1]];
        let corners = [corner(0.0, 0.0), corner(self.stride as f32, rows as f32)];
        BandView {
            scale,
            offset: [0, 1].map(|axis| origin[axis] - centre[axis] * scale[axis]),
            centre,
            origin,
            min: [0, 1].map(|axis| corners[0][axis].min(corners[1][axis])),
            max: [0, 1].map(|axis| corners[0][axis].max(corners[1][axis])),
        }
    }
}

impl BandView {
    /// The pixel of a place, from the upper left corner. It is computed relative to the centre of the viewport,
    /// near which differences of places are exact.
    #[inline(always)]
    pub fn pixel(&self, place: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|axis| (place[axis] - self.centre[axis]) * self.scale[axis] + self.origin[axis])
    }
}

/// Some rows of the viewport.
pub struct Band<'a> {
    /// The index of the first row.
    pub first: usize,
    /// The pixels, row by row.
    pub pixels: &'a mut [Color32],
    /// Pixels in a row.
    pub width: usize,
}
