//! Input from outside the panels: dropped and pasted files, keys, and the replies of file dialogs.

use super::command::Command;
use super::message::Tone;
use super::pasted_paths::paths_in;
use super::question::Question;
use super::view::SearchView;
use super::window::{App, Picked};
use crate::workflow::is_digest;
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
                Picked::Question(wanted, paths, by_system) => {
                    // The dialog may have been for a question that is closed by now.
                    if let (Some(Question::Path { purpose, path, picked, asked }), Some(first)) =
                        (&mut self.view.question, paths.into_iter().next())
                        && *purpose == wanted
                    {
                        *path = first.to_string_lossy().into_owned();
                        *picked = Some(first);
                        *asked = by_system;
                    }
                }
                Picked::NoDialog(pick, wanted) => self.browse_in_window(pick, wanted),
                Picked::Open(_) => {}
            }
        }
        let typing = ctx.text_edit_focused();
        // Escape takes the focus away before this is asked: it does no more then.
        let focused = self.had_focus || ctx.memory(|memory| memory.focused().is_some());
        let view = &self.view;
        let modal = view.dialog.is_some()
            || view.question.is_some()
            || view.search.is_some()
            || view.browser.is_some();
        for (key, command) in Command::keys() {
            // Behind an open dialog only the keys that close it work.
            let blocked = modal && !matches!(command, Command::Escape | Command::Dialog(_) | Command::Search);
            // Escape closes an open menu without us.
            let menu = command == Command::Escape && egui::Popup::is_any_open(ctx) && !modal;
            // Without a modifier, a key is for what has the focus; but Escape first closes what is open.
            let closes = command == Command::Escape && (self.view.over_map || self.view.messages_open);
            let bare = focused && key.keys.modifiers.is_none() && !closes;
            if blocked || menu || ((typing || bare) && !key.while_typing) {
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
            if is_digest(text.trim()) {
                self.view.search = Some(SearchView { text: text.trim().to_owned(), at: 0 });
            } else {
                self.act(Command::Open(paths_in(&text)));
            }
        }
    }
}
