#!/usr/bin/env python3
"""Makes packed variants of ordinary programs, to measure how many `inspect` recognises (false_alarms --missed).

    tests/agreement/pack.py OUT FILE…        OUT/<kind>/<file>

Kinds: upx (and upx-renamed, upx-wiped) where `upx` is installed; of own making, after what packers do:

    encrypted-code    the executable sections of a PE encrypted in place and writable, a stub in a new last section
    compressed        room without bytes, and compressed code with a stub in one writable section; three imports
    in-data           a small stub of ordinary code, and the encrypted program as data; three imports
    in-code           stub and encrypted program in one section .text of ordinary flags; three imports
    many-imports      the same with forty imports
    in-resources      a stub of ordinary code, and the encrypted program as a resource; forty imports
    nibbles           in-data, with each byte written as two of sixteen values: entropy 4
    elf-stub          an ELF without sections whose one segment has stub and encrypted program

The stubs only return: nothing here can run what it holds.
"""
import pathlib, random, shutil, struct, subprocess, sys, zlib

PAGE, FILE = 0x1000, 0x200
READ, WRITE, EXECUTE, CODE, DATA = 0x40000000, 0x80000000, 0x20000000, 0x20, 0x40
FEW = [b"LoadLibraryA", b"GetProcAddress", b"VirtualAlloc"]
MANY = FEW + [b"Function%02d" % at for at in range(37)]


def up(number, step):
    return (number + step - 1) // step * step


def encrypted(data, seed=1):
    return (int.from_bytes(data, "little") ^ int.from_bytes(random.Random(seed).randbytes(len(data)), "little")).to_bytes(
        len(data), "little")


def ordinary_code(size):
    """Bytes with the distribution of ordinary code."""
    common = bytes([0x48, 0x89, 0x8B, 0, 0, 0, 0xFF, 0x24, 0xE8, 0x0F, 0x85, 0xC3, 0xCC, 0x83, 0x44, 0x74])
    source = random.Random(size)
    return b"\xc3" + bytes(source.choice(common) if source.random() < 0.6 else source.randrange(256) for _ in range(size - 1))


def imports(names, rva):
    """An import directory for kernel32.dll at `rva`."""
    count = len(names)
    thunks, hints = 40, 40 + 2 * 8 * (count + 1)
    table, text = [], b""
    for name in names:
        table.append(rva + hints + len(text))
        text += struct.pack("<H", 0) + name + b"\0"
        text += b"\0" * (len(text) % 2)
    dll = rva + hints + len(text)
    lookup = b"".join(struct.pack("<Q", one) for one in table) + b"\0" * 8
    descriptor = struct.pack("<5I", rva + thunks, 0, 0, dll, rva + thunks + 8 * (count + 1)) + b"\0" * 20
    return descriptor + lookup + lookup + text + b"kernel32.dll\0"


def pe(sections, entry_section, entry_offset=0, import_section=None, import_at=0, resource_section=None):
    """A 64-bit PE. Sections: name, flags, bytes, virtual size."""
    headers = up(0x40 + 24 + 240 + 40 * len(sections), FILE)
    rva, offset, table, body, places = PAGE, headers, b"", b"", []
    for name, flags, data, virtual in sections:
        raw = up(len(data), FILE)
        table += struct.pack("<8s6I2HI", name, max(virtual, len(data)), rva, raw, offset if raw else 0, 0, 0, 0, 0, flags)
        body += data.ljust(raw, b"\0")
        places.append(rva)
        rva, offset = rva + up(max(virtual, len(data)), PAGE), offset + raw
    directories = [(0, 0)] * 16
    if import_section is not None:
        directories[1] = (places[import_section] + import_at, 40)
    if resource_section is not None:
        directories[2] = (places[resource_section], len(sections[resource_section][2]))
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 14, 0, 0, 0, 0, places[entry_section] + entry_offset,
                           PAGE, 0x140000000, PAGE, FILE, 6, 0, 0, 0, 6, 0, 0, rva, headers, 0, 3, 0, 1 << 20, PAGE,
                           1 << 20, PAGE, 0, 16) + b"".join(struct.pack("<II", *one) for one in directories)
    header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 0x66000000, 0, 0, len(optional), 0x22)
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    return (dos + header + optional + table).ljust(headers, b"\0") + body


def with_imports(data, names, rva):
    return data + b"\0" * (-len(data) % 16) + imports(names, rva + up(len(data), 16)), up(len(data), 16)


def compressed(program):
    data, at = with_imports(ordinary_code(512) + zlib.compress(program, 9), FEW, PAGE + up(2 * len(program), PAGE))
    flags = READ | WRITE | EXECUTE
    return pe([(b"first", flags | 0x80, b"", 2 * len(program)), (b"second", flags | DATA, data, 0)], 1, 0, 1, at)


def in_data(program, encode=encrypted):
    stub = ordinary_code(4096)
    data, at = with_imports(encode(program), FEW, PAGE + up(len(stub), PAGE))
    return pe([(b".text", READ | EXECUTE | CODE, stub, 0), (b".data", READ | WRITE | DATA, data, 0)], 0, 0, 1, at)


def in_code(program, names=FEW):
    code = ordinary_code(1024) + encrypted(program)
    data, at = with_imports(b"text of the program" * 20, names, PAGE + up(len(code), PAGE))
    return pe([(b".text", READ | EXECUTE | CODE, code, 0), (b".rdata", READ | DATA, data, 0)], 0, 0, 1, at)


def in_resources(program):
    code = ordinary_code(30000)
    rdata = PAGE + up(len(code), PAGE)
    data, at = with_imports(b"text of the program" * 200, MANY, rdata)
    return pe([(b".text", READ | EXECUTE | CODE, code, 0), (b".rdata", READ | DATA, data, 0),
               (b".rsrc", READ | DATA, encrypted(program), 0)], 0, 0, 1, at, 2)


def nibbles(data):
    return encrypted(data).hex().encode()


def encrypted_code(program):
    """Needs room for one more section header."""
    data = bytearray(program)
    at = struct.unpack_from("<I", data, 0x3C)[0]
    count, optional = struct.unpack_from("<H", data, at + 6)[0], struct.unpack_from("<H", data, at + 20)[0]
    table = at + 24 + optional
    headers = struct.unpack_from("<I", data, at + 24 + 60)[0]
    if table + 40 * (count + 1) > headers:
        return None
    end = 0
    for index in range(count):
        section = table + 40 * index
        virtual, rva, raw, offset = struct.unpack_from("<4I", data, section + 8)
        flags = struct.unpack_from("<I", data, section + 36)[0]
        end = max(end, up(rva + virtual, PAGE))
        if flags & EXECUTE:
            data[offset:offset + raw] = encrypted(bytes(data[offset:offset + raw]), index)
            struct.pack_into("<I", data, section + 36, flags | WRITE)
    place = up(len(data), FILE)
    stub = ordinary_code(1024)
    struct.pack_into("<8s6I2HI", data, table + 40 * count, b".stub", len(stub), end, up(len(stub), FILE), place, 0, 0, 0, 0,
                     READ | WRITE | EXECUTE | CODE)
    struct.pack_into("<H", data, at + 6, count + 1)
    struct.pack_into("<I", data, at + 24 + 16, end)
    struct.pack_into("<I", data, at + 24 + 56, end + PAGE)
    return bytes(data).ljust(place, b"\0") + stub.ljust(up(len(stub), FILE), b"\0")


def elf_stub(program):
    body = ordinary_code(1024) + encrypted(program)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1,
                                                                   0, 0, 0)
    size = 120 + len(body)
    return header + struct.pack("<IIQQQQQQ", 1, 7, 0, 0x400000, 0x400000, size, size * 3, PAGE) + body


KINDS = {"encrypted-code": encrypted_code, "compressed": compressed, "in-data": in_data, "in-code": in_code,
         "many-imports": lambda program: in_code(program, MANY), "in-resources": in_resources,
         "nibbles": lambda program: in_data(program, nibbles)}


def upx(path, out):
    """Packs with UPX; then without its names and magic; then without its header."""
    packed = out / "upx" / path.name
    packed.parent.mkdir(parents=True, exist_ok=True)
    packed.unlink(missing_ok=True)
    subprocess.run(["upx", "-q", "--force", "--force-macos", str(path), "-o", str(packed)], capture_output=True)
    if not packed.exists():
        return
    data = packed.read_bytes()
    renamed = data.replace(b"UPX!", b"ABC!").replace(b"UPX0", b".tex").replace(b"UPX1", b".dat").replace(b"UPX2", b".rsr")
    wiped = bytearray(renamed)
    at = -1
    while (at := data.find(b"UPX!", at + 1)) >= 0:
        wiped[at:at + 32] = bytes(len(wiped[at:at + 32]))
    for kind, content in (("upx-renamed", renamed), ("upx-wiped", bytes(wiped))):
        (out / kind).mkdir(parents=True, exist_ok=True)
        (out / kind / path.name).write_bytes(content)


def main():
    out, files = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    for path in files:
        program = path.read_bytes()
        if shutil.which("upx"):
            upx(path, out)
        kinds = KINDS if program[:2] == b"MZ" else {"elf-stub": elf_stub} if program[:4] == b"\x7fELF" else {}
        for kind, make in kinds.items():
            made = make(program)
            if made:
                (out / kind).mkdir(parents=True, exist_ok=True)
                (out / kind / path.name).write_bytes(made)


if __name__ == "__main__":
    main()
