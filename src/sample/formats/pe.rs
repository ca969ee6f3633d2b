//! PE files (Microsoft's PE/COFF specification, as the `object` crate transcribes it).

use crate::sample::architecture::Architecture;
use crate::sample::executable::{Executable, MAX_COUNTED, MAX_NAME};
use object::read::pe::{ImageNtHeaders, Import, ImportTable, PeFile};
use object::{LittleEndian, pe};

/// Whether a file starts with the magic number of DOS programs, which PE files share.
pub fn has_dos_magic(head: &[u8]) -> bool {
    head.starts_with(b"MZ")
}

/// The COFF machine of a PE, if the header at `e_lfanew` is within `head`.
pub fn machine(head: &[u8]) -> Option<u16> {
    let dos = pe::ImageDosHeader::parse(head).ok()?;
    let at = dos.nt_headers_offset() as usize;
    let nt = head.get(at..at.checked_add(6)?)?;
    let (signature, machine) = nt.split_first_chunk::<4>()?;
    let signature = object::U32Bytes::<LittleEndian>::from_bytes(*signature);
    if signature.get(LittleEndian) != pe::IMAGE_NT_SIGNATURE {
        return None;
    }
    Some(u16::from_le_bytes(machine.try_into().ok()?))
}

/// The architecture of a COFF machine; `None` if it is not known.
pub fn architecture(machine: u16) -> Option<Architecture> {
    Some(match machine {
        pe::IMAGE_FILE_MACHINE_I386 => Architecture::X86,
        pe::IMAGE_FILE_MACHINE_AMD64 => Architecture::X86_64,
        pe::IMAGE_FILE_MACHINE_ARM | pe::IMAGE_FILE_MACHINE_ARMNT => Architecture::Arm,
        pe::IMAGE_FILE_MACHINE_ARM64 | pe::IMAGE_FILE_MACHINE_ARM64EC => Architecture::Arm64,
        pe::IMAGE_FILE_MACHINE_IA64 => Architecture::Ia64,
        pe::IMAGE_FILE_MACHINE_RISCV32 | pe::IMAGE_FILE_MACHINE_RISCV64 => Architecture::RiscV,
        _ => return None,
    })
}

/// Adds the facts of a PE to `found`. `end`: where its sections end. Returns where everything that the header
/// describes ends.
pub fn add_facts<Pe: ImageNtHeaders>(file: &PeFile<'_, Pe>, found: &mut Executable, end: u64) -> Option<u64> {
    let built = file.nt_headers().file_header().time_date_stamp.get(LittleEndian);
    found.built = Some(built).filter(|built| *built != 0);
    let directory = |id| {
        let directory = file.data_directory(id)?;
        Some(directory.address_range()).filter(|(address, size)| *address != 0 && *size != 0)
    };
    let signature = directory(pe::IMAGE_DIRECTORY_ENTRY_SECURITY);
    found.signed = Some(signature.is_some());
    if directory(pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR).is_some() {
        found.hints.push(".NET".into());
    }
    if let Ok(Some(table)) = file.import_table()
        && let Ok(mut descriptors) = table.descriptors()
    {
        while let Ok(Some(descriptor)) = descriptors.next() {
            let Ok(name) = table.name(descriptor.name.get(LittleEndian)) else { break };
            if name.len() > MAX_NAME || !found.add_library(name) {
                break;
            }
            // If both tables are there, the second may contain addresses, since binding overwrites it.
            let by_name = descriptor.original_first_thunk.get(LittleEndian);
            let thunks = if by_name != 0 { by_name } else { descriptor.first_thunk.get(LittleEndian) };
            if !add_imports::<Pe>(&table, name, thunks, found) {
                break;
            }
        }
    }
    // The signature is after the sections; its directory has a file offset and not an address.
    Some(signature.map_or(end, |(at, size)| end.max(u64::from(at) + u64::from(size))))
}

/// Adds the imported functions of one library; returns whether to read the next library.
fn add_imports<Pe: ImageNtHeaders>(
    table: &ImportTable<'_>,
    library: &[u8],
    thunks: u32,
    found: &mut Executable,
) -> bool {
    let Ok(mut thunks) = table.thunks(thunks) else { return true };
    let library = String::from_utf8_lossy(library);
    while found.import_count < MAX_COUNTED {
        let Ok(Some(thunk)) = thunks.next::<Pe>() else { return true };
        let name = match table.import::<Pe>(thunk) {
            Ok(Import::Ordinal(number)) => format!("{library} #{number}"),
            Ok(Import::Name(_, name)) if name.len() <= MAX_NAME => {
                format!("{library} {}", String::from_utf8_lossy(name))
            }
            _ => return false,
        };
        found.add_import(name);
    }
    false
}
