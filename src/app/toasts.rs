//! Toasts: messages that appear at the lower right and go away by themselves, but for failures. All messages stay in the list
//! of messages.

use super::command::Command;
use super::command_ui::command_button;
use super::controls::icon_button;
use super::edit_queue::WindowEdit;
use super::facts::Facts;
use super::message::{Message, Tone};
use super::session::Session;
use super::theme::{Tokens, icon, tone_mark};
use egui::{Align, Align2, Area, Frame, Id, Layout, Order, RichText, Role, Stroke, Ui, WidgetInfo, vec2};
use std::time::Duration;

/// Width of a toast, in points.
const WIDTH: f32 = 324.0;
/// Seconds until a toast goes away, unless the pointer is on it.
const SECONDS: f64 = 6.0;
/// Seconds that it stays after the pointer has left it, at least.
const HELD: f64 = 2.0;
/// Toasts shown at once, at most.
const SHOWN: usize = 3;
/// The distance from the lower right corner of the window, above the status bar.
const FROM_CORNER: [f32; 2] = [-12.0, -38.0];

/// The toasts that are shown.
#[derive(Default)]
pub struct Toasts {
    shown: Vec<Toast>,
    /// The messages that were seen, by [`Session::said`].
    seen: usize,
}

struct Toast {
    message: Message,
    /// When it ends, in seconds since the window opened; `None` until it is closed.
    ends: Option<f64>,
}

impl Toasts {
    /// Whether the newest toast is this message.
    pub fn show(&self, message: &Message) -> bool {
        self.shown.last().is_some_and(|toast| toast.message.text == message.text)
    }

    /// Takes in the messages since the last frame.
    fn refresh(&mut self, session: &Session, now: f64) {
        let new = session.said.saturating_sub(self.seen).min(session.messages.len());
        self.seen = session.said;
        if session.messages.is_empty() {
            self.shown.clear();
        }
        let from = session.messages.len() - new;
        for message in session.messages.get(from..).unwrap_or_default() {
            // A success that offers nothing to do is said in the status bar.
            if message.tone == Tone::Good && message.edit.is_none() {
                continue;
            }
            let ends = (message.tone != Tone::Bad).then_some(now + SECONDS);
            self.shown.push(Toast { message: message.clone(), ends });
        }
        let many = self.shown.len().saturating_sub(SHOWN);
        self.shown.drain(..many);
    }

    /// Drops those whose time is over; while they are `held`, none is. Returns in how long the next one ends.
    fn drop_ended(&mut self, now: f64, held: bool) -> Option<Duration> {
        if held {
            for ends in self.shown.iter_mut().filter_map(|toast| toast.ends.as_mut()) {
                *ends = ends.max(now + HELD);
            }
        }
        self.shown.retain(|toast| toast.ends.is_none_or(|ends| ends > now));
        let next = self.shown.iter().filter_map(|toast| toast.ends).min_by(f64::total_cmp)?;
        Some(Duration::from_secs_f64((next - now).max(0.05)))
    }
}

/// Draws the toasts.
pub fn toasts_ui(ui: &Ui, toasts: &mut Toasts, session: &Session, facts: &Facts, out: &mut Vec<Command>) {
    let now = ui.input(|input| input.time);
    toasts.refresh(session, now);
    if toasts.shown.is_empty() {
        return;
    }
    let mut closed = None;
    let area = Area::new(Id::unique("toasts")).order(Order::Foreground);
    let shown =
        area.anchor(Align2::RIGHT_BOTTOM, vec2(FROM_CORNER[0], FROM_CORNER[1])).show(ui.ctx(), |ui| {
            ui.set_width(WIDTH);
            for (i, toast) in toasts.shown.iter().enumerate() {
                toast_ui(ui, &toast.message, facts, out, || closed = Some(i));
            }
        });
    if let Some(closed) = closed {
        toasts.shown.remove(closed);
    }
    let held = shown.response.contains_pointer();
    if let Some(next) = toasts.drop_ended(now, held) {
        ui.ctx().request_repaint_after(next);
    }
}

/// Draws one toast.
fn toast_ui(ui: &mut Ui, message: &Message, facts: &Facts, out: &mut Vec<Command>, close: impl FnOnce()) {
    let tokens = Tokens::of(ui.visuals());
    let (mark, colour) = tone_mark(ui.visuals(), message.tone);
    let frame = Frame::popup(ui.style())
        .fill(tokens.raised)
        .stroke(Stroke::new(1.0, tokens.border))
        .corner_radius(6)
        .inner_margin(10);
    let shown = frame.show(ui, |ui| {
        ui.set_width(WIDTH - 22.0);
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(mark).color(colour));
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                if icon_button(ui, icon::X, "Close the message").clicked() {
                    close();
                }
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.add(egui::Label::new(&message.text).wrap());
                    if offers_undo(message, facts.undo.as_ref()) {
                        command_button(ui, facts, Command::Undo, out);
                    }
                });
            });
        });
    });
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &message.text));
    ui.add_space(6.0);
}

/// Whether a toast offers to undo the edit that it reports: as long as that is the `latest`, which undo takes back.
fn offers_undo(message: &Message, latest: Option<&WindowEdit>) -> bool {
    message.edit.as_ref().is_some_and(|edit| latest == Some(edit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Reader;

    #[test]
    fn a_toast_offers_to_undo_its_own_edit_and_no_other() {
        let edit = |id| WindowEdit { library: "l".into(), id, text: "label 1 sample".to_owned() };
        let mut session = Session::new("l".into(), Reader::default());
        session.say_done("a now has the label alpha", edit(1));
        session.say_done("b now has the label beta", edit(2));
        session.say(Tone::Note, "1 file was skipped");
        let offers = |latest: Option<WindowEdit>| -> Vec<bool> {
            session.messages.iter().map(|message| offers_undo(message, latest.as_ref())).collect()
        };
        assert_eq!(offers(Some(edit(2))), [false, true, false]);
        assert_eq!(offers(Some(edit(1))), [true, false, false]);
        assert_eq!(offers(None), [false, false, false]);
    }

    #[test]
    fn a_toast_goes_away_but_for_a_failure() {
        let mut session = Session::new("l".into(), Reader::default());
        let mut toasts = Toasts::default();
        session.say(Tone::Good, "36 files compared");
        session.say(Tone::Note, "1 file was skipped");
        session.say(Tone::Bad, "Opening x: not found");
        toasts.refresh(&session, 1.0);
        toasts.refresh(&session, 1.0);
        let texts = |toasts: &Toasts| toasts.shown.iter().map(|t| t.message.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&toasts), ["1 file was skipped", "Opening x: not found"]);
        assert!(toasts.drop_ended(4.0, false).is_some());
        assert!(toasts.drop_ended(8.0, true).is_some(), "the pointer is on it");
        assert_eq!(toasts.drop_ended(11.0, false), None);
        assert_eq!(texts(&toasts), ["Opening x: not found"]);
        for i in 0..9 {
            session.say(Tone::Note, format!("note {i}"));
        }
        toasts.refresh(&session, 1.0);
        assert_eq!(texts(&toasts), ["note 6", "note 7", "note 8"]);
        session.messages.clear();
        toasts.refresh(&session, 1.0);
        assert!(toasts.shown.is_empty());
    }
}
