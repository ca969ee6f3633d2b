//! The nearest samples of the selected file: a list, nearest first, with the distance as a mark on a line.

use super::textures::Textures;
use crate::app::command::Command;
use crate::app::command_ui::command_entry;
use crate::app::controls::heading_ui;
use crate::app::facts::Facts;
use crate::app::list::{List, Row};
use crate::app::paint::{self, Ink, distance_text};
use crate::app::question::Purpose;
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::{Tokens, icon, small};
use crate::app::view::View;
use crate::escape;
use crate::library::Neighbour;
use crate::model::Cosines;
use crate::workflow::Verdict;
use egui::{Align, Align2, Color32, Layout, Rect, Stroke, Ui, pos2, vec2};

/// Height of a row.
const ROW: f32 = 24.0;
/// Side of a thumbnail.
const PICTURE: f32 = 18.0;
/// Widths of the columns after the sample's name.
const LABEL: f32 = 96.0;
const DISTANCE: f32 = 104.0;
/// Length of the line that a distance is marked on.
const LINE: f32 = 52.0;
/// Numbers of neighbours offered.
const OFFERED: [usize; 6] = [5, 8, 10, 20, 50, 200];

/// Draws the heading, the number of neighbours, the export, and the list.
pub fn neighbours_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    ui.horizontal(|ui| {
        heading_ui(ui, "Nearest samples");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.menu_button(format!("{} Export…", icon::EXPORT), |ui| {
                command_entry(ui, facts, Command::Save(Purpose::Neighbours), out);
                command_entry(ui, facts, Command::Save(Purpose::AllNeighbours), out);
            })
            .response
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Export…"));
            let k = view.kept.k;
            ui.menu_button(format!("Show {k} {}", icon::CARET_DOWN), |ui| {
                for n in OFFERED {
                    if ui.selectable_label(n == k, n.to_string()).clicked() {
                        out.push(Command::Neighbours(n));
                        ui.close();
                    }
                }
            })
            .response
            .on_hover_text(Command::Neighbours(k).about().hint)
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Show {k}")));
        });
    });
    let Some(near) = session.near() else {
        ui.weak("Searching…");
        return;
    };
    if near.verdict == Some(Verdict::Nothing) {
        ui.weak("There is nothing to compare it by, so no sample is nearer than another.");
        return;
    }
    if near.neighbours.is_empty() {
        ui.weak("The library has no other sample.");
        return;
    }
    header_ui(ui, near.neighbours.iter().any(|neighbour| neighbour.cosines.is_some()));
    let marked = view.marked.map(Selection::sha256);
    let chosen = near.neighbours.iter().position(|neighbour| Some(neighbour.sha256) == marked);
    let other = first_of_another_label(session, &near.neighbours);
    ui.spacing_mut().item_spacing.y = 0.0;
    let list = List::new("neighbours", "Nearest samples", ROW, near.neighbours.len()).chosen(chosen);
    let reply =
        list.show(ui, |ui, i, row| row_ui(ui, session, near.neighbours.get(i), i, other, row, textures));
    ui.spacing_mut().item_spacing.y = 6.0;
    if near.labels_weigh {
        let text = "Labels weigh in: a wrong one makes its files look alike.";
        ui.label(small(text)).on_hover_text(
            "From the labels of the library it is learned in what files of one family differ; that counts less. Label… mends a wrong label, and all distances with it",
        );
    }
    let of = |i: usize| near.neighbours.get(i).map(|neighbour| Selection::InLibrary(neighbour.sha256));
    if let Some(opened) = reply.opened.and_then(of) {
        out.push(Command::Select(Some(opened)));
    } else if let Some(chosen) = reply.chosen.and_then(of) {
        out.push(Command::Jump(chosen));
    }
}

/// Where the label of the nearest samples ends, if it does.
fn first_of_another_label(session: &Session, neighbours: &[Neighbour]) -> Option<usize> {
    let label = |neighbour: &Neighbour| session.contents.get(neighbour.sha256).and_then(|entry| entry.label);
    let first = label(neighbours.first()?)?;
    neighbours.iter().position(|neighbour| label(neighbour) != Some(first))
}

/// Draws the titles of the columns.
fn header_ui(ui: &mut Ui, by_views: bool) {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), egui::Sense::hover());
    let ink = Ink::small(tokens.text2);
    let columns = columns(rect);
    paint::text(ui, columns[2], Align2::LEFT_CENTER, "Sample", &ink);
    paint::text(ui, columns[3], Align2::LEFT_CENTER, "Label", &ink);
    paint::text(ui, columns[4], Align2::RIGHT_CENTER, "Distance", &ink);
    response.on_hover_text(if by_views {
        "1 − the probability that both files are of one family: 0 surely, 1 surely not"
    } else {
        "Cosine distance, from 0 (same) to 2 (opposite)"
    });
}

/// The columns of a row: number, picture, sample, label, distance.
fn columns(row: Rect) -> [Rect; 5] {
    let part = |from: f32, to: f32| Rect::from_min_max(pos2(from, row.top()), pos2(to, row.bottom()));
    let (left, right) = (row.left() + 2.0, row.right() - 4.0);
    let picture = left + 22.0;
    let name = picture + PICTURE + 6.0;
    let distance = right - DISTANCE;
    let label = (distance - LABEL).max(name + 60.0);
    [
        part(left, picture),
        part(picture, picture + PICTURE),
        part(name, label - 6.0),
        part(label, distance - 6.0),
        part(distance, right),
    ]
}

/// Draws one neighbour. Returns what a screen reader says of it.
fn row_ui(
    ui: &Ui,
    session: &Session,
    neighbour: Option<&Neighbour>,
    i: usize,
    other: Option<usize>,
    row: &Row<'_>,
    textures: &mut Textures,
) -> String {
    let tokens = Tokens::of(ui.visuals());
    let Some((neighbour, entry)) =
        neighbour.and_then(|near| Some((near, session.contents.get(near.sha256)?)))
    else {
        return String::new();
    };
    let behind = other.is_some_and(|other| i >= other);
    let ink = Ink::body(if behind { tokens.text2 } else { tokens.text });
    let symbol = session.slots.symbol(entry.label);
    let [number, picture, name, label, distance] = columns(row.rect);
    paint::text(ui, number, Align2::LEFT_CENTER, &(i + 1).to_string(), &Ink::small(tokens.text2));
    if let Some(texture) = textures.stored(ui.ctx(), entry.sha256, entry.id) {
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        let at = Rect::from_center_size(picture.center(), vec2(PICTURE, PICTURE));
        ui.painter().image(texture.id(), at, whole, Color32::WHITE);
    }
    let file = escape::file_name(entry.path);
    paint::name(ui, name, Align2::LEFT_CENTER, &file, &ink);
    symbol.paint(ui.painter(), pos2(label.left() + 5.0, label.center().y), 4.5, tokens.dark);
    let text = Rect::from_min_max(label.min + vec2(15.0, 0.0), label.max);
    let shown = entry.label.map_or_else(|| "–".to_owned(), escape::text);
    paint::text(ui, text, Align2::LEFT_CENTER, &shown, &ink);
    line_ui(ui, distance, neighbour, symbol.colour(tokens.dark));
    let number = distance_text(neighbour.distance);
    paint::text(ui, distance, Align2::RIGHT_CENTER, &number, &ink);
    if other == Some(i) {
        let stroke = Stroke::new(1.0, tokens.border);
        let ends = [row.rect.left_top(), row.rect.right_top()];
        ui.painter().add(egui::Shape::dashed_line(&ends, stroke, 4.0, 4.0));
    }
    let by_view = neighbour.cosines.as_ref().map(by_view);
    row.response.clone().on_hover_ui(|ui| {
        ui.label(escape::path(entry.path));
        if let Some(by_view) = &by_view {
            ui.label(by_view);
        }
        ui.label(small("Click or arrow keys: show on the map. Double click or Enter: select."));
    });
    let by_view = by_view.map(|text| format!(", {text}")).unwrap_or_default();
    format!("{}: {file}, {}, distance {number}{by_view}", i + 1, escape::label(entry.label))
}

/// Draws the distance as a mark on a line, from the same at the left to surely not at the right.
fn line_ui(ui: &Ui, rect: Rect, neighbour: &Neighbour, colour: Color32) {
    let tokens = Tokens::of(ui.visuals());
    // Cosine distances reach 2.
    let most = if neighbour.cosines.is_some() { 1.0 } else { 2.0 };
    let y = rect.center().y;
    let x = |share: f32| rect.left() + share * LINE;
    let stroke = Stroke::new(1.0, tokens.border);
    let painter = ui.painter();
    painter.hline(x(0.0)..=x(1.0), y, stroke);
    painter.vline(x(1.0), y - 3.0..=y + 3.0, stroke);
    painter.circle_filled(pos2(x((neighbour.distance / most).clamp(0.0, 1.0)), y), 3.5, colour);
}

/// "text 0.012, code 0.003, header not compared".
fn by_view(cosines: &Cosines) -> String {
    let part = |(name, cosine): (&'static str, Option<f32>)| match cosine {
        Some(cosine) => format!("{name} {:.3}", 1.0 - cosine),
        None => format!("{name} not compared"),
    };
    cosines.by_name().into_iter().map(part).collect::<Vec<_>>().join(", ")
}
