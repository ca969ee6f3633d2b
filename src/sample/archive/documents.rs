//! Documents and media that stay samples although an archive is in them or behind them: what an analyst is sent is the
//! document, and the archive is what it hides.

use super::ole;
use crate::sample::formats::images::undecoded;
use crate::sample::kind::FileKind;

/// First bytes, and the names of their formats.
const MARKS: [(&[u8], &str); 11] = [
    (b"%PDF-", "PDF document"),
    (b"{\\rt", "RTF document"),
    (ole::MAGIC, "OLE document"),
    // [MS-SHLLINK] 2.1: the size of the header, and its class.
    (b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F", "Windows shortcut (LNK)"),
    // [MS-ONESTORE] 2.3.1: a section, and a table of contents.
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "OneNote section"),
    (b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", "OneNote table of contents"),
    (b"ID3\x02", "MP3 sound"),
    (b"ID3\x03", "MP3 sound"),
    (b"ID3\x04", "MP3 sound"),
    (b"OggS\0", "Ogg media"),
    (b"fLaC\0", "FLAC sound"),
];

/// What begins an HTML document, in lower case.
const HTML: [&[u8]; 4] = [b"<!doctype html", b"<html", b"<head", b"<hta:application"];

/// The name of a document that is no image; `None` for any other file.
pub fn document(head: &[u8]) -> Option<&'static str> {
    let at = |place: usize, mark: &[u8]| head.get(place..).is_some_and(|rest| rest.starts_with(mark));
    let by_mark = MARKS.iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, name)| *name);
    by_mark.or_else(|| match () {
        () if is_chm(head) => Some("compiled HTML help (CHM)"),
        () if is_html(head) => Some("HTML document"),
        () if at(0, b"RIFF") && (at(8, b"WAVE") || at(8, b"AVI ")) => Some("RIFF media"),
        () if at(4, b"ftyp") && at(0, b"\0\0") => Some("MP4 media"),
        () => None,
    })
}

/// Whether a file of this kind with these first bytes is a sample of its own, whatever archive is in it or behind it.
pub fn keeps_archives_shut(kind: FileKind, head: &[u8]) -> bool {
    kind.is_image() || (kind == FileKind::Other && (document(head).is_some() || undecoded(head).is_some()))
}

/// The header of a CHM ("Microsoft's HTML Help (.chm) format", Matthew Russotto): its mark, its version and length, and
/// the first of its two identifiers.
fn is_chm(head: &[u8]) -> bool {
    const IDENTIFIER: &[u8] = b"\x10\xfd\x01\x7c\xaa\x7b\xd0\x11\x9e\x0c\0\xa0\xc9\x22\xe6\xec";
    let versions: [&[u8]; 2] = [b"ITSF\x03\0\0\0\x60\0\0\0", b"ITSF\x02\0\0\0\x58\0\0\0"];
    versions.iter().any(|start| head.starts_with(start))
        && head.get(24..).is_some_and(|rest| rest.starts_with(IDENTIFIER))
}

fn is_html(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    HTML.iter().any(|mark| text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_one_by_its_header() {
        let mut chm = b"ITSF\x03\0\0\0\x60\0\0\0\x01\0\0\0abcd\x09\x04\0\0".to_vec();
        assert_eq!(document(&chm), None, "four letters are no help file");
        chm.extend(b"\x10\xfd\x01\x7c\xaa\x7b\xd0\x11\x9e\x0c\0\xa0\xc9\x22\xe6\xec");
        assert_eq!(document(&chm), Some("compiled HTML help (CHM)"));
        assert_eq!(document(b"\xef\xbb\xbf\r\n <!DOCTYPE HTML>"), Some("HTML document"));
        for other in [&b"ITSF is how it begins"[..], b"L\0\0\0", b"#!/bin/sh\n<html", b"PK00", b"MZ", b""] {
            assert_eq!(document(other), None);
        }
        assert!(
            keeps_archives_shut(FileKind::Png, b"") && !keeps_archives_shut(FileKind::Other, b"#!/bin/sh")
        );
        assert!(!keeps_archives_shut(FileKind::Elf, b"%PDF-"));
    }
}
