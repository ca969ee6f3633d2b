//! Input from outside the panels: dropped and pasted files, keys, and the replies of file dialogs.

use super::command::Command;
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
