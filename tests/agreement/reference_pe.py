"""Facts of a PE by pefile and by LIEF, in the form of `lookalike inspect --json`."""
import lief, pefile

DIRECTORIES = [pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{name}"] for name in ("IMPORT", "DELAY_IMPORT", "EXPORT")]
SECURITY = pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_SECURITY"]
SYMBOL = 18


def text(name):
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def by_pefile(path):
    pe = pefile.PE(path, fast_load=True, max_symbol_exports=1 << 20, max_repeated_symbol=1 << 20)
    pe.parse_data_directories(DIRECTORIES)
    base, entry = pe.OPTIONAL_HEADER.ImageBase, pe.OPTIONAL_HEADER.AddressOfEntryPoint
    strings = string_table(pe)
    imported = [(entry, delayed) for name, delayed in (("IMPORT", False), ("DELAY_IMPORT", True))
                for entry in getattr(pe, f"DIRECTORY_ENTRY_{name}", [])]
    exports = getattr(pe, "DIRECTORY_ENTRY_EXPORT", None)
    return {
        "entry": base + entry if entry else None,
        "linked": pe.FILE_HEADER.TimeDateStamp,
        "sections": [(section_name(text(section.Name.rstrip(b"\0")), strings), section.SizeOfRawData,
                      base + section.VirtualAddress) for section in pe.sections],
        "libraries": {text(entry.dll).lower() for entry, _ in imported},
        "imports": {(text(entry.dll).lower(), one.ordinal if one.import_by_ordinal else text(one.name), delayed)
                    for entry, delayed in imported for one in entry.imports},
        "exports": {text(one.name) if one.name else f"#{one.ordinal}" for one in exports.symbols} if exports else set(),
        "signed": certificate(pe) is not None,
        "overlay": overlay(pe),
    }


def string_table(pe):
    """The names longer than eight bytes, behind the COFF symbols."""
    at, count = pe.FILE_HEADER.PointerToSymbolTable, pe.FILE_HEADER.NumberOfSymbols
    begin = at + count * SYMBOL
    size = int.from_bytes(pe.__data__[begin:begin + 4], "little")
    return pe.__data__[begin:begin + size] if at and 4 <= size <= len(pe.__data__) - begin else b""


def section_name(name, strings):
    """GNU's linker writes `/4` for a name at offset 4 of the string table."""
    if name.startswith("/") and name[1:].isdigit() and int(name[1:]) < len(strings):
        return text(strings[int(name[1:]):].split(b"\0", 1)[0])
    return name


def certificate(pe):
    """The signature's range, if it is inside of the file."""
    if len(pe.OPTIONAL_HEADER.DATA_DIRECTORY) <= SECURITY:
        return None
    found = pe.OPTIONAL_HEADER.DATA_DIRECTORY[SECURITY]
    begin, end = found.VirtualAddress, found.VirtualAddress + found.Size
    return (begin, end) if found.Size and begin and end <= len(pe.__data__) else None


def overlay(pe):
    """What pefile calls overlay, without COFF symbols and the signature, which the header describes too: pefile counts
    them (erocarrera/pefile#104, #253)."""
    begin, size = pe.get_overlay_data_start_offset(), len(pe.__data__)
    if begin is None:
        return None
    strings = string_table(pe)
    if pe.FILE_HEADER.PointerToSymbolTable:
        end = pe.FILE_HEADER.PointerToSymbolTable + pe.FILE_HEADER.NumberOfSymbols * SYMBOL + len(strings)
        begin = max(begin, end) if end <= size else begin
    signature = certificate(pe)
    end = signature[0] if signature and signature[1] >= size - 8 and signature[0] >= begin - 8 else size
    # The signature begins at a multiple of eight: the zeros before it are no overlay.
    if signature and end - begin < 8 and not any(pe.__data__[begin:end]):
        return None
    return (begin, end - begin) if end > begin else None


def by_lief(path):
    config = lief.PE.ParserConfig()
    config.parse_rsrc = config.parse_reloc = False
    pe = lief.PE.parse(str(path), config)
    base, entry = pe.optional_header.imagebase, pe.optional_header.addressof_entrypoint
    imported = [(one, False) for one in pe.imports] + [(one, True) for one in pe.delay_imports]
    export = pe.get_export()
    return {
        "entry": base + entry if entry else None,
        "linked": pe.header.time_date_stamps,
        "sections": [(text(one.coff_string.string if one.coff_string else one.fullname.rstrip(b"\0")), one.sizeof_raw_data,
                      base + one.virtual_address) for one in pe.sections],
        "libraries": {text(one.name).lower() for one, _ in imported},
        "imports": {(text(one.name).lower(), entry.ordinal if entry.is_ordinal else text(entry.name), delayed)
                    for one, delayed in imported for entry in one.entries},
        "exports": {text(one.name) or f"#{one.ordinal}" for one in export.entries} if export else set(),
        "signed": pe.has_signatures,
    }
