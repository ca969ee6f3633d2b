//! The fonts: Inter for text, with weights and figures of equal width; Phosphor for icons; egui's own for what these
//! lack.

use egui::{FontData, FontDefinitions, FontFamily};
use std::sync::Arc;

/// Egui's fonts with Inter and Phosphor before them.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in [
        ("Inter", &include_bytes!("../../../assets/fonts/Inter.ttf")[..]),
        ("Phosphor", &include_bytes!("../../../assets/fonts/Phosphor.ttf")[..]),
    ] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let proportional = fonts.families.entry(FontFamily::Proportional).or_default();
    proportional.insert(0, "Inter".to_owned());
    proportional.insert(1, "Phosphor".to_owned());
    // Icons beside code, as in a button that copies a hash.
    fonts.families.entry(FontFamily::Monospace).or_default().push("Phosphor".to_owned());
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::theme::icon;

    #[test]
    fn every_icon_is_in_the_font() {
        let ctx = egui::Context::default();
        ctx.set_fonts(definitions());
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
            let font = egui::FontId::proportional(13.0);
            ui.fonts_mut(|fonts| {
                for glyph in
                    [icon::COPY, icon::X, icon::MAGNIFYING_GLASS, icon::TRAY_ARROW_DOWN, icon::SIDEBAR]
                {
                    let glyph = glyph.chars().next().unwrap();
                    assert!(fonts.has_glyph(&font, glyph), "{glyph:?}");
                }
                // Figures have equal widths, so numbers in a column line up.
                let width = |c| fonts.glyph_width(&font, c);
                let mut widths = ('0'..='9').map(width);
                let first = widths.next().unwrap();
                assert!(widths.all(|other| (other - first).abs() < 1e-3));
            });
        });
        output.textures_delta.clear();
    }
}
