//! The table of the sections of a program.

use crate::escape;
use crate::export::access;
use crate::sample::facts::Section;
use egui::{Grid, Label, ProgressBar, Ui};
use indicatif::HumanBytes;

/// Sections listed; the others are only counted.
const LISTED: usize = 200;

/// Characters of a name that are shown; the tooltip has all.
const NAME: usize = 22;

/// Draws the table of sections; `None` if they are unknown.
pub fn sections_ui(ui: &mut Ui, sections: Option<&[Section]>) {
    let sections = match sections {
        None => {
            ui.weak("Sections unknown.");
            return;
        }
        Some([]) => {
            ui.weak("No sections.");
            return;
        }
        Some(sections) => sections,
    };
    Grid::new("sections").num_columns(5).spacing([10.0, 2.0]).striped(true).show(ui, |ui| {
        for (name, hint) in [
            ("Section", "The name in the header"),
            ("Offset", "Where its bytes are in the file"),
            ("Size", "Its bytes in the file"),
            ("Access", "Whether its memory can be read, written and executed"),
            (
                "Entropy",
                "Bits per byte, from 0 to 8. Above 7.2 the section is probably compressed or encrypted",
            ),
        ] {
            ui.weak(name).on_hover_text(hint);
        }
        ui.end_row();
        for section in sections.iter().take(LISTED) {
            let address = format!("{} bytes in memory at 0x{:x}", section.virtual_size, section.address);
            let name = escape::text(&section.name);
            ui.add(Label::new(short(&name)).extend()).on_hover_text(format!("{name}: {address}"));
            ui.label(section.offset.map_or_else(String::new, |at| format!("0x{at:x}")));
            ui.label(HumanBytes(section.size).to_string());
            ui.monospace(access(section.access));
            match section.entropy {
                Some(entropy) => {
                    ui.add(ProgressBar::new(entropy / 8.0).desired_width(70.0).text(format!("{entropy:.2}")));
                }
                None => {
                    ui.weak("no bytes");
                }
            }
            ui.end_row();
        }
    });
    if sections.len() > LISTED {
        ui.weak(format!("and {} more", sections.len() - LISTED));
    }
}

/// The name of a section; of a long one its end, by which the sections of a segment differ.
fn short(name: &str) -> String {
    let count = name.chars().count();
    if count <= NAME {
        return name.to_owned();
    }
    let end: String = name.chars().skip(count - (NAME - 1)).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(short(".text"), ".text");
        assert_eq!(short("__DATA_CONST,__mod_init_func"), "…CONST,__mod_init_func");
    }
}
