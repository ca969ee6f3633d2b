//! The sizes of the structures of an ELF file, in bytes.

use crate::sample::formats::layout::Layout;

/// Of the file header.
pub fn header(layout: Layout) -> u16 {
    layout.either(52, 64)
}

/// Of a program header.
pub fn program_header(layout: Layout) -> u16 {
    layout.either(32, 56)
}

/// Of a section header.
pub fn section_header(layout: Layout) -> u16 {
    layout.either(40, 64)
}

/// Of a symbol.
pub fn symbol(layout: Layout) -> u64 {
    layout.either(16, 24)
}
