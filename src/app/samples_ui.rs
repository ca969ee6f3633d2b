//! The left side: labels with their symbols and counts (the legend of the map), and samples.

use super::command::Command;
use super::session::{Selection, Session};
use super::theme::{Symbol, size_text};
use super::view::{Listed, View};
use crate::escape;
use egui::{ScrollArea, TextEdit, Ui};

const ROW: f32 = 20.0;

/// Draws it.
pub fn samples_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.take_available_width();
    ui.add_space(4.0);
    if !session.asked.is_empty() {
        asked_ui(ui, session, out);
        ui.separator();
    }
    if session.contents.entries.is_empty() {
        folder_ui(ui, session);
        return;
    }
    ui.horizontal(|ui| {
        ui.strong("Labels");
        ui.weak(format!("{}", session.labels.len()));
        if view.only_label.is_some() && ui.small_button("Show all").on_hover_text("Escape").clicked() {
            view.only_label = None;
        }
    });
    let height = (ui.available_height() * 0.45).min(session.labels.len() as f32 * (ROW + 6.0) + 8.0);
    ScrollArea::vertical().id_salt("labels").max_height(height).auto_shrink([false, true]).show_rows(
        ui,
        ROW,
        session.labels.len(),
        |ui, rows| {
            for i in rows {
                label_ui(ui, session, view, i);
            }
        },
    );
    ui.separator();
    list_ui(ui, session, view, out);
}

/// What was asked about.
fn asked_ui(ui: &mut Ui, session: &Session, out: &mut Vec<Command>) {
    ui.strong("Looked at");
    let height = (session.asked.len() as f32 * (ROW + 9.0)).min(160.0);
    ScrollArea::vertical().id_salt("asked").max_height(height).auto_shrink([false, true]).show_rows(
        ui,
        ROW,
        session.asked.len(),
        |ui, rows| {
            for i in rows {
                let Some(asked) = session.asked.get(i) else { continue };
                let selected = session.selection == Some(Selection::Asked(i));
                ui.horizontal(|ui| {
                    if ui.small_button("✖").on_hover_text("Forget this file").clicked() {
                        out.push(Command::Forget(i));
                    }
                    let name =
                        egui::Button::selectable(selected, escape::file_name(&asked.sample.path)).truncate();
                    if ui.add(name).on_hover_text(escape::path(&asked.sample.path)).clicked() {
                        out.push(Command::Select(Some(Selection::Asked(i))));
                    }
                });
            }
        },
    );
}

/// Before anything is in the library: what the open folder holds.
fn folder_ui(ui: &mut Ui, session: &Session) {
    let Some(folder) = &session.folder else {
        ui.weak("No samples yet.");
        return;
    };
    ui.strong(escape::file_name(&folder.path)).on_hover_text(escape::path(&folder.path));
    ui.weak(format!("{} files, not trained on yet", folder.set.samples.len()));
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for sample in &folder.set.samples {
        *counts.entry(sample.label.as_deref().unwrap_or("(no label)")).or_default() += 1;
    }
    ScrollArea::vertical().id_salt("folder").auto_shrink([false, false]).show_rows(
        ui,
        ROW,
        counts.len(),
        |ui, rows| {
            for (i, (label, n)) in counts.iter().enumerate().skip(rows.start).take(rows.len()) {
                ui.horizontal(|ui| {
                    Symbol::of(Some(i)).ui(ui);
                    ui.add(egui::Label::new(escape::text(label)).truncate());
                    ui.weak(n.to_string());
                });
            }
        },
    );
}

fn label_ui(ui: &mut Ui, session: &Session, view: &mut View, i: usize) {
    let Some((label, count)) = session.labels.get(i) else { return };
    ui.horizontal(|ui| {
        Symbol::of(label.as_ref().map(|_| i)).ui(ui);
        let name = label.as_deref().map_or_else(|| "(no label)".to_owned(), escape::text);
        let text = format!("{name}  {count}");
        let only = view.only_label == Some(i);
        let row = egui::Button::selectable(only, text).truncate();
        if ui.add(row).on_hover_text("Show only this label, or all again").clicked() {
            view.only_label = (!only).then_some(i);
        }
    });
}

fn list_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        let label = ui.strong("Samples");
        let field =
            TextEdit::singleline(&mut view.filter).hint_text("part of a name").desired_width(f32::INFINITY);
        ui.add(field).labelled_by(label.id);
    });
    let everything = view.filter.is_empty() && view.only_label.is_none();
    if !everything {
        list_anew(session, view);
    }
    let rows = &view.listed.rows;
    let total = if everything { session.contents.entries.len() } else { rows.len() };
    if total == 0 {
        ui.weak("No sample has that in its name.");
    }
    ScrollArea::vertical().id_salt("samples").auto_shrink([false, false]).show_rows(
        ui,
        ROW,
        total,
        |ui, range| {
            for i in range {
                let row = if everything { Some(i) } else { rows.get(i).copied() };
                let Some((row, entry)) = row.and_then(|row| Some((row, session.contents.entries.get(row)?)))
                else {
                    continue;
                };
                ui.horizontal(|ui| {
                    let label = session.label_of.get(row).copied();
                    Symbol::of(entry.label.as_ref().and(label)).ui(ui);
                    let selected = session.selection == Some(Selection::Known(row));
                    let name = egui::Button::selectable(selected, escape::file_name(&entry.path)).truncate();
                    let hint = || {
                        format!("{}\n{}, {}", escape::path(&entry.path), entry.kind, size_text(entry.size))
                    };
                    if ui
                        .add(name)
                        .on_hover_ui(|ui| {
                            ui.label(hint());
                        })
                        .clicked()
                    {
                        out.push(Command::Select(Some(Selection::Known(row))));
                    }
                });
            }
        },
    );
}

/// Walks all samples, if the filter or the library has changed since the last walk.
fn list_anew(session: &Session, view: &mut View) {
    let by = (view.filter.to_lowercase(), view.only_label, session.edition);
    if view.listed.by == by {
        return;
    }
    let (wanted, only, _) = &by;
    let shown = |row: &usize| {
        only.is_none_or(|label| session.label_of.get(*row) == Some(&label))
            && (wanted.is_empty()
                || session.contents.entries.get(*row).is_some_and(|entry| {
                    entry.path.to_string_lossy().to_lowercase().contains(wanted)
                        || entry.sha256.to_string().starts_with(wanted)
                }))
    };
    let rows = (0..session.contents.entries.len()).filter(shown).collect();
    view.listed = Listed { by, rows };
}
