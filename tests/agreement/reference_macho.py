"""Facts of the programs in a Mach-O by LIEF, in the form of `lookalike inspect --json`: a list, as a fat file has several."""
import lief

LOADED = [getattr(lief.MachO.LoadCommand.TYPE, name) for name in
          ("LOAD_DYLIB", "LOAD_WEAK_DYLIB", "REEXPORT_DYLIB", "LOAD_UPWARD_DYLIB", "LAZY_LOAD_DYLIB")]


def by_lief(path):
    size = path.stat().st_size
    # LIEF's programs live only as long as the file that they are from.
    fat = lief.MachO.parse(str(path))
    return [program(fat.at(at), size) for at in range(fat.size)]


def program(macho, file_size):
    text = next((one for one in macho.segments if one.file_offset == 0 and one.file_size), None)
    entry = None
    if macho.has_main_command and text:
        entry = text.virtual_address + macho.main_command.entrypoint
    elif macho.has_thread_command:
        entry = macho.thread_command.pc
    end = max([one.file_offset + one.file_size for one in macho.segments], default=0)
    # Symbols that the symbol table calls undefined, and those that only the table of bindings names.
    undefined = [one for one in macho.symbols if one.category == lief.MachO.Symbol.CATEGORY.UNDEFINED
                 or one.origin == lief.MachO.Symbol.ORIGIN.DYLD_BIND]
    zero = [lief.MachO.Section.TYPE.ZEROFILL, lief.MachO.Section.TYPE.THREAD_LOCAL_ZEROFILL,
            lief.MachO.Section.TYPE.GB_ZEROFILL]
    return {
        "entry": entry,
        "sections": [(f"{one.segment_name},{one.name}", 0 if one.type in zero else one.size, one.virtual_address)
                     for one in macho.sections],
        "libraries": [one.name for one in macho.libraries if one.command in LOADED],
        "imports": {one.name for one in undefined},
        "signed": macho.has_code_signature,
        "overlay": None if macho.fat_offset or end >= file_size else (end, file_size - end),
    }
