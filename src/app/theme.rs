//! The look of the window: colours, sizes and spacing.

use super::message::Tone;
use egui::{Color32, Rect, Sense, Ui, vec2};

/// Train mode, in curves.
pub const TRAIN_MODE: Color32 = Color32::from_rgb(0x56, 0xb4, 0xe9);
/// Eval mode, in curves; also dashed.
pub const EVAL_MODE: Color32 = Color32::from_rgb(0xe6, 0x9f, 0x00);
/// Recall, in curves; also dotted.
pub const RECALL: Color32 = Color32::from_rgb(0x00, 0x9e, 0x73);
/// The loss, in curves.
pub const LOSS: Color32 = Color32::from_rgb(0xcc, 0x79, 0xa7);
/// Queried samples, on the map.
pub const QUERIED: Color32 = Color32::from_rgb(0xff, 0x4d, 0x6d);
/// Samples that are not in focus.
pub const FADED: Color32 = Color32::from_gray(0x70);

/// The mark and the colour of a tone.
pub fn tone_mark(tone: Tone) -> (&'static str, Color32) {
    match tone {
        Tone::Good => ("✔", Color32::from_rgb(0x4c, 0xb7, 0x82)),
        Tone::Note => ("ℹ", Color32::from_rgb(0xe6, 0x9f, 0x00)),
        Tone::Bad => ("⚠", Color32::from_rgb(0xff, 0x6b, 0x57)),
    }
}

/// Draws a distance as a bar: full for 0, empty from 1 on.
pub fn closeness_bar(ui: &mut Ui, distance: f32, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(46.0, 8.0), Sense::hover());
    let share = (1.0 - distance).clamp(0.0, 1.0);
    let painter = ui.painter();
    painter.rect_filled(rect, 2.0, ui.visuals().extreme_bg_color);
    let full = Rect::from_min_size(rect.min, vec2(rect.width() * share, rect.height()));
    painter.rect_filled(full, 2.0, colour);
}

/// Sets the sizes and spacing of the whole window.
pub fn apply(ctx: &egui::Context) {
    ctx.all_styles_mut(|style| {
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.spacing.button_padding = vec2(8.0, 4.0);
        style.visuals.striped = true;
        let grey = if style.visuals.dark_mode { 0xa0 } else { 0x60 };
        style.visuals.weak_text_color = Some(Color32::from_gray(grey));
    });
}
