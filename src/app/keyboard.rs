//! Moving the keyboard's focus to where a key of the window sends it.

use egui::{Context, FocusDirection, Memory};

/// Gives the focus to the widget that is drawn next and can have it.
pub fn give_focus_to_next(ctx: &Context) {
    ctx.memory_mut(|memory: &mut Memory| {
        if let Some(focused) = memory.focused() {
            memory.surrender_focus(focused);
        }
        memory.move_focus(FocusDirection::Next);
    });
}
