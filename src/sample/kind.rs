//! The kind of a file: its format.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The format of a file, from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is the name of the format")]
pub enum FileKind {
    Pe,
    Elf,
    MachO,
    MachOFat,
    Png,
    Jpeg,
    Gif,
    Bmp,
    WebP,
    Tiff,
    Ico,
    Other,
}

impl FileKind {
    /// The name that is shown, and written to CSV and the library.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pe => "PE",
            Self::Elf => "ELF",
            Self::MachO => "Mach-O",
            Self::MachOFat => "Mach-O fat",
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Ico => "ICO",
            Self::Other => "other",
        }
    }

    /// Whether the file is an image that can be decoded.
    pub(crate) fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Bmp | Self::WebP | Self::Tiff | Self::Ico)
    }

    /// Whether the file is machine code for some operating system.
    pub fn is_executable(self) -> bool {
        matches!(self, Self::Pe | Self::Elf | Self::MachO | Self::MachOFat)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
