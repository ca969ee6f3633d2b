//! Installers and self-extracting archives.

use super::layout::{Format, Layout, occurrences};
use crate::sample::bytes::Endian;

/// Bytes of what is appended in which NSIS' header is looked for.
const SEARCHED: u64 = 16 << 20;
/// NSIS looks for its header at multiples of this.
const STEP: u64 = 512;

/// NSIS: the header of its data, at a multiple of 512 behind the program (`firstheader` in `Source/exehead/fileform.h`).
pub fn nsis(layout: &Layout<'_>) -> Option<String> {
    let (begin, appended) = layout.appended();
    let begin = begin.checked_next_multiple_of(STEP)?;
    let end = begin.saturating_add((appended.len() as u64).min(SEARCHED).saturating_add(STEP));
    let mut places = (begin..end).step_by(STEP as usize);
    let at = places.find(|at| {
        let header = layout.bytes.from(*at);
        // Flags, magic, name, length of the header.
        header.get(1..8) == Some(&[0, 0, 0, 0xef, 0xbe, 0xad, 0xde])
            && header.get(8..20).is_some_and(|name| name.eq_ignore_ascii_case(b"nullsoftinst"))
            && header.get(20..24).is_some_and(|length| length != [0; 4])
    })?;
    Some(format!("header of its data at offset {at}"))
}

/// Inno Setup: the table of offsets in its resources, one of which leads to the header of the installation.
pub fn inno_setup(layout: &Layout<'_>) -> Option<String> {
    if layout.format != Format::Pe {
        return None;
    }
    // Before 5.1.5: "Inno", the table's offset, and the same inverted, in the DOS stub.
    let word = |at| layout.bytes.u32(at, Endian::Little);
    if let (Some(0x6f6e_6e49), Some(table), Some(inverted)) = (word(0x30), word(0x34), word(0x38))
        && table == !inverted
    {
        return Some(format!("offset table at {table}"));
    }
    let (offset, resources) = layout.resources()?;
    occurrences(resources, b"rDlPtS").find_map(|at| {
        let table = offset + at as u64;
        let header = (0..16).find_map(|word| {
            let field = table + 12 + word * 4;
            let narrow = layout.bytes.u32(field, Endian::Little).map(u64::from);
            [narrow, layout.bytes.u64(field, Endian::Little)]
                .into_iter()
                .flatten()
                .find_map(|at| header(layout, at))
        })?;
        Some(format!("offset table at {table} leads to \"{header}\""))
    })
}

/// The header of an installation: `Inno Setup Setup Data (6.2.0)`.
fn header(layout: &Layout<'_>, at: u64) -> Option<String> {
    let text = layout.bytes.get(at, 64).or_else(|| Some(layout.bytes.from(at)))?;
    let known = text.starts_with(b"Inno Setup Setup Data (") || text.starts_with(b"My Inno Setup Extensions");
    let text = text.split(|byte| *byte == 0).next()?;
    known.then(|| String::from_utf8_lossy(text).into_owned())
}

/// WiX: the section of its boot strapper, by its magic.
pub fn wix(layout: &Layout<'_>) -> Option<String> {
    let (section, bytes) = layout.section(&[".wixburn"])?;
    bytes.starts_with(&0x00f1_4300_u32.to_le_bytes()).then(|| format!("section {}", section.name))
}

/// The configuration that 7-Zip's self-extractor reads before its archive. An archive alone can be behind any program.
pub fn seven_zip(layout: &Layout<'_>) -> Option<String> {
    const CONFIGURATION: &[u8] = b";!@Install@!";
    let (begin, appended) = layout.appended();
    let text = appended.strip_prefix(b"\xef\xbb\xbf").unwrap_or(appended).trim_ascii_start();
    text.starts_with(CONFIGURATION).then(|| format!("configuration at offset {begin}"))
}
