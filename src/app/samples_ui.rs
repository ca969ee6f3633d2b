//! The left panel: queried samples, labels with their symbols and counts (the legend of the map), and the
//! library's samples.

use super::command::Command;
use super::focus::Focus;
use super::selection::Selection;
use super::session::Session;
use super::symbol::Symbol;
use super::view::View;
use crate::escape;
use crate::library::{Entry, Labels};
use egui::{Role, ScrollArea, TextEdit, Ui, WidgetInfo};
use indicatif::HumanBytes;

const ROW: f32 = 20.0;

/// Draws the panel: queried samples, labels and library samples, or the open folder while the library is empty.
pub fn samples_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.take_available_width();
    ui.add_space(4.0);
    if !session.queried.is_empty() {
        queried_ui(ui, session, out);
        ui.separator();
    }
    if session.contents.is_empty() {
        folder_ui(ui, session);
        return;
    }
    let labels = session.contents.labels().counts();
    ui.horizontal(|ui| {
        ui.strong("Labels");
        ui.weak(labels.len().to_string());
        if view.focus.is_some() && ui.small_button("All labels").on_hover_text("Clears the focus").clicked() {
            view.focus = None;
        }
    });
    let height = (ui.available_height() * 0.45).min(labels.len() as f32 * (ROW + 6.0) + 8.0);
    ScrollArea::vertical().id_salt("labels").max_height(height).auto_shrink([false, true]).show_rows(
        ui,
        ROW,
        labels.len(),
        |ui, rows| {
            for i in rows {
                label_ui(ui, session, view, i);
            }
        },
    );
    ui.separator();
    list_ui(ui, session, view, out);
}

/// Draws the queried samples, each with a button that removes it.
fn queried_ui(ui: &mut Ui, session: &Session, out: &mut Vec<Command>) {
    ui.strong("Queried");
    let height = (session.queried.len() as f32 * (ROW + 9.0)).min(160.0);
    ScrollArea::vertical().id_salt("queried").max_height(height).auto_shrink([false, true]).show_rows(
        ui,
        ROW,
        session.queried.len(),
        |ui, rows| {
            for queried in session.queried.iter().skip(rows.start).take(rows.len()) {
                let sample = &queried.sample;
                let this = Selection::Queried(sample.sha256);
                let selected = session.selection == Some(this);
                ui.horizontal(|ui| {
                    let forget = Command::Forget(sample.sha256);
                    let about = forget.about();
                    let remove = ui.small_button("✖").on_hover_text(about.hint);
                    remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, about.text));
                    if remove.clicked() {
                        out.push(forget);
                    }
                    let name = egui::Button::selectable(selected, escape::file_name(&sample.path)).truncate();
                    if ui.add(name).on_hover_text(escape::path(&sample.path)).clicked() {
                        out.push(Command::Select(Some(this)));
                    }
                });
            }
        },
    );
}

/// Draws the labels of the open folder with their counts.
fn folder_ui(ui: &mut Ui, session: &Session) {
    let Some(folder) = &session.folder else {
        ui.weak("No samples yet.");
        return;
    };
    ui.strong(escape::file_name(&folder.path)).on_hover_text(escape::path(&folder.path));
    ui.weak(format!("{} files, not trained on yet", folder.set.samples.len()));
    let labels = Labels::new(folder.set.samples.iter().map(|sample| sample.label.as_deref()));
    let counts = labels.counts();
    ScrollArea::vertical().id_salt("folder").auto_shrink([false, false]).show_rows(
        ui,
        ROW,
        counts.len(),
        |ui, rows| {
            for (i, (label, n)) in counts.iter().enumerate().skip(rows.start).take(rows.len()) {
                ui.horizontal(|ui| {
                    Symbol::of(label.as_ref().map(|_| i)).ui(ui);
                    ui.add(egui::Label::new(escape::label(label.as_deref())).truncate());
                    ui.weak(n.to_string());
                });
            }
        },
    );
}

/// Draws one label, which a click puts in focus.
fn label_ui(ui: &mut Ui, session: &Session, view: &mut View, i: usize) {
    let Some((label, count)) = session.contents.labels().counts().get(i) else { return };
    ui.horizontal(|ui| {
        Symbol::of(label.as_ref().map(|_| i)).ui(ui);
        let text = format!("{}  {count}", escape::label(label.as_deref()));
        let focus = Focus(label.clone());
        let in_focus = view.focus.as_ref() == Some(&focus);
        let row = egui::Button::selectable(in_focus, text).truncate();
        if ui.add(row).on_hover_text("Shows only this label; click again to show all").clicked() {
            view.focus = (!in_focus).then_some(focus);
        }
    });
}

/// Draws the filter and the samples that match it and the focus.
fn list_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        let label = ui.strong("Samples");
        let field =
            TextEdit::singleline(&mut view.filter).hint_text("path or SHA-256").desired_width(f32::INFINITY);
        ui.add(field).labelled_by(label.id);
    });
    let everything = view.filter.is_empty() && view.focus.is_none();
    if !everything {
        view.listed.refresh(&session.contents, session.edition, &view.filter, view.focus.as_ref());
    }
    let rows = &view.listed.rows;
    let total = if everything { session.contents.len() } else { rows.len() };
    if total == 0 {
        ui.weak("No sample matches.");
    }
    ScrollArea::vertical().id_salt("samples").auto_shrink([false, false]).show_rows(
        ui,
        ROW,
        total,
        |ui, range| {
            for i in range {
                let row = if everything { Some(i) } else { rows.get(i).copied() };
                if let Some(entry) = row.and_then(|row| session.contents.at(row)) {
                    sample_ui(ui, session, &entry, out);
                }
            }
        },
    );
}

/// Draws one sample, which a click selects.
fn sample_ui(ui: &mut Ui, session: &Session, entry: &Entry<'_>, out: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        Symbol::of(entry.label.map(|_| entry.label_index)).ui(ui);
        let this = Selection::InLibrary(entry.sha256);
        let name = egui::Button::selectable(session.selection == Some(this), escape::file_name(entry.path))
            .truncate();
        let response = ui.add(name).on_hover_ui(|ui| {
            ui.label(format!("{}\n{}, {}", escape::path(entry.path), entry.kind, HumanBytes(entry.size)));
        });
        if response.clicked() {
            out.push(Command::Select(Some(this)));
        }
    });
}
