#!/usr/bin/env python3
"""Writes small seeds for the fuzz targets to fuzz/corpus. Uses zip, 7z, tar, gzip, xz, zstd, bzip2, lz4, lzip,
compress, cpio, ar, gcab, genisoimage, arj, cc and Pillow where they are installed, and the archives in tests/archives."""
import json
import lzma
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def put(target, name, data):
    folder = os.path.join(ROOT, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def pe():
    """The smallest complete header: one section, sixteen directories."""
    data = bytearray(1024)
    data[:2] = b"MZ"
    data[60] = 64
    data[64:70] = b"PE\0\0\x64\x86"
    struct.pack_into("<H", data, 70, 1)
    struct.pack_into("<H", data, 84, 240)
    struct.pack_into("<H", data, 88, 0x20B)
    data[88 + 108] = 16
    section = 88 + 240
    data[section : section + 5] = b".text"
    struct.pack_into("<IIII", data, section + 8, 256, 0x1000, 512, 512)
    # Two imports from one library: one by name, one by number.
    struct.pack_into("<II", data, 88 + 120, 0x1000, 40)
    struct.pack_into("<IIIII", data, 512, 0x1040, 0, 0, 0x1060, 0x1040)
    struct.pack_into("<QQ", data, 512 + 0x40, 0x1080, 1 << 63 | 5)
    data[512 + 0x60 : 512 + 0x66] = b"k.dll\0"
    data[512 + 0x82 : 512 + 0x87] = b"Exit\0"
    return bytes(data)


def macho():
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x01000007, 3, 2, 1, 72, 0, 0)
    segment = struct.pack("<II16sQQQQIIII", 0x19, 72, b"__TEXT", 0, 4096, 0, 200, 7, 5, 0, 0)
    return header + segment + bytes(96)


def executables(folder):
    files = {"pe": pe(), "macho": macho()}
    source = os.path.join(folder, "a.c")
    with open(source, "w") as file:
        file.write('const char *kept = "Go build ID: \\"";\nvoid _start(void) { for (;;); }\n')
    for name, flags in [("elf64", []), ("elf_o", ["-c"])]:
        out = os.path.join(folder, name)
        command = ["cc", "-Os", "-nostdlib", "-static", "-Wl,--build-id=none", *flags, source, "-o", out]
        if subprocess.run(command, capture_output=True).returncode == 0:
            files[name] = open(out, "rb").read()
    return files


def archives(folder):
    with open(os.path.join(folder, "one"), "wb") as file:
        file.write(b"sample" * 40)
    script = """
    zip -q a.zip one; zip -q -0 b.zip one; zip -q -P infected c.zip one
    7z a -tzip -mem=AES256 -pmalware d.zip one; 7z a e.7z one; 7z a -pinfected -mhe=on f.7z one
    7z a -m0=ppmd g.7z one; 7z a -m0=bzip2 h.7z one; 7z a -m0=deflate i.7z one
    bzip2 -k one; lz4 -q one one.lz4; lz4 -q -l one m.lz4; lzip -k one; xz -k --format=lzma one; compress -c one > one.Z
    for kind in newc odc bin hpbin; do echo one | cpio -o -H $kind > n.$kind.cpio; done
    ar rc o.a one; gcab -c -z p.cab one; gcab -c -n q.cab one; arj a -y r.arj one
    genisoimage -quiet -no-pad -R -J -o s.iso one
    tar cf j.tar one; gzip -k one; xz -k one; zstd -q one; tar czf k.tgz one; zip -q l.zip a.zip j.tar
    """
    subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True)
    names = [name for name in os.listdir(folder) if "." in name and not name.endswith(".c")]
    found = {name: open(os.path.join(folder, name), "rb").read() for name in names}
    kept = os.path.join(os.path.dirname(ROOT), "..", "tests", "archives")
    for name in os.listdir(kept):
        if name == "README.md":
            continue
        data = open(os.path.join(kept, name), "rb").read()
        # Images are kept compressed.
        found[name] = lzma.decompress(data) if name.endswith(".xz") else data
    return found


def images():
    import io

    from PIL import Image

    out = {}
    colours = Image.new("RGB", (9, 7), (200, 10, 60))
    for name, image, options in [
        ("a.png", colours, {}),
        ("b.png", colours.convert("P"), {}),
        ("c.png", colours.convert("LA"), {}),
        ("d.png", Image.new("I;16", (5, 5), 40000), {}),
        ("e.jpg", colours, {}),
        ("f.jpg", colours.convert("CMYK"), {}),
        ("g.jpg", colours, {"progressive": True}),
        ("h.gif", colours.convert("P"), {}),
        ("i.bmp", colours, {}),
        ("j.webp", colours, {}),
        ("k.webp", colours, {"lossless": True}),
    ]:
        data = io.BytesIO()
        image.save(data, {"jpg": "jpeg"}.get(name[2:], name[2:]), **options)
        out[name] = data.getvalue()
    return out


def rows():
    text = lambda what, data: bytes([5 * len(data) + what]) + data
    number = lambda value: b"\x01" + struct.pack("<q", value)
    real = lambda value: b"\x02" + struct.pack("<d", value)
    vector = struct.pack("<ff", 0.6, 0.8)
    return number(1) + text(4, bytes(32)) + text(3, b"/a/b") + text(3, b"label") + number(9) + text(3, b"PE") \
        + b"\0" + text(4, vector) + real(1.0) + real(2.0)


def model(kind, norm, head):
    """A model file as src/model/model_file.rs writes it, with one convolution of two filters."""
    side, filters, embedding, labels = 8, 2, 2, ["a", "b"]
    pooled = 4 if head == "cosine" else 1
    shapes = {"block0.weights": [3, 3, 3, filters], "block0.shift": [filters]}
    if norm == "batch":
        shapes |= {"block0.scale": [filters], "block0.kept_mean": [filters], "block0.kept_variance": [filters],
                   "block0.kept_batches": [1]}
    shapes |= {"linear": [pooled * pooled * filters, embedding], "prototypes": [len(labels), embedding]}
    if head == "classifier":
        shapes |= {"linear_bias": [embedding], "prototypes_bias": [len(labels)]}
    point = {"epoch": 1.0, "step": 1, "loss": 1.0, "train_mode_accuracy": 1.0, "eval_mode_accuracy": 1.0,
             "recall_at_1": None, "seconds": 0.0}
    config = {"version": 1, "picture": {"kind": kind, "side": side, "range": "signed"},
              "convolutions": [[filters, 2]], "embedding": embedding, "head": head, "norm": norm,
              "batch_norm": {"statistics": "moving", "momentum": 0.1, "epsilon": 1e-5}, "repairs": [],
              "labels": labels,
              "training": {"seed": 0, "files": 2, "held_back": 0, "batch_size": 2, "steps": 1,
                           "cancelled": False, "history": [point], "result": point}}
    header, data = {"__metadata__": {"lookalike": json.dumps(config)}}, b""
    for name, shape in sorted(shapes.items()):
        count = 1
        for n in shape:
            count *= n
        values = struct.pack(f"<{count}f", *[0.1 * (i % 7 + 1) for i in range(count)])
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def main():
    with tempfile.TemporaryDirectory() as folder:
        found = executables(folder)
        for name, data in found.items():
            for target in ["identify", "header", "picture"]:
                put(target, name, data)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in archives(folder).items():
            for target in ["archive", "identify"]:
                put(target, name, data)
    for folder, _, names in os.walk(os.path.join(ROOT, "..", "..", "tests", "field")):
        for name in names:
            data = open(os.path.join(folder, name), "rb").read()
            if name != "expected.json" and len(data) < 64 << 10:
                for target in ["identify", "header", "archive", "image"]:
                    put(target, name, data)
    try:
        for name, data in images().items():
            for target in ["image", "identify"]:
                put(target, name, data)
    except ImportError:
        print("Pillow is not installed: no seeds for images are written", file=sys.stderr)
    put("library_row", "a", rows())
    for name, data in [("a", b"=1+1,\"x\"\r\n"), ("b", "\u202e\u200bexe.\t@".encode()), ("c", b"\xff\xfe-2")]:
        put("csv", name, data)
    put("picture", "text", b"a little text that is long enough " * 20)
    for name, kind, norm, head in [("a", "image", "batch", "cosine"), ("b", "image", "none", "classifier")]:
        put("model", name, model(kind, norm, head))


main()
