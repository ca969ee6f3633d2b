//! The table of dropped files: verdict, name, kind, nearest label, distance and probability of each, sortable, with
//! those that need attention first. Ticked files can be added to the library together.

use super::sort::{FileRow, rows};
use crate::app::command::Command;
use crate::app::controls::{heading_ui, primary_button};
use crate::app::facts::Facts;
use crate::app::files_view::{Column, FilesView, Order};
use crate::app::list::{List, Row};
use crate::app::paint::{self, Ink, distance_text};
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::{Tokens, heading, icon, small};
use crate::app::verdict_look::State;
use crate::app::view::View;
use crate::sample::Sha256;
use crate::workflow::percent;
use egui::{
    Align, Align2, Key, Layout, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo,
    pos2, vec2,
};

/// Height of a row.
const ROW: f32 = 26.0;
/// Widths of the columns: tick box, verdict, kind, nearest label, distance, probability.
const TICK: f32 = 28.0;
const VERDICT: f32 = 128.0;
const KIND: f32 = 92.0;
const LABEL: f32 = 112.0;
const DISTANCE: f32 = 66.0;
const PROBABILITY: f32 = 52.0;
/// Narrower than this, kind and probability are left out.
const WIDE: f32 = 620.0;

/// The rows as last computed.
#[derive(Default)]
pub struct FilesState {
    of: Option<(Order, u64, u64)>,
    rows: Vec<FileRow>,
}

/// Draws the table.
pub fn files_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    state: &mut FilesState,
    out: &mut Vec<Command>,
) {
    if session.queried.is_empty() {
        nothing_ui(ui, out);
        return;
    }
    let of = (view.files.order.clone(), session.edition, session.queried.edition());
    if state.of.as_ref() != Some(&of) {
        state.rows = rows(&session.contents, &session.queried, &view.files.order);
        state.of = Some(of);
    }
    bar_ui(ui, facts, session, view, &state.rows, out);
    let columns = header_ui(ui, &mut view.files, &state.rows);
    let selected = match session.selection {
        Some(Selection::Queried(sha256)) => Some(sha256),
        _ => None,
    };
    let chosen = state.rows.iter().position(|row| Some(row.sha256) == selected);
    if state.rows.is_empty() {
        ui.weak("No dropped file matches.");
        return;
    }
    let mut reply = None;
    let mut ticked = None;
    ScrollArea::vertical().id_salt("files").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let list = List::new("files", "Dropped files", ROW, state.rows.len()).chosen(chosen);
        reply = Some(list.show(ui, |ui, i, row| match state.rows.get(i) {
            Some(file) => {
                let is = view.files.ticked.contains(&file.sha256);
                if row.response.clicked() && clicked_tick(row, &columns) {
                    ticked = Some(file.sha256);
                }
                row_ui(ui, session, file, is, row, &columns)
            }
            None => String::new(),
        }));
    });
    let Some(reply) = reply else { return };
    let of = |i: usize| state.rows.get(i).map(|row| row.sha256);
    if let Some(sha256) = ticked.or_else(|| reply.key(ui, Key::Space).and_then(of)) {
        if !view.files.ticked.remove(&sha256) {
            view.files.ticked.insert(sha256);
        }
    } else if let Some(sha256) = reply.chosen.or(reply.opened).and_then(of) {
        out.push(Command::Select(Some(Selection::Queried(sha256))));
    }
    if let Some(sha256) = reply.key(ui, Key::Delete).and_then(of) {
        out.push(Command::Forget(sha256));
    }
}

/// Draws what to do while nothing was dropped.
fn nothing_ui(ui: &mut Ui, out: &mut Vec<Command>) {
    ui.add_space(ui.available_height() * 0.3);
    ui.vertical_centered(|ui| {
        let tokens = Tokens::of(ui.visuals());
        ui.label(egui::RichText::new(icon::TRAY_ARROW_DOWN).size(28.0).color(tokens.accent));
        ui.label(heading("Nothing dropped yet"));
        ui.weak("Drop files or a folder anywhere in this window.");
        ui.add_space(6.0);
        if primary_button(ui, true, "Choose files…").clicked() {
            out.push(Command::OpenFiles);
        }
    });
}

/// Draws how many files are ticked, the filter, and what can be done with the ticked ones.
fn bar_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    rows: &[FileRow],
    out: &mut Vec<Command>,
) {
    ui.horizontal(|ui| {
        ui.set_height(32.0);
        // What a filter hides is left out.
        let ticked = rows.iter().map(|row| row.sha256).filter(|sha256| view.files.ticked.contains(sha256));
        let files: Vec<Sha256> = ticked.collect();
        let n = session.queried.len();
        match (files.len(), view.files.order.only) {
            (0, None) if rows.len() < n => heading_ui(ui, &format!("{} of {n} dropped files", rows.len())),
            (0, None) => heading_ui(ui, &format!("{n} dropped files")),
            (0, Some(only)) => heading_ui(ui, &format!("{} of {n}: {}", rows.len(), only.word())),
            (ticked, _) => heading_ui(ui, &format!("{ticked} of {n} selected")),
        };
        if view.files.order.only.is_some() && ui.button("Show all").clicked() {
            view.files.order.only = None;
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let add = Command::AskToAdd(files.clone());
            let obstacle = if files.is_empty() { Some("Tick the files first") } else { add.obstacle(facts) };
            let button = primary_button(ui, obstacle.is_none(), add.about().text);
            let button = match obstacle {
                Some(why) => button.on_disabled_hover_text(why),
                None => button.on_hover_text(add.about().hint),
            };
            if button.clicked() {
                out.push(add);
            }
            let export = Command::Save(crate::app::question::Purpose::AllNeighbours);
            if ui.button("Export…").on_hover_text(export.about().hint).clicked() {
                out.push(export);
            }
            let width = (ui.available_width() - 8.0).clamp(80.0, 190.0);
            let field = TextEdit::singleline(&mut view.files.order.filter)
                .hint_text("Filter by name or hash")
                .desired_width(width);
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter dropped files"));
            if std::mem::take(&mut view.focus_filter) {
                field.request_focus();
            }
        });
    });
}

/// The places of the columns, relative to the left edge of a row.
struct Columns {
    tick: (f32, f32),
    verdict: (f32, f32),
    name: (f32, f32),
    kind: Option<(f32, f32)>,
    label: (f32, f32),
    distance: (f32, f32),
    probability: Option<(f32, f32)>,
}

impl Columns {
    fn new(width: f32) -> Self {
        let wide = width >= WIDE;
        let right = width - 8.0;
        let probability = wide.then_some((right - PROBABILITY, right));
        let end = probability.map_or(right, |(from, _)| from);
        let distance = (end - DISTANCE, end);
        let label = (distance.0 - LABEL, distance.0 - 8.0);
        let kind = wide.then_some((label.0 - KIND, label.0 - 8.0));
        let tick = (4.0, TICK);
        let verdict = (TICK, TICK + VERDICT);
        let name = (verdict.1 + 4.0, kind.map_or(label.0, |(from, _)| from) - 8.0);
        Self { tick, verdict, name, kind, label, distance, probability }
    }
}

/// The rectangle of a column in a row.
fn cell(row: Rect, (from, to): (f32, f32)) -> Rect {
    Rect::from_min_max(pos2(row.left() + from, row.top()), pos2(row.left() + to, row.bottom()))
}

/// Whether the tick box of a row was clicked.
fn clicked_tick(row: &Row<'_>, columns: &Columns) -> bool {
    let at = row.response.interact_pointer_pos();
    at.is_some_and(|at| cell(row.rect, columns.tick).expand(3.0).contains(at))
}

/// Draws the titles, which sort the table. Returns the columns.
fn header_ui(ui: &mut Ui, files: &mut FilesView, rows: &[FileRow]) -> Columns {
    let tokens = Tokens::of(ui.visuals());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let columns = Columns::new(rect.width());
    let all = !rows.is_empty() && rows.iter().all(|row| files.ticked.contains(&row.sha256));
    let tick = ui.interact(cell(rect, columns.tick), ui.scope_id().with("tick all"), Sense::click());
    tick.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, all, "Select all files"));
    paint_tick(ui, cell(rect, columns.tick), all);
    if tick.clicked() {
        if all {
            // Those that the filter hides stay ticked.
            let shown: std::collections::HashSet<&Sha256> = rows.iter().map(|row| &row.sha256).collect();
            files.ticked.retain(|ticked| !shown.contains(ticked));
        } else {
            files.ticked.extend(rows.iter().map(|row| row.sha256));
        }
    }
    let mut title = |place: Option<(f32, f32)>, column: Column, text: &str, align: Align2| {
        let Some(place) = place else { return };
        let place = cell(rect, place);
        let response = ui.interact(place, ui.scope_id().with(text), Sense::click());
        let sorted = files.order.by == column;
        let arrow = if files.order.falling { icon::ARROW_DOWN } else { icon::ARROW_UP };
        let shown = if sorted { format!("{text} {arrow}") } else { text.to_owned() };
        let colour = if sorted || response.hovered() { tokens.text } else { tokens.text2 };
        paint::text(ui, place, align, &shown, &Ink::small(colour).weight(if sorted { 600.0 } else { 400.0 }));
        let said = match (sorted, files.order.falling) {
            (false, _) => format!("Sort by {}", text.to_lowercase()),
            (true, false) => format!("Sorted by {}, rising", text.to_lowercase()),
            (true, true) => format!("Sorted by {}, falling", text.to_lowercase()),
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &said));
        if response.on_hover_text(&said).clicked() {
            files.order.falling = sorted && !files.order.falling;
            files.order.by = column;
        }
    };
    title(Some(columns.verdict), Column::Verdict, "Verdict", Align2::LEFT_CENTER);
    title(Some(columns.name), Column::Name, "Name", Align2::LEFT_CENTER);
    title(columns.kind, Column::Kind, "Kind", Align2::LEFT_CENTER);
    title(Some(columns.label), Column::Label, "Nearest label", Align2::LEFT_CENTER);
    title(Some(columns.distance), Column::Distance, "Distance", Align2::RIGHT_CENTER);
    title(columns.probability, Column::Probability, "Prob.", Align2::RIGHT_CENTER);
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, tokens.divider));
    columns
}

/// Draws a tick box.
fn paint_tick(ui: &Ui, rect: Rect, ticked: bool) {
    let tokens = Tokens::of(ui.visuals());
    let square = Rect::from_center_size(pos2(rect.left() + 8.0, rect.center().y), vec2(15.0, 15.0));
    if ticked {
        ui.painter().rect_filled(square, 3.0, tokens.accent_fill);
        paint::text(ui, square, Align2::CENTER_CENTER, icon::CHECK, &Ink::small(tokens.on_accent));
    } else {
        ui.painter().rect_stroke(square, 3.0, Stroke::new(1.0, tokens.border), StrokeKind::Inside);
    }
}

/// Draws one file. Returns what a screen reader says of it.
fn row_ui(
    ui: &Ui,
    session: &Session,
    file: &FileRow,
    ticked: bool,
    row: &Row<'_>,
    columns: &Columns,
) -> String {
    let tokens = Tokens::of(ui.visuals());
    let (ink, small_ink) = (Ink::body(tokens.text), Ink::body(tokens.text2));
    paint_tick(ui, cell(row.rect, columns.tick), ticked);
    chip_ui(ui, cell(row.rect, columns.verdict), file.state);
    paint::name(ui, cell(row.rect, columns.name), Align2::LEFT_CENTER, &file.name, &ink);
    if let Some(kind) = columns.kind {
        paint::text(ui, cell(row.rect, kind), Align2::LEFT_CENTER, &file.kind, &small_ink);
    }
    let label = cell(row.rect, columns.label);
    let faded = matches!(file.state, State::Unlike | State::Nothing);
    if file.label.is_empty() {
        paint::text(ui, label, Align2::LEFT_CENTER, "none", &small_ink);
    } else {
        let symbol = session.slots.symbol(file.first.as_deref());
        symbol.paint(ui.painter(), pos2(label.left() + 5.0, label.center().y), 4.5, tokens.dark);
        let room = Rect::from_min_max(label.min + vec2(16.0, 0.0), label.max);
        paint::name(ui, room, Align2::LEFT_CENTER, &file.label, if faded { &small_ink } else { &ink });
    }
    let distance = file.distance.map_or_else(|| "–".to_owned(), distance_text);
    paint::text(ui, cell(row.rect, columns.distance), Align2::RIGHT_CENTER, &distance, &ink);
    let probability = file.probability.map(percent).unwrap_or_default();
    if let Some(place) = columns.probability {
        paint::text(ui, cell(row.rect, place), Align2::RIGHT_CENTER, &probability, &small_ink);
    }
    row.response.clone().on_hover_ui(|ui| {
        if let Some(queried) = session.queried(file.sha256) {
            ui.label(crate::escape::path(&queried.sample.path));
        }
        ui.label(small(file.sha256.to_string()));
        ui.label(small("Click: select. Space or the box: tick. Delete: off the list."));
    });
    let label = if file.label.is_empty() { "no label" } else { &file.label };
    let ticked = if ticked { ", ticked" } else { "" };
    format!("{}: {}, {label}, distance {distance}{ticked}", file.name, file.state.word())
}

/// Draws a verdict as a chip.
fn chip_ui(ui: &Ui, rect: Rect, state: State) {
    let tokens = Tokens::of(ui.visuals());
    let colour = state.colour(tokens);
    let ink = Ink::small(colour).weight(500.0);
    let galley = paint::layout(ui.painter(), state.chip(), &ink, rect.width() - 34.0);
    let size = vec2(galley.size().x + 30.0, 20.0);
    let chip = Rect::from_min_size(pos2(rect.left(), rect.center().y - 10.0), size);
    ui.painter().rect(
        chip,
        10.0,
        tokens.tint(colour),
        Stroke::new(1.0, tokens.edge(colour)),
        StrokeKind::Inside,
    );
    state.paint(ui.painter(), pos2(chip.left() + 12.0, chip.center().y), 5.0, tokens);
    ui.painter().galley(pos2(chip.left() + 22.0, chip.center().y - galley.size().y / 2.0), galley, colour);
}
