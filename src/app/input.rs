//! Input from outside the panels: dropped and pasted files, keys, and the replies of file dialogs.

use super::command::Command;
use super::message::Tone;
use super::pasted_paths::paths_in;
use super::question::Question;
use super::window::{App, Picked};
use egui::{Context, Event};
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
                Picked::Question(wanted, paths) => {
                    // The dialog may have been for a question that is closed by now.
                    if let (Some(Question::Path { purpose, path, picked }), Some(first)) =
                        (&mut self.view.question, paths.into_iter().next())
                        && *purpose == wanted
                    {
                        *path = first.to_string_lossy().into_owned();
                        *picked = Some(first);
                    }
                }
                Picked::NoDialog(pick, wanted) => self.browse_in_window(pick, wanted),
                Picked::Open(_) => {}
            }
        }
        let typing = ctx.egui_wants_keyboard_input();
        let view = &self.view;
        let modal = view.dialog.is_some()
            || view.question.is_some()
            || view.search.is_some()
            || view.browser.is_some();
        for (key, command) in Command::keys() {
            // Behind an open dialog only the keys that close it work.
            let blocked = modal && !matches!(command, Command::Escape | Command::Dialog(_) | Command::Search);
            // An open menu closes by itself.
            let menu = command == Command::Escape && egui::Popup::is_any_open(ctx) && !modal;
            if blocked || menu || (typing && !key.while_typing) {
                continue;
            }
            if ctx.input_mut(|input| input.consume_shortcut(&key.keys)) {
                if let Some(why) = command.obstacle(&self.facts()) {
                    self.session.say(Tone::Note, format!("{}: {why}", command.about().text));
                }
                self.act(command);
            }
        }
        if typing || modal {
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
