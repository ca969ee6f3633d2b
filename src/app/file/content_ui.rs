//! What is in the selected file: its hints, its problems and the facts of its programs, collapsed below the file's
//! own facts. The names of the hints stay visible, and the closed section says in its title what is in it.

use super::program_ui::program_ui;
use super::sections_ui::sections_ui;
use crate::app::message::Tone;
use crate::app::theme::tone_mark;
use crate::escape;
use crate::sample::facts::{Content, Notes, Program};
use egui::{CollapsingHeader, Label, RichText, ScrollArea, Ui};

/// Height left for the neighbours below, and the least height of the facts, in points.
const BELOW: f32 = 230.0;
const LEAST: f32 = 200.0;

/// Draws what is in the file as a section that can be expanded.
pub fn content_ui(ui: &mut Ui, content: &Content) {
    let notes = content.notes();
    if content.programs().next().is_none() && *notes == Notes::default() {
        return;
    }
    if !notes.hints.is_empty() {
        ui.add(Label::new(hint_names(notes)).wrap()).on_hover_text(
            "Traces of compilers, packers and installers. Their reasons are in the facts below",
        );
    }
    // The neighbours stay in view below it.
    let most = (ui.available_height() - BELOW).max(LEAST);
    CollapsingHeader::new(title(content)).id_salt("content").show(ui, |ui| {
        ScrollArea::vertical().id_salt("content").max_height(most).auto_shrink([false, true]).show(
            ui,
            |ui| {
                notes_ui(ui, notes);
                match content {
                    Content::Program(program) => one_ui(ui, "program", program),
                    Content::Fat(fat) => {
                        for (i, slice) in fat.slices.iter().enumerate() {
                            let name =
                                slice.program.architecture.map_or("an unknown processor", |a| a.name());
                            let title = format!("For {name}: {}", summary(&slice.program));
                            CollapsingHeader::new(title).id_salt(("slice", i)).default_open(i == 0).show(
                                ui,
                                |ui| {
                                    notes_ui(ui, &slice.program.notes);
                                    one_ui(ui, &format!("slice {i}"), &slice.program);
                                },
                            );
                        }
                    }
                    Content::Other(_) => {}
                }
            },
        );
    });
}

fn one_ui(ui: &mut Ui, id: &str, program: &Program) {
    ui.push_id(id, |ui| {
        program_ui(ui, program);
        sections_ui(ui, program.sections.as_deref());
    });
}

/// "UPX, zip archive appended".
fn hint_names(notes: &Notes) -> String {
    notes.hints.iter().map(|hint| escape::text(&hint.name)).collect::<Vec<_>>().join(", ")
}

/// "Facts: signed, 3 sections, 39 imports; 1 problem". Short, since a title is not cut.
fn title(content: &Content) -> String {
    let facts = match content {
        Content::Program(program) => Some(summary(program)),
        Content::Fat(fat) => Some(count(Some(fat.slices.len()), "program")),
        Content::Other(_) => None,
    };
    let problems = content.notes().problems.len();
    let problems = (problems > 0).then(|| count(Some(problems), "problem"));
    let parts: Vec<_> = facts.into_iter().chain(problems).collect();
    if parts.is_empty() { "Facts".to_owned() } else { format!("Facts: {}", parts.join("; ")) }
}

fn summary(program: &Program) -> String {
    let mut parts = vec![
        count(program.sections.as_ref().map(Vec::len), "section"),
        count(program.imports.as_ref().map(Vec::len), "import"),
    ];
    if program.signed == Some(true) {
        parts.insert(0, "signed".to_owned());
    }
    if let Some(Some(_)) = program.overlay {
        parts.push("overlay".to_owned());
    }
    parts.join(", ")
}

/// "3 sections"; "sections unknown".
fn count(n: Option<usize>, what: &str) -> String {
    match n {
        Some(1) => format!("1 {what}"),
        Some(n) => format!("{n} {what}s"),
        None => format!("{what}s unknown"),
    }
}

/// Draws hints with their reasons, and what could not be read.
fn notes_ui(ui: &mut Ui, notes: &Notes) {
    for hint in &notes.hints {
        ui.horizontal_wrapped(|ui| {
            ui.strong(escape::text(&hint.name)).on_hover_text(
                "A trace that a compiler, a packer or an installer leaves behind; easily forged",
            );
            ui.weak(escape::text(&hint.reason));
        });
    }
    let (mark, colour) = tone_mark(Tone::Note);
    for problem in &notes.problems {
        let text = RichText::new(format!("{mark} {}", escape::text(problem))).color(colour);
        ui.add(Label::new(text).wrap()).on_hover_text("Could not be read, so it is unknown");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_says_what_is_unknown() {
        let mut program = Program { imports: Some(vec![]), signed: Some(true), ..Program::default() };
        program.notes.problem("sections", "outside of the file");
        let title = title(&Content::Program(Box::new(program)));
        assert_eq!(title, "Facts: signed, sections unknown, 0 imports; 1 problem");
    }
}
