#!/usr/bin/env python3
"""make_upx.py UPX OLD_UPX: makes the files of tests/field/upx and their expected.json.

Small programs from C (mingw-w64, gcc, cross gcc for ARM), packed with UPX (4.2.4 of Debian trixie) and an older one (3.96 of
Debian bullseye), some then altered as malware does. What is expected is the original file for ELF, and what `upx -d`
makes of the unaltered file for PE.
"""
import hashlib, json, os, pathlib, struct, subprocess, sys, tempfile

OUT = pathlib.Path(__file__).resolve().parent / "upx"
UPX, OLD = sys.argv[1:]
MAGIC = b"UPX!"


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def source(freestanding, library):
    """Functions that call each other and use texts."""
    lines = [] if freestanding else ["#include <stdio.h>", "#include <stdlib.h>", "#include <string.h>"]
    mark = '__attribute__((visibility("default"), noinline)) ' if library else "__attribute__((noinline)) static "
    if library and not freestanding:
        mark = "__attribute__((noinline)) EXPORT "
        lines.insert(0, "#ifdef _WIN32\n#define EXPORT __declspec(dllexport)\n#else\n#define EXPORT\n#endif")
    lines.append("int sink; const char *last; int table[64] = {1, 2, 3};")
    lines.append("#ifdef START\n__attribute__((constructor)) static void start(void) { sink = 1; }\n#endif")
    for i in range(160):
        calls = "".join(f" if (n & {1 << k % 8}) n += step_{k}(n - {k + 2}, text);" for k in {i // 2, i // 3, i * 7 // 8} if k < i)
        say = "" if freestanding else f' if (n == {i * 77 + 5}) printf("step {i}: %s\\n", text);'
        lines.append(
            f'{mark}int step_{i}(int n, const char *text) {{ last = text; table[{i % 64}] ^= n * {i * 31 + 7};{say}'
            f'{calls} switch (n & 7) {{ case 0: last = "station {i} of the line"; break; case 1: sink += {i}; break;'
            f" case 3: return sink * n; }} return n + {i}; }}"
        )
    if freestanding:
        lines.append("void _start(void) { step_159(sink, last); for (;;) ; }")
    elif not library:
        lines.append("int main(int n, char **words) { return step_159(n, words[0]) & 1; }")
    return "\n".join(lines) + "\n"


def renamed_sections(data):
    data = bytearray(data)
    at = struct.unpack_from("<I", data, 60)[0]
    table = at + 24 + struct.unpack_from("<H", data, at + 20)[0]
    for index in range(struct.unpack_from("<H", data, at + 6)[0]):
        name = [b".text", b".data", b".rsrc", b".reloc"][index]
        data[table + 40 * index : table + 40 * index + 8] = name.ljust(8, b"\0")
    return bytes(data)


def header(data):
    """The offset of a valid header of UPX."""
    at = data.find(MAGIC)
    while sum(data[at + 4 : at + 31]) % 251 != data[at + 31] or not data[at + 5]:
        at = data.index(MAGIC, at + 1)
    return at


def wiped(data):
    at = header(data)
    return data[:at] + bytes(32) + data[at + 32 :]


def other_magic(data):
    """What Mirai's authors do: another magic everywhere, and no sizes in front of the blocks."""
    wide, count = data[4] == 2, 56 if data[4] == 2 else 44
    at = (64 + 56 * struct.unpack_from("<H", data, count)[0]) if wide else (52 + 32 * struct.unpack_from("<H", data, count)[0])
    data = data.replace(MAGIC, b"YTS\x99")
    return data[: at + 12] + bytes(12) + data[at + 24 :]


def main():
    OUT.mkdir(exist_ok=True)
    for file in OUT.iterdir():
        file.unlink()
    expected = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in "program", "library", "bare":
            (folder / f"{name}.c").write_text(source(name == "bare", name == "library"))
        icon = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 2, 0, 1, 1, 176, 22)
        icon += struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 1, 0, 128, 0, 0, 0, 0) + bytes(8) + bytes([0x5A] * 128)
        (folder / "icon.ico").write_bytes(icon)
        (folder / "resources.rc").write_text(
            '1 ICON "icon.ico"\n2 ICON "icon.ico"\nSTRINGTABLE { 1 "a text of the resources" }\n'
            "1 VERSIONINFO\nFILEVERSION 1,2,3,4\n{\n}\nNAMED RCDATA { \"some data that is compressed, compressed\" }\n"
        )
        for target in "i686", "x86_64":
            gcc = f"{target}-w64-mingw32-gcc"
            resources = folder / f"{target}.res.o"
            subprocess.run([f"{target}-w64-mingw32-windres", "resources.rc", str(resources)], cwd=folder, check=True)
            run(gcc, "-Os", "-s", folder / "program.c", resources, "-o", folder / f"{target}.exe")
            run(gcc, "-Os", "-s", "-shared", folder / "library.c", resources, "-o", folder / f"{target}.dll")
        bare = ["-Os", "-s", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pic"]
        bare += ["-fno-asynchronous-unwind-tables", "-Wl,--build-id=none"]
        for target, gcc in {
            "x86_64": ["gcc", "-no-pie"],
            "i386": ["gcc", "-m32", "-no-pie"],
            "arm64": ["aarch64-linux-gnu-gcc"],
            "arm": ["arm-linux-gnueabihf-gcc"],
        }.items():
            run(*gcc, *bare, folder / "bare.c", "-o", folder / target)
        run("gcc", "-Os", "-s", "-shared", "-fPIC", folder / "library.c", "-o", folder / "library.so")
        start = ["-DSTART", "-nostartfiles", folder / "library.c", "-o", folder / "no_init.so"]
        run("gcc", "-Os", "-s", "-shared", "-fPIC", *start)
        # name: program, UPX, options, method, alteration
        same = lambda data: data
        for name, (program, upx, options, method, alter) in {
            "x86_64_nrv2b.exe": ("x86_64.exe", UPX, ["--nrv2b"], "NRV2B", same),
            "x86_64_lzma.dll": ("x86_64.dll", UPX, ["--lzma"], "LZMA", same),
            "i686_nrv2d.exe": ("i686.exe", UPX, ["--nrv2d", "--filter=0x46"], "NRV2D", same),
            "i686_nrv2e.dll": ("i686.dll", UPX, ["--nrv2e", "--best"], "NRV2E", same),
            "i686_3.96.dll": ("i686.dll", OLD, ["--nrv2b", "--filter=0x16"], "NRV2B", same),
            "x86_64_nrv2e": ("x86_64", UPX, ["--nrv2e"], "NRV2E", same),
            "i386_nrv2b": ("i386", UPX, ["--nrv2b", "--filter=0x80"], "NRV2B", same),
            "i386_nrv2d_3.96": ("i386", OLD, ["--nrv2d", "--filter=0x86"], "NRV2D", same),
            "arm64_lzma": ("arm64", UPX, ["--lzma"], "LZMA", same),
            "arm_nrv2d": ("arm", UPX, ["--nrv2d"], "NRV2D", same),
            "library_nrv2e.so": ("library.so", UPX, ["--nrv2e"], "NRV2E", same),
            "library_without_init.so": ("no_init.so", UPX, ["--nrv2b"], "NRV2B", same),
            "altered_wiped.exe": ("i686.exe", UPX, ["--nrv2b"], "NRV2B", lambda data: wiped(renamed_sections(data))),
            "altered_wiped_lzma.dll": ("x86_64.dll", UPX, ["--lzma"], "LZMA", lambda data: wiped(renamed_sections(data))),
            "altered_magic_and_sizes": ("i386", UPX, ["--nrv2e"], "NRV2E", other_magic),
            "altered_wiped_overlay": ("x86_64", UPX, ["--lzma"], "LZMA", lambda data: wiped(data) + b"configuration" * 40),
        }.items():
            packed, restored = folder / f"packed.{name}", folder / f"restored.{name}"
            run(upx, "-qqq", "-f", *options, "-o", packed, folder / program)
            run(UPX, "-qqq", "-d", "-o", restored, packed)
            original = (folder / program).read_bytes()
            wanted = restored.read_bytes()
            pe = wanted.startswith(b"MZ")
            # UPX does not restore a library that has no function of DT_INIT.
            assert pe or wanted == original or program == "no_init.so", name
            wanted = wanted if pe else original
            data = alter(packed.read_bytes())
            (OUT / name).write_bytes(data)
            exact = alter in (same, other_magic)
            expected[name] = {
                "objects": [
                    {
                        "path": name,
                        "kind": "PE" if pe else "ELF",
                        "sha256": hashlib.sha256(data).hexdigest(),
                        "unpacked": {
                            "method": method,
                            "size": len(wanted),
                            "sha256": hashlib.sha256(wanted).hexdigest(),
                            "exact": exact,
                        },
                        "problems": [],
                    }
                ]
            }
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    os.system(f"ls -la {OUT}")


main()
