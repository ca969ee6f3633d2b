//! Colours and symbols of labels, and the look of the window.
//!
//! Colours are those of Okabe and Ito (2008), which people with any common kind of colour blindness
//! can tell apart; each comes with one of five shapes, so 35 labels are told apart without relying
//! on colour alone.

use super::session::Tone;
use egui::{Color32, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, vec2};
use egui_plot::MarkerShape;

const COLOURS: [Color32; 7] = [
    Color32::from_rgb(0xe6, 0x9f, 0x00),
    Color32::from_rgb(0x56, 0xb4, 0xe9),
    Color32::from_rgb(0x00, 0x9e, 0x73),
    Color32::from_rgb(0xcc, 0x79, 0xa7),
    Color32::from_rgb(0xd5, 0x5e, 0x00),
    Color32::from_rgb(0x2f, 0x7f, 0xc4),
    Color32::from_rgb(0xd9, 0xcb, 0x2a),
];
const SHAPES: [MarkerShape; 5] =
    [MarkerShape::Circle, MarkerShape::Square, MarkerShape::Up, MarkerShape::Diamond, MarkerShape::Down];

/// Train mode, in curves.
pub const TRAIN_MODE: Color32 = Color32::from_rgb(0x56, 0xb4, 0xe9);
/// Eval mode, in curves; dashed besides.
pub const EVAL_MODE: Color32 = Color32::from_rgb(0xe6, 0x9f, 0x00);
/// Recall, in curves; dotted besides.
pub const RECALL: Color32 = Color32::from_rgb(0x00, 0x9e, 0x73);
/// The loss, in curves.
pub const LOSS: Color32 = Color32::from_rgb(0xcc, 0x79, 0xa7);
/// What was asked about, on the map.
pub const ASKED: Color32 = Color32::from_rgb(0xff, 0x4d, 0x6d);
/// What is not in focus.
pub const FADED: Color32 = Color32::from_gray(0x70);

/// The mark and the colour of what went well, is to be noted, or went wrong.
pub fn tone_mark(tone: Tone) -> (&'static str, Color32) {
    match tone {
        Tone::Good => ("✔", Color32::from_rgb(0x4c, 0xb7, 0x82)),
        Tone::Note => ("ℹ", Color32::from_rgb(0xe6, 0x9f, 0x00)),
        Tone::Bad => ("⚠", Color32::from_rgb(0xff, 0x6b, 0x57)),
    }
}

/// How a label is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Symbol {
    /// Its colour.
    pub colour: Color32,
    /// Its shape.
    pub shape: MarkerShape,
}

impl Symbol {
    /// The symbol of the `index`th label; `None` for samples without a label.
    pub fn of(index: Option<usize>) -> Self {
        match index {
            None => Self { colour: Color32::GRAY, shape: MarkerShape::Cross },
            Some(i) => Self {
                colour: COLOURS[i % COLOURS.len()],
                // The shape moves on with each round of colours.
                shape: SHAPES[(i / COLOURS.len()) % SHAPES.len()],
            },
        }
    }

    /// The symbol at this place among all: those of labels, and last the one of no label.
    pub fn of_place(place: u8) -> Self {
        Self::of(((place as usize) < COLOURS.len() * SHAPES.len()).then_some(place as usize))
    }

    /// Draws it about `centre`.
    pub fn paint(self, painter: &Painter, centre: Pos2, radius: f32) {
        let at = |x: f32, y: f32| centre + vec2(x, y) * radius;
        let polygon = |points: Vec<Pos2>| Shape::convex_polygon(points, self.colour, Stroke::NONE);
        let shape = match self.shape {
            MarkerShape::Square => polygon(vec![at(-0.8, -0.8), at(0.8, -0.8), at(0.8, 0.8), at(-0.8, 0.8)]),
            MarkerShape::Up => polygon(vec![at(0.0, -1.0), at(0.95, 0.8), at(-0.95, 0.8)]),
            MarkerShape::Down => polygon(vec![at(0.0, 1.0), at(0.95, -0.8), at(-0.95, -0.8)]),
            MarkerShape::Diamond => polygon(vec![at(0.0, -1.0), at(1.0, 0.0), at(0.0, 1.0), at(-1.0, 0.0)]),
            MarkerShape::Cross => {
                let stroke = Stroke::new(1.5, self.colour);
                painter.line_segment([at(-0.7, -0.7), at(0.7, 0.7)], stroke);
                Shape::line_segment([at(-0.7, 0.7), at(0.7, -0.7)], stroke)
            }
            _ => Shape::circle_filled(centre, radius, self.colour),
        };
        painter.add(shape);
    }

    /// The symbol in a row of text.
    pub fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(12.0), Sense::hover());
        self.paint(ui.painter(), rect.center(), 5.0);
        response
    }
}

/// A distance as a bar: full for 0, empty from `1` on.
pub fn closeness_bar(ui: &mut Ui, distance: f32, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(46.0, 8.0), Sense::hover());
    let share = (1.0 - distance).clamp(0.0, 1.0);
    let painter = ui.painter();
    painter.rect_filled(rect, 2.0, ui.visuals().extreme_bg_color);
    let full = Rect::from_min_size(rect.min, vec2(rect.width() * share, rect.height()));
    painter.rect_filled(full, 2.0, colour);
}

/// Sizes and spacing of the whole window.
pub fn apply(ctx: &egui::Context) {
    ctx.all_styles_mut(|style| {
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.spacing.button_padding = vec2(8.0, 4.0);
        style.visuals.striped = true;
        let grey = if style.visuals.dark_mode { 0xa0 } else { 0x60 };
        style.visuals.weak_text_color = Some(Color32::from_gray(grey));
    });
}

/// "1.2 MiB".
pub fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_five_labels_have_symbols_of_their_own() {
        for i in 0..35 {
            for j in 0..i {
                assert_ne!(Symbol::of(Some(i)), Symbol::of(Some(j)));
            }
        }
        assert_ne!(Symbol::of(None), Symbol::of(Some(0)));
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(size_text(12), "12 B");
        assert_eq!(size_text(1536), "1.5 KiB");
        assert_eq!(size_text(3 << 30), "3.0 GiB");
    }
}
