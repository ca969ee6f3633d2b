//! Zips that are documents or packages: an analyst wants to see them as a whole, so they are samples and not archives.
//! Anyone can add a file called META-INF/MANIFEST.MF to a zip of programs, so the content decides and not a name.

use super::directory::{Entry, Header};
use super::member::Reader;
use crate::sample::archive::limits::Budget;
use crate::sample::archive::member::Note;
use crate::sample::kind::FileKind;
use std::collections::HashMap;

/// Bytes of a member that are looked at.
const PEEK: u64 = 64 << 10;
/// Members at the top that are looked at.
const MAX_PEEKS: usize = 16;

/// The kind of document or package, with how many files are in it; `None` for an archive.
pub fn package(reader: &mut Reader<'_>, budget: &mut Budget, entries: &[Entry]) -> Option<Note> {
    let all: HashMap<&[u8], &Entry> =
        entries.iter().filter_map(|entry| Some((&entry.header()?.name[..], entry))).collect();
    let names = || entries.iter().filter_map(Entry::header).map(|header: &Header| &header.name[..]);
    let has = |name: &str| all.contains_key(name.as_bytes());
    let below = |folder: &str| names().any(|name| name.starts_with(folder.as_bytes()));
    let suspected = ["[Content_Types].xml", "META-INF/MANIFEST.MF", "AndroidManifest.xml", "mimetype"];
    if !suspected.into_iter().any(has) {
        return None;
    }
    let mut peek = |name: &str| -> Option<Vec<u8>> { reader.peek(budget, all.get(name.as_bytes())?, PEEK) };
    let contains = |bytes: &[u8], text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    let kind = if has("AndroidManifest.xml")
        && (has("classes.dex") || has("resources.arsc") || has("classes.jar"))
        && (peek("AndroidManifest.xml").is_some_and(|head| head.starts_with(&[3, 0]) || head.starts_with(b"<"))
            // Android reads a manifest with a wrong type, which keeps other tools from reading it.
            || peek("classes.dex").is_some_and(|head| head.starts_with(b"dex\n")))
    {
        "Android package"
    } else if peek("[Content_Types].xml").is_some_and(|head| contains(&head, b"Types")) {
        if below("word/") || below("xl/") || below("ppt/") || below("visio/") {
            "Office document"
        } else if has("_rels/.rels") || has("AppxManifest.xml") {
            "OPC package"
        } else {
            return None;
        }
    } else if let Some(kind) = peek("mimetype").and_then(|kind| String::from_utf8(kind).ok())
        && entries.first().and_then(Entry::header).is_some_and(|first| first.name == b"mimetype")
        && kind.starts_with("application/")
    {
        match kind.trim() {
            "application/epub+zip" => "EPUB document",
            kind if kind.contains("opendocument") => "OpenDocument file",
            _ => "document",
        }
    } else if peek("META-INF/MANIFEST.MF").is_some_and(|head| contains(&head, b"Manifest-Version")) {
        let class = entries.iter().find(|entry| {
            entry.header().is_some_and(|header| header.name.to_ascii_lowercase().ends_with(b".class"))
        });
        let is_class = class
            .and_then(|entry| reader.peek(budget, entry, 4))
            .is_some_and(|head| head == [0xca, 0xfe, 0xba, 0xbe]);
        if !is_class {
            return None;
        }
        "Java archive"
    } else {
        return None;
    };
    // Programs beside the parts of a document: it is a disguise.
    let top = entries.iter().filter(|entry| {
        entry.header().is_some_and(|header| {
            !header.name.contains(&b'/') && !suspected.iter().any(|name| header.name == name.as_bytes())
        })
    });
    for entry in top.take(MAX_PEEKS) {
        let head = reader.peek(budget, entry, PEEK).unwrap_or_default();
        if FileKind::identify(&head).0.is_executable() {
            return None;
        }
    }
    let files = names().filter(|name| !name.ends_with(b"/")).count();
    Some(Note::hint(kind, format!("a zip of {files} files, which were not opened")))
}
