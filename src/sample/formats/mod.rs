//! Formats of executables and images: each file recognises one format and reads facts from its headers.
//!
//! Everything in a header was written by the author of the sample: it is reported, not trusted.

pub mod elf;
pub mod images;
pub mod layout;
pub mod listing;
pub mod macho;
pub mod pe;
