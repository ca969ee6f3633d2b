//! What the selected file and its nearest sample share that few samples have: a reason that people can check.

use crate::app::controls::heading_ui;
use crate::app::session::Session;
use crate::app::theme::{Tokens, small};
use crate::escape;
use crate::sample::{Sha256, TraitKind};
use egui::{Label, RichText, Ui};

/// Traits shown, at most.
const SHOWN: usize = 5;

/// Draws what they share, if that is known and there is any.
pub fn shared_ui(ui: &mut Ui, session: &Session, file: Sha256) {
    let nearest = session.neighbours().first().map(|nearest| nearest.sha256);
    let why = session.why.as_ref().filter(|why| why.of[0] == file && Some(why.of[1]) == nearest);
    let Some(why) = why.filter(|why| !why.shared.is_empty()) else { return };
    ui.add_space(4.0);
    heading_ui(ui, "Shared with the nearest, and rare").on_hover_text(
        "Imports, exports and strings that both have and few samples of the library have. They are counted by hashes that the library keeps",
    );
    let tokens = Tokens::of(ui.visuals());
    for shared in why.shared.iter().take(SHOWN) {
        let kind = match shared.kind {
            TraitKind::Import => "imports",
            TraitKind::Export => "exports",
            TraitKind::String => "has",
        };
        let name = shared.name.as_deref().map_or_else(|| shared.hash_text(), escape::text);
        let counted = format!("in {} of {} samples", shared.counted.samples, shared.counted.of);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            ui.label(small(kind));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(small(counted));
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(Label::new(RichText::new(&name).monospace().color(tokens.text)).truncate())
                        .on_hover_text(&name);
                });
            });
        });
    }
}
