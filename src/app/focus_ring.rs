//! The focus ring: a line around the widget that has the keyboard's focus, whatever it is.

use super::theme::Tokens;
use egui::{Context, Stroke, StrokeKind};

/// Distance of the ring from the widget, in points.
const GAP: f32 = 1.0;

/// Draws the ring. To be called at the end of a frame.
pub fn focus_ring(ctx: &Context) {
    // To ask for the response of a list whose row was clicked would take the focus from it: the click was not on itself.
    if ctx.input(|input| input.pointer.any_click()) {
        return;
    }
    let Some(response) = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id)) else {
        return;
    };
    let rect = response.interact_rect;
    // A field shows its focus by its caret too, but only its edge is seen from afar.
    if rect.is_positive() {
        let accent = Tokens::of(&ctx.global_style().visuals).accent;
        let painter = ctx.layer_painter(response.layer_id);
        painter.rect_stroke(rect.expand(GAP), 5.0, Stroke::new(2.0, accent), StrokeKind::Middle);
    }
}
