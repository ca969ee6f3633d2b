//! The neighbours of the selected file, and a verdict in one sentence.

use super::textures::Textures;
use crate::app::command::Command;
use crate::app::command_ui::command_button;
use crate::app::facts::Facts;
use crate::app::question::Purpose;
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::symbol::Symbol;
use crate::app::theme::closeness_bar;
use crate::app::view::View;
use crate::escape;
use crate::library::Neighbour;
use crate::model::Cosines;
use crate::search::vote;
use crate::view::Packed;
use crate::workflow::{Near, Verdict, model_name, packed_text, percent};
use egui::{Align, Button, DragValue, Image, Layout, Role, Sense, Ui, Vec2, WidgetInfo, load::SizedTexture};
use egui_extras::{Column, TableBuilder, TableRow};

const ROW: f32 = 34.0;
const PICTURE: f32 = 32.0;

/// Draws the verdict and the table of neighbours.
pub fn neighbours_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    ui.horizontal(|ui| {
        let label = ui.strong("Nearest samples");
        let mut k = view.kept.k;
        let field = ui.add(DragValue::new(&mut k).range(1..=1000)).labelled_by(label.id);
        if field.on_hover_text(Command::Neighbours(k).about().hint).changed() {
            out.push(Command::Neighbours(k));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            command_button(ui, facts, Command::Save(Purpose::Neighbours), out);
        });
    });
    let Some(near) = session.near() else {
        ui.weak("Searching…");
        return;
    };
    if near.neighbours.is_empty() {
        ui.weak("The library has no other sample.");
        return;
    }
    match verdict(session, near) {
        Some(verdict) => likely_ui(ui, session, &verdict),
        None => verdict_ui(ui, session, &near.neighbours),
    }
    packed_ui(ui, session);
    let by_view = near.neighbours.iter().any(|neighbour| neighbour.cosines.is_some());
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
            for title in ["", "", "Sample", "Label"] {
                header.col(|ui| {
                    ui.weak(title);
                });
            }
            header.col(|ui| {
                if by_view {
                    ui.weak("By view, distance").on_hover_text(BY_VIEW);
                } else {
                    ui.weak("Distance");
                }
            });
        })
        .body(|body| {
            body.rows(ROW, near.neighbours.len(), |row| row_ui(row, session, view, textures, out));
        });
}

/// Draws whether the selected file is packed, and what that means for the answer.
fn packed_ui(ui: &mut Ui, session: &Session) {
    let Some(look) = session.selection.and_then(|selection| session.look(selection)) else { return };
    let packed = packed_text(&look);
    if packed.is_empty() {
        return;
    }
    let unpacked = matches!(look.views.map(|views| views.packed), Some(Packed::Unpacked { .. }));
    ui.horizontal_wrapped(|ui| {
        ui.strong("Packed:");
        ui.label(escape::text(&packed)).on_hover_text(if unpacked {
            "It is compared by what is in it. Nothing of it was run."
        } else {
            "Its text, its imports and its code are hidden, so nothing about its family can be said from them."
        });
    });
}

/// The verdict on the selected file. A sample of the library is judged as if it were not there.
fn verdict(session: &Session, near: &Near) -> Option<Verdict> {
    let selection = session.selection?;
    let look = session.look(selection)?;
    match selection {
        Selection::Queried(sha256) => Verdict::of(&session.contents, sha256, &look, near),
        Selection::InLibrary(_) => Verdict::without(&session.contents, &look, near),
    }
}

/// Draws a verdict with its probability.
fn likely_ui(ui: &mut Ui, session: &Session, verdict: &Verdict) {
    let (text, hint) = match verdict {
        Verdict::Identical { label } => (
            if label.is_some() { "Identical to a sample of" } else { "Identical to a sample" },
            "The library has a file with the same content.",
        ),
        Verdict::Known { label: Some(_), .. } => ("Probably", "The label of the nearest sample."),
        Verdict::Known { label: None, .. } => (
            "Like a sample without a label",
            "The nearest sample is probably of the same family, and has no label.",
        ),
        Verdict::Undecided { .. } => ("Undecided:", "Samples of both labels are about equally likely."),
        Verdict::Unlike { .. } => {
            ("Unlike anything known", "No sample is likely enough to be of the same family.")
        }
        Verdict::Nothing => (
            "Nothing to go by",
            "It has no text, no imports and no code that can be seen: zeros, noise, or a packed program.",
        ),
    };
    ui.horizontal_wrapped(|ui| {
        if let [label, ..] = verdict.labels()[..] {
            let counts = session.contents.labels().counts();
            Symbol::of(counts.iter().position(|(known, _)| known.as_deref() == Some(label))).ui(ui);
        }
        ui.label(text).on_hover_text(hint);
        let labels: Vec<String> = verdict.labels().into_iter().map(escape::text).collect();
        if !labels.is_empty() {
            ui.strong(labels.join(" or "));
        }
        if let (Some(probability), false) = (verdict.probability(), matches!(verdict, Verdict::Identical { .. })) {
            ui.weak(format!("({})", percent(probability))).on_hover_text(
                "The probability that the file is of the nearest sample's family, calibrated on families that the base model did not learn from.",
            );
        }
        if let Some(model) = session.contents.model() {
            ui.weak(format!("by {}", model_name(model)));
        }
    });
}

/// Draws the label that most neighbours have, weighted by closeness, and the distance of the nearest.
fn verdict_ui(ui: &mut Ui, session: &Session, neighbours: &[Neighbour]) {
    let contents = &session.contents;
    let label_of = |sha256| contents.get(sha256).map(|entry| entry.label_index);
    let labels = neighbours.iter().map(|neighbour| (label_of(neighbour.sha256), neighbour.distance));
    let Some(verdict) = vote(labels) else {
        return;
    };
    let (label, known) = match verdict.label.and_then(|i| contents.labels().counts().get(i)) {
        Some((label, known)) => (label.as_deref(), *known),
        None => (None, 0),
    };
    let name = escape::label(label);
    // A sample is not its own neighbour.
    let itself = match session.selection {
        Some(Selection::InLibrary(sha256)) => label_of(sha256) == verdict.label,
        _ => false,
    };
    let all = label.is_some() && verdict.agreeing + usize::from(itself) == known;
    ui.horizontal_wrapped(|ui| {
        Symbol::of(verdict.label).ui(ui);
        ui.label(format!("{} of {} are", verdict.agreeing, neighbours.len()));
        ui.strong(format!("{name},"));
        if all && verdict.agreeing < neighbours.len() {
            ui.label("all that are in the library;");
        }
        ui.label(format!("the nearest is at distance {:.3}", verdict.nearest));
        if let Some(usual) = session.usual_distance {
            let far = verdict.nearest > usual;
            let text = if far { "farther than usual: unlike anything in the library" } else { "within the usual distance" };
            ui.weak(format!("({text})")).on_hover_text(format!(
                "95 % of the library's samples have a neighbour within {usual:.3}, the usual distance. Cosine distances range from 0 (same) to 2 (opposite)."
            ));
        }
    });
}

const BY_VIEW: &str = "How alike the files are by their text, their code and their header, from above. An empty line: one of them has nothing to go by there, or their code is for different processors.";

/// Draws a bar for each view, as long as the files are alike by it.
fn views_ui(ui: &mut Ui, cosines: &Cosines, colour: egui::Color32) {
    const BAR: f32 = 5.0;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(46.0, 3.0 * BAR + 4.0), Sense::hover());
    let painter = ui.painter();
    let mut said = Vec::new();
    for (i, (name, cosine)) in ["text", "code", "header"].into_iter().zip(cosines.all()).enumerate() {
        let top = rect.top() + i as f32 * (BAR + 2.0);
        let line = egui::Rect::from_min_size(egui::pos2(rect.left(), top), Vec2::new(rect.width(), BAR));
        painter.rect_stroke(
            line,
            1.0,
            ui.visuals().widgets.noninteractive.bg_stroke,
            egui::StrokeKind::Inside,
        );
        let Some(cosine) = cosine else {
            said.push(format!("{name}: not compared"));
            continue;
        };
        let width = rect.width() * cosine.clamp(0.0, 1.0);
        painter.rect_filled(egui::Rect::from_min_size(line.min, Vec2::new(width, BAR)), 1.0, colour);
        said.push(format!("{name}: distance {:.3}", 1.0 - cosine));
    }
    let said = said.join(", ");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
    response.on_hover_text(said.replace(", ", "\n"));
}

/// Draws one neighbour: a click shows it on the map, a double click selects it.
fn row_ui(
    mut row: TableRow<'_, '_>,
    session: &Session,
    view: &View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    let i = row.index();
    let Some(neighbour) = session.neighbours().get(i) else { return };
    let Some(entry) = session.contents.get(neighbour.sha256) else { return };
    let this = Selection::InLibrary(neighbour.sha256);
    row.set_selected(view.marked == Some(this));
    let symbol = Symbol::of(entry.label.map(|_| entry.label_index));
    row.col(|ui| {
        ui.weak((i + 1).to_string());
    });
    row.col(|ui| {
        if let Some(texture) = textures.stored(ui.ctx(), entry.sha256, entry.id, session.library.as_ref()) {
            let image = ui.add(Image::from_texture(SizedTexture::new(texture.id(), Vec2::splat(PICTURE))));
            image.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Thumbnail of the sample"));
        }
    });
    row.col(|ui| {
        let name = Button::selectable(false, escape::file_name(entry.path)).truncate();
        let response = ui.add(name).on_hover_ui(|ui| {
            ui.label(escape::path(entry.path));
            ui.weak("Click: show on the map. Double click: select.");
        });
        if response.double_clicked() {
            out.push(Command::Select(Some(this)));
        } else if response.clicked() {
            out.push(Command::Jump(this));
        }
    });
    row.col(|ui| {
        symbol.ui(ui);
        ui.add(egui::Label::new(entry.label.map_or_else(|| "–".to_owned(), escape::text)).truncate());
    });
    row.col(|ui| {
        let hint = match &neighbour.cosines {
            Some(cosines) => {
                views_ui(ui, cosines, symbol.colour);
                "1 − the probability that both files are of one family"
            }
            None => {
                closeness_bar(ui, neighbour.distance, symbol.colour);
                "Cosine distance, from 0 (same) to 2 (opposite)"
            }
        };
        ui.monospace(format!("{:.4}", neighbour.distance)).on_hover_text(hint);
    });
    let response = row.response();
    if response.double_clicked() {
        out.push(Command::Select(Some(this)));
    } else if response.clicked() {
        out.push(Command::Jump(this));
    }
}
