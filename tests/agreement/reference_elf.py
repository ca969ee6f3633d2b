"""Facts of an ELF by readelf and by LIEF, in the form of `lookalike inspect --json`."""
import lief, re, subprocess

MODULE_SIGNATURE = b"~Module signature appended~\n"
SECTION = re.compile(r"^  \[ *(\d+)\] (.*?) +([A-Z_0-9+]+(?: \S+)?|[0-9a-f]{8}: <unknown>|<unknown>|LOOS\+\S+) +([0-9a-f]{8,16}) ([0-9a-f]{6,}) ([0-9a-f]{6,}) ")
SYMBOL = re.compile(r"^ *\d+: [0-9a-f]+ +(?:0x)?[0-9a-f]+ (\S+) +(\S+) +\S+ +(?:\[.*?\] +)?(\S+) (.*)$")
SEGMENT = re.compile(r"^  [A-Z_0-9+<>a-zx: ]+? +0x([0-9a-f]+) 0x[0-9a-f]+ 0x[0-9a-f]+ 0x([0-9a-f]+) 0x[0-9a-f]+ ")


def by_readelf(path):
    run = subprocess.run(["readelf", "-W", "-h", "-S", "-l", "-d", "-s", "-V", str(path)], capture_output=True, text=True,
                         errors="replace", env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    header, sections, segments, tables, libraries = {}, [], [], {}, []
    symbols, versions = None, set()
    for line in run.stdout.splitlines():
        if found := re.match(r"^  ([A-Z][A-Za-z /]+): +(.*)$", line):
            header.setdefault(found[1], found[2])
        elif found := SECTION.match(line):
            if found[1] != "0":
                bits = "NOBITS" not in found[3]
                sections.append((found[2], int(found[6], 16) if bits else 0, int(found[4], 16), int(found[5], 16)))
        elif found := re.match(r"^Symbol table '(.*)' contains", line):
            symbols = tables.setdefault(found[1], [])
        elif (found := SYMBOL.match(line)) and symbols is not None:
            symbols.append((found[1], found[2], found[3], found[4].split("@")[0].split(" ")[0]))
        elif found := re.match(r"^  \w+: Rev: .* Name: (.*)$", line):
            versions.add(found[1])
        elif found := re.match(r"^ 0x[0-9a-f]+ \(NEEDED\) +Shared library: \[(.*)\]$", line):
            libraries.append(found[1])
        elif found := SEGMENT.match(line):
            segments.append((int(found[1], 16), int(found[2], 16)))
    object_file = header["Type"].startswith("REL")
    named = tables.get(".symtab" if object_file else ".dynsym", [])
    entry = int(header["Entry point address"], 16)
    size = path.stat().st_size
    end = max([int(header["Start of section headers"].split()[0])
               + int(header["Number of section headers"].split()[0]) * int(header["Size of section headers"].split()[0])]
              + [offset + bytes_ for _, bytes_, _, offset in sections] + [sum(one) for one in segments])
    with open(path, "rb") as opened:
        opened.seek(max(0, size - len(MODULE_SIGNATURE)))
        signed = opened.read() == MODULE_SIGNATURE
    return {
        "entry": entry or None,
        "sections": [section[:3] for section in sections],
        "libraries": list(libraries),
        "imports": {name for kind, binding, index, name in named
                    if index == "UND" and name and binding != "LOCAL"},
        # A symbol that only defines a version is no export.
        "exports": None if object_file else {
            name for kind, binding, index, name in named if index != "UND" and name and binding != "LOCAL"
            and kind not in ("SECTION", "FILE") and not (index == "ABS" and name in versions)},
        "signed": signed,
        "overlay": None if signed or end >= size else (end, size - end),
    }


def by_lief(path):
    elf = lief.ELF.parse(str(path))
    entry = elf.header.entrypoint
    object_file = elf.header.file_type == lief.ELF.Header.FILE_TYPE.REL
    nobits = lief.ELF.Section.TYPE.NOBITS
    named = list(elf.symtab_symbols if object_file else elf.dynamic_symbols)
    outside = [one for one in named if one.shndx == 0 and one.name and one.binding != lief.ELF.Symbol.BINDING.LOCAL]
    return {
        "entry": entry or None,
        "sections": [(one.name, 0 if one.type == nobits else one.size, one.virtual_address)
                     for at, one in enumerate(elf.sections) if at],
        "libraries": [text(one) for one in elf.libraries],
        "imports": {text(one.name) for one in outside},
    }


def text(name):
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
