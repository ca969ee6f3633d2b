//! The verdict on the selected file, as a card: the verdict with its glyph and colour, the label, the probability, the
//! reason in one line, the views, and what can be done next.

use super::reason::{nearly_identical, reason};
use super::shown::Shown;
use crate::app::command::Command;
use crate::app::command_ui::{command_button, command_button_as};
use crate::app::controls::primary_button;
use crate::app::facts::Facts;
use crate::app::paint::{self, Ink};
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::theme::{Tokens, icon, small};
use crate::app::verdict_look::State;
use crate::escape;
use crate::view::Packed;
use crate::workflow::{Near, Verdict, calibration_text, is_calibrated, model_name, packed_text, percent};
use egui::{
    Align2, Button, Color32, CornerRadius, Frame, Margin, Rect, Role, Sense, Stroke, Ui, WidgetInfo, vec2,
};

/// Width of the stripe at the left edge.
const STRIPE: f32 = 5.0;

/// Draws the card.
pub fn card_ui(ui: &mut Ui, facts: &Facts, session: &Session, shown: &Shown<'_>, out: &mut Vec<Command>) {
    match session.selection {
        Some(Selection::Queried(_)) => queried_ui(ui, facts, session, shown, out),
        Some(Selection::InLibrary(_)) => sample_ui(ui, facts, session, shown, out),
        None => {}
    }
}

/// Draws a card with this colour at its edge.
fn card(ui: &mut Ui, colour: Color32, fill: Color32, content: impl FnOnce(&mut Ui)) {
    let tokens = Tokens::of(ui.visuals());
    let frame = Frame::new()
        .fill(fill)
        .stroke(Stroke::new(1.0, tokens.edge(colour)))
        .corner_radius(6)
        .inner_margin(Margin { left: 16, right: 12, top: 10, bottom: 12 });
    let rect = frame
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 5.0;
            content(ui);
        })
        .response
        .rect;
    let stripe = Rect::from_min_size(rect.min, vec2(STRIPE, rect.height()));
    ui.painter().rect_filled(stripe, CornerRadius { nw: 6, sw: 6, ne: 0, se: 0 }, colour);
}

/// Draws the verdict on a dropped file.
fn queried_ui(ui: &mut Ui, facts: &Facts, session: &Session, shown: &Shown<'_>, out: &mut Vec<Command>) {
    let tokens = Tokens::of(ui.visuals());
    if session.contents.is_empty() {
        card(ui, tokens.nothing, tokens.raised, |ui| {
            state_ui(ui, State::Open, "Nothing to compare with yet", "");
            ui.label("The library has no samples. The facts of this file are below; open a folder of files to compare it with.");
            if primary_button(ui, true, "Open a folder…").clicked() {
                out.push(Command::OpenFolder);
            }
        });
        return;
    }
    let Some(near) = session.near().filter(|near| near.is_current(&session.contents, near.k)) else {
        card(ui, tokens.nothing, tokens.raised, |ui| {
            state_ui(ui, State::Open, "Comparing", "");
            ui.weak(format!("with {} samples", session.contents.len()));
        });
        return;
    };
    let verdict = near.verdict.as_ref();
    let state = State::of(verdict);
    let colour = state.colour(tokens);
    card(ui, colour, tokens.tint(colour), |ui| {
        let probability = verdict.and_then(Verdict::probability).filter(|_| state != State::Identical);
        let caption = match state {
            State::Unlike => "of the nearest label",
            _ => "probability",
        };
        state_ui(ui, state, state.word(), if probability.is_some() { caption } else { "" });
        let title = title(session, verdict, near);
        title_ui(ui, session, verdict, &title, probability);
        if let Some(probability) = probability {
            bar_ui(ui, probability, session.contents.unlike_below(), colour);
        }
        let why = reason(&session.contents, verdict, &near.neighbours);
        ui.label(why);
        views_ui(ui, session, near);
        notes_ui(ui, session, verdict, near);
        ui.add_space(2.0);
        ui.horizontal_wrapped(|ui| buttons_ui(ui, facts, session, shown, verdict, out));
    });
}

/// Draws the glyph and the word of a verdict, and at the right what its number is.
fn state_ui(ui: &mut Ui, state: State, word: &str, caption: &str) {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let glyph = Rect::from_min_size(rect.min, vec2(16.0, 18.0));
    state.paint(ui.painter(), glyph.center(), 7.0, tokens);
    let text = Rect::from_min_max(rect.min + vec2(23.0, 0.0), rect.max);
    let ink = Ink::body(state.colour(tokens)).weight(500.0);
    paint::text(ui, text, Align2::LEFT_CENTER, word, &ink);
    paint::text(ui, rect, Align2::RIGHT_CENTER, caption, &Ink::small(tokens.text2));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, word));
}

/// The largest line of the card.
fn title(session: &Session, verdict: Option<&Verdict>, near: &Near) -> String {
    let nearest = || near.neighbours.first().and_then(|nearest| session.contents.get(nearest.sha256)?.label);
    match verdict {
        Some(Verdict::Unlike { .. }) => "No label fits".to_owned(),
        Some(Verdict::Nothing) => "Cannot be compared".to_owned(),
        Some(verdict) => {
            let labels: Vec<String> = verdict.labels().into_iter().map(escape::text).collect();
            match labels.as_slice() {
                [] => "Without a label".to_owned(),
                [one] if matches!(verdict, Verdict::Undecided { .. }) => format!("{one} or new"),
                _ => labels.join(" or "),
            }
        }
        None => nearest().map_or_else(
            || "Without a label".to_owned(),
            |label| format!("Nearest: {}", escape::text(label)),
        ),
    }
}

/// Draws the title with the label's symbol, and the probability.
fn title_ui(
    ui: &mut Ui,
    session: &Session,
    verdict: Option<&Verdict>,
    title: &str,
    probability: Option<f32>,
) {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    let mut left = rect;
    if let Some([label]) = verdict.map(Verdict::labels).as_deref() {
        let symbol = session.slots.symbol(Some(label));
        let at = egui::pos2(rect.left() + 7.0, rect.center().y);
        symbol.paint(ui.painter(), at, 5.5, tokens.dark);
        left.min.x += 22.0;
    }
    let number = probability.map(percent).unwrap_or_default();
    let ink = Ink::title(tokens.text);
    let right = paint::text(ui, rect, Align2::RIGHT_CENTER, &number, &ink);
    left.max.x = right.left() - 8.0;
    paint::name(ui, left, Align2::LEFT_CENTER, title, &ink);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{title} {number}").trim()));
    if probability.is_some() {
        response.on_hover_text(
            "The probability that the file is of the nearest sample's family, calibrated on families that the base model did not learn from",
        );
    }
}

/// Draws the probability as a bar, with a tick where "unlike anything known" ends.
fn bar_ui(ui: &mut Ui, probability: f32, threshold: Option<f32>, colour: Color32) {
    let tokens = Tokens::of(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), Sense::hover());
    let bar = Rect::from_center_size(rect.center(), vec2(rect.width(), 4.0));
    let painter = ui.painter();
    painter.rect_filled(bar, 2.0, tokens.edge(tokens.nothing));
    let full = Rect::from_min_size(bar.min, vec2(bar.width() * probability.clamp(0.0, 1.0), 4.0));
    painter.rect_filled(full, 2.0, colour);
    if let Some(threshold) = threshold {
        let x = bar.left() + bar.width() * threshold;
        painter.vline(x, rect.y_range(), Stroke::new(1.0, tokens.text2));
        response.on_hover_text(format!("Below {threshold:.2}, a file is unlike anything known"));
    }
}

/// Draws how alike the file and its nearest sample are, by each view.
fn views_ui(ui: &mut Ui, session: &Session, near: &Near) {
    let Some(cosines) = near.neighbours.first().and_then(|nearest| nearest.cosines) else { return };
    let tokens = Tokens::of(ui.visuals());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (name, cosine) in cosines.by_name() {
            ui.label(small(name));
            let value = cosine.map_or_else(|| "abstains".to_owned(), |cosine| format!("{cosine:.2}"));
            ui.label(small(value).color(tokens.text)).on_hover_text(
                "How alike the file and the nearest sample are by this view, from 0 to 1. A view abstains where one of them has nothing to go by, or their code is for different processors",
            );
            ui.add_space(6.0);
        }
        if let Some(model) = session.contents.model() {
            ui.label(small(format!("by {}", model_name(model))));
        }
    });
}

/// Draws what is to be noted: nearly identical, packed, not calibrated.
fn notes_ui(ui: &mut Ui, session: &Session, verdict: Option<&Verdict>, near: &Near) {
    let tokens = Tokens::of(ui.visuals());
    let mut notes: Vec<(String, &str)> = Vec::new();
    if matches!(verdict, Some(Verdict::Known { .. }))
        && let Some(text) = nearly_identical(&session.contents, &near.neighbours)
    {
        notes.push((text, "The same program, signed again or with other data appended"));
    }
    if near.approximate {
        notes.push((
            "Approximate: nearer samples may have been missed.".to_owned(),
            "A large library of a team is searched by an index of the server. `lookalike query --exact` compares all samples",
        ));
    }
    if let Some(look) = session.selection.and_then(|selection| session.look(selection)) {
        let packed = packed_text(&look);
        let unpacked =
            matches!(look.views.as_ref().map(|views| &views.packed), Some(Packed::Unpacked { .. }));
        if !packed.is_empty() {
            let meaning = if unpacked {
                "It is compared by what is in it. Nothing of it was run."
            } else {
                "Its text, its imports and its code are hidden, so nothing about its family can be said from them."
            };
            notes.push((format!("Packed: {}. {meaning}", escape::text(&packed)), ""));
        }
    }
    let calibrated =
        verdict.is_none_or(|verdict| verdict.probability().is_some() || *verdict == Verdict::Nothing);
    if !calibrated {
        notes.push((
            "By distance alone: this model's probability is not calibrated.".to_owned(),
            "Models of images, and those trained from random weights, have no calibration. What is unlike anything known is measured on the files that were held out of the training",
        ));
    }
    if calibrated
        && is_calibrated(&session.contents) == Some(false)
        && let Some(text) = calibration_text(&session.contents)
    {
        notes.push((format!("By this model {text}."), "At least 30 files of three labels are needed"));
    }
    let queried = session.selection.and_then(|selection| session.queried(selection.sha256()));
    if let Some(out_of_range) = queried.and_then(|queried| queried.out_of_range.as_ref()) {
        notes.push((
            escape::text(&out_of_range.to_string()),
            "The batch-norm layers of the network see values far from those that it keeps, so what it says of this file is chance; the lab shows its layers",
        ));
    }
    if verdict.is_none() {
        notes.push((
            "No verdict: too few files were held out of the training to know when a file is unlike anything known.".to_owned(),
            "At least 20 held-out files are needed",
        ));
    }
    if notes.is_empty() {
        return;
    }
    ui.separator();
    for (text, hint) in notes {
        ui.horizontal_top(|ui| {
            ui.label(egui::RichText::new(icon::INFO).color(tokens.text2));
            let shown = ui.add(egui::Label::new(text).wrap());
            if !hint.is_empty() {
                shown.on_hover_text(hint);
            }
        });
    }
}

/// Draws what can be done with a dropped file.
fn buttons_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    shown: &Shown<'_>,
    verdict: Option<&Verdict>,
    out: &mut Vec<Command>,
) {
    let sha256 = shown.sha256;
    if session.contents.contains(sha256) {
        let label = Command::Select(Some(Selection::InLibrary(sha256)));
        let button = ui
            .button("Show the sample")
            .on_hover_text("Selects the sample of the library that it is identical to");
        if button.clicked() {
            out.push(label);
        }
        command_button(ui, facts, Command::Label(sha256), out);
        return;
    }
    if let Some(Verdict::Known { label: Some(label), .. }) = verdict {
        let add = Command::AddQueried(vec![sha256], Some(label.clone()));
        let text = format!("Add to library as {}", escape::text(label));
        let obstacle = add.obstacle(facts);
        let button = primary_button(ui, obstacle.is_none(), &text);
        let button = match obstacle {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text(add.about().hint),
        };
        if button.clicked() {
            out.push(add);
        }
    }
    let known = matches!(verdict, Some(Verdict::Known { label: Some(_), .. }));
    let text = if known { "Other label…" } else { "Add to library as…" };
    command_button_as(ui, facts, Button::new(text), Command::AskToAdd(vec![sha256]), out);
}

/// Draws a sample of the library: its label, and what the answer would be without it.
fn sample_ui(ui: &mut Ui, facts: &Facts, session: &Session, shown: &Shown<'_>, out: &mut Vec<Command>) {
    let tokens = Tokens::of(ui.visuals());
    card(ui, tokens.link, tokens.raised, |ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
        let ink = Ink::body(tokens.text2).weight(500.0);
        paint::text(ui, rect, Align2::LEFT_CENTER, &format!("{}  In the library", icon::DATABASE), &ink);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, "In the library"));
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
        let at = egui::pos2(rect.left() + 7.0, rect.center().y);
        shown.symbol.paint(ui.painter(), at, 5.5, tokens.dark);
        let left = Rect::from_min_max(rect.min + vec2(22.0, 0.0), rect.max);
        let label = escape::label(shown.label);
        paint::name(ui, left, Align2::LEFT_CENTER, &label, &Ink::title(tokens.text));
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &label));
        if let Some(near) = session.near() {
            let without = without_it(shown.label, near.verdict.as_ref());
            if !without.is_empty() {
                ui.label(without);
            }
            ui.weak(reason(&session.contents, near.verdict.as_ref(), &near.neighbours));
            views_ui(ui, session, near);
        } else {
            ui.weak("Finding its neighbours…");
        }
        if let Some((_, problem)) = session.file_problem.filter(|(of, _)| *of == shown.sha256) {
            ui.horizontal_top(|ui| {
                ui.label(egui::RichText::new(icon::WARNING).color(tokens.warn));
                ui.add(egui::Label::new(problem.sentence(session.is_shared())).wrap());
            });
        }
        ui.add_space(2.0);
        ui.horizontal(|ui| {
            command_button(ui, facts, Command::Label(shown.sha256), out);
            command_button(ui, facts, Command::RemoveSamples(vec![shown.sha256]), out);
        });
    });
}

/// What the verdict on a sample would be if it were not in the library.
fn without_it(label: Option<&str>, verdict: Option<&Verdict>) -> String {
    let Some(verdict) = verdict else { return String::new() };
    let labels = verdict.labels();
    match (label, labels.as_slice()) {
        (Some(own), [same]) if own == *same => "The nearest samples agree with its label.".to_owned(),
        (Some(_), [other]) => {
            format!("By its nearest samples it would be {}: check its label.", escape::text(other))
        }
        (None, [other]) => format!("By its nearest samples it is {}.", escape::text(other)),
        (_, [_, _]) => "By its nearest samples it would be undecided.".to_owned(),
        _ => format!("Without it, this file would be {}.", verdict.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_whose_neighbours_have_another_label_is_to_be_checked() {
        let known = |label: &str| Verdict::Known { label: Some(label.to_owned()), probability: Some(0.9) };
        assert_eq!(without_it(Some("a"), Some(&known("a"))), "The nearest samples agree with its label.");
        assert!(without_it(Some("a"), Some(&known("b"))).contains("it would be b"));
        assert!(without_it(None, Some(&known("b"))).contains("it is b"));
        assert!(without_it(Some("a"), Some(&Verdict::Nothing)).contains("nothing to go by"));
        assert_eq!(without_it(Some("a"), None), "");
    }
}
