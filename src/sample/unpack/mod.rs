//! Unpacking: the program inside of a packed program, computed from its bytes. Nothing is run.
//!
//! UPX compresses a program and puts a stub in front of it, which restores it in memory. `upx` restores it as a file: an
//! ELF byte for byte, a PE with its sections, imports, exports, relocations and resources at their addresses.

mod budget;
mod elf;
mod elf_blocks;
mod elf_headers;
mod filter;
mod guess_filter;
mod methods;
mod nrv;
mod pack_header;
mod pe;
mod pe_exports;
mod pe_headers;
mod pe_image;
mod pe_imports;
mod pe_memory;
mod pe_original;
mod pe_relocations;
mod pe_resources;
mod pe_stub;
mod release;
mod shared_library;
mod unpacked;
mod upx;

pub use pack_header::magic;
pub use unpacked::{How, UnpackError, Unpacked};
pub use upx::upx;

#[cfg(test)]
mod tests;
