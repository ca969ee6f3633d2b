//! DOS programs and the formats that came between them and PE: files that begin like a PE and are none.

use super::headers::header_offset;
use crate::sample::bytes::{Bytes, Endian};
use crate::sample::facts::Notes;

/// Adds what a file is that starts with the magic number of DOS programs, if it is no PE.
pub fn add_notes(bytes: Bytes<'_>, notes: &mut Notes) {
    let Some(offset) = header_offset(bytes) else {
        return;
    };
    let at = format!("its header is at offset {offset}");
    match bytes.array::<2>(offset) {
        Some(magic) if matches!(&magic, b"NE" | b"LE" | b"LX") => {
            let system = bytes.array::<1>(offset + 0x36).map_or(0, |byte| byte[0]);
            match (&magic, system) {
                (b"NE", 1) => notes.hint("NE program (16-bit OS/2)", at),
                (b"NE", 2 | 4) => notes.hint("NE program (16-bit Windows)", at),
                (b"NE", _) => notes.hint("NE program", at),
                (b"LE", _) => notes.hint("LE program (Windows driver or DOS extender)", at),
                _ => notes.hint("LX program (OS/2)", at),
            }
        }
        _ if is_dos_program(bytes) == Some(true) => {
            notes.hint("DOS program", "it starts with a DOS header, and there is no PE header");
            if offset >= bytes.size() {
                notes.problem(
                    "kind",
                    format_args!("the PE header would be at offset {offset}, after the end of the file"),
                );
            }
        }
        _ => {}
    }
}

/// Whether the DOS header is plausible: its pages and its own size fit into the file.
fn is_dos_program(bytes: Bytes<'_>) -> Option<bool> {
    let word = |at| bytes.u16(at, Endian::Little).map(u64::from);
    let (last_page, pages, paragraphs) = (word(2)?, word(4)?, word(8)?);
    Some(last_page <= 512 && pages > 0 && paragraphs >= 2 && paragraphs * 16 <= bytes.size())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(magic: &[u8], system: u8) -> Notes {
        let mut file = vec![0; 0x100];
        file[..10].copy_from_slice(b"MZ\x90\0\x01\0\0\0\x04\0");
        file[0x3c] = 0x80;
        file[0x80..0x80 + magic.len()].copy_from_slice(magic);
        file[0xb6] = system;
        let mut notes = Notes::default();
        add_notes(Bytes::new(&file, 0x100), &mut notes);
        notes
    }

    #[test]
    fn programs_before_windows_nt_are_named() {
        for (magic, system, name) in [
            (&b"NE"[..], 2, "NE program (16-bit Windows)"),
            (b"NE", 1, "NE program (16-bit OS/2)"),
            (b"LE", 4, "LE program (Windows driver or DOS extender)"),
            (b"LX", 1, "LX program (OS/2)"),
            (b"", 0, "DOS program"),
        ] {
            assert_eq!(notes(magic, system).hints[0].name, name);
        }
    }

    #[test]
    fn a_text_that_begins_with_the_letters_is_no_program() {
        let mut notes = Notes::default();
        for text in
            [&b"MZ"[..], b"MZ is the magic number of DOS programs, after Mark Zbikowski, who made it up."]
        {
            add_notes(Bytes::new(text, text.len() as u64), &mut notes);
        }
        assert_eq!(notes, Notes::default());
    }
}
