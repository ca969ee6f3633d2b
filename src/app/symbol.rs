//! The symbol of a label: a colour and a shape.
//!
//! The colours are those of Okabe and Ito (2008), which people with the common kinds of colour blindness can
//! distinguish. Combined with five shapes they distinguish 35 labels, not by colour alone.

use egui::{Color32, Painter, Pos2, Response, Sense, Shape, Stroke, Ui, Vec2, vec2};
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

/// The colour and the shape of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its colour.
    pub colour: Color32,
    /// Its shape.
    pub shape: MarkerShape,
}

impl Symbol {
    /// The symbol of the label at `index`; `None` for samples without a label.
    pub fn of(index: Option<usize>) -> Self {
        match index {
            None => Self { colour: Color32::GRAY, shape: MarkerShape::Cross },
            Some(i) => Self {
                colour: COLOURS[i % COLOURS.len()],
                // The shape changes after each round of colours.
                shape: SHAPES[(i / COLOURS.len()) % SHAPES.len()],
            },
        }
    }

    /// The symbol with this number: first those of labels, then that of "(no label)".
    pub fn of_number(number: u8) -> Self {
        Self::of(((number as usize) < COLOURS.len() * SHAPES.len()).then_some(number as usize))
    }

    /// Draws the symbol around `centre`.
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

    /// Draws the symbol in line with text.
    pub fn ui(self, ui: &mut Ui) -> Response {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(12.0), Sense::hover());
        self.paint(ui.painter(), rect.center(), 5.0);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_five_labels_have_different_symbols() {
        for i in 0..35 {
            for j in 0..i {
                assert_ne!(Symbol::of(Some(i)), Symbol::of(Some(j)));
            }
        }
        assert_ne!(Symbol::of(None), Symbol::of(Some(0)));
    }
}
