//! What the selected file looks like: a verdict in one sentence, and its nearest known samples.

use super::command::Command;
use super::session::{Selection, Session};
use super::textures::Textures;
use super::theme::{Symbol, closeness_bar};
use super::view::{Ask, View};
use crate::escape;
use crate::search::vote;
use egui::{Align, Button, DragValue, Image, Layout, Role, Sense, Ui, Vec2, WidgetInfo, load::SizedTexture};
use egui_extras::{Column, TableBuilder, TableRow};

const ROW: f32 = 34.0;
const PICTURE: f32 = 32.0;

/// Draws it for what is selected.
pub fn neighbours_ui(
    ui: &mut Ui,
    session: &Session,
    view: &mut View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    ui.horizontal(|ui| {
        let label = ui.strong("Nearest samples");
        let mut k = view.kept.k;
        let field = ui.add(DragValue::new(&mut k).range(1..=1000)).labelled_by(label.id);
        if field.on_hover_text("How many to list").changed() {
            out.push(Command::Neighbours(k));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let save = ui.add_enabled(!session.neighbours.is_empty(), Button::new("Save as CSV…"));
            let hint = match session.selection {
                Some(Selection::Asked(_)) => "The neighbours of every file that was looked at (Ctrl+S)",
                _ => "The neighbours of this sample (Ctrl+S)",
            };
            if save.on_hover_text(hint).clicked() {
                out.push(Command::Question(Ask::Neighbours));
            }
        });
    });
    if session.neighbours.is_empty() {
        ui.weak("The library holds no other sample.");
        return;
    }
    verdict_ui(ui, session);
    TableBuilder::new(ui)
        .id_salt("neighbours")
        .striped(true)
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::exact(22.0))
        .column(Column::exact(PICTURE))
        .column(Column::remainder().clip(true).at_least(80.0))
        .column(Column::initial(86.0).clip(true).resizable(true))
        .column(Column::exact(110.0))
        .auto_shrink([false, false])
        .header(18.0, |mut header| {
            for title in ["", "", "Sample", "Label", "Distance"] {
                header.col(|ui| {
                    ui.weak(title);
                });
            }
        })
        .body(|body| {
            body.rows(ROW, session.neighbours.len(), |row| row_ui(row, session, view, textures, out));
        });
}

/// How sure: how many of the nearest agree, weighted by closeness, and how near the nearest is.
fn verdict_ui(ui: &mut Ui, session: &Session) {
    let labels = session.neighbours.iter().map(|n| (session.label_of.get(n.index).copied(), n.distance));
    let Some(verdict) = vote(labels) else {
        return;
    };
    let (label, known) = match verdict.label.and_then(|i| session.labels.get(i)) {
        Some((label, known)) => (label.as_deref(), *known),
        None => (None, 0),
    };
    let name = label.map_or_else(|| "(no label)".to_owned(), escape::text);
    // A sample is not its own neighbour.
    let itself = match session.selection {
        Some(Selection::Known(row)) => session.label_of.get(row).copied() == verdict.label,
        _ => false,
    };
    let all = label.is_some() && verdict.agreeing + usize::from(itself) == known;
    ui.horizontal_wrapped(|ui| {
        Symbol::of(verdict.label).ui(ui);
        ui.label(format!("{} of {} are", verdict.agreeing, session.neighbours.len()));
        ui.strong(format!("{name},"));
        if all && verdict.agreeing < session.neighbours.len() {
            ui.label("all that the library has of it;");
        }
        ui.label(format!("the nearest lies at {:.3}", verdict.nearest));
        if let Some(usual) = session.usual_distance {
            let far = verdict.nearest > usual;
            let text = if far { "further than 95 % of the library's own samples: unlike anything known" } else { "as near as the library's own samples lie to each other" };
            ui.weak(format!("({text})")).on_hover_text(format!(
                "Of the library's samples, 95 % have a nearest neighbour within {usual:.3}. Distances go from 0 (same) to 2 (opposite)."
            ));
        }
    });
}

fn row_ui(
    mut row: TableRow<'_, '_>,
    session: &Session,
    view: &View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    let i = row.index();
    let Some(neighbour) = session.neighbours.get(i) else { return };
    let Some(entry) = session.contents.entries.get(neighbour.index) else { return };
    let this = Selection::Known(neighbour.index);
    row.set_selected(view.marked == Some(this));
    let symbol = Symbol::of(entry.label.as_ref().and(session.label_of.get(neighbour.index).copied()));
    row.col(|ui| {
        ui.weak((i + 1).to_string());
    });
    row.col(|ui| {
        if let Some(texture) = textures.stored(ui.ctx(), entry.sha256, entry.id, session.library.as_ref()) {
            let image = ui.add(Image::from_texture(SizedTexture::new(texture.id(), Vec2::splat(PICTURE))));
            image.widget_info(|| WidgetInfo::labeled(Role::Image, true, "picture of the sample"));
        }
    });
    row.col(|ui| {
        let name = Button::selectable(false, escape::file_name(&entry.path)).truncate();
        let response = ui.add(name).on_hover_ui(|ui| {
            ui.label(escape::path(&entry.path));
            ui.weak("Click: show it on the map. Double click: look at it.");
        });
        if response.double_clicked() {
            out.push(Command::Select(Some(this)));
        } else if response.clicked() {
            out.push(Command::Jump(this));
        }
    });
    row.col(|ui| {
        symbol.ui(ui);
        ui.add(
            egui::Label::new(entry.label.as_deref().map_or_else(|| "–".to_owned(), escape::text)).truncate(),
        );
    });
    row.col(|ui| {
        closeness_bar(ui, neighbour.distance, symbol.colour);
        ui.monospace(format!("{:.4}", neighbour.distance))
            .on_hover_text("Cosine distance: 0 same, 2 opposite");
    });
    let response = row.response();
    if response.double_clicked() {
        out.push(Command::Select(Some(this)));
    } else if response.clicked() {
        out.push(Command::Jump(this));
    }
}
