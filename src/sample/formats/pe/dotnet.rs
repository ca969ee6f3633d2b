//! .NET: the header of the common language runtime in a PE (ECMA-335, partition II).

use super::headers::Optional;
use super::image::Image;
use crate::sample::facts::Notes;
use object::pe;

/// The size of the header.
const HEADER: u32 = 72;
/// The longest version that is shown.
const MAX_VERSION: usize = 64;

/// Adds a hint if there is a header of the common language runtime with metadata. Its directory counts even if the
/// number of directories leaves it out: the runtime does not look at that number.
pub fn add_hint(image: &Image<'_>, optional: &Optional, notes: &mut Notes) {
    let number = pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR;
    let Some(directory) = optional.uncounted_directory(number) else {
        return;
    };
    if let Some(version) = metadata_version(image, u64::from(directory.rva)) {
        let rva = directory.rva;
        notes.hint(".NET", format!("CLR header at RVA 0x{rva:x}, metadata {version}"));
    } else if optional.directory(number).is_some() {
        notes.problem(
            "hints",
            "the CLR header cannot be read; it is not known whether this is a .NET program",
        );
    }
}

/// The version in the metadata that a header leads to.
fn metadata_version(image: &Image<'_>, header: u64) -> Option<String> {
    let metadata = u64::from(image.u32(header + 8)?);
    let plausible = image.u32(header)? >= HEADER && image.array(metadata)? == *b"BSJB";
    let version = image.text(metadata + 16, MAX_VERSION).filter(|_| plausible)?;
    Some(String::from_utf8_lossy(version).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::test_pe::{OPTIONAL, TestPe};

    #[test]
    fn the_runtime_header_is_found_by_its_metadata() {
        let mut pe = TestPe::plain();
        pe.directory(14, 0x1100, 72).words_rva(0x1100, &[72, 0, 0x1200]);
        assert!(pe.facts().notes.problems[0].starts_with("hints: "));
        pe.put_rva(0x1200, b"BSJB").put_rva(0x1210, b"v4.0.30319");
        for count in [14_u32, 15, 16, 17] {
            pe.put32(OPTIONAL + 92, count);
            let hints = pe.facts().notes.hints;
            assert_eq!((hints.len(), hints[0].name.as_str()), (1, ".NET"));
            assert!(hints[0].reason.contains("v4.0.30319"));
        }
    }
}
