//! The search, drawn over the window: a field, and below it what was found. Enter opens the chosen entry.

use super::found::{Found, Results, search};
use crate::app::command::Command;
use crate::app::facts::Facts;
use crate::app::focus::Focus;
use crate::app::list::{List, Row};
use crate::app::paint::{self, Ink};
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::{Tokens, icon, small};
use crate::app::verdict_look::State;
use crate::app::view::View;
use crate::escape;
use crate::sample::Sha256;
use crate::workflow::{count, is_digest};
use egui::{Align2, Id, Key, Modal, Modifiers, Rect, ScrollArea, TextEdit, Ui, pos2, vec2};

/// Height of an entry.
const ROW: f32 = 28.0;

/// The search as last computed.
#[derive(Default)]
pub struct SearchState {
    /// The text and the edition of the session that were searched.
    of: Option<(String, u64, u64)>,
    results: Results,
}

impl SearchState {
    /// Shows the samples that a job has found for `text`, if that is still what is searched for in these contents.
    pub fn take(&mut self, text: &str, edition: u64, samples: Vec<Sha256>) {
        let wanted = self.of.as_ref().is_some_and(|(of, at, _)| of == text && *at == edition);
        if wanted && self.results.waits {
            self.results.take(samples);
        }
    }
}

/// Draws the search, if it is open.
pub fn search_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    state: &mut SearchState,
    out: &mut Vec<Command>,
) {
    let Some(open) = &mut view.search else {
        state.of = None;
        return;
    };
    let of = (open.text.clone(), session.edition, session.queried.edition());
    if state.of.as_ref() != Some(&of) {
        state.results = search(session, &open.text);
        if state.results.waits {
            out.push(Command::FindSamples(open.text.clone()));
        }
        state.of = Some(of);
        open.at = 0;
    }
    let mut picked = None;
    let size = ui.ctx().content_rect().size();
    let modal = Modal::new(Id::unique("search"));
    let area = Modal::default_area(Id::unique("search")).anchor(Align2::CENTER_TOP, vec2(0.0, 46.0));
    let modal = modal.area(area).frame(egui::Frame::popup(ui.style()).inner_margin(12)).show(ui, |ui| {
        ui.set_width((size.x - 80.0).min(620.0));
        // Before the field, which takes the arrow keys otherwise.
        let n = state.results.entries.len();
        for (key, step) in [(Key::ArrowDown, 1_isize), (Key::ArrowUp, -1)] {
            if ui.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
                open.at = open.at.saturating_add_signed(step).min(n.saturating_sub(1));
            }
        }
        let entered = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
        let field = TextEdit::singleline(&mut open.text)
            .hint_text("A name, a label, a hash, a path, or a command")
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SearchInput, true, "Search"));
        if !field.has_focus() {
            field.request_focus();
        }
        if entered {
            picked = Some(open.at);
        }
        ui.add_space(4.0);
        if state.results.waits {
            ui.label(small("Searching the library…"));
        } else if n == 0 {
            let text = open.text.trim();
            let other_hash = is_digest(text) && text.len() < 64;
            ui.weak(if other_hash {
                "No sample has this MD5 or SHA-1, as far as the library keeps them.".to_owned()
            } else {
                format!("Nothing has \"{}\" in its name, label or hash.", escape::text(text))
            });
        }
        ScrollArea::vertical().max_height((size.y - 180.0).min(ROW * 14.0)).auto_shrink([false, true]).show(
            ui,
            |ui| {
                let list = List::new("found", "Found", ROW, n).chosen(Some(open.at));
                let reply = list.show(ui, |ui, i, row| match state.results.entries.get(i) {
                    Some(found) => entry_ui(ui, facts, session, found, row),
                    None => String::new(),
                });
                picked = picked.or(reply.chosen).or(reply.opened);
            },
        );
        let more = state.results.samples.len();
        if more > 0 {
            let plural = if more == 1 { "sample" } else { "samples" };
            ui.label(small(format!("{more} {plural} in the library; all are marked on the map.")));
        }
    });
    let close = modal.should_close();
    if let Some(found) = picked.and_then(|i| state.results.entries.get(i)) {
        view.hits =
            if matches!(found, Found::Command(_)) { Vec::new() } else { state.results.samples.clone() };
        view.search = None;
        pick(found, view, out);
    } else if close {
        view.hits = state.results.samples.clone();
        view.search = None;
    }
}

/// Does what an entry stands for.
fn pick(found: &Found, view: &mut View, out: &mut Vec<Command>) {
    match found {
        Found::Path(path) => out.push(Command::Open(vec![path.clone()])),
        Found::Dropped(sha256) => out.push(Command::Select(Some(Selection::Queried(*sha256)))),
        Found::Sample(sha256) => {
            let this = Selection::InLibrary(*sha256);
            out.push(Command::Select(Some(this)));
            out.push(Command::Jump(this));
        }
        Found::Label(label, _) => view.focus = Some(Focus(label.clone())),
        Found::Command(command) => out.push(command.clone()),
    }
}

/// Draws one entry. Returns what a screen reader says of it.
fn entry_ui(ui: &Ui, facts: &Facts, session: &Session, found: &Found, row: &Row<'_>) -> String {
    let tokens = Tokens::of(ui.visuals());
    let rect = row.rect.shrink2(vec2(8.0, 0.0));
    let at = pos2(rect.left() + 8.0, rect.center().y);
    let room = Rect::from_min_max(rect.min + vec2(24.0, 0.0), rect.max);
    let glyph = |glyph: &str| {
        let place = Rect::from_center_size(at, vec2(18.0, 18.0));
        paint::text(ui, place, Align2::CENTER_CENTER, glyph, &Ink::body(tokens.text2));
    };
    let (text, right, enabled) = match found {
        Found::Path(path) => {
            glyph(icon::FOLDER_OPEN);
            (format!("Open {}", escape::path(path)), "path".to_owned(), true)
        }
        Found::Dropped(sha256) => {
            let queried = session.queried(*sha256);
            let state = State::of(queried.and_then(|queried| queried.near.verdict.as_ref()));
            state.paint(ui.painter(), at, 6.0, tokens);
            let name = queried.map(|queried| escape::file_name(&queried.sample.path)).unwrap_or_default();
            (name, "dropped".to_owned(), true)
        }
        Found::Sample(sha256) => {
            let entry = session.contents.get(*sha256);
            let label = entry.as_ref().and_then(|entry| entry.label);
            session.slots.symbol(label).paint(ui.painter(), at, 4.5, tokens.dark);
            let name = entry.map(|entry| escape::file_name(entry.path)).unwrap_or_default();
            (name, escape::label(label), true)
        }
        Found::Label(label, n) => {
            session.slots.symbol(label.as_deref()).paint(ui.painter(), at, 4.5, tokens.dark);
            (escape::label(label.as_deref()), format!("label, {}", count(*n, "sample")), true)
        }
        Found::Command(command) => {
            glyph(icon::CARET_RIGHT);
            let about = command.about();
            let key = about.key.map(|key| ui.ctx().format_shortcut(&key.keys)).unwrap_or_default();
            match command.obstacle(facts) {
                Some(why) => (about.text.to_owned(), why.to_owned(), false),
                None => (about.text.to_owned(), key, true),
            }
        }
    };
    let ink = Ink::body(if enabled { tokens.text } else { tokens.text3 });
    let shown = paint::text(ui, room, Align2::RIGHT_CENTER, &right, &Ink::small(tokens.text2));
    let left = Rect::from_min_max(room.min, pos2(shown.left() - 10.0, room.bottom()));
    paint::name(ui, left, Align2::LEFT_CENTER, &text, &ink);
    if right.is_empty() { text } else { format!("{text}, {right}") }
}
