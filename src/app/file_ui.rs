//! The right side: the selected or dropped file (its pictures, kind, size, digest), and below it
//! what it looks like.

use super::command::Command;
use super::header_ui::header_ui;
use super::neighbours_ui::neighbours_ui;
use super::session::{Selection, Session};
use super::textures::Textures;
use super::theme::{Symbol, size_text};
use super::view::{Ask, View};
use crate::escape;
use crate::library::Library;
use crate::picture::{BytePlanes, Encoded, cell_range};
use crate::sample::Sha256;
use egui::{Grid, Image, Role, Sense, TextureHandle, Ui, Vec2, WidgetInfo, load::SizedTexture, vec2};
use std::path::Path;

/// Cells of the layout picture along one side.
const SIDE: f32 = 64.0;

/// What is shown of a file, wherever it comes from.
struct Facts<'a> {
    path: &'a Path,
    sha256: Sha256,
    size: u64,
    kind: &'a str,
    architecture: Option<&'a str>,
    label: Option<&'a str>,
    picture: Option<&'a Encoded>,
    /// Its row in the library file.
    id: Option<i64>,
}

/// Draws it.
pub fn file_ui(
    ui: &mut Ui,
    session: &Session,
    view: &mut View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    ui.take_available_width();
    ui.add_space(4.0);
    let Some(facts) = session.selection.and_then(|selection| facts(session, selection)) else {
        ui.strong("No file selected");
        ui.weak(if session.can_answer() {
            "Drop a file on the window to see what it looks like, or click on a sample on the map or in the list."
        } else {
            "Once a model is trained, drop a file on the window to see what it looks like."
        });
        return;
    };
    let head = egui::RichText::new(escape::file_name(facts.path)).heading().strong();
    ui.add(egui::Label::new(head).truncate()).on_hover_text(escape::path(facts.path));
    ui.horizontal(|ui| {
        let Some(Selection::Known(row)) = session.selection else {
            ui.weak("looked at; not in the library unless it was before");
            return;
        };
        match facts.label {
            Some(label) => {
                Symbol::of(session.label_of.get(row).copied()).ui(ui);
                ui.label(escape::text(label));
            }
            None => {
                ui.weak("in the library, without a label");
            }
        }
        let change = ui.small_button("Label…").on_hover_text("Give it another label, or none");
        if change.clicked() {
            out.push(Command::Question(Ask::Label(row)));
        }
    });
    pictures_ui(ui, &facts, session.library.as_ref(), textures);
    facts_ui(ui, &facts);
    if let Some(Some(header)) = session.headers.get(&facts.sha256) {
        header_ui(ui, header);
    }
    ui.separator();
    neighbours_ui(ui, session, view, textures, out);
}

fn facts(session: &Session, selection: Selection) -> Option<Facts<'_>> {
    match selection {
        Selection::Asked(i) => {
            let file = session.asked.get(i)?;
            let sample = &file.sample;
            Some(Facts {
                path: &sample.path,
                sha256: sample.sha256,
                size: sample.size,
                kind: sample.kind.name(),
                architecture: sample.architecture.map(|a| a.name()),
                label: None,
                picture: file.picture.as_ref(),
                id: None,
            })
        }
        Selection::Known(row) => {
            let entry = session.contents.entries.get(row)?;
            Some(Facts {
                path: &entry.path,
                sha256: entry.sha256,
                size: entry.size,
                kind: &entry.kind,
                architecture: entry.architecture.as_deref(),
                label: entry.label.as_deref(),
                picture: session.inspected.get(&row).map(|(_, picture)| picture),
                id: Some(entry.id),
            })
        }
    }
}

fn pictures_ui(ui: &mut Ui, facts: &Facts<'_>, library: Option<&Library>, textures: &mut Textures) {
    let side = ((ui.available_width() - 12.0) / 2.0).clamp(100.0, 200.0);
    ui.horizontal(|ui| {
        let Some(picture) = facts.picture else {
            // Until the file is read, and where it is no longer there: what the library keeps. The place is
            // the same, so that nothing jumps when the picture comes.
            let kept = facts.id.and_then(|id| textures.stored(ui.ctx(), facts.sha256, id, library));
            let text = "What the library keeps of it. The file itself is not where it was, or has changed: it would be shown here in full.";
            match picture_ui(ui, kept.as_ref(), side, "Layout, as the library keeps it") {
                Some(shown) => drop(shown.on_hover_text(text)),
                None => {
                    let size = vec2(ui.available_width(), side + 18.0);
                    ui.allocate_exact_size(size, Sense::hover()).1.on_hover_text(text);
                }
            }
            return;
        };
        let (layout, pairs) = (
            textures.layout(ui.ctx(), facts.sha256, picture),
            textures.byte_pairs(ui.ctx(), facts.sha256, picture),
        );
        let bytes = pairs.is_some();
        let shown = picture_ui(ui, layout.as_ref(), side, if bytes { "Layout: the file in reading order" } else { "The image" });
        if let (Some(shown), Encoded::Bytes(planes)) = (shown, picture) {
            let rect = shown.rect;
            if let Some(at) = shown.hover_pos() {
                shown.on_hover_ui_at_pointer(|ui| cell_ui(ui, planes, facts.size, (at - rect.min) / rect.size()));
            }
        }
        if let Some(shown) = picture_ui(ui, pairs.as_ref(), side, "Byte pairs") {
            shown.on_hover_text("How often one byte follows another: the first from 0 (top) to 255, the second from 0 (left) to 255; brighter is more often");
        }
    });
}

/// A picture above its name; returns its response, with the rectangle of the pixels.
fn picture_ui(ui: &mut Ui, texture: Option<&TextureHandle>, side: f32, name: &str) -> Option<egui::Response> {
    let texture = texture?;
    let inner = ui.vertical(|ui| {
        let image =
            Image::from_texture(SizedTexture::new(texture.id(), Vec2::splat(side))).sense(Sense::hover());
        let response = ui.add(image);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        ui.add(egui::Label::new(egui::RichText::new(name).small().weak()).truncate());
        response
    });
    Some(inner.inner)
}

/// What lies below the pointer: which bytes, and what they are like.
///
/// `at` is its place as shares of the picture's width and height.
fn cell_ui(ui: &mut Ui, planes: &BytePlanes, size: u64, at: Vec2) {
    let [column, row] = [at.x, at.y].map(|share| (share * SIDE).clamp(0.0, SIDE - 1.0) as usize);
    let cell = row * SIDE as usize + column;
    let range = cell_range(cell, size);
    let [mean, zeros, printable, entropy] = planes.cell(cell);
    let percent = |v: u8| f32::from(v) / 2.55;
    ui.strong(format!("bytes 0x{:x} to 0x{:x}", range.start, range.end));
    ui.label(format!(
        "mean byte {mean}, zeros {:.0} %, printable {:.0} %, entropy {:.0} %",
        percent(zeros),
        percent(printable),
        percent(entropy)
    ));
    ui.weak("Blue is text, green to orange code and data, red random or packed, black zeros.");
}

fn facts_ui(ui: &mut Ui, facts: &Facts<'_>) {
    Grid::new("facts").num_columns(2).spacing([10.0, 3.0]).show(ui, |ui| {
        ui.weak("Kind");
        ui.label(match facts.architecture {
            Some(architecture) => format!("{} for {architecture}", facts.kind),
            None => facts.kind.to_owned(),
        });
        ui.end_row();
        ui.weak("Size");
        ui.label(format!("{} ({} bytes)", size_text(facts.size), facts.size));
        ui.end_row();
        ui.weak("SHA-256");
        ui.horizontal(|ui| {
            let digest = facts.sha256.to_string();
            let copy = ui.small_button("📋").on_hover_text("Copy the SHA-256");
            copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Copy the SHA-256"));
            if copy.clicked() {
                ui.copy_text(digest.clone());
            }
            ui.add(egui::Label::new(egui::RichText::new(digest).monospace().small()).truncate());
        });
        ui.end_row();
        ui.weak("Path");
        ui.add(egui::Label::new(escape::path(facts.path)).truncate()).on_hover_text(escape::path(facts.path));
        ui.end_row();
    });
}
