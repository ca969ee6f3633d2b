//! The facts of one program: entry point, link time, signature, overlay, libraries, and imported and exported
//! functions.

use crate::escape;
use crate::export::{known, linked, symbol};
use crate::sample::facts::{Fact, Import, Program};
use egui::{CollapsingHeader, Grid, Label, ScrollArea, TextStyle, Ui};
use indicatif::HumanBytes;

/// Rows of a list that are visible without scrolling.
const VISIBLE: usize = 10;

/// Draws the facts of a program, except its sections.
pub fn program_ui(ui: &mut Ui, program: &Program) {
    let none = || "none".to_owned();
    let mut rows = vec![(
        "Entry point",
        known(&program.entry, |entry| entry.map_or_else(none, |entry| format!("0x{entry:x}"))),
        "Address of the first instruction, with the preferred image base",
    )];
    if let Some(linked) = linked(program) {
        rows.push((
            "Linked",
            linked,
            "Link time in the header, in UTC. Reproducible builds store a hash here",
        ));
    }
    let signed = |signed: &bool| if *signed { "present" } else { "none" }.to_owned();
    rows.push(("Signature", known(&program.signed, signed), "Whether there is one; not verified"));
    let overlay = known(&program.overlay, |overlay| {
        overlay.map_or_else(none, |overlay| format!("{} at 0x{:x}", HumanBytes(overlay.size), overlay.offset))
    });
    rows.push(("Overlay", overlay, "Bytes after the last part that the header describes"));
    Grid::new("program").num_columns(2).spacing([10.0, 3.0]).show(ui, |ui| {
        for (name, value, hint) in rows {
            ui.weak(name).on_hover_text(hint);
            ui.add(Label::new(value).wrap());
            ui.end_row();
        }
    });
    list_ui(ui, "Libraries", &program.libraries, |name| escape::text(name));
    list_ui(ui, "Imports", &program.imports, import);
    list_ui(ui, "Exports", &program.exports, |name| escape::text(name));
}

fn import(import: &Import) -> String {
    let library = import.library.as_deref().map(|library| format!("{}  ", escape::text(library)));
    let delayed = if import.delayed { "  (delayed)" } else { "" };
    format!("{}{}{delayed}", library.unwrap_or_default(), symbol(&import.symbol))
}

/// Draws a list as a section that can be expanded. Only the visible rows are laid out.
fn list_ui<T>(ui: &mut Ui, name: &str, list: &Fact<Vec<T>>, show: impl Fn(&T) -> String) {
    let all = match list {
        Some(all) if !all.is_empty() => all,
        empty => {
            let count = if empty.is_some() { "none" } else { "unknown" };
            ui.horizontal(|ui| {
                ui.weak(name);
                ui.label(count);
            });
            return;
        }
    };
    CollapsingHeader::new(format!("{name}: {}", all.len())).id_salt(name).show(ui, |ui| {
        let height = ui.text_style_height(&TextStyle::Monospace);
        let most = height * VISIBLE as f32 + ui.spacing().item_spacing.y * VISIBLE as f32;
        ScrollArea::vertical().id_salt(name).max_height(most).auto_shrink([false, true]).show_rows(
            ui,
            height,
            all.len(),
            |ui, range| {
                for one in all.get(range).unwrap_or_default() {
                    ui.add(Label::new(egui::RichText::new(show(one)).monospace()).truncate());
                }
            },
        );
    });
}
