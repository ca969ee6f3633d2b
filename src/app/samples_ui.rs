//! The left panel: the dropped files with their verdicts, the labels with their symbols and counts (the legend of the
//! map), and the library's samples.

use super::command::Command;
use super::controls::{heading_ui, quiet_button, section_ui};
use super::focus::Focus;
use super::list::{List, Row};
use super::paint::{self, Ink};
use super::selection::Selection;
use super::session::Session;
use super::symbol::Symbol;
use super::theme::{Tokens, icon, small};
use super::verdict_look::State;
use super::view::{Tab, View};
use crate::escape;
use crate::library::{Entry, Labels};
use crate::workflow::{Queried, Verdict};
use egui::{Align, Align2, Key, Layout, Rect, ScrollArea, TextEdit, Ui, pos2};
use indicatif::HumanBytes;

/// Height of a row.
const ROW: f32 = 24.0;
/// With more dropped files than this, their verdicts are counted instead.
const LISTED: usize = 12;

/// Draws the panel: dropped files, labels and library samples, or the open folder while the library is empty.
pub fn samples_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.take_available_width();
    ui.spacing_mut().item_spacing.y = 4.0;
    ui.add_space(6.0);
    if !session.queried.is_empty() {
        dropped_ui(ui, session, view, out);
        ui.separator();
    }
    if session.contents.is_empty() {
        folder_ui(ui, session);
        return;
    }
    let labels = session.contents.labels().counts();
    ui.horizontal(|ui| {
        heading_ui(ui, "Labels");
        ui.label(small(labels.iter().filter(|(label, _)| label.is_some()).count().to_string()));
        if view.focus.is_some() {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if quiet_button(ui, icon::X, "All labels").on_hover_text("Shows all labels again").clicked() {
                    view.focus = None;
                }
            });
        }
    });
    let open = view.kept.sections.samples;
    let room = if open { ui.available_height() * 0.45 } else { ui.available_height() - 40.0 };
    let height = room.min(labels.len() as f32 * ROW + 4.0);
    ScrollArea::vertical().id_salt("labels").max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        labels_ui(ui, session, view, out);
    });
    let closed = format!("{} in the library", session.contents.len());
    if section_ui(ui, &mut view.kept.sections.samples, "Samples", &closed) {
        list_ui(ui, session, view, out);
    }
}

/// Draws the dropped files, or how many have each verdict.
fn dropped_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    let n = session.queried.len();
    ui.horizontal(|ui| {
        heading_ui(ui, "Dropped files");
        ui.label(small(n.to_string()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let about = Command::ForgetAll.about();
            if ui.button("Clear").on_hover_text(about.hint).clicked() {
                out.push(Command::ForgetAll);
            }
        });
    });
    if n > LISTED {
        counts_ui(ui, session, view);
        return;
    }
    let selected = session.selection.map(Selection::sha256);
    let dropped = matches!(session.selection, Some(Selection::Queried(_)));
    let chosen =
        session.queried.iter().position(|queried| dropped && Some(queried.sample.sha256) == selected);
    let list = List::new("dropped", "Dropped files", ROW, n).chosen(chosen);
    let reply = list.show(ui, |ui, i, row| {
        session
            .queried
            .get(i)
            .map_or_else(String::new, |queried| dropped_row_ui(ui, session, queried, row, out))
    });
    let of = |i: usize| session.queried.get(i).map(|queried| queried.sample.sha256);
    if let Some(sha256) = reply.chosen.or(reply.opened).and_then(of) {
        out.push(Command::Select(Some(Selection::Queried(sha256))));
    }
    if let Some(sha256) = reply.key(ui, Key::Delete).and_then(of) {
        out.push(Command::Forget(sha256));
    }
}

/// Draws one dropped file. Returns what a screen reader says of it.
fn dropped_row_ui(
    ui: &Ui,
    session: &Session,
    queried: &Queried,
    row: &Row<'_>,
    out: &mut Vec<Command>,
) -> String {
    let tokens = Tokens::of(ui.visuals());
    let verdict = queried.near.verdict.as_ref();
    let state = if session.contents.is_empty() { State::Open } else { State::of(verdict) };
    let (left, right) = (row.rect.left() + 6.0, row.rect.right() - 6.0);
    state.paint(ui.painter(), pos2(left + 7.0, row.rect.center().y), 6.0, tokens);
    let part =
        |from: f32, to: f32| Rect::from_min_max(pos2(from, row.rect.top()), pos2(to, row.rect.bottom()));
    let answer = short_answer(verdict.filter(|_| !session.contents.is_empty()));
    let end = part(left + 20.0 + (right - left) * 0.4, right);
    let shown = paint::text(ui, end, Align2::RIGHT_CENTER, &answer, &Ink::small(tokens.text2));
    let name = escape::file_name(&queried.sample.path);
    let room = part(left + 20.0, shown.left() - 8.0);
    paint::name(ui, room, Align2::LEFT_CENTER, &name, &Ink::body(tokens.text));
    let response = row.response.clone().on_hover_text(escape::path(&queried.sample.path));
    response.context_menu(|ui| {
        let forget = Command::Forget(queried.sample.sha256);
        if ui.button("Remove from the list").on_hover_text(forget.about().hint).clicked() {
            out.push(forget);
            ui.close();
        }
    });
    format!("{name}: {} {answer}", state.word())
}

/// A verdict in a word: the label, "= label" for the same content, "new" for unlike anything known.
fn short_answer(verdict: Option<&Verdict>) -> String {
    match verdict {
        Some(Verdict::Unlike { .. }) => "new".to_owned(),
        Some(Verdict::Identical { label }) => format!("= {}", escape::label(label.as_deref())),
        Some(Verdict::Known { label: None, .. }) => "no label".to_owned(),
        Some(Verdict::Undecided { labels, .. }) if labels.len() == 1 => {
            format!("{} or new", labels.first().map(|label| escape::text(label)).unwrap_or_default())
        }
        Some(Verdict::Nothing) | None => "–".to_owned(),
        Some(verdict) => verdict.labels().into_iter().map(escape::text).collect::<Vec<_>>().join(" or "),
    }
}

/// Draws how many dropped files have each verdict; a click lists them in the table.
fn counts_ui(ui: &mut Ui, session: &Session, view: &mut View) {
    let tokens = Tokens::of(ui.visuals());
    let count = |state: State| {
        session.queried.iter().filter(|queried| State::of(queried.near.verdict.as_ref()) == state).count()
    };
    let mut rows = vec![(None, session.queried.len())];
    rows.extend(State::ALL.map(|state| (Some(state), count(state))).into_iter().filter(|(_, n)| *n > 0));
    let shown = view.kept.tab == Tab::Files;
    let chosen = rows.iter().position(|(state, _)| shown && *state == view.files.order.only);
    let list = List::new("verdicts", "Dropped files by verdict", ROW, rows.len()).chosen(chosen);
    let reply = list.show(ui, |ui, i, row| {
        let Some((state, n)) = rows.get(i) else { return String::new() };
        let left = row.rect.left() + 6.0;
        match state {
            Some(state) => state.paint(ui.painter(), pos2(left + 7.0, row.rect.center().y), 6.0, tokens),
            None => {
                let mut at = row.rect;
                at.min.x = left;
                paint::text(ui, at, Align2::LEFT_CENTER, icon::FILE, &Ink::body(tokens.text2));
            }
        }
        let text = state.map_or("All", State::word);
        let room = Rect::from_min_max(pos2(left + 22.0, row.rect.top()), row.rect.max - egui::vec2(8.0, 0.0));
        paint::text(ui, room, Align2::LEFT_CENTER, text, &Ink::body(tokens.text));
        paint::text(ui, room, Align2::RIGHT_CENTER, &n.to_string(), &Ink::small(tokens.text2));
        format!("{text}: {n}")
    });
    if let Some((state, _)) = reply.chosen.or(reply.opened).and_then(|i| rows.get(i)) {
        view.files.order.only = *state;
        view.kept.tab = Tab::Files;
    }
}

/// Draws the labels of the open folder with their counts.
fn folder_ui(ui: &mut Ui, session: &Session) {
    let Some(folder) = &session.folder else {
        ui.weak("No samples yet.");
        return;
    };
    heading_ui(ui, &escape::file_name(&folder.path)).on_hover_text(escape::path(&folder.path));
    ui.weak(format!("{} files, not in the library yet", folder.set.samples.len()));
    let labels = Labels::new(folder.set.samples.iter().map(|sample| sample.label.as_deref()));
    let counts = labels.counts();
    ScrollArea::vertical().id_salt("folder").auto_shrink([false, false]).show(ui, |ui| {
        List::new("folder", "Labels of the folder", ROW, counts.len()).show(ui, |ui, i, row| {
            let Some((label, n)) = counts.get(i) else { return String::new() };
            let symbol = if label.is_some() { Symbol::of(i) } else { Symbol::NONE };
            label_row_ui(ui, row, symbol, label.as_deref(), *n)
        });
    });
}

/// Draws the labels; a click puts one in focus, another takes it out.
fn labels_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    let counts = session.contents.labels().counts();
    let chosen = Focus::index(view.focus.as_ref(), &session.contents);
    let reply = List::new("labels", "Labels", ROW, counts.len()).chosen(chosen).show(ui, |ui, i, row| {
        let Some((label, n)) = counts.get(i) else { return String::new() };
        let response = row.response.clone().on_hover_text("Shows only this label; again: all");
        if let Some(label) = label {
            response.context_menu(|ui| {
                let rename = Command::RenameLabel(Some(label.clone()));
                if ui.button(rename.about().text).on_hover_text(rename.about().hint).clicked() {
                    out.push(rename);
                    ui.close();
                }
            });
        }
        label_row_ui(ui, row, session.slots.symbol(label.as_deref()), label.as_deref(), *n)
    });
    if let Some((label, _)) = reply.chosen.or(reply.opened).and_then(|i| counts.get(i)) {
        let focus = Focus(label.clone());
        view.focus = (view.focus.as_ref() != Some(&focus)).then_some(focus);
    }
}

/// Draws a label with its symbol and the number of its samples. Returns what a screen reader says of it.
fn label_row_ui(ui: &Ui, row: &Row<'_>, symbol: Symbol, label: Option<&str>, n: usize) -> String {
    let tokens = Tokens::of(ui.visuals());
    let (left, right) = (row.rect.left() + 6.0, row.rect.right() - 8.0);
    symbol.paint(ui.painter(), pos2(left + 7.0, row.rect.center().y), 4.5, tokens.dark);
    let room = Rect::from_min_max(pos2(left + 20.0, row.rect.top()), pos2(right, row.rect.bottom()));
    let shown = paint::text(ui, room, Align2::RIGHT_CENTER, &n.to_string(), &Ink::small(tokens.text2));
    let text = escape::label(label);
    let room = Rect::from_min_max(room.min, pos2(shown.left() - 8.0, room.bottom()));
    paint::name(ui, room, Align2::LEFT_CENTER, &text, &Ink::body(tokens.text));
    format!("{text}: {n}")
}

/// Draws the filter and the samples that match it and the focus.
fn list_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    let field = TextEdit::singleline(&mut view.filter)
        .hint_text("Filter by path or SHA-256")
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Filter samples"));
    if view.kept.tab != Tab::Files && std::mem::take(&mut view.focus_filter) {
        field.request_focus();
    }
    let everything = view.filter.is_empty() && view.focus.is_none();
    if !everything {
        let (contents, edition) = (&session.contents, session.edition);
        if let Some(filter) = view.listed.refresh(contents, edition, &view.filter, view.focus.as_ref()) {
            out.push(Command::FilterSamples(filter));
        }
    }
    let total = if everything { session.contents.len() } else { view.listed.rows.len() };
    if total == 0 && view.listed.waits() {
        ui.weak("Filtering…");
        return;
    }
    if total == 0 {
        nothing_matches_ui(ui, view);
        return;
    }
    let rows = &view.listed.rows;
    let entry = |i: usize| session.contents.at(if everything { i } else { *rows.get(i)? });
    let selected = match session.selection {
        Some(Selection::InLibrary(sha256)) => Some(sha256),
        _ => None,
    };
    // Rows are in the order of the contents.
    let row = selected.and_then(|sha256| session.contents.row_of(sha256));
    let chosen = row.and_then(|row| if everything { Some(row) } else { rows.binary_search(&row).ok() });
    let mut reply = None;
    ScrollArea::vertical().id_salt("samples").auto_shrink([false, false]).show(ui, |ui| {
        let list = List::new("samples", "Samples", ROW, total).chosen(chosen);
        reply = Some(list.show(ui, |ui, i, row| match entry(i) {
            Some(entry) => sample_row_ui(ui, session, &entry, row, out),
            None => String::new(),
        }));
    });
    let chosen = reply.and_then(|reply| reply.chosen.or(reply.opened)).and_then(entry);
    if let Some(chosen) = chosen {
        out.push(Command::Select(Some(Selection::InLibrary(chosen.sha256))));
    }
}

/// Says why the list is empty, and what to do.
fn nothing_matches_ui(ui: &mut Ui, view: &mut View) {
    match (&view.focus, view.filter.is_empty()) {
        (Some(focus), false) => {
            let label = escape::label(focus.0.as_deref());
            ui.weak(format!("No sample of {label} matches \"{}\".", escape::text(&view.filter)));
            if ui.button("Search all labels").clicked() {
                view.focus = None;
            }
        }
        _ => {
            ui.weak(format!("No sample matches \"{}\".", escape::text(&view.filter)));
        }
    }
}

/// Draws one sample. Returns what a screen reader says of it.
fn sample_row_ui(
    ui: &Ui,
    session: &Session,
    entry: &Entry<'_>,
    row: &Row<'_>,
    out: &mut Vec<Command>,
) -> String {
    let tokens = Tokens::of(ui.visuals());
    let left = row.rect.left() + 6.0;
    let symbol = session.slots.symbol(entry.label);
    symbol.paint(ui.painter(), pos2(left + 7.0, row.rect.center().y), 4.5, tokens.dark);
    let room = Rect::from_min_max(pos2(left + 20.0, row.rect.top()), row.rect.max - egui::vec2(6.0, 0.0));
    let name = escape::file_name(entry.path);
    paint::name(ui, room, Align2::LEFT_CENTER, &name, &Ink::body(tokens.text));
    let response = row.response.clone().on_hover_ui(|ui| {
        ui.label(format!("{}\n{}, {}", escape::path(entry.path), entry.kind, HumanBytes(entry.size)));
    });
    response.context_menu(|ui| {
        for command in [Command::Label(entry.sha256), Command::RemoveSamples(vec![entry.sha256])] {
            if ui.button(command.about().text).on_hover_text(command.about().hint).clicked() {
                out.push(command);
                ui.close();
            }
        }
    });
    format!("{name}, {}", escape::label(entry.label))
}
