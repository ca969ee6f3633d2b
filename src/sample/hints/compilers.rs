//! Compilers whose programs differ from others: Go, Rust, Delphi, Visual Basic 6, .NET in one file.

use super::layout::{Layout, occurrences, resource_name};
use crate::sample::bytes::Endian;
use crate::sample::facts::Section;

/// The longest version of Go that is shown.
const MAX_VERSION: u8 = 64;
/// Paths that begin like those of Rust's library.
const MAX_PATHS: usize = 4096;
/// Go's build information is at the start of a section for data; tools look this far.
const GO_SEARCHED: usize = 64 << 10;

/// Go: its build information at a multiple of 16 in a section for data, or the build ID at the start of the code, as
/// `debug/buildinfo` and `cmd/internal/buildid` of Go read them.
pub fn go(layout: &Layout<'_>) -> Option<String> {
    let information = layout.data().find_map(|(offset, bytes)| {
        let bytes = bytes.get(..GO_SEARCHED).unwrap_or(bytes);
        let at = occurrences(bytes, b"\xff Go buildinf:")
            .find(|at| at % 16 == 0 && bytes.get(at + 14..at + 16).is_some_and(is_build_information))?;
        let version =
            version(bytes.get(at + 32..)?).map_or_else(String::new, |version| format!(": {version}"));
        Some(format!("build information at offset {}{version}", offset + at as u64))
    });
    information.or_else(|| {
        let note =
            layout.section(&[".note.go.buildid"]).map(|(section, _)| format!("section {}", section.name));
        let code = layout.sections().iter().filter(|section| section.access.execute);
        let id = |section: &Section| {
            let bytes = layout.bytes_of(section);
            bytes
                .starts_with(b"\xff Go build ID: \"")
                .then(|| format!("build ID at the start of {}", section.name))
        };
        note.or_else(|| code.into_iter().find_map(id))
    })
}

/// The size of a pointer, and flags: 1 for big-endian, 2 for a version that follows.
fn is_build_information(sizes: &[u8]) -> bool {
    matches!(sizes, [4 | 8, 0 | 1] | [_, 2 | 3])
}

/// A length of one byte and a text.
fn version(bytes: &[u8]) -> Option<String> {
    let (length, rest) = bytes.split_first()?;
    let text = std::str::from_utf8(rest.get(..usize::from(*length))?).ok()?;
    (*length <= MAX_VERSION && (text.starts_with("go1") || text.starts_with("devel")))
        .then(|| text.to_owned())
}

/// Rust: paths of its library that panics name, with the hash of the compiler's commit, in data; or the compiler's
/// own entry in `.comment`.
pub fn rust(layout: &Layout<'_>) -> Option<String> {
    if let Some((section, bytes)) = layout.section(&[".comment"])
        && occurrences(bytes, b"rustc version ").next().is_some()
    {
        return Some(format!("the compiler's version in {}", section.name));
    }
    layout.data().find_map(|(offset, bytes)| {
        let mut paths = memchr::memmem::find_iter(bytes, b"/rustc").take(MAX_PATHS);
        let at = paths.find(|at| bytes.get(at + 6..).is_some_and(is_library_path))?;
        Some(format!("path of its library at offset {}", offset + at as u64))
    })
}

/// `/<forty digits>/library/…` or `/<forty digits>/src/lib…`, or `-1.63.0/library/…` as distributions build it. On
/// Windows, some of the slashes are backslashes.
fn is_library_path(after: &[u8]) -> bool {
    let slash = |byte: Option<&u8>| matches!(byte, Some(b'/' | b'\\'));
    let after = match after.first() {
        Some(b'/') if after.get(1..41).is_some_and(|hash| hash.iter().all(u8::is_ascii_hexdigit)) => {
            after.get(41..)
        }
        Some(b'-') => after.iter().take(24).position(|byte| *byte == b'/').and_then(|at| after.get(at..)),
        _ => None,
    };
    let folder = after.filter(|path| slash(path.first())).and_then(|path| path.get(1..)).unwrap_or_default();
    folder.starts_with(b"library") && slash(folder.get(7))
        || folder.starts_with(b"src") && slash(folder.get(3)) && folder.get(4..7) == Some(b"lib")
}

/// Delphi and C++Builder: the resource that lists the units of a program.
pub fn delphi(layout: &Layout<'_>) -> Option<String> {
    let (offset, resources) = layout.resources()?;
    let at = occurrences(resources, &resource_name("PACKAGEINFO")).next()?;
    Some(format!("resource PACKAGEINFO, named at offset {}", offset + at as u64))
}

/// Visual Basic 5 and 6: their run-time library.
pub fn visual_basic(layout: &Layout<'_>) -> Option<String> {
    let library = ["msvbvm60.dll", "msvbvm50.dll"].into_iter().find(|name| layout.loads(name))?;
    Some(format!("library {library}"))
}

/// .NET in one file: the host's mark after the offset of the bundle's header
/// (`src/native/corehost/apphost/bundle_marker.cpp`). Without a bundle, the offset is 0.
pub fn dotnet_bundle(layout: &Layout<'_>) -> Option<String> {
    const MARK: [u8; 32] = [
        0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32, 0x13,
        0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
    ];
    layout.data().find_map(|(offset, bytes)| {
        let at = offset + occurrences(bytes, &MARK).next()? as u64;
        let header = layout.bytes.u64(at.checked_sub(8)?, Endian::Little)?;
        (header > 0 && header < layout.bytes.size()).then(|| format!("bundle at offset {header}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_rusts_library_has_a_hash_or_a_version() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        assert!(is_library_path(format!("/{hash}/library/std/src/panicking.rs").as_bytes()));
        assert!(is_library_path(format!("/{hash}\\library\\core\\src\\fmt\\mod.rs").as_bytes()));
        assert!(is_library_path(format!("/{hash}/src/libstd/panicking.rs").as_bytes()));
        assert!(is_library_path(b"-1.63.0/library/core/src/fmt/mod.rs"));
        assert!(!is_library_path(b"/library/std") && !is_library_path(b"") && !is_library_path(b"-"));
    }

    #[test]
    fn gos_version_has_a_length() {
        assert_eq!(version(b"\x08go1.22.1rest").as_deref(), Some("go1.22.1"));
        assert_eq!((version(b"\x08text.txt"), version(b"\xffgo1"), version(b"")), (None, None, None));
    }
}
