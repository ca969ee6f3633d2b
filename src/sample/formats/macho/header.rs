//! The header of a Mach-O program.

use crate::sample::bytes::{Bytes, Endian};
use crate::sample::formats::layout::Layout;
use object::macho;

/// The fields of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The layout that the magic number names.
    pub layout: Layout,
    /// `cputype`.
    pub cpu: u32,
    /// `filetype`.
    pub kind: u32,
    /// `ncmds`.
    pub command_count: u32,
    /// `sizeofcmds`.
    pub commands_size: u32,
    /// `flags`.
    pub flags: u32,
}

impl Header {
    /// Reads the header at the start of a program; `None` if it is none or shorter.
    pub fn read(bytes: Bytes<'_>) -> Option<Self> {
        let layout = layout(bytes.kept())?;
        let u32 = |at| bytes.u32(at, layout.endian);
        Some(Self {
            layout,
            cpu: u32(4)?,
            kind: u32(12)?,
            command_count: u32(16)?,
            commands_size: u32(20)?,
            flags: u32(24)?,
        })
    }

    /// The size of the header in bytes: where the load commands begin.
    pub fn size(&self) -> u64 {
        self.layout.either(28, 32)
    }

    /// Whether each undefined symbol names the library that it is imported from.
    pub fn has_two_levels(&self) -> bool {
        self.flags & macho::MH_TWOLEVEL != 0
    }
}

/// The layout that the magic number of a thin Mach-O file names.
pub fn layout(head: &[u8]) -> Option<Layout> {
    let (wide, endian) = match u32::from_le_bytes(*head.first_chunk()?) {
        macho::MH_MAGIC => (false, Endian::Little),
        macho::MH_MAGIC_64 => (true, Endian::Little),
        macho::MH_CIGAM => (false, Endian::Big),
        macho::MH_CIGAM_64 => (true, Endian::Big),
        _ => return None,
    };
    Some(Layout { wide, endian })
}
