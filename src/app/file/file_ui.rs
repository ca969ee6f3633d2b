//! The right panel: the selected file with its pictures, facts, header and neighbours.

use super::content_ui::content_ui;
use super::neighbours_ui::neighbours_ui;
use super::textures::Textures;
use crate::app::command::Command;
use crate::app::command_ui::command_button_as;
use crate::app::facts::Facts;
use crate::app::selection::Selection;
use crate::app::session::Session;
use crate::app::symbol::Symbol;
use crate::app::view::View;
use crate::escape;
use crate::library::Library;
use crate::picture::{BytePlanes, Encoded, cell_range};
use crate::sample::{self, Sha256, hex};
use egui::{Button, Grid, Image, Role, Sense, TextureHandle, Ui, Vec2, WidgetInfo, load::SizedTexture, vec2};
use indicatif::HumanBytes;
use std::path::Path;

/// Cells along one side of the layout plane.
const SIDE: f32 = 64.0;

/// The facts of a file that are shown, queried or in the library.
struct Shown<'a> {
    path: &'a Path,
    sha256: Sha256,
    size: u64,
    kind: &'a str,
    architecture: Option<&'a str>,
    label: Option<&'a str>,
    label_index: Option<usize>,
    picture: Option<&'a Encoded>,
    /// Its row id in the library file.
    id: Option<i64>,
}

/// Draws the selected file, or how to select one.
pub fn file_ui(
    ui: &mut Ui,
    facts: &Facts,
    session: &Session,
    view: &mut View,
    textures: &mut Textures,
    out: &mut Vec<Command>,
) {
    ui.take_available_width();
    ui.add_space(4.0);
    let Some(shown) = session.selection.and_then(|selection| shown(session, selection)) else {
        ui.strong("No file selected");
        ui.weak(if session.has_model() {
            "Drop a file on the window to query it, or click a sample on the map or in the list."
        } else {
            "Drop a file on the window to see what it is."
        });
        return;
    };
    let head = egui::RichText::new(escape::file_name(shown.path)).heading().strong();
    ui.add(egui::Label::new(head).truncate()).on_hover_text(escape::path(shown.path));
    ui.horizontal(|ui| {
        let Some(Selection::InLibrary(sha256)) = session.selection else {
            ui.weak(if session.contents.contains(shown.sha256) {
                "Queried; the library has this file"
            } else {
                "Queried only; not added to the library"
            });
            return;
        };
        match shown.label {
            Some(label) => {
                Symbol::of(shown.label_index).ui(ui);
                ui.label(escape::text(label));
            }
            None => {
                ui.weak("In the library, without a label");
            }
        }
        let command = Command::Label(sha256);
        command_button_as(ui, facts, Button::new(command.about().text).small(), command, out);
    });
    pictures_ui(ui, &shown, session.library.as_ref(), textures);
    let own_facts = session.facts.get(&shown.sha256);
    facts_ui(ui, &shown, own_facts);
    if let Some(own_facts) = own_facts {
        content_ui(ui, &own_facts.content);
    }
    ui.separator();
    neighbours_ui(ui, facts, session, view, textures, out);
}

/// The facts of the selected file.
fn shown(session: &Session, selection: Selection) -> Option<Shown<'_>> {
    match selection {
        Selection::Queried(sha256) => {
            let queried = session.queried(sha256)?;
            let sample = &queried.sample;
            Some(Shown {
                path: &sample.path,
                sha256: sample.sha256,
                size: sample.size,
                kind: sample.kind.name(),
                architecture: sample.architecture.map(|a| a.name()),
                label: None,
                label_index: None,
                picture: queried.picture.as_ref(),
                id: None,
            })
        }
        Selection::InLibrary(sha256) => {
            let entry = session.contents.get(sha256)?;
            Some(Shown {
                path: entry.path,
                sha256: entry.sha256,
                size: entry.size,
                kind: entry.kind,
                architecture: entry.architecture,
                label: entry.label,
                label_index: Some(entry.label_index),
                picture: session.pictures.get(&sha256),
                id: Some(entry.id),
            })
        }
    }
}

/// Draws the pictures of the file, or its thumbnail.
fn pictures_ui(ui: &mut Ui, file: &Shown<'_>, library: Option<&Library>, textures: &mut Textures) {
    let side = ((ui.available_width() - 12.0) / 2.0).clamp(100.0, 200.0);
    ui.horizontal(|ui| {
        let Some(picture) = file.picture else {
            // The thumbnail until the file is read, or if it cannot be read. It takes the same space, so nothing
            // moves when the picture arrives.
            let thumbnail = file.id.and_then(|id| textures.stored(ui.ctx(), file.sha256, id, library));
            let text = "The library's thumbnail. The full picture is shown once the file is read, unless it has moved or changed.";
            match picture_ui(ui, thumbnail.as_ref(), side, "Layout, from the library") {
                Some(shown) => drop(shown.on_hover_text(text)),
                None => {
                    let size = vec2(ui.available_width(), side + 18.0);
                    ui.allocate_exact_size(size, Sense::hover()).1.on_hover_text(text);
                }
            }
            return;
        };
        let (layout, pairs) = (
            textures.layout(ui.ctx(), file.sha256, picture),
            textures.byte_pairs(ui.ctx(), file.sha256, picture),
        );
        let bytes = pairs.is_some();
        let shown = picture_ui(ui, layout.as_ref(), side, if bytes { "Layout: by file offset, in reading order" } else { "The image" });
        if let (Some(shown), Encoded::Bytes(planes)) = (shown, picture) {
            let rect = shown.rect;
            if let Some(at) = shown.hover_pos() {
                shown.on_hover_ui_at_pointer(|ui| cell_ui(ui, planes, file.size, (at - rect.min) / rect.size()));
            }
        }
        if let Some(shown) = picture_ui(ui, pairs.as_ref(), side, "Byte pairs") {
            shown.on_hover_text("How often each pair of bytes occurs: the first byte from 0 (top) to 255, the second from 0 (left) to 255; brighter is more frequent");
        }
    });
}

/// Draws a picture above its name. Returns its response, with the rectangle of the pixels.
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

/// Draws the range of bytes under the pointer and their statistics.
///
/// `at` is the pointer's position as shares of the picture's width and height.
fn cell_ui(ui: &mut Ui, planes: &BytePlanes, size: u64, at: Vec2) {
    let [column, row] = [at.x, at.y].map(|share| (share * SIDE).clamp(0.0, SIDE - 1.0) as usize);
    let cell = row * SIDE as usize + column;
    let range = cell_range(cell, size);
    let [mean, zeros, printable, entropy] = planes.cell(cell);
    let percent = |v: u8| f32::from(v) / 2.55;
    ui.strong(format!("Bytes 0x{:x} to 0x{:x}", range.start, range.end));
    ui.label(format!(
        "Mean byte {mean}, zeros {:.0} %, printable {:.0} %, entropy {:.0} %",
        percent(zeros),
        percent(printable),
        percent(entropy)
    ));
    ui.weak("Blue is text, green to orange code and data, red random or packed, black zeros.");
}

/// Draws kind, size, digests and path. `facts` once the file is read.
fn facts_ui(ui: &mut Ui, file: &Shown<'_>, facts: Option<&sample::Facts>) {
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
        ui.add(egui::Label::new(escape::path(file.path)).truncate()).on_hover_text(escape::path(file.path));
        ui.end_row();
    });
}

/// Draws a digest with a button that copies it, as a row of the facts.
fn digest_ui(ui: &mut Ui, name: &str, digest: &str) {
    ui.weak(name);
    ui.horizontal(|ui| {
        let text = format!("Copy the {name}");
        let copy = ui.small_button("📋").on_hover_text(&text);
        copy.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
        if copy.clicked() {
            ui.copy_text(digest.to_owned());
        }
        ui.add(egui::Label::new(egui::RichText::new(digest).monospace().small()).truncate());
    });
    ui.end_row();
}
