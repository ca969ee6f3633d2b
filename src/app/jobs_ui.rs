//! The running jobs with their time left, and below them the messages. Each is its own panel, so the messages do
//! not move under the pointer when a job ends.

use super::command::Command;
use super::command_ui::command_button;
use super::facts::Facts;
use super::jobs::Jobs;
use super::message::Message;
use super::session::Session;
use super::theme::tone_mark;
use super::view::View;
use crate::escape;
use crate::model::Processor;
use egui::{Button, ProgressBar, RichText, ScrollArea, Ui};
use indicatif::HumanDuration;

/// Draws a line for each job: its progress and a button to cancel it.
pub fn jobs_ui<A: 'static>(ui: &mut Ui, jobs: &Jobs<A>, out: &mut Vec<Command>) {
    ui.add_space(2.0);
    for job in jobs.shown() {
        ui.horizontal(|ui| {
            let cancel = Command::Cancel(job.id);
            let text = if job.cancelled { "Stopping…" } else { cancel.about().text };
            let button = ui.add_enabled(!job.cancelled, Button::new(text));
            if button.on_hover_text(format!("{}: {}", cancel.about().text, job.title)).clicked() {
                out.push(cancel);
            }
            ui.label(job.title);
            let fraction = job.progress.as_ref().and_then(|progress| progress.fraction());
            ui.add(ProgressBar::new(fraction.unwrap_or(0.0)).desired_width(180.0));
            if let Some(progress) = job.progress {
                let left = progress.left.map(|left| format!(", {} left", HumanDuration(left)));
                let of = match progress.total {
                    0 => String::new(),
                    total => format!(": {} of {total}", progress.done),
                };
                ui.weak(format!("{}{of}{}", progress.stage, left.unwrap_or_default()));
            }
        });
    }
    ui.add_space(2.0);
}

/// Draws the latest message; expanded, all of them and the skipped files.
pub fn messages_ui(ui: &mut Ui, facts: &Facts, session: &Session, view: &mut View, out: &mut Vec<Command>) {
    ui.add_space(2.0);
    ui.horizontal(|ui| match session.messages.last() {
        None => {
            let text = ui.weak("Files are read, never run. Nothing leaves this machine.");
            let mut known = Vec::new();
            #[cfg(unix)]
            known.extend(session.reader.protection().map(|protection| protection.to_string()));
            let processor = Processor::found();
            known.extend(processor.map(|found| format!("The network is computed on the {}.", found.name)));
            if !known.is_empty() {
                text.on_hover_text(known.join("\n"));
            }
        }
        Some(last) => {
            let n = session.messages.len();
            let fold = if view.messages_open { "⏷" } else { "⏵" };
            if ui
                .button(format!("{fold} Messages ({n})"))
                .on_hover_text("All messages, and the skipped files")
                .clicked()
            {
                view.messages_open = !view.messages_open;
            }
            if view.messages_open {
                command_button(ui, facts, Command::ClearMessages, out);
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
                    let (path, reason) = (escape::path(&file.path), escape::text(&file.reason));
                    ui.weak(format!("{}: {path} {reason}", file.word()));
                }
            },
        );
    }
    ui.add_space(2.0);
}

/// A message with the mark and the colour of its tone.
fn coloured(message: &Message) -> RichText {
    let (mark, colour) = tone_mark(message.tone);
    RichText::new(format!("{mark} {}", message.text)).color(colour)
}
