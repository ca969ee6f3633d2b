//! The page of the lesson: the list of its parts at the left, and at the right the model, then part after part.

use super::arrows_ui::{arrows_legend_ui, arrows_ui};
use super::batch_dependence_ui::batch_dependence_ui;
use super::begin_ui::{article_ui, begin_ui, link_ui, working_ui};
use super::cause_ui::cause_ui;
use super::experiment_ui::experiment_ui;
use super::layers_ui::layers_ui;
use super::modes_ui::modes_ui;
use super::parts::{PARTS, Page, note_ui, part_head_ui, part_ui, why_ui};
use super::repair_ui::repair_ui;
use super::scene::Scene;
use super::try_ui::try_ui;
use super::why;
use crate::app::command::Command;
use crate::app::command_ui::command_button_as;
use crate::app::lab_command::LabCommand;
use crate::app::lab_view::LabView;
use crate::app::list::List;
use crate::app::paint::{self, Ink};
use crate::app::question::Purpose;
use crate::app::theme::{Tokens, heading, icon, small};
use crate::batchnorm::{Report, thousands};
use crate::escape;
use crate::model::{Model, Norm};
use egui::{Align, Align2, Button, Frame, Layout, Margin, Rect, RichText, ScrollArea, Ui, vec2};

/// Width of the list of parts.
const LIST: f32 = 158.0;
/// Parts that are of use before a model is measured.
const ALWAYS: [usize; 2] = [7, 8];
/// Narrower than this, the arrows come below the cards of the modes.
const NARROW: f32 = 880.0;

/// Draws the list of parts and the page.
pub fn lab_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView, out: &mut Vec<Command>) {
    let ready = scene.lab.report().is_some() && !scene.facts.lab.trying;
    let list = Frame::new().inner_margin(Margin { left: 0, right: 8, top: 8, bottom: 0 });
    egui::Panel::left("lesson").resizable(false).exact_size(LIST).frame(list).show(ui, |ui| {
        list_ui(ui, view, ready);
    });
    let mut page = Page { jump: view.jump.take(), ..Page::default() };
    let frame = Frame::new().inner_margin(Margin { left: 12, right: 0, top: 4, bottom: 0 });
    egui::CentralPanel::default().frame(frame).show(ui, |ui| {
        let shown =
            ScrollArea::vertical().id_salt("lesson-page").auto_shrink([false, false]).show(ui, |ui| {
                // Beside the scroll bar.
                ui.set_max_width(ui.available_width() - 12.0);
                page_ui(ui, scene, view, &mut page, out);
                ui.add_space(24.0);
            });
        let scrolled =
            ui.input(|input| input.smooth_scroll_delta().y != 0.0 || input.pointer.is_decidedly_dragging());
        in_view(view, &page, shown.inner_rect, scrolled);
    });
}

/// Draws the list of parts: a click or an arrow key scrolls to one.
fn list_ui(ui: &mut Ui, view: &mut LabView, ready: bool) {
    ui.label(heading("Lesson"));
    ui.spacing_mut().item_spacing.y = 0.0;
    let there = |number: usize| ready || ALWAYS.contains(&number);
    let chosen = there(view.part).then(|| view.part.saturating_sub(1));
    let reply = List::new("lesson-parts", "Parts of the lesson", 26.0, PARTS.len()).chosen(chosen).show(
        ui,
        |ui, i, row| {
            let tokens = Tokens::of(ui.visuals());
            let name = PARTS.get(i).copied().unwrap_or_default();
            let ink = if there(i + 1) { tokens.text } else { tokens.text3 };
            let cell = Rect::from_min_max(row.rect.min + vec2(6.0, 0.0), row.rect.max);
            paint::text(ui, cell, Align2::LEFT_CENTER, &(i + 1).to_string(), &Ink::small(tokens.text2));
            paint::text(ui, cell.with_min_x(cell.left() + 20.0), Align2::LEFT_CENTER, name, &Ink::body(ink));
            format!("{} {name}", i + 1)
        },
    );
    if let Some(part) = reply.chosen.or(reply.opened).map(|i| i + 1).filter(|part| there(*part)) {
        view.part = part;
        view.jump = Some(part);
        view.going = true;
    }
}

/// Keeps the part that was chosen while its heading is in view; else the part that is read is chosen.
fn in_view(view: &mut LabView, page: &Page, seen: Rect, scrolled: bool) {
    if let Some(part) = page.jump {
        view.part = part;
        return;
    }
    // The page takes a moment to arrive, and the last parts cannot come to its top: what was clicked stays chosen until the
    // user scrolls.
    view.going &= !scrolled;
    if view.going {
        return;
    }
    let tops = || page.tops.iter().enumerate().filter_map(|(i, top)| Some((i + 1, (*top)?)));
    let inside = |top: f32| top > seen.top() - 8.0 && top < seen.bottom() - 40.0;
    if tops().any(|(part, top)| part == view.part && inside(top)) {
        return;
    }
    let first = tops().find(|(_, top)| inside(*top));
    let above = || tops().rfind(|(_, top)| *top <= seen.top());
    if let Some((part, _)) = first.or_else(above) {
        view.part = part;
    }
}

/// Draws the page.
fn page_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut LabView, page: &mut Page, out: &mut Vec<Command>) {
    let facts = &scene.facts.lab;
    if facts.trying {
        page.begin(ui, 1);
        ui.add_space(8.0);
        working_ui(ui, scene);
        ui.add_space(6.0);
        article_ui(ui);
    } else if let (Some(report), Some(model)) = (scene.lab.report(), &scene.lab.model) {
        page.begin(ui, 1);
        head_ui(ui, scene, model, report, out);
        measured_ui(ui, scene, (model, report), view, page, out);
    } else if facts.measuring {
        page.begin(ui, 1);
        ui.add_space(ui.available_height() * 0.3);
        ui.vertical_centered(|ui| {
            ui.label(heading("Measuring train mode and eval mode"));
            ui.weak("The progress is shown below.");
        });
        return;
    } else {
        begin_ui(ui, scene, out);
    }
    part_ui(ui, page, (7, "Try it: momentum, batches, batch size"), why::TRY, |ui| {
        try_ui(ui, scene, view, out);
    });
    part_ui(ui, page, (8, "With and without batch normalisation"), why::EXPERIMENT, |ui| {
        experiment_ui(ui, scene, view, out);
    });
}

/// Draws the parts that need a measured model.
fn measured_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    (model, report): (&Model, &Report),
    view: &mut LabView,
    page: &mut Page,
    out: &mut Vec<Command>,
) {
    cause_ui(ui, scene, report);
    why_ui(ui, 1, why::CAUSE);
    ui.add_space(10.0);
    let with = model.config.norm == Norm::Batch;
    if with && ui.available_width() >= NARROW {
        let width = ui.available_width();
        let left = (width * 0.4).clamp(360.0, 520.0);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 16.0;
            ui.allocate_ui_with_layout(vec2(left, 0.0), Layout::top_down(Align::Min), |ui| {
                part_head_ui(ui, page, 2, "Same files, same weights, two modes", |_| ());
                modes_ui(ui, scene, report);
            });
            let rest = vec2(width - left - 16.0, 0.0);
            ui.allocate_ui_with_layout(rest, Layout::top_down(Align::Min), |ui| {
                part_head_ui(ui, page, 3, "Where eval mode puts each file", |ui| arrows_legend_ui(ui, scene));
                arrows_ui(ui, scene, view, 280.0);
            });
        });
    } else {
        part_head_ui(ui, page, 2, "Same files, same weights, two modes", |_| ());
        modes_ui(ui, scene, report);
        if with {
            ui.add_space(8.0);
            part_head_ui(ui, page, 3, "Where eval mode puts each file", |ui| arrows_legend_ui(ui, scene));
            arrows_ui(ui, scene, view, 300.0);
        }
    }
    why_ui(ui, 2, why::MODES);
    if !with {
        note_ui(
            ui,
            "This model has no batch normalisation, so it has no running statistics. Parts 7 and 8 show what batch normalisation would do.",
        );
        return;
    }
    part_ui(ui, page, (4, "Repair"), why::REPAIR, |ui| repair_ui(ui, scene, report, view, out));
    part_ui(ui, page, (5, "Running statistics, layer by layer"), why::LAYERS, |ui| {
        layers_ui(ui, model, report, view);
    });
    part_ui(ui, page, (6, "The same file in different batches"), why::DEPENDENCE, |ui| {
        batch_dependence_ui(ui, scene, report, view, out);
    });
}

/// Draws which model is in the lab, the article, and what can be done with the model.
fn head_ui(ui: &mut Ui, scene: &Scene<'_>, model: &Model, report: &Report, out: &mut Vec<Command>) {
    let title = match (&scene.lab.trial, scene.folder()) {
        (Some(trial), _) => format!("{}, trained as in the article", trial.title),
        (None, Some(folder)) => format!("The library's model on {}", escape::file_name(&folder.path)),
        (None, None) => "The library's model".to_owned(),
    };
    let kind = match model.config.norm {
        Norm::Batch => format!("{} batch-norm layers", model.network.running.len()),
        Norm::None => "no batch normalisation".to_owned(),
    };
    let training = &model.config.training;
    let about = format!(
        "{kind}, {} batches of {}, measured on {} files",
        thousands(training.steps),
        training.batch_size,
        thousands(report.known.files.len())
    );
    let wide = ui.available_width() >= 980.0;
    ui.horizontal(|ui| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.label(heading(title));
            ui.label(small(about));
        });
        if wide {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                actions_ui(ui, scene, model, true, out);
            });
        }
    });
    if !wide {
        ui.horizontal_wrapped(|ui| actions_ui(ui, scene, model, false, out));
    }
    if let Some(obstacle) = &scene.lab.obstacle {
        let tokens = Tokens::of(ui.visuals());
        ui.label(RichText::new(format!("{} {obstacle}", icon::WARNING)).color(tokens.warn));
    }
    ui.add_space(4.0);
}

/// Draws what can be done with the model in the lab; from the right if it is beside the title.
fn actions_ui(ui: &mut Ui, scene: &Scene<'_>, model: &Model, from_right: bool, out: &mut Vec<Command>) {
    let trial = scene.lab.trial.is_some();
    let mut actions = vec![(Command::Lab(LabCommand::Measure), None)];
    if trial {
        actions.insert(0, (Command::Save(Purpose::Candidate(model.hash)), Some("Save this model…")));
        actions.insert(0, (Command::Lab(LabCommand::UseTrial), None));
        actions.push((Command::Lab(LabCommand::LeaveTrial), None));
    } else {
        actions.push((Command::Lab(LabCommand::Article), None));
    }
    let link = |ui: &mut Ui| link_ui(ui, "The article, by HarfangLab");
    if from_right {
        actions.reverse();
    } else {
        link(ui);
    }
    for (command, text) in actions {
        let button = Button::new(text.unwrap_or(command.about().text)).min_size(vec2(0.0, 28.0));
        command_button_as(ui, scene.facts, button, command, out);
    }
    if from_right {
        ui.add_space(4.0);
        link(ui);
    }
}
