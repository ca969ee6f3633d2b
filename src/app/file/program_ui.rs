//! The header of an executable, collapsed below the facts of the file.

use crate::escape;
use crate::sample::Executable;
use egui::{CollapsingHeader, Grid, ProgressBar, ScrollArea, Ui};
use indicatif::HumanBytes;

/// Libraries and functions listed; the others are only counted.
const NAMED: usize = 12;
/// Names in a tooltip.
const HOVERED: usize = 200;

/// Height left for the neighbours below, and the least height of the header, in points.
const BELOW: f32 = 230.0;
const LEAST: f32 = 90.0;

/// Draws the header as a section that can be expanded.
pub fn header_ui(ui: &mut Ui, header: &Executable) {
    let hints = header.hints.join(", ");
    let title = if hints.is_empty() {
        "Header and sections".to_owned()
    } else {
        format!("Header and sections: {hints}")
    };
    // The neighbours stay in view below it.
    let most = (ui.available_height() - BELOW).max(LEAST);
    CollapsingHeader::new(title).id_salt("header").show(ui, |ui| {
        ScrollArea::vertical().id_salt("header").max_height(most).auto_shrink([false, true]).show(ui, |ui| {
            facts_ui(ui, header, &hints);
            sections_ui(ui, header);
        });
    });
}

/// Draws the facts of the header.
fn facts_ui(ui: &mut Ui, header: &Executable, hints: &str) {
    let unknown = || "unknown".to_owned();
    let rows = [
        (
            "Hints",
            if hints.is_empty() { "none".to_owned() } else { hints.to_owned() },
            "From section names and strings that compilers and packers leave behind; easily forged",
        ),
        (
            "Entry point",
            header.entry.map_or_else(unknown, |entry| format!("0x{entry:x}")),
            "Address of the first instruction",
        ),
        (
            "Linked",
            header.built.map_or_else(unknown, date),
            "Link time in the header, in UTC. Reproducible builds store a hash here",
        ),
        (
            "Signature",
            header.signed.map_or_else(unknown, |signed| if signed { "present" } else { "none" }.to_owned()),
            "Whether there is one; not verified",
        ),
        (
            "Overlay",
            header.overlay.map_or_else(unknown, |size| HumanBytes(size).to_string()),
            "Bytes after the last part that the header describes",
        ),
        ("Libraries", listed(&header.libraries, header.libraries.len()), "Loaded with the program"),
        ("Imports", listed(&header.imports, header.import_count), "Functions imported from libraries"),
    ];
    Grid::new("header").num_columns(2).spacing([10.0, 3.0]).show(ui, |ui| {
        for (name, value, hint) in rows {
            ui.weak(name).on_hover_text(hint);
            let shown = ui.add(egui::Label::new(&value).wrap());
            let all = match name {
                "Libraries" => &header.libraries,
                "Imports" => &header.imports,
                _ => &Vec::new(),
            };
            if all.len() > NAMED {
                let names = all.iter().take(HOVERED).map(|name| escape::text(name)).collect::<Vec<_>>();
                shown.on_hover_text(names.join(", "));
            }
            ui.end_row();
        }
    });
}

/// The first names, and the number of others.
fn listed(names: &[String], total: usize) -> String {
    let first = names.iter().take(NAMED).map(|name| escape::text(name)).collect::<Vec<_>>().join(", ");
    match total {
        0 => "none".to_owned(),
        few if few <= NAMED => first,
        many => format!("{first} and {} more", many - NAMED),
    }
}

/// Draws the table of sections.
fn sections_ui(ui: &mut Ui, header: &Executable) {
    if header.sections.is_empty() {
        ui.weak("No sections, or an unreadable section table.");
        return;
    }
    Grid::new("sections").num_columns(4).spacing([10.0, 2.0]).striped(true).show(ui, |ui| {
        for name in ["Section", "Offset", "Size", "Entropy, bits per byte"] {
            ui.weak(name);
        }
        ui.end_row();
        for section in &header.sections {
            ui.add(egui::Label::new(escape::text(&section.name)).truncate());
            ui.label(section.offset.map_or_else(String::new, |at| format!("0x{at:x}")));
            ui.label(HumanBytes(section.size).to_string());
            match section.entropy {
                Some(entropy) => {
                    let bar =
                        ProgressBar::new(entropy / 8.0).desired_width(90.0).text(format!("{entropy:.2}"));
                    ui.add(bar).on_hover_text(
                        "From 0 to 8. Above 7.2 the section is probably compressed or encrypted",
                    );
                }
                None => {
                    ui.weak("no bytes");
                }
            }
            ui.end_row();
        }
    });
    if header.section_count > header.sections.len() {
        ui.weak(format!("and {} more", header.section_count - header.sections.len()));
    }
}

/// "2024-02-29 23:59" for seconds since 1970, in UTC.
fn date(seconds: u32) -> String {
    match jiff::Timestamp::from_second(i64::from(seconds)) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_the_calendar() {
        // By GNU date.
        for (seconds, want) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (1_709_251_199, "2024-02-29 23:59"),
            (1_709_251_200, "2024-03-01 00:00"),
            (u32::MAX, "2106-02-07 06:28"),
        ] {
            assert_eq!(date(seconds), want);
        }
    }
}
