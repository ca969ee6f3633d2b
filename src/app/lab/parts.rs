//! Shared by all parts of the lesson: the heading of a part with its "Why?", cards, plots that leave the wheel to the page,
//! and formats of numbers.

use crate::app::theme::{Tokens, heading, small};
use egui::{
    Align, CollapsingHeader, Color32, Frame, Layout, Response, RichText, Role, Stroke, Ui, WidgetInfo,
};
use egui_plot::{Line, LineStyle, Plot, PlotPoints};

/// The parts of the lesson, in their order.
pub const PARTS: [&str; 8] = [
    "The cause",
    "Two modes",
    "Where files go",
    "Repair",
    "Layer by layer",
    "A file's company",
    "Try it yourself",
    "With and without",
];
/// Width of running text, at most: longer lines are hard to read.
const LINE: f32 = 900.0;

/// Where the parts are drawn, and which one the page scrolls to.
#[derive(Default)]
pub struct Page {
    /// The part to scroll to, from 1.
    pub jump: Option<usize>,
    /// The top of each part that was drawn.
    pub tops: [Option<f32>; PARTS.len()],
}

impl Page {
    /// Notes that part `number`, from 1, begins at the cursor, and scrolls there if it was asked for.
    pub fn begin(&mut self, ui: &Ui, number: usize) {
        let at = ui.cursor().left_top();
        if let Some(top) = number.checked_sub(1).and_then(|i| self.tops.get_mut(i)) {
            *top = Some(at.y);
        }
        if self.jump == Some(number) {
            let rect = egui::Rect::from_min_size(at, egui::vec2(1.0, 24.0));
            ui.scroll_to_rect(rect, Some(Align::TOP));
        }
    }
}

/// Draws the heading of a part: its number, its title, and `aside` at the right.
pub fn part_head_ui(ui: &mut Ui, page: &mut Page, number: usize, title: &str, aside: impl FnOnce(&mut Ui)) {
    page.begin(ui, number);
    ui.horizontal(|ui| {
        ui.set_min_height(24.0);
        let head = ui.label(heading(format!("{number}   {title}")));
        head.widget_info(|| WidgetInfo::labeled(Role::Heading, true, format!("{number} {title}")));
        ui.with_layout(Layout::right_to_left(Align::Center), aside);
    });
}

/// Draws a part that fills the width: its heading, its content, and its "Why?".
pub fn part_ui(
    ui: &mut Ui,
    page: &mut Page,
    (number, title): (usize, &str),
    why: &str,
    content: impl FnOnce(&mut Ui),
) {
    ui.add_space(14.0);
    part_head_ui(ui, page, number, title, |_| ());
    content(ui);
    why_ui(ui, number, why);
}

/// Draws the "Why?" of a part, which unfolds. The first is open.
pub fn why_ui(ui: &mut Ui, number: usize, why: &str) {
    CollapsingHeader::new(RichText::new("Why?").weak())
        .id_salt(("lab-why", number))
        .default_open(number == 1)
        .show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(LINE));
            ui.label(why);
        });
}

/// Draws a card around `content`, with a stripe in this colour at its left.
pub fn card_ui<R>(ui: &mut Ui, stripe: Option<Color32>, content: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = Tokens::of(ui.visuals());
    let shown = Frame::new()
        .fill(tokens.raised)
        .stroke(Stroke::new(1.0, tokens.divider))
        .corner_radius(6)
        .inner_margin(egui::Margin {
            left: if stripe.is_some() { 18 } else { 14 },
            right: 14,
            top: 12,
            bottom: 12,
        })
        .show(ui, content);
    if let Some(colour) = stripe {
        let mut edge = shown.response.rect;
        edge.set_width(6.0);
        let painter =
            ui.painter().with_clip_rect(edge.with_max_x(edge.left() + 4.0).intersect(ui.clip_rect()));
        painter.rect_filled(edge.with_max_x(edge.left() + 14.0), 6.0, colour);
    }
    shown.inner
}

/// A paragraph of running text.
pub fn text_ui(ui: &mut Ui, text: &str) {
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width().min(LINE));
        ui.weak(text);
    });
}

/// A caption.
pub fn note_ui(ui: &mut Ui, text: &str) {
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width().min(LINE));
        ui.label(small(text));
    });
}

/// Draws columns side by side, or one below the other where each would be narrower than `least`.
pub fn beside(ui: &mut Ui, least: f32, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    if ui.available_width() < 2.0 * least {
        left(ui);
        ui.add_space(8.0);
        right(ui);
        return;
    }
    ui.columns(2, |columns| {
        let [first, second] = columns else { return };
        left(first);
        right(second);
    });
}

/// A plot that neither zooms nor pans, so that the wheel scrolls the page.
pub fn still_plot<'a>(id: &str, height: f32) -> Plot<'a> {
    Plot::new(id.to_owned())
        .height(height)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .show_x(false)
        .show_y(false)
}

/// Gives a plot the name that a screen reader reads.
pub fn name_plot(response: &Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, name));
}

/// A line through `points`, few enough to be drawn unreduced.
pub fn line<'a>(name: &str, colour: Color32, style: LineStyle, points: Vec<[f64; 2]>) -> Line<'a> {
    Line::new(name.to_owned(), PlotPoints::from(points)).color(colour).style(style).width(2.0)
}

/// "98.2 %"; "× 41" from ten times the whole.
pub fn percent(share: f64) -> String {
    if share > 9.995 { format!("× {share:.0}") } else { format!("{:.1} %", share * 100.0) }
}

/// "− 0.2", or "+ 0.2" for a negative value: subtracts it from an x before it.
pub fn minus(value: f64) -> String {
    let sign = if value < 0.0 { '+' } else { '−' };
    format!("{sign} {}", number(value.abs()))
}

/// A number with its significant digits.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "not a number".into()
    } else if size == 0.0 {
        "0".into()
    } else if size < 1e-3 {
        format!("{value:.1e}")
    } else if size < 1.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.2}")
    }
}

/// A setting as it is written: "0.99".
pub fn plain(value: f64) -> String {
    ((value * 1e4).round() / 1e4).to_string()
}

/// An exponent in raised digits: "⁴⁰".
pub fn raised(exponent: u64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    exponent.to_string().chars().filter_map(|c| DIGITS.get(c.to_digit(10)? as usize)).collect()
}

/// Draws a formula with its numbers.
pub fn formula_ui(ui: &mut Ui, text: impl Into<String>) {
    ui.add(egui::Label::new(RichText::new(text).monospace()).wrap());
}
