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
/// Bytes of a member that tell whether it is a program.
const PROGRAM: u64 = 4 << 10;
/// Members that are looked at for programs.
const MAX_MEMBERS: usize = 20_000;
/// Programs that are named.
const NAMED: usize = 8;

/// The kind of document or package with how many files are in it, and the programs in it, which are not opened; `None`
/// for an archive.
pub fn package(reader: &mut Reader<'_>, budget: &mut Budget, entries: &[Entry]) -> Option<Vec<Note>> {
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
    let what = Note::hint(kind, format!("a zip of {files} files, which were not opened"));
    Some(std::iter::once(what).chain(programs(reader, budget, entries)).collect())
}

/// Names the programs in a package, wherever they are, and says how many files could not be looked at.
fn programs(reader: &mut Reader<'_>, budget: &mut Budget, entries: &[Entry]) -> Option<Note> {
    let (mut found, mut shut) = (Vec::new(), entries.len().saturating_sub(MAX_MEMBERS));
    for entry in entries.iter().take(MAX_MEMBERS) {
        let Some(header) = entry.header().filter(|header| header.size > 0 || !header.name.ends_with(b"/"))
        else {
            continue;
        };
        let Some(head) = reader.peek(budget, entry, PROGRAM) else {
            shut += 1;
            continue;
        };
        let kind = FileKind::identify(&head).0;
        let name = if kind.is_executable() {
            kind.name()
        } else if head.starts_with(b"MZ") {
            "MZ"
        } else {
            continue;
        };
        found.push(format!("{} ({name})", String::from_utf8_lossy(&header.name)));
    }
    let count = found.len();
    if count > NAMED {
        found.truncate(NAMED);
        found.push("…".to_owned());
    }
    let mut text = match count {
        0 => String::new(),
        1 => format!("1 program in it was not opened: {}", found.join(", ")),
        _ => format!("{count} programs in it were not opened: {}", found.join(", ")),
    };
    if shut > 0 {
        let and = if text.is_empty() { "" } else { "; " };
        text += &format!("{and}{shut} files in it could not be looked at");
    }
    (!text.is_empty()).then(|| Note::hint(if count > 0 { "programs inside" } else { "files inside" }, text))
}
