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
