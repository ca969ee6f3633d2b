//! The notice shown while files are dragged over the window.

use egui::{Align2, Color32, Id, LayerId, Order, TextStyle, Ui};

/// Covers the window with a notice while files are dragged over it.
pub fn drop_target_ui(ui: &Ui) {
    if ui.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let rect = ui.content_rect();
    let painter = ui.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop-target")));
    painter.rect_filled(rect, 0.0, Color32::from_black_alpha(180));
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        "Drop anywhere to open",
        TextStyle::Heading.resolve(ui.style()),
        Color32::WHITE,
    );
}
