//! Unpacks a program that is packed with UPX.

use super::pack_header::PackHeader;
use super::unpacked::{UnpackError, Unpacked};
use super::{elf, pe};
use crate::sample::bytes::Bytes;
use crate::sample::kind::FileKind;

/// Bytes at the end of a Mach-O where the header of UPX is searched.
const TAIL: u64 = 8 << 10;

/// The program inside of one that is packed with UPX; `None` if it is not packed with UPX, as far as can be seen. Takes
/// the whole file: of one that is cut off, what is missing is an error. At most 256 MiB are unpacked.
pub fn upx(bytes: Bytes<'_>, kind: FileKind) -> Option<Result<Unpacked, UnpackError>> {
    match kind {
        FileKind::Pe => pe::unpack(bytes),
        FileKind::Elf => elf::unpack(bytes),
        FileKind::MachO => {
            let size = bytes.kept().len() as u64;
            let header = PackHeader::find(bytes, size.saturating_sub(TAIL), size)?;
            (header.valid && header.has_magic).then_some(Err(UnpackError::Format("Mach-O")))
        }
        _ => None,
    }
}
