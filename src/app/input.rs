//! Input from outside the panels: dropped and pasted files, keys, and the replies of file dialogs.

use super::command::Command;
use super::question::Question;
use super::window::{App, Picked};
use egui::{Align2, Color32, Context, Event, Id, LayerId, Order, TextStyle, Ui};
use percent_encoding::percent_decode_str;
use std::path::PathBuf;

impl App {
    /// Applies the input since the last frame.
    pub(super) fn apply_input(&mut self, ctx: &Context) {
        let dropped: Vec<PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        if !dropped.is_empty() {
            self.act(Command::Open(dropped));
        }
        while let Ok(picked) = self.picked.1.try_recv() {
            match picked {
                Picked::Open(paths) if !paths.is_empty() => self.act(Command::Open(paths)),
                Picked::Question(paths) => {
                    if let (Some(Question::Path { path, .. }), Some(picked)) =
                        (&mut self.view.question, paths.first())
                    {
                        *path = picked.to_string_lossy().into_owned();
                    }
                }
                Picked::Open(_) => {}
            }
        }
        let typing = ctx.egui_wants_keyboard_input();
        for command in Command::with_keys() {
            let Some(key) = command.about().key else { continue };
            if (key.while_typing || !typing) && ctx.input_mut(|input| input.consume_shortcut(&key.keys)) {
                self.act(command);
            }
        }
        if typing {
            return;
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
}

/// The paths in pasted text, one a line: plain, quoted, or as `file://` addresses.
pub fn paths_in(text: &str) -> Vec<PathBuf> {
    text.lines()
        .map(|line| line.trim().trim_matches(['"', '\'']))
        .filter(|line| !line.is_empty())
        .map(|line| match line.strip_prefix("file://") {
            Some(path) => PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned()),
            None => PathBuf::from(line),
        })
        .collect()
}

/// Covers the window with a notice while files are dragged over it.
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
        "Drop anywhere to open",
        TextStyle::Heading.resolve(ui.style()),
        Color32::WHITE,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_copied_by_file_managers_becomes_paths() {
        let paths = paths_in("file:///tmp/a%20b\n\"/home/x y\"\r\n\n/plain%20\n");
        assert_eq!(paths, ["/tmp/a b", "/home/x y", "/plain%20"].map(PathBuf::from));
        assert_eq!(paths_in("file:///%zz%4"), [PathBuf::from("/%zz%4")]);
    }
}
