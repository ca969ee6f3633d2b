//! What is said of an image, and of a file that is an image for other programs.

use super::png;
use super::undecoded::undecoded;
use crate::sample::bytes::Bytes;
use crate::sample::facts::Notes;
use crate::sample::kind::FileKind;

/// Notes on a file that is no program: problems of an image that is decoded, or the name of one that is not.
pub fn notes(kind: FileKind, bytes: Bytes<'_>) -> Notes {
    let mut notes = Notes::default();
    match kind {
        FileKind::Png => png::add_problems(bytes, &mut notes),
        kind if kind.is_image() => {}
        _ => {
            if let Some(name) = undecoded(bytes.kept()) {
                notes.hint(
                    name,
                    format!(
                        "its header is that of {}, which this version does not decode; it is read as bytes",
                        with_article(name)
                    ),
                );
            }
        }
    }
    notes
}

/// "a QOI image", "an AVIF image".
pub fn with_article(name: &str) -> String {
    // "SVG", "XBM" and "MNG" are spelled out.
    let an = ["SVG", "XBM", "XPM", "MNG"].iter().any(|word| name.starts_with(word));
    let an = an || name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O']);
    format!("{} {name}", if an { "an" } else { "a" })
}
