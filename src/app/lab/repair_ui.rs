//! Part 4: repairs as rows, each with eval mode before and after. What makes it worse cannot be used.

use super::columns::{Column, ROW, cells, head_ui};
use super::parts::{note_ui, percent};
use super::scene::Scene;
use super::state::Candidate;
use crate::app::command::Command;
use crate::app::command_ui::{command_button, command_button_as};
use crate::app::controls::primary_button;
use crate::app::lab_command::LabCommand;
use crate::app::lab_view::LabView;
use crate::app::paint::{self, Ink};
use crate::app::question::Purpose;
use crate::app::theme::Tokens;
use crate::batchnorm::{ModeSummary, Repair, Report, Severity, thousands};
use crate::model::Model;
use egui::{Align2, Button, CursorIcon, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Height of a row.
const HEIGHT: f32 = ROW + 6.0;
/// The columns. The first three are painted by hand.
const COLUMNS: [Column; 5] = [
    Column::text("", 2.9),
    Column::text("", 3.0),
    Column::text("eval mode; line: before", 2.1),
    Column::number("classified correctly", "Share of the files that eval mode classifies correctly", 1.7),
    Column::number("change", "Against the model in the lab", 1.4),
];
/// Narrower than this, the second column is left out.
const WIDE: f32 = 740.0;

/// The columns that there is room for.
fn columns(width: f32) -> [Column; 5] {
    let mut columns = COLUMNS;
    if width < WIDE {
        columns[1].share = 0.0;
    }
    columns
}

/// How a repaired model compares with the model in the lab.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    /// More files are classified correctly: by this share of them.
    Better(f64),
    /// As many.
    Same,
    /// Fewer.
    Worse(f64),
}

impl Change {
    fn of(before: &ModeSummary, after: &ModeSummary) -> Self {
        let by = after.accuracy - before.accuracy;
        match after.misclassified.cmp(&before.misclassified) {
            std::cmp::Ordering::Less => Self::Better(by),
            std::cmp::Ordering::Equal => Self::Same,
            std::cmp::Ordering::Greater => Self::Worse(-by),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Better(by) => format!("+{:.1} points", by * 100.0),
            Self::Same => "no change".to_owned(),
            Self::Worse(by) => format!("worse by {:.1}", by * 100.0),
        }
    }
}

/// Draws the rows, and what can be done with the chosen one.
pub fn repair_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    report: &Report,
    view: &mut LabView,
    out: &mut Vec<Command>,
) {
    let Some(model) = &scene.lab.model else { return };
    let [_, before] = report.summaries();
    let chosen = chosen(scene, &before, view).map(|candidate| candidate.model.hash);
    // The button below the rows tries what is recommended.
    let recommended = scene.lab.candidates.is_empty() && report.verdict.severity >= Severity::Repair;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        head_ui(ui, &columns(ui.available_width()));
        for command in rows(scene) {
            let candidate = scene.lab.candidates.iter().find(|candidate| candidate.by == command);
            match candidate {
                Some(candidate) => {
                    let is = chosen == Some(candidate.model.hash);
                    if candidate_ui(ui, model, &before, candidate, is) {
                        view.candidate = Some(candidate.model.hash);
                    }
                }
                None if recommended && command == LabCommand::Repair(Repair::Recompute) => {
                    untried_ui(ui, scene, model, command, None);
                }
                None => untried_ui(ui, scene, model, command, Some(out)),
            }
        }
    });
    ui.add_space(8.0);
    ui.horizontal_wrapped(|ui| buttons_ui(ui, scene, recommended, chosen, out));
    for repair in &model.config.repairs {
        let measured = match (repair.eval_mode_accuracy_before, repair.eval_mode_accuracy_after) {
            (Some(before), Some(after)) => {
                format!("eval mode {} before, {} after", percent(before), percent(after))
            }
            _ => "of labels that it does not know".to_owned(),
        };
        note_ui(
            ui,
            &format!("This model was repaired: {} ({} files; {measured}).", repair.what, repair.files),
        );
    }
}

/// The commands of the rows: those that are always offered, then the momenta that were tried.
fn rows(scene: &Scene<'_>) -> Vec<LabCommand> {
    let mut rows = vec![
        LabCommand::Repair(Repair::Recompute),
        LabCommand::Repair(Repair::Debias),
        LabCommand::Repair(Repair::Average),
        LabCommand::TrainLonger,
        LabCommand::TrainWithout,
    ];
    let tried = scene.lab.candidates.iter().map(|candidate| candidate.by.clone());
    rows.extend(tried.filter(|by| matches!(by, LabCommand::Repair(Repair::Momentum(_)))));
    rows
}

/// The repaired model that was chosen, or else the best; never one that makes it worse.
fn chosen<'a>(scene: &'a Scene<'_>, before: &ModeSummary, view: &LabView) -> Option<&'a Candidate> {
    let usable = || {
        scene.lab.candidates.iter().filter(|candidate| {
            let [_, after] = &candidate.numbers;
            !matches!(Change::of(before, after), Change::Worse(_))
        })
    };
    let asked = usable().find(|candidate| view.candidate == Some(candidate.model.hash));
    let best = || usable().min_by_key(|candidate| candidate.numbers[1].misclassified);
    asked.or_else(best)
}

/// The name of a row.
fn name(command: &LabCommand) -> String {
    match command {
        LabCommand::Repair(Repair::Momentum(m)) => format!("Momentum {m:.3}"),
        other => other.about().text.to_owned(),
    }
}

/// What a row does, in a phrase.
fn phrase(command: &LabCommand, model: &Model) -> String {
    let batches = model.network.running.first().map_or(0, |running| running.batches);
    match command {
        LabCommand::Repair(Repair::Recompute) => "one pass over the files".to_owned(),
        LabCommand::Repair(Repair::Debias) => "needs no files".to_owned(),
        LabCommand::Repair(Repair::Average) => format!("of all {} batches", thousands(batches as usize)),
        LabCommand::Repair(Repair::Momentum(_)) => "as if trained with it".to_owned(),
        LabCommand::TrainLonger => "until the start is forgotten".to_owned(),
        LabCommand::TrainWithout => "another model".to_owned(),
        _ => String::new(),
    }
}

/// Draws the row of a repaired model. Returns whether it was chosen.
fn candidate_ui(
    ui: &mut Ui,
    model: &Model,
    before: &ModeSummary,
    candidate: &Candidate,
    chosen: bool,
) -> bool {
    let tokens = Tokens::of(ui.visuals());
    let [_, after] = &candidate.numbers;
    let change = Change::of(before, after);
    let worse = matches!(change, Change::Worse(_));
    let sense = if worse { Sense::hover() } else { Sense::click() };
    let (row, mut response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), sense);
    if !worse {
        response = response.on_hover_cursor(CursorIcon::PointingHand);
    }
    if chosen || (response.hovered() && !worse) {
        ui.painter().rect_filled(row, 4.0, if chosen { tokens.select } else { tokens.hover });
    }
    let (strong, weak) = if worse { (tokens.text3, tokens.text3) } else { (tokens.text, tokens.text2) };
    let name = name(&candidate.by);
    let phrase = match (&candidate.by, worse) {
        (_, true) => "makes it worse, so it is not offered".to_owned(),
        (LabCommand::TrainLonger, _) => candidate.what.clone(),
        (by, _) => phrase(by, model),
    };
    let columns = columns(row.width());
    let mut rects = cells(row, &columns).map(|(cell, _)| cell);
    if let Some(cell) = rects.next() {
        radio(ui, pos2(cell.left() + 8.0, cell.center().y), chosen, worse);
        let cell = cell.with_min_x(cell.left() + 24.0);
        paint::text(ui, cell, Align2::LEFT_CENTER, &name, &Ink::body(strong).weight(500.0));
    }
    if let Some(cell) = rects.next().filter(|cell| cell.is_positive()) {
        paint::text(ui, cell, Align2::LEFT_CENTER, &phrase, &Ink::body(weak));
    }
    if let Some(cell) = rects.next() {
        bar(ui, cell, before.accuracy as f32, after.accuracy as f32, worse);
    }
    if let Some(cell) = rects.next() {
        paint::text(ui, cell, Align2::RIGHT_CENTER, &percent(after.accuracy), &Ink::body(strong));
    }
    if let Some(cell) = rects.next() {
        let colour = match change {
            Change::Better(_) => tokens.good,
            Change::Same => tokens.text2,
            Change::Worse(_) => tokens.bad,
        };
        paint::text(ui, cell, Align2::RIGHT_CENTER, &change.text(), &Ink::body(colour));
    }
    let said = format!("{name}: eval mode {}, {}", percent(after.accuracy), change.text());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, !worse, chosen, &said));
    let [train, _] = &candidate.numbers;
    let response = response.on_hover_text(format!(
        "{}. Train mode {}, eval mode {}: {} of {} misclassified",
        candidate.what,
        percent(train.accuracy),
        percent(after.accuracy),
        thousands(after.misclassified),
        thousands(after.files)
    ));
    response.clicked()
}

/// Draws the row of a repair that was not tried, with the button that tries it; without `out` it is recommended instead.
fn untried_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    model: &Model,
    command: LabCommand,
    out: Option<&mut Vec<Command>>,
) {
    let tokens = Tokens::of(ui.visuals());
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let (name, phrase) = (name(&command), phrase(&command, model));
    let command = Command::Lab(command);
    let columns = columns(row.width());
    let mut rects = cells(row, &columns).map(|(cell, _)| cell);
    let ink = Ink::body(if command.obstacle(scene.facts).is_some() { tokens.text3 } else { tokens.text });
    if let Some(cell) = rects.next() {
        let cell = cell.with_min_x(cell.left() + 24.0);
        paint::text(ui, cell, Align2::LEFT_CENTER, &name, &ink.weight(500.0));
    }
    if let Some(cell) = rects.next().filter(|cell| cell.is_positive()) {
        paint::text(ui, cell, Align2::LEFT_CENTER, &phrase, &Ink::body(tokens.text2));
    }
    let Some(out) = out else {
        let place = row.with_max_x(row.right() - 8.0);
        paint::text(ui, place, Align2::RIGHT_CENTER, "recommended", &Ink::small(tokens.accent));
        return;
    };
    let place = Rect::from_min_max(
        pos2(row.right() - 72.0, row.top() + 2.0),
        pos2(row.right() - 8.0, row.bottom() - 2.0),
    );
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(place).id_salt(("lab-try", &name)));
    let button = command_button_as(
        &mut child,
        scene.facts,
        Button::new("Try it").min_size(place.size()),
        command,
        out,
    );
    let enabled = button.enabled();
    button.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &name));
}

/// Paints a radio button.
fn radio(ui: &Ui, at: egui::Pos2, chosen: bool, worse: bool) {
    let tokens = Tokens::of(ui.visuals());
    let colour = match (chosen, worse) {
        (true, _) => tokens.accent,
        (_, true) => tokens.pressed,
        _ => tokens.border,
    };
    ui.painter().circle_stroke(at, 6.5, Stroke::new(1.5, colour));
    if chosen {
        ui.painter().circle_filled(at, 3.5, colour);
    }
}

/// Paints eval mode after a repair as a bar, and before it as a line.
fn bar(ui: &Ui, cell: Rect, before: f32, after: f32, worse: bool) {
    let tokens = Tokens::of(ui.visuals());
    let rect = Rect::from_min_max(
        pos2(cell.left(), cell.center().y - 4.0),
        pos2(cell.right(), cell.center().y + 4.0),
    );
    let x = |share: f32| rect.left() + rect.width() * share.clamp(0.0, 1.0);
    ui.painter().rect_filled(rect, 2.0, tokens.pressed);
    let colour = if worse { tokens.link } else { tokens.eval_mode };
    ui.painter().rect_filled(rect.with_max_x(x(after)), 2.0, colour);
    ui.painter().vline(x(before), rect.expand(3.0).y_range(), Stroke::new(2.0, tokens.text));
}

/// Draws the buttons below the rows.
fn buttons_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    recommended: bool,
    chosen: Option<crate::sample::Sha256>,
    out: &mut Vec<Command>,
) {
    if let Some(hash) = chosen {
        primary_ui(ui, scene, LabCommand::Use(hash), out);
        command_button_as(
            ui,
            scene.facts,
            Button::new("Save it as…").min_size(vec2(0.0, 28.0)),
            Command::Save(Purpose::Candidate(hash)),
            out,
        );
        let files = scene.folder().map_or(0, |folder| folder.set.samples.len());
        let text = if scene.facts.lab.foreign {
            "The bundled digits are in no library, so there is nothing to use it for; it can be saved."
                .to_owned()
        } else {
            format!(
                "The {} files of the folder are embedded again. The present model stays in the library.",
                thousands(files)
            )
        };
        note_ui(ui, &text);
    } else if scene.lab.candidates.is_empty() {
        if recommended {
            primary_ui(ui, scene, LabCommand::Repair(Repair::Recompute), out);
        }
        note_ui(ui, "Nothing changes until you use a repaired model.");
    }
    if let Some(previous) = scene.lab.previous.last() {
        let undo = command_button(ui, scene.facts, Command::Lab(LabCommand::Undo), out);
        undo.on_hover_text(format!("SHA-256 {}", previous.hash));
    }
}

/// Draws the command that goes on as the primary button.
pub fn primary_ui(ui: &mut Ui, scene: &Scene<'_>, command: LabCommand, out: &mut Vec<Command>) {
    let (about, obstacle) = (command.about(), command.obstacle(scene.facts));
    let button = primary_button(ui, obstacle.is_none(), about.text);
    let button = match obstacle {
        Some(why) => button.on_disabled_hover_text(why),
        None => button.on_hover_text(about.hint),
    };
    if button.clicked() {
        out.push(Command::Lab(command));
    }
}
