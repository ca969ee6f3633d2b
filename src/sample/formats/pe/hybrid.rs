//! Hybrid images: PE files with code for two processors (ARM64EC, ARM64X, CHPE). The machine in the header names
//! one; the load configuration points to the metadata of the other (`winnt.h`).

use super::headers::{Headers, Optional};
use crate::sample::architecture::Architecture;
use crate::sample::bytes::{Bytes, Endian};
use object::pe;

/// The start of the load configuration that is read.
pub const CONFIGURATION: usize = 0xd0;

/// The RVA of the load configuration, if the machine can be a part of a hybrid image.
pub fn configuration_rva(headers: &Headers) -> Option<u64> {
    let hybrid = matches!(
        headers.machine,
        pe::IMAGE_FILE_MACHINE_I386 | pe::IMAGE_FILE_MACHINE_AMD64 | pe::IMAGE_FILE_MACHINE_ARM64
    );
    let optional = headers.optional.as_ref().ok().filter(|_| hybrid)?;
    optional.directory(pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG).map(|directory| u64::from(directory.rva))
}

/// The architecture of a hybrid image, from its load configuration; `None` if it is not hybrid.
pub fn architecture(headers: &Headers, configuration: &[u8]) -> Option<Architecture> {
    let optional = headers.optional.as_ref().ok()?;
    if !has_metadata(optional, configuration).unwrap_or_default() {
        return None;
    }
    match headers.machine {
        pe::IMAGE_FILE_MACHINE_I386 => Some(Architecture::Chpe),
        pe::IMAGE_FILE_MACHINE_AMD64 => Some(Architecture::Arm64Ec),
        pe::IMAGE_FILE_MACHINE_ARM64 => Some(Architecture::Arm64X),
        _ => None,
    }
}

/// Whether `CHPEMetadataPointer` is an address in the image.
fn has_metadata(optional: &Optional, configuration: &[u8]) -> Option<bool> {
    let bytes = Bytes::new(configuration, configuration.len() as u64);
    let size = u64::from(bytes.u32(0, Endian::Little)?);
    let (pointer, end) = if optional.wide {
        (bytes.u64(0xc8, Endian::Little)?, 0xd0)
    } else {
        (u64::from(bytes.u32(0x7c, Endian::Little)?), 0x80)
    };
    Some(size >= end && optional.rva_of(pointer).is_some_and(|rva| rva > 0))
}
