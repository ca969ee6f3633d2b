//! Text that is painted into a rectangle: aligned, cut where it does not fit, and a single row. Rows of lists are
//! painted, so that a row is one thing for the keyboard and for screen readers.

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align2, Color32, FontId, Galley, Painter, Rect, Ui};
use std::sync::Arc;

/// How painted text looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Ink {
    /// Size and family.
    pub font: FontId,
    /// Its colour.
    pub colour: Color32,
    /// Its weight, 400 to 600.
    pub weight: f32,
}

impl Ink {
    /// Body text.
    pub fn body(colour: Color32) -> Self {
        Self { font: FontId::proportional(13.0), colour, weight: 400.0 }
    }

    /// Units and captions.
    pub fn small(colour: Color32) -> Self {
        Self { font: FontId::proportional(12.0), ..Self::body(colour) }
    }

    /// A title.
    pub fn title(colour: Color32) -> Self {
        Self { font: FontId::proportional(20.0), colour, weight: 600.0 }
    }

    /// The same with more weight.
    pub fn weight(self, weight: f32) -> Self {
        Self { weight, ..self }
    }

    fn format(&self) -> TextFormat {
        let mut format = TextFormat::simple(self.font.clone(), self.colour);
        format.coords.push("wght", self.weight);
        format
    }
}

/// One row of text, cut at its end where it is wider than `width`.
pub fn layout(painter: &Painter, text: &str, ink: &Ink, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::single_section(text.to_owned(), ink.format());
    job.wrap = TextWrapping::truncate_at_width(width);
    painter.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Paints one row of text into `rect`, cut at its end where it does not fit. Returns where it is.
pub fn text(ui: &Ui, rect: Rect, align: Align2, text: &str, ink: &Ink) -> Rect {
    let galley = layout(ui.painter(), text, ink, rect.width().max(0.0));
    let at = align.align_size_within_rect(galley.size(), rect);
    ui.painter().galley(at.min, galley, ink.colour);
    at
}

/// Paints the name of a file, cut in its middle: both ends tell files apart.
pub fn name(ui: &Ui, rect: Rect, align: Align2, name: &str, ink: &Ink) -> Rect {
    text(ui, rect, align, &cut(ui, name, ink, rect.width()), ink)
}

/// `name` with its middle left out, as long as fits into `width`.
pub fn cut(ui: &Ui, name: &str, ink: &Ink, width: f32) -> String {
    let fits = |text: &str| layout(ui.painter(), text, ink, f32::INFINITY).size().x <= width;
    if fits(name) {
        return name.to_owned();
    }
    let chars: Vec<char> = name.chars().collect();
    let with = |kept: usize| -> String {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let end = &chars[chars.len() - tail.min(chars.len())..];
        chars.iter().take(head).chain(['…'].iter()).chain(end).collect()
    };
    let (mut low, mut high) = (1, chars.len().saturating_sub(1));
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(&with(middle)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    with(low)
}

/// A distance with three decimals. What is not quite 0 is said not to be.
pub fn distance_text(distance: f32) -> String {
    if distance > 0.0 && distance < 0.0005 { "< 0.001".to_owned() } else { format!("{distance:.3}") }
}
