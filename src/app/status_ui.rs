//! The status bar: the running job with its time left, or the latest message; the list of messages; which model
//! answers. The list floats over the panels and moves nothing.

use super::command::Command;
use super::command_ui::command_button;
use super::facts::Facts;
use super::jobs::{JobView, Jobs};
use super::message::Message;
use super::paint::{self, Ink};
use super::session::Session;
use super::theme::{Tokens, icon, small, tone_mark};
use super::toasts::Toasts;
use super::view::View;
use crate::escape;
use crate::workflow::{SHARED, model_name};
use egui::{
    Align, Align2, Button, Layout, ProgressBar, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2,
};
use indicatif::HumanDuration;

/// Skipped files listed, at most.
const SKIPPED: usize = 500;

/// Draws the status bar.
pub fn status_ui<A: 'static>(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    jobs: &Jobs<A>,
    toasts: &Toasts,
    out: &mut Vec<Command>,
) {
    ui.horizontal_centered(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            safe_ui(ui, session);
            model_ui(ui, session);
            messages_button_ui(ui, facts, session, view, out);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let mut shown = jobs.shown();
                match shown.next() {
                    Some(job) => {
                        job_ui(ui, &job, out);
                        let more: Vec<_> = shown.collect();
                        if !more.is_empty() {
                            ui.menu_button(format!("{} more", more.len()), |ui| {
                                for job in &more {
                                    ui.horizontal(|ui| job_ui(ui, job, out));
                                }
                            });
                        }
                    }
                    None => latest_ui(ui, session.messages.last().filter(|last| !toasts.show(last))),
                }
            });
        });
    });
}

/// Draws a job: its progress and a button to stop it.
fn job_ui(ui: &mut Ui, job: &JobView<'_>, out: &mut Vec<Command>) {
    ui.label(job.title);
    let fraction = job.progress.as_ref().and_then(|progress| progress.fraction());
    let bar = ProgressBar::new(fraction.unwrap_or(0.0)).desired_width(110.0).desired_height(4.0);
    ui.add(bar);
    if let Some(progress) = &job.progress {
        let share = fraction.map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default();
        let left = progress.left.map(|left| format!(", {} left", HumanDuration(left))).unwrap_or_default();
        let of = match progress.total {
            0 => String::new(),
            total => format!(": {} of {total}", progress.done),
        };
        ui.add(egui::Label::new(small(format!("{share}{left}"))))
            .on_hover_text(format!("{}{of}{left}", progress.stage));
    }
    let cancel = Command::Cancel(job.id);
    let text = if job.cancelled { "Stopping…" } else { cancel.about().text };
    let button = ui.add_enabled(!job.cancelled, Button::new(text).small());
    if button.on_hover_text(cancel.about().hint).clicked() {
        out.push(cancel);
    }
}

/// Draws the latest message in one line, unless a toast shows it; its tooltip has all of it.
fn latest_ui(ui: &mut Ui, latest: Option<&Message>) {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    let Some(last) = latest else { return };
    let (mark, colour) = tone_mark(ui.visuals(), last.tone);
    let at = paint::text(ui, rect, Align2::LEFT_CENTER, mark, &Ink::body(colour));
    let room = egui::Rect::from_min_max(egui::pos2(at.right() + 6.0, rect.top()), rect.max);
    paint::text(ui, room, Align2::LEFT_CENTER, &last.text, &Ink::body(tokens.text));
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &last.text));
    response.on_hover_text(&last.text);
}

/// Draws that files are never run, with how they are confined.
fn safe_ui(ui: &mut Ui, session: &Session) {
    let text = if ui.ctx().content_rect().width() < 1000.0 {
        icon::LOCK.to_owned()
    } else {
        format!("{} Files are read, never run", icon::LOCK)
    };
    let shown = ui.label(small(text));
    shown.widget_info(|| WidgetInfo::labeled(Role::Label, true, "Files are read, never run"));
    let mut hint = match session.is_shared() {
        true => SHARED.to_owned(),
        false => "Nothing leaves this machine.".to_owned(),
    };
    if let Some(protection) = session.reader.protection() {
        hint = format!("{hint}\n{protection}");
    }
    shown.on_hover_text(hint);
}

/// Draws which model answers.
fn model_ui(ui: &mut Ui, session: &Session) {
    let Some(model) = session.contents.model() else { return };
    let name = model_name(model);
    let mut shown: String = name.chars().take(44).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    let response = ui.label(small(format!("{} {shown}", icon::CPU)));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("Answers come from {name}")));
    response.on_hover_text(format!("Answers come from {name}"));
}

/// Draws the button that opens the messages, and the messages.
fn messages_button_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    out: &mut Vec<Command>,
) {
    let n = session.messages.len();
    if n == 0 {
        return;
    }
    let button = ui.add(Button::new(format!("{} {n}", icon::BELL)).frame_when_inactive(false));
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Messages ({n})")));
    let button = button.on_hover_text("All messages, and the skipped files");
    if button.clicked() {
        view.messages_open = !view.messages_open;
    }
    let popup = egui::Popup::from_response(&button)
        .open_bool(&mut view.messages_open)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    popup.show(|ui| {
        ui.set_width(560.0_f32.min(ui.ctx().content_rect().width() - 60.0));
        ui.horizontal(|ui| {
            super::controls::heading_ui(ui, "Messages");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                command_button(ui, facts, Command::ClearMessages, out);
                if ui
                    .button("Copy all")
                    .on_hover_text("Copies the messages and the skipped files as text")
                    .clicked()
                {
                    ui.copy_text(as_text(session));
                }
            });
        });
        let most = ui.ctx().content_rect().height() * 0.5;
        ScrollArea::vertical().id_salt("messages").max_height(most).auto_shrink([false, true]).show(
            ui,
            |ui| {
                for message in session.messages.iter().rev() {
                    message_ui(ui, message);
                }
                for file in session.skipped.iter().rev().take(SKIPPED) {
                    let (path, reason) = (escape::path(&file.path), escape::text(&file.reason));
                    ui.add(
                        egui::Label::new(RichText::new(format!("{}: {path} {reason}", file.word())).weak())
                            .wrap(),
                    );
                }
            },
        );
    });
}

/// The messages and the skipped files as text.
fn as_text(session: &Session) -> String {
    let messages = session.messages.iter().map(|message| message.text.clone());
    let skipped = session
        .skipped
        .iter()
        .map(|file| format!("{}: {} {}", file.word(), escape::path(&file.path), escape::text(&file.reason)));
    messages.chain(skipped).collect::<Vec<_>>().join("\n")
}

/// Draws one message, whole.
fn message_ui(ui: &mut Ui, message: &Message) {
    let (mark, colour) = tone_mark(ui.visuals(), message.tone);
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(mark).color(colour));
        ui.add(egui::Label::new(&message.text).wrap());
    });
}
