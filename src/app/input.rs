//! What comes from outside the panels: files dropped or pasted, keys, answers of dialogs.

use super::command::Command;
use super::session::Selection;
use super::view::Ask;
use super::{App, Picked};
use egui::{
    Align2, Color32, Context, Event, Id, Key, KeyboardShortcut, LayerId, Modifiers, Order, TextStyle, Ui,
};
use std::path::PathBuf;

const OPEN_FILES: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::O);
const OPEN_FOLDER: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O);
const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
const SAVE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::S);

impl App {
    pub(super) fn take_input(&mut self, ctx: &Context) {
        let dropped: Vec<PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        if !dropped.is_empty() {
            self.act(Command::Open(dropped));
        }
        while let Ok(picked) = self.picked.1.try_recv() {
            match picked {
                Picked::Open(paths) if !paths.is_empty() => self.act(Command::Open(paths)),
                Picked::Question(paths) => {
                    if let (Some(question), Some(path)) = (&mut self.view.question, paths.first()) {
                        question.path = path.to_string_lossy().into_owned();
                    }
                }
                Picked::Open(_) => {}
            }
        }
        // The longer shortcut first: it holds the shorter.
        if ctx.input_mut(|input| input.consume_shortcut(&OPEN_FOLDER)) {
            self.act(Command::PickFolder);
        }
        if ctx.input_mut(|input| input.consume_shortcut(&OPEN_FILES)) {
            self.act(Command::PickFiles);
        }
        if ctx.input_mut(|input| input.consume_shortcut(&SAVE)) && !self.session.neighbours.is_empty() {
            self.act(Command::Question(Ask::Neighbours));
        }
        if ctx.egui_wants_keyboard_input() {
            return;
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            if self.view.question.is_some() {
                self.view.question = None;
            } else {
                self.view.marked = None;
                self.view.only_label = None;
            }
        }
        if ctx.input_mut(|input| input.consume_shortcut(&UNDO)) {
            self.act(Command::UndoLabels);
        }
        for (key, step) in [(Key::ArrowDown, 1), (Key::ArrowUp, -1)] {
            if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
                self.step_through_neighbours(step);
            }
        }
        let pasted = ctx.input(|input| {
            input.events.iter().find_map(|event| match event {
                Event::Paste(text) => Some(text.clone()),
                _ => None,
            })
        });
        if let Some(text) = pasted {
            self.act(Command::Open(paths_in(&text)));
        }
    }

    fn step_through_neighbours(&mut self, step: isize) {
        let rows: Vec<usize> = self.session.neighbours.iter().map(|n| n.index).collect();
        let at = match self.view.marked {
            Some(Selection::Known(row)) => rows.iter().position(|other| *other == row),
            _ => None,
        };
        let next = match at {
            Some(at) => at.checked_add_signed(step),
            None => Some(0),
        };
        if let Some(row) = next.and_then(|next| rows.get(next)) {
            self.act(Command::Jump(Selection::Known(*row)));
        }
    }
}

/// The paths in pasted text: one a line, perhaps quoted, perhaps as `file://` addresses.
pub fn paths_in(text: &str) -> Vec<PathBuf> {
    text.lines()
        .map(|line| line.trim().trim_matches(['"', '\'']))
        .filter(|line| !line.is_empty())
        .map(|line| match line.strip_prefix("file://") {
            Some(path) => PathBuf::from(percent_decoded(path)),
            None => PathBuf::from(line),
        })
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).map(|(high, low)| (high * 16 + low) as u8)
            }
            _ => None,
        };
        out.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// While files are held over the window: that they may be dropped anywhere.
pub fn drop_target_ui(ui: &Ui) {
    if ui.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let rect = ui.content_rect();
    let painter = ui.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop-target")));
    painter.rect_filled(rect, 0.0, Color32::from_black_alpha(180));
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        "Drop to look at it",
        TextStyle::Heading.resolve(ui.style()),
        Color32::WHITE,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_what_file_managers_copy() {
        let paths = paths_in("file:///tmp/a%20b\n\"/home/x y\"\r\n\n/plain%20\n");
        assert_eq!(paths, ["/tmp/a b", "/home/x y", "/plain%20"].map(PathBuf::from));
        assert_eq!(percent_decoded("%zz%4"), "%zz%4");
    }
}
