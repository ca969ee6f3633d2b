//! What runs and how long it will take; and at the very bottom, what there is to tell. Each is a panel
//! of its own, so that a job that ends does not move the messages under the pointer.

use super::command::Command;
use super::jobs::Jobs;
use super::session::{Message, Session};
use super::theme::tone_mark;
use super::view::View;
use crate::escape;
use crate::job::duration_text;
use crate::model::Processor;
use egui::{ProgressBar, RichText, ScrollArea, Ui};

/// One line a job.
pub fn jobs_ui(ui: &mut Ui, jobs: &Jobs, out: &mut Vec<Command>) {
    ui.add_space(2.0);
    for (i, running) in jobs.running.iter().enumerate().filter(|(_, running)| !running.quiet) {
        ui.horizontal(|ui| {
            let cancelled = running.job.cancelled();
            let cancel = egui::Button::new(if cancelled { "Stopping…" } else { "Cancel" });
            if ui
                .add_enabled(!cancelled, cancel)
                .on_hover_text(format!("Cancel: {}", running.title))
                .clicked()
            {
                out.push(Command::Cancel(i));
            }
            ui.label(&running.title);
            let progress = running.job.progress();
            let fraction = progress.as_ref().and_then(|progress| progress.fraction());
            ui.add(ProgressBar::new(fraction.unwrap_or(0.0)).desired_width(180.0));
            if let Some(progress) = progress {
                let left =
                    progress.left.map(|left| format!(", {} left", duration_text(left))).unwrap_or_default();
                let of = match progress.total {
                    0 => String::new(),
                    total => format!(" {} of {total}", progress.done),
                };
                ui.weak(format!("{}{of}{left}", progress.stage));
            }
        });
    }
    ui.add_space(2.0);
}

/// The latest message; all of them, and the files left out, when unfolded.
pub fn messages_ui(ui: &mut Ui, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.add_space(2.0);
    ui.horizontal(|ui| match session.messages.last() {
        None => {
            let promise = ui.weak("Files are read, never run. Nothing leaves this machine.");
            let mut known = Vec::new();
            #[cfg(unix)]
            known.extend(session.reader.protection().map(|protection| protection.to_string()));
            let processor = Processor::found();
            known.extend(processor.map(|found| format!("The network is computed on the {}.", found.name)));
            if !known.is_empty() {
                promise.on_hover_text(known.join("\n"));
            }
        }
        Some(last) => {
            let n = session.messages.len();
            let fold = if view.messages_open { "⏷" } else { "⏵" };
            if ui
                .button(format!("{fold} Messages ({n})"))
                .on_hover_text("All messages, and the files left out")
                .clicked()
            {
                view.messages_open = !view.messages_open;
            }
            if view.messages_open && ui.button("Clear").clicked() {
                out.push(Command::ClearMessages);
            }
            if !view.messages_open {
                let text = egui::Label::new(coloured(last)).truncate();
                ui.add(text).on_hover_text(&last.text);
            }
        }
    });
    if view.messages_open {
        ScrollArea::vertical().id_salt("messages").max_height(160.0).auto_shrink([false, true]).show(
            ui,
            |ui| {
                for message in session.messages.iter().rev() {
                    ui.label(coloured(message));
                }
                for file in session.skipped.iter().rev().take(500) {
                    ui.weak(format!("left out: {} {}", escape::path(&file.path), escape::text(&file.reason)));
                }
            },
        );
    }
    ui.add_space(2.0);
}

fn coloured(message: &Message) -> RichText {
    let (mark, colour) = tone_mark(message.tone);
    RichText::new(format!("{mark} {}", message.text)).color(colour)
}
