//! Legends: beside or below a chart, where they cover no curve.

use crate::app::theme::{Tokens, small};
use egui::{Color32, Pos2, Sense, Shape, Stroke, Ui, vec2};

/// How an entry is drawn in the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Solid,
    /// A dashed line.
    Dashed,
    /// A dotted line.
    Dotted,
    /// Points.
    Point,
    /// Arrows.
    Arrow,
}

/// Draws a legend, in as many rows as it needs.
pub fn legend_ui(ui: &mut Ui, entries: &[(Mark, Color32, &str)]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for (mark, colour, text) in entries {
            mark_ui(ui, *mark, *colour);
            ui.label(small(*text));
            ui.add_space(8.0);
        }
    });
}

/// Draws the mark of an entry.
pub fn mark_ui(ui: &mut Ui, mark: Mark, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(20.0, 14.0), Sense::hover());
    let ends = [rect.left_center(), rect.right_center()];
    let stroke = Stroke::new(2.0, colour);
    let painter = ui.painter();
    match mark {
        Mark::Solid => {
            painter.line_segment(ends, stroke);
        }
        Mark::Dashed => {
            painter.extend(Shape::dashed_line(&ends, stroke, 5.0, 3.0));
        }
        Mark::Dotted => {
            painter.extend(Shape::dotted_line(&ends, colour, 5.0, 1.5));
        }
        Mark::Point => {
            painter.circle_filled(rect.center(), 3.5, colour);
        }
        Mark::Arrow => {
            let tip: Pos2 = rect.right_center();
            painter.line_segment(ends, Stroke::new(1.5, colour));
            for y in [-3.5, 3.5] {
                painter.line_segment([tip, tip + vec2(-4.5, y)], Stroke::new(1.5, colour));
            }
        }
    }
}

/// The colour of text that a chart does not colour.
pub fn plain(ui: &Ui) -> Color32 {
    Tokens::of(ui.visuals()).text2
}
