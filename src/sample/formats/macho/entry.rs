//! The entry point of a Mach-O program, as an address.

use super::header::Header;
use super::load_commands::{Commands, INCOMPLETE, Start};
use crate::sample::bytes::Bytes;
use crate::sample::facts::{Fact, Notes};
use crate::sample::formats::layout::Region;
use object::macho;

/// The address of the first instruction; `Some(None)` in a library, a bundle or an object file.
pub fn entry(
    bytes: Bytes<'_>,
    header: &Header,
    commands: &Commands<'_>,
    notes: &mut Notes,
) -> Fact<Option<u64>> {
    let found = match commands.start {
        Some(Start::Offset(offset)) => header_address(commands).and_then(|start| start.checked_add(offset)),
        Some(Start::Registers(command)) => program_counter(bytes, header, command),
        None if commands.incomplete => None,
        None => return Some(None),
    };
    if found.is_none() {
        let why = match commands.start {
            Some(Start::Offset(_)) => {
                "no segment holds the header, so that the offset in LC_MAIN has no address"
            }
            Some(Start::Registers(_)) => "the registers in LC_UNIXTHREAD are not known for this processor",
            None => INCOMPLETE,
        };
        notes.problem("entry", why);
    }
    found.map(Some)
}

/// The address at which the header is loaded: `LC_MAIN` counts from there.
fn header_address(commands: &Commands<'_>) -> Option<u64> {
    let mut segments = commands.segments.iter();
    let first = segments.clone().find(|segment| segment.content.offset == 0 && segment.content.size > 0);
    let named = || segments.find(|segment| segment.name.starts_with(b"__TEXT\0"));
    first.or_else(named).map(|segment| segment.address)
}

/// The program counter in the registers of `LC_UNIXTHREAD` (Apple's `mach/*/thread_status.h`).
fn program_counter(bytes: Bytes<'_>, header: &Header, command: Region) -> Option<u64> {
    // The flavor of the registers, the index of the program counter, and whether registers have 64 bits.
    let (flavor, index, wide) = match header.cpu {
        macho::CPU_TYPE_X86 => (1, 10, false),
        macho::CPU_TYPE_X86_64 => (4, 16, true),
        macho::CPU_TYPE_ARM => (1, 15, false),
        macho::CPU_TYPE_ARM64 => (6, 32, true),
        macho::CPU_TYPE_POWERPC => (1, 0, false),
        macho::CPU_TYPE_POWERPC64 => (5, 0, true),
        macho::CPU_TYPE_MC680X0 => (1, 17, false),
        _ => return None,
    };
    let endian = header.layout.endian;
    let mut at = command.offset + 8;
    while at + 8 <= command.end() {
        let (found, words) = (bytes.u32(at, endian)?, u64::from(bytes.u32(at + 4, endian)?));
        let registers = Region { offset: at + 8, size: words * 4 };
        if found == flavor {
            let register = if wide { 8 } else { 4 };
            let pc = registers.offset + index * register;
            if pc + register > registers.end().min(command.end()) {
                return None;
            }
            return if wide { bytes.u64(pc, endian) } else { bytes.u32(pc, endian).map(u64::from) };
        }
        at = registers.end();
    }
    None
}
