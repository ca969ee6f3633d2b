//! The facts of the selected file: kind, digests, path, hints and problems; and the header of its programs.

use super::program_ui::program_ui;
use super::sections_ui::sections_ui;
use super::shown::Shown;
use crate::app::controls::icon_button;
use crate::app::message::Tone;
use crate::app::theme::{icon, tone_mark};
use crate::escape;
use crate::sample::facts::{Content, Notes, Program};
use crate::sample::{self, hex};
use egui::{CollapsingHeader, Grid, Label, RichText, Ui};
use indicatif::HumanBytes;

/// Draws kind, size, digests and path, then hints and problems. `facts` once the file is read.
pub fn facts_ui(ui: &mut Ui, file: &Shown<'_>, facts: Option<&sample::Facts>) {
    Grid::new("facts").num_columns(2).spacing([10.0, 3.0]).show(ui, |ui| {
        ui.weak("Kind");
        let known = facts.and_then(|facts| facts.architecture).map(|architecture| architecture.name());
        ui.label(match known.or(file.architecture) {
            Some(architecture) => format!("{} for {architecture}", file.kind),
            None => file.kind.to_owned(),
        });
        ui.end_row();
        ui.weak("Size");
        ui.label(format!("{} ({} bytes)", HumanBytes(file.size), file.size));
        ui.end_row();
        digest_ui(ui, "SHA-256", &file.sha256.to_string());
        if let Some(facts) = facts {
            digest_ui(ui, "SHA-1", &hex(&facts.digests.sha1));
            digest_ui(ui, "MD5", &hex(&facts.digests.md5));
        }
        ui.weak("Path");
        ui.add(Label::new(escape::path(file.path)).truncate()).on_hover_text(escape::path(file.path));
        ui.end_row();
    });
    if let Some(facts) = facts {
        notes_ui(ui, facts.content.notes());
    }
}

/// Draws a digest with a button that copies it, as a row of the facts.
fn digest_ui(ui: &mut Ui, name: &str, digest: &str) {
    ui.weak(name);
    ui.horizontal(|ui| {
        let text = format!("Copy the {name}");
        if icon_button(ui, icon::COPY, &text).on_hover_text(&text).clicked() {
            ui.copy_text(digest.to_owned());
        }
        ui.add(Label::new(RichText::new(digest).monospace()).truncate());
    });
    ui.end_row();
}

/// Draws the headers of the programs in the file.
pub fn header_ui(ui: &mut Ui, content: &Content) {
    match content {
        Content::Program(program) => one_ui(ui, "program", program),
        Content::Fat(fat) => {
            for (i, slice) in fat.slices.iter().enumerate() {
                let name = slice.program.architecture.map_or("an unknown processor", |a| a.name());
                let title = format!("For {name}: {}", summary(&slice.program));
                CollapsingHeader::new(title).id_salt(("slice", i)).default_open(i == 0).show(ui, |ui| {
                    notes_ui(ui, &slice.program.notes);
                    one_ui(ui, &format!("slice {i}"), &slice.program);
                });
            }
        }
        Content::Other(_) => {}
    }
}

fn one_ui(ui: &mut Ui, id: &str, program: &Program) {
    ui.push_id(id, |ui| {
        program_ui(ui, program);
        sections_ui(ui, program.sections.as_deref());
    });
}

/// "UPX, zip archive appended; 1 problem".
pub fn notes_summary(content: &Content) -> String {
    let notes = content.notes();
    let hints: Vec<String> = notes.hints.iter().map(|hint| escape::text(&hint.name)).collect();
    let problems = notes.problems.len();
    let problems = (problems > 0).then(|| count(Some(problems), "problem"));
    let parts: Vec<String> =
        (!hints.is_empty()).then(|| hints.join(", ")).into_iter().chain(problems).collect();
    parts.join("; ")
}

/// "signed, 3 sections, 39 imports"; `None` if the file is no program.
pub fn header_summary(content: &Content) -> Option<String> {
    match content {
        Content::Program(program) => Some(summary(program)),
        Content::Fat(fat) => Some(count(Some(fat.slices.len()), "program")),
        Content::Other(_) => None,
    }
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
    let (mark, colour) = tone_mark(ui.visuals(), Tone::Note);
    for problem in &notes.problems {
        let text = RichText::new(format!("{mark} {}", escape::text(problem))).color(colour);
        ui.add(Label::new(text).wrap()).on_hover_text("Could not be read, so it is unknown");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_section_says_what_is_in_it_and_what_is_unknown() {
        let mut program = Program { imports: Some(vec![]), signed: Some(true), ..Program::default() };
        program.notes.problem("sections", "outside of the file");
        let content = Content::Program(Box::new(program));
        assert_eq!(header_summary(&content).unwrap(), "signed, sections unknown, 0 imports");
        assert_eq!(notes_summary(&content), "1 problem");
    }
}
