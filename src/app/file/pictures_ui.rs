//! The pictures of the selected file: its layout and its byte pairs, or the image.

use super::shown::Shown;
use super::textures::Textures;
use crate::app::theme::small;
use crate::picture::{BytePlanes, Encoded, cell_range};
use egui::{Image, Role, Sense, TextureHandle, Ui, Vec2, WidgetInfo, load::SizedTexture, vec2};

/// Cells along one side of the layout plane.
const SIDE: f32 = 64.0;

/// Draws the pictures of the file, or its thumbnail.
pub fn pictures_ui(ui: &mut Ui, file: &Shown<'_>, textures: &mut Textures) {
    let side = ((ui.available_width() - 8.0) / 2.0).clamp(100.0, 220.0);
    ui.horizontal(|ui| {
        let Some(picture) = file.picture else {
            // The thumbnail until the file is read, or if it cannot be read. It takes the same space, so nothing
            // moves when the picture arrives.
            let thumbnail = file.id.and_then(|id| textures.stored(ui.ctx(), file.sha256, id));
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
        ui.set_width(side);
        let image =
            Image::from_texture(SizedTexture::new(texture.id(), Vec2::splat(side))).sense(Sense::hover());
        let response = ui.add(image);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        ui.add(egui::Label::new(small(name)).truncate());
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
