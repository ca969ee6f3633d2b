//! The symbol of a label: a colour and a shape, so that labels also differ without colour.
//!
//! A label has a slot. The first twelve have a colour each; beyond them the colours repeat with another shape, which
//! tells 72 labels apart.

use super::theme::Tokens;
use super::theme::tokens::LABELS;
use egui::{Color32, Painter, Pos2, Response, Sense, Shape, Stroke, Ui, Vec2, vec2};
use egui_plot::MarkerShape;

/// The shapes, in the order in which a colour goes through them.
const SHAPES: [MarkerShape; 6] = [
    MarkerShape::Circle,
    MarkerShape::Square,
    MarkerShape::Up,
    MarkerShape::Diamond,
    MarkerShape::Down,
    MarkerShape::Plus,
];
/// The first shape of each colour. Two colours share one only if they differ for every kind of colour blindness.
const FIRST: [usize; 12] = [0, 1, 2, 3, 1, 0, 2, 3, 4, 4, 5, 5];

/// Number of symbols: those of labels, and one for "(no label)", which is the last.
pub const SYMBOLS: usize = LABELS.len() * SHAPES.len() + 1;

/// The symbol of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol(Option<usize>);

impl Symbol {
    /// The symbol of "(no label)", and of labels beyond the last slot.
    pub const NONE: Self = Self(None);

    /// The symbol of the label in a slot.
    pub fn of(slot: usize) -> Self {
        Self((slot + 1 < SYMBOLS).then_some(slot))
    }

    /// The symbol with this number, below [`SYMBOLS`].
    pub fn of_number(number: u8) -> Self {
        Self::of(usize::from(number))
    }

    /// Its number, below [`SYMBOLS`].
    pub fn number(self) -> u8 {
        self.0.unwrap_or(SYMBOLS - 1) as u8
    }

    /// Its colour in the dark or the light theme.
    pub fn colour(self, dark: bool) -> Color32 {
        match self.0.and_then(|slot| LABELS.get(slot % LABELS.len())) {
            Some((on_dark, on_light)) => {
                if dark {
                    *on_dark
                } else {
                    *on_light
                }
            }
            None => Tokens::by(dark).link,
        }
    }

    /// Its shape.
    pub fn shape(self) -> MarkerShape {
        let Some(slot) = self.0 else { return MarkerShape::Cross };
        let (colour, round) = (slot % LABELS.len(), slot / LABELS.len());
        let first = FIRST.get(colour).copied().unwrap_or(0);
        SHAPES.get((first + round) % SHAPES.len()).copied().unwrap_or(MarkerShape::Circle)
    }

    /// Draws the symbol around `centre`, in the colours of the painter's theme.
    pub fn paint(self, painter: &Painter, centre: Pos2, radius: f32, dark: bool) {
        paint_shape(painter, self.shape(), centre, radius, self.colour(dark));
    }

    /// Draws the symbol in line with text.
    pub fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(12.0), Sense::hover());
        self.paint(ui.painter(), rect.center(), 4.5, ui.visuals().dark_mode);
        response
    }
}

/// Draws a shape around `centre`. Shapes of one radius have about the same area.
pub fn paint_shape(painter: &Painter, shape: MarkerShape, centre: Pos2, radius: f32, colour: Color32) {
    let at = |x: f32, y: f32| centre + vec2(x, y) * radius;
    let polygon = |points: Vec<Pos2>| Shape::convex_polygon(points, colour, Stroke::NONE);
    let shape = match shape {
        MarkerShape::Square => polygon(vec![at(-0.9, -0.9), at(0.9, -0.9), at(0.9, 0.9), at(-0.9, 0.9)]),
        MarkerShape::Up => polygon(vec![at(0.0, -1.15), at(1.15, 0.9), at(-1.15, 0.9)]),
        MarkerShape::Down => polygon(vec![at(0.0, 1.15), at(1.15, -0.9), at(-1.15, -0.9)]),
        MarkerShape::Diamond => polygon(vec![at(0.0, -1.25), at(1.25, 0.0), at(0.0, 1.25), at(-1.25, 0.0)]),
        MarkerShape::Plus => {
            painter.add(polygon(vec![at(-1.1, -0.42), at(1.1, -0.42), at(1.1, 0.42), at(-1.1, 0.42)]));
            polygon(vec![at(-0.42, -1.1), at(0.42, -1.1), at(0.42, 1.1), at(-0.42, 1.1)])
        }
        MarkerShape::Cross => {
            let stroke = Stroke::new(1.5, colour);
            painter.line_segment([at(-0.8, -0.8), at(0.8, 0.8)], stroke);
            Shape::line_segment([at(-0.8, 0.8), at(0.8, -0.8)], stroke)
        }
        _ => Shape::circle_filled(centre, radius, colour),
    };
    painter.add(shape);
}

/// Whether a symbol of radius 1 covers this point, y pointing down; the same outlines as [`paint_shape`].
pub fn covers(shape: MarkerShape, x: f32, y: f32) -> bool {
    // A triangle with its tip at (0, −1.15) and its base at y = 0.9.
    let triangle = |y: f32| y <= 0.9 && x.abs() <= (y + 1.15) * (1.15 / 2.05);
    match shape {
        MarkerShape::Square => x.abs() <= 0.9 && y.abs() <= 0.9,
        MarkerShape::Up => triangle(y),
        MarkerShape::Down => triangle(-y),
        MarkerShape::Diamond => x.abs() + y.abs() <= 1.25,
        MarkerShape::Plus => (x.abs() <= 0.42 && y.abs() <= 1.1) || (x.abs() <= 1.1 && y.abs() <= 0.42),
        MarkerShape::Cross => (x.abs() - y.abs()).abs() <= 0.35 && x.abs() <= 0.8 && y.abs() <= 0.8,
        _ => x * x + y * y <= 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_labels_with_a_slot_have_different_symbols() {
        let look = |symbol: Symbol| (symbol.colour(true), symbol.shape());
        for i in 0..SYMBOLS - 1 {
            for j in 0..i {
                assert_ne!(look(Symbol::of(i)), look(Symbol::of(j)), "{i} {j}");
            }
            assert_ne!(look(Symbol::of(i)), look(Symbol::NONE));
            assert_eq!(Symbol::of_number(Symbol::of(i).number()), Symbol::of(i));
        }
        assert_eq!(Symbol::of(SYMBOLS), Symbol::NONE);
        assert_eq!(Symbol::of_number(Symbol::NONE.number()), Symbol::NONE);
    }
}
