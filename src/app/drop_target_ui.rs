//! What is drawn while files are held over the window.

use egui::{Align2, Color32, Id, LayerId, Order, TextStyle, Ui};

/// Draws, while files are held over the window, that they can be dropped anywhere.
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
        "Drop to query it",
        TextStyle::Heading.resolve(ui.style()),
        Color32::WHITE,
    );
}
