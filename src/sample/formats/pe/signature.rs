//! The signature of a PE: its certificate table (Authenticode), which is not verified.

use super::headers::Optional;
use crate::sample::bytes::{Bytes, Endian};
use object::pe;
use std::ops::Range;

/// What the certificate table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// There is none.
    None,
    /// It is at these offsets in the file.
    At(Range<u64>),
    /// The header gives a place where there is none, and why.
    Missing(String),
}

/// Finds the certificate table. Its directory holds an offset in the file, not an RVA.
pub fn find_certificates(bytes: Bytes<'_>, optional: &Optional) -> Certificates {
    let Some(directory) = optional.directory(pe::IMAGE_DIRECTORY_ENTRY_SECURITY) else {
        return Certificates::None;
    };
    let (offset, size) = (u64::from(directory.rva), u64::from(directory.size));
    if size == 0 {
        return Certificates::None;
    }
    let end = offset + size;
    if end > bytes.size() {
        return Certificates::Missing(format!(
            "the certificate table, {size} bytes at offset {offset}, is not within the file"
        ));
    }
    // A large file is not kept as a whole; the table is at its end.
    if offset + 8 > bytes.kept().len() as u64 && bytes.size() > bytes.kept().len() as u64 {
        return Certificates::At(offset..end);
    }
    let header = (
        bytes.u32(offset, Endian::Little),
        bytes.u16(offset + 4, Endian::Little),
        bytes.u16(offset + 6, Endian::Little),
    );
    match header {
        // Revision 1 or 2; X.509, PKCS #7, reserved, terminal server, and two of UEFI.
        (Some(len), Some(0x100 | 0x200), Some(1..=4 | 0xef0 | 0xef1))
            if len > 8 && u64::from(len) <= size =>
        {
            Certificates::At(offset..end)
        }
        _ => Certificates::Missing(format!("no certificate starts at offset {offset}")),
    }
}

/// Whether the header gives a place for certificates.
pub fn is_announced(optional: &Optional) -> bool {
    optional.directory(pe::IMAGE_DIRECTORY_ENTRY_SECURITY).is_some_and(|directory| directory.size > 0)
}
