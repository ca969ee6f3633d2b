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
