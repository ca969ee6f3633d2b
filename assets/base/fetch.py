#!/usr/bin/env python3
"""Fetch the executables that the base model is made from: pinned packages of PyPI, npm and Debian.

    fetch.py OUT [--cache DIR] [--jobs 4] [--families a,b]    download, check, extract
    fetch.py --check                                          check the lists themselves, without a network

What is written:

    OUT/<split>/<family>/<version>__<platform>__<module path with / as .>
    OUT/manifest.csv    split,family,group,language,version,platform,module,size,sha256,path

Downloads go through pip, npm and apt-get as this machine has them set up; every file's SHA-256 is compared with
artifacts.csv. A run that was interrupted goes on where it stopped. Nothing that is downloaded is ever run.
"""
import argparse, collections, concurrent.futures, csv, gzip, hashlib, io, json, lzma, os, pathlib, re
import struct, subprocess, sys, tarfile, tempfile, zipfile

HERE = pathlib.Path(__file__).resolve().parent
SPLITS = ("train", "validation", "test")
FAMILY_COLUMNS = "family registry group language split licence licence_source".split()
ARTIFACT_COLUMNS = "family package version platform file size sha256".split()
MANIFEST_COLUMNS = "split family group language version platform module size sha256 path".split()

MIN_BYTES, MAX_BYTES = 4 << 10, 16 << 20   # of one executable
PER_PLATFORM, PLATFORM_BYTES = 8, 12 << 20  # of one artifact and platform; the first may be larger
ARTIFACT_FILES, ARTIFACT_BYTES = 24, 24 << 20
FAMILY_FILES, FAMILY_BYTES = 60, 36 << 20
SEED = "lookalike-base-1"

# The families of the two corpora that test the project. They take no part here.
EXCLUDED = set("""lxml cryptography psutil pillow grpcio pydantic-core orjson safetensors regex aiohttp frozenlist
scikit-learn matplotlib rapidfuzz bcrypt ninja mypy pyzmq numpy ruff pandas
bitarray coverage httptools kiwisolver lz4 msgpack multidict simplejson ujson wrapt xxhash""".split())

# Libraries that many packages carry along: compilers' runtimes, compression, encryption, images, fonts, Kerberos.
BUNDLED = re.compile(r"""(?x)^(
    msvcp.* | msvcr.* | vcruntime.* | concrt | vcomp | vccorlib | vcamp | api-ms-win-.* | ucrtbased? | mfc.* | atl | vcredist.*
  | gomp | gfortran | quadmath | gcc_s.* | stdc\+\+ | supc\+\+ | c\+\+(abi)? | unwind | atomic | winpthread.* | pthread.* | omp | iomp.* | tbb(malloc)?
  | (scipy_)?openblas.* | blas | lapack | arpack | ssl.* | crypto.* | (lib)?z | zlib.* | minizip.* | bz | bzip | lzma | zstd | lz | snappy
  | brotli(common|dec|enc) | deflate | blosc | aec | szip | sz
  | python | pypy.* | sqlite | ffi | iconv | intl | charset | expat | xml | xslt | exslt | pcre.* | uuid | icu.* | d3dcompiler.* | glib | gobject | gmodule | gio | yaml
  | png | jpeg | turbojpeg | tiff | lerc | jbig | webp.* | sharpyuv | avif | heif | aom | dav1d | de265 | x265 | freetype | harfbuzz | fribidi | fontconfig | lcms | openjp | gif
  | curl | nghttp | ssh | idn | unistring | psl | ldap.* | lber.* | sasl | gssapi.* | krb.* | k5crypto | com_err | keyutils | selinux | resolv | verto | cares
  | usb | hidapi.* | udev | xcb.* | x11.* | xau | xdmcp | sm | ice | ogg | vorbis.* | opus.* | flac | sndfile | mpg | mp3lame | sdl.*
  | [tw](32|64)?(-arm)? | cli(-32|-64|-arm64)? | gui(-32|-64|-arm64)? | wininst-.* | elevate | rcedit | signtool | nuget | webview2loader
  | vulkan.* | swiftshader.* | (lib)?egl | (lib)?glesv | crashpad.* | winpty.* | openconsole | conpty
  | newtonsoft\.json | system\.(buffers|memory|numerics.*|runtime.*|threading.*|text.*|valuetuple|collections.*) | mono\.cecil.* | sharpcompress )$""")


def rows(name, columns):
    path = HERE / name
    with open(path, newline="") as f:
        table = list(csv.DictReader(f))
    if table and list(table[0]) != columns:
        sys.exit(f"{path}: columns are {list(table[0])}, expected {columns}")
    return table


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


# ---- what an executable is, by its header -------------------------------------------------------------------------

PE_MACHINES = {0x14C: "x86", 0x8664: "x86_64", 0xAA64: "arm64", 0x1C4: "arm", 0x1C0: "arm", 0x5064: "riscv64", 0x6264: "loong64"}
ELF_MACHINES = {3: "x86", 62: "x86_64", 183: "arm64", 40: "arm", 243: "riscv64", 21: "ppc64", 22: "s390x", 20: "ppc", 8: "mips", 258: "loong64"}
MACHO_MACHINES = {7: "x86", 0x1000007: "x86_64", 0x100000C: "arm64"}


def platform_of(data):
    """`os-arch` of a PE, ELF or Mach-O that can be run or loaded, None for anything else."""
    try:
        if data[:2] == b"MZ":
            at = struct.unpack_from("<I", data, 60)[0]
            if data[at:at + 4] != b"PE\0\0":
                return None
            machine, optional = struct.unpack_from("<H", data, at + 4)[0], at + 24
            magic, subsystem = struct.unpack_from("<H", data, optional)[0], struct.unpack_from("<H", data, optional + 68)[0]
            clr = struct.unpack_from("<I", data, optional + (224 if magic == 0x20B else 208))[0]
            if 10 <= subsystem <= 13:
                return f"efi-{PE_MACHINES[machine]}"
            return "windows-anycpu" if clr and machine == 0x14C else f"windows-{PE_MACHINES[machine]}"
        if data[:4] == b"\x7fELF":
            order = "<" if data[5] == 1 else ">"
            kind, machine = struct.unpack_from(order + "HH", data, 16)
            if kind not in (2, 3) or data[7] not in (0, 3):
                return None
            arch = ELF_MACHINES[machine]
            if machine == 243 and data[4] == 1:
                return None
            return "linux-" + arch + ("le" if arch in ("ppc64", "mips") and order == "<" else "")
        if data[:4] in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"):
            machine, _, kind = struct.unpack_from("<III", data, 4)
            return f"macos-{MACHO_MACHINES[machine]}" if kind in (2, 6, 8) else None
        if data[:4] == b"\xca\xfe\xba\xbe" and 1 <= struct.unpack_from(">I", data, 4)[0] <= 8:
            _, machine, _, at = struct.unpack_from(">IIII", data, 4)
            return "macos-universal" if data[at:at + 4] in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe") else None
    except (struct.error, KeyError, IndexError):
        pass
    return None


def stem_of(module):
    """A module's name without what differs between versions, systems and builds."""
    name = module.rsplit("/", 1)[-1].lower()
    name = re.sub(r"\.so(\.[0-9.]+)?$|\.(pyd|dll|exe|dylib|node|efi|mod|bin)$", "", name)
    name = re.sub(r"\.(cpython-\w+[-\w]*|cp\d+-\w+|abi3|pypy\w+-\w+)$", "", name)
    name = re.sub(r"[-.]([0-9a-f]{8}|[0-9a-f]{16,40})(?=$|[-.])", "", name)
    name = re.sub(r"[.-](win32|linux|darwin|glibc|musl|gnu|msvc|x64|ia32|x86|x86_64|arm64|aarch64|universal)\b", "", name)
    name = re.sub(r"(?<=[a-z+])[-._]?\d[0-9._]*(t64)?$", "", name.removesuffix(".so"))
    return name.removeprefix("lib") if len(name) > 4 else name


def is_own(module):
    """Python and Node.js modules: named within their package, so that one name in two packages means nothing."""
    return bool(re.search(r"\.pyd$|\.node$|\.(cpython-|abi3|pypy)[^/]*\.so$", module.lower())) and ".libs/" not in module


def is_copy(module):
    """A module of another package that this one carries along; of the project's tests too, which take no part."""
    *folders, name = module.lower().split("/")
    return is_own(module) and (bool({"vendor", "_vendor", "thirdparty", "third_party", "lib-dynload"} & set(folders)) or name.split(".")[0].replace("_", "-") in EXCLUDED)


# ---- archives -----------------------------------------------------------------------------------------------------

def deb_data(path):
    with open(path, "rb") as f:
        if f.read(8) != b"!<arch>\n":
            raise ValueError(f"{path}: not a Debian package")
        while header := f.read(60):
            name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
            if name.startswith("data.tar"):
                body = f.read(size)
                if name.endswith(".zst"):
                    raise ValueError(f"{path}: zstd is not supported")
                return lzma.open(io.BytesIO(body)) if name.endswith(".xz") else body_stream(name, body)
            f.seek(size + size % 2, 1)
    raise ValueError(f"{path}: no data.tar")


def body_stream(name, body):
    return gzip.open(io.BytesIO(body)) if name.endswith(".gz") else io.BytesIO(body)


def members(path, wanted=None):
    """(module path, bytes) of the regular files of a wheel, npm tarball or .deb, in the archive's order."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if wanted is not None and info.filename in wanted or wanted is None and MIN_BYTES <= info.file_size <= MAX_BYTES:
                    yield info.filename, archive.read(info)
        return
    stream = deb_data(path) if path.suffix == ".deb" else open(path, "rb")
    with tarfile.open(fileobj=stream, mode="r|" if path.suffix == ".deb" else "r|gz") as archive:
        for info in archive:
            name = info.name.removeprefix("./").removeprefix("package/")
            if info.isreg() and (wanted is not None and name in wanted or wanted is None and MIN_BYTES <= info.size <= MAX_BYTES):
                yield name, archive.extractfile(info).read()


def scan(path, memo):
    """Executables in an artifact: [module, size, sha256, platform], kept in `memo` for the next run."""
    if memo.exists():
        return json.loads(memo.read_text())
    found = []
    for name, data in members(path):
        platform = platform_of(data)
        if platform and not re.search(r"musl|android|freebsd|openbsd|alpine", name.lower()) and not name.endswith((".o", ".debug")):
            found.append([name, len(data), hashlib.sha256(data).hexdigest(), platform])
    part = memo.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(found))
    os.replace(part, memo)
    return found


# ---- downloads ----------------------------------------------------------------------------------------------------

def quiet(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or command)
    return done.stdout


def pip_batches(todo):
    """Wheels that one call of pip can fetch: of one Python version, each package once."""
    batches = collections.defaultdict(list)
    for a in todo:
        tag = re.search(r"-(?:cp|py)(\d)(\d*)[^-]*-[^-]+-[^-]+\.whl$", a["file"])
        python = f"3.{tag[2]}" if tag[1] == "3" and tag[2] and "-cp3" in a["file"] else "3.11"
        number = 0
        while any(b["package"] == a["package"] for b in batches[python, number]) or len(batches[python, number]) >= 16:
            number += 1
        batches[python, number].append(a)
    return [b for b in batches.values() if b]


def pip_fetch(batch, cache):
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        python, platforms, abis = "3.11", set(), {"abi3", "none"}
        lines = []
        for a in batch:
            pythons, abi, platform = a["file"].removesuffix(".whl").rsplit("-", 3)[1:]
            if tag := re.search(r"cp3(\d+)", pythons):
                python = f"3.{tag[1]}"
            abis.update(abi.split("."))
            platforms.update(platform.split("."))
            lines.append(f"{a['package']}=={a['version']} --hash=sha256:{a['sha256']}\n")
        (pathlib.Path(folder) / "list.txt").write_text("".join(lines))
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir",
                   "--ignore-requires-python", "--disable-pip-version-check", "--python-version", python, "--implementation", "cp", "-d", folder, "-r", f"{folder}/list.txt"]
        for option, values in (("--abi", abis), ("--platform", platforms - {"any"})):
            for value in sorted(values):
                command += [option, value]
        if platforms == {"any"}:
            command += ["--platform", "any"]
        quiet(command)
        for wheel in pathlib.Path(folder).glob("*.whl"):
            os.replace(wheel, cache / wheel.name)


def npm_fetch(batch, cache):
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        quiet(["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, "--cache", f"{folder}/npm"]
              + [f"{a['package']}@{a['version']}" for a in batch], cwd=folder)
        for tarball in pathlib.Path(folder).glob("*.tgz"):
            os.replace(tarball, cache / tarball.name)


APT_RELEASES = {"bullseye": ["amd64"], "bookworm": ["amd64"],
                "trixie": ["amd64", "arm64", "armhf", "i386", "ppc64el", "riscv64", "s390x"]}


def apt_root(cache, fresh=False):
    """An apt configuration of our own beside the machine's: other releases and processors, the same mirror and keys."""
    root = (cache / "apt").resolve()
    for folder in ("lists/partial", "archives/partial", "etc/sources.list.d", "etc/preferences.d", "etc/apt.conf.d", "etc/trusted.gpg.d"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    write_if_new(root / "status", "")
    sites = quiet(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"]).split("\n")
    mirror = next((s.split("|")[2] for s in sites if s.startswith("Debian|Debian|")), None)
    if mirror is None:
        sys.exit("apt knows no Debian mirror on this machine: run `apt-get update` on a Debian system first")
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    write_if_new(root / "etc/sources.list", "".join(
        f"deb [signed-by={keys} arch={','.join(archs)}] {mirror} {release} main\n" for release, archs in APT_RELEASES.items()))
    archs = " ".join(f'"{a}";' for a in APT_RELEASES["trixie"])
    write_if_new(root / "apt.conf", f"""Dir "{root}"; Dir::Etc "{root}/etc"; Dir::State "{root}"; Dir::State::lists "{root}/lists";
Dir::State::status "{root}/status"; Dir::Cache "{root}"; Dir::Cache::archives "{root}/archives";
Acquire::Languages "none"; APT::Architectures {{ {archs} }};\n""")
    environment = {**os.environ, "APT_CONFIG": f"{root}/apt.conf"}
    if fresh or not list((root / "lists").glob("*_Packages")):
        quiet(["apt-get", "update", "-q"], env=environment)
    quiet(["apt-cache", "gencaches"], env=environment)   # once here, and not in each of the processes to come
    return environment


def write_if_new(path, text):
    """apt reads its lists anew, half a minute, when its configuration is younger than they are."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def apt_fetch(batch, cache, environment):
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        names = []
        for a in batch:
            arch = a["file"].rsplit("_", 1)[1].removesuffix(".deb")
            names.append(f"{a['package']}{'' if arch == 'all' else ':' + arch}={a['version']}")
        quiet(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root"] + names, cwd=folder, env=environment)
        for deb in pathlib.Path(folder).glob("*.deb"):
            os.replace(deb, cache / re.sub(r"_[^_]*%3a", "_", deb.name))


def split_batches(todo, size):
    return [todo[i:i + size] for i in range(0, len(todo), size)]


def download(artifacts, cache, jobs):
    """Every artifact into the cache, by its own client, many at once; then the SHA-256 of each. Returns what failed."""
    for registry in ("pypi", "npm", "debian"):
        (cache / registry).mkdir(parents=True, exist_ok=True)
    todo = [a for a in artifacts if not cached(a, cache).exists()]
    by = lambda registry: [a for a in todo if a["registry"] == registry]
    tasks = [(pip_fetch, b, (cache / "pypi",)) for b in pip_batches(by("pypi"))]
    tasks += [(npm_fetch, b, (cache / "npm",)) for b in split_batches(by("npm"), 6)]
    if by("debian"):
        environment = apt_root(cache)
        tasks += [(apt_fetch, b, (cache / "debian", environment)) for b in split_batches(by("debian"), 12)]
    done, failed = 0, []

    def work(task):
        fetch, batch, more = task
        try:
            fetch(batch, *more)
            return
        except Exception as error:
            if len(batch) == 1:
                failed.append((batch[0], f"{error}"))
                return
        for a in batch:
            if not cached(a, cache).exists():
                work((fetch, [a], more))

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for _ in concurrent.futures.as_completed([pool.submit(work, t) for t in tasks]):
            done += 1
            print(f"\rdownloads: {done} of {len(tasks)} batches", end="", file=sys.stderr, flush=True)
    if tasks:
        print(file=sys.stderr)
    for a in artifacts:
        path = cached(a, cache)
        mark = cache / "checked" / f"{a['file'].rsplit('/', 1)[-1]}.{a['sha256'][:16]}"
        mark.parent.mkdir(exist_ok=True)
        if not path.exists():
            if not any(f[0] is a for f in failed):
                failed.append((a, "was not delivered"))
        elif a["sha256"] and not mark.exists():
            if sha256(path) != a["sha256"]:
                path.unlink()
                failed.append((a, "the SHA-256 is not the pinned one"))
            else:
                mark.touch()
    return failed


def cached(a, cache):
    return cache / a["registry"] / a["file"].rsplit("/", 1)[-1]


# ---- choice and extraction ----------------------------------------------------------------------------------------

def norm(name):
    return re.sub(r"[^a-z+]", "", re.sub(r"(t64)?[-\d.]*$", "", name.lower().rsplit("/", 1)[-1]).removeprefix("lib"))


def choose(artifacts, scans):
    """Which executables are taken: {index of the artifact: [module, size, sha256, platform]}. The same on every run."""
    families_of_hash, families_of_stem = collections.defaultdict(set), collections.defaultdict(set)
    for a, found in zip(artifacts, scans):
        for module, _, digest, _ in found:
            families_of_hash[digest].add(a["family"])
            if not is_own(module):
                families_of_stem[stem_of(module)].add(a["family"])
    taken, seen = {}, set()
    files, size_of = collections.Counter(), collections.Counter()
    for index, (a, found) in enumerate(zip(artifacts, scans)):
        owner = {norm(a["family"]), norm(a["package"])}
        by_platform = collections.defaultdict(dict)
        for module, size, digest, platform in sorted(found):
            stem = stem_of(module)
            if len(families_of_hash[digest]) > 1 or digest in seen:
                continue
            if is_copy(module):
                continue
            if not is_own(module) and norm(stem) not in owner and (BUNDLED.match(stem) or len(families_of_stem[stem]) > 1):
                continue
            by_platform[platform].setdefault(stem, (module, size, digest, platform))
        chosen = []
        for platform in sorted(by_platform):
            order = sorted(by_platform[platform].items(), key=lambda i: (-i[1][1], i[0]))
            rest = sorted(order[1:], key=lambda i: hashlib.sha256(f"{SEED}|{a['family']}|{i[0]}".encode()).digest())
            chosen.append([m for _, m in order[:1] + rest][:PER_PLATFORM])
        kept, total, of_platform = [], 0, collections.Counter()   # a round over the platforms at a time, so that none is crowded out
        for turn in range(PER_PLATFORM):
            for modules in chosen:
                if turn >= len(modules) or len(kept) >= ARTIFACT_FILES or modules[turn][2] in seen:
                    continue
                module = modules[turn]
                if (turn and of_platform[module[3]] + module[1] > PLATFORM_BYTES) or (kept and total + module[1] > ARTIFACT_BYTES) or files[a["family"]] >= FAMILY_FILES or size_of[a["family"]] + module[1] > FAMILY_BYTES:
                    continue
                kept.append(module)
                total += module[1]
                of_platform[module[3]] += module[1]
                seen.add(module[2])
                files[a["family"]] += 1
                size_of[a["family"]] += module[1]
        taken[index] = kept
    return taken


def target(a, module, platform):
    name = f"{a['version'].replace(':', '%3a')}__{platform}__{module.replace('/', '.')}"
    if len(name) > 200:
        name = name[:100] + "~" + name[-99:]
    return pathlib.PurePosixPath(a["split"], a["family"], name)


def extract(job):
    path, out, wanted = job
    missing = {m: t for m, t in wanted.items() if not (out / t).exists()}
    if missing:
        for name, data in members(path, missing):
            to = out / missing[name]
            to.parent.mkdir(parents=True, exist_ok=True)
            part = to.with_name(f".part-{os.getpid()}")
            part.write_bytes(data)
            os.replace(part, to)
    return len(missing)


def scan_all(artifacts, cache, jobs):
    (cache / "scan").mkdir(exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        work = [pool.submit(scan, cached(a, cache), cache / "scan" / f"{a['sha256']}.json") for a in artifacts]
        out = []
        for number, w in enumerate(work, 1):
            out.append(w.result())
            if number % 50 == 0 or number == len(work):
                print(f"\rscanned: {number} of {len(work)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return out


def lists():
    families = {f["family"]: f for f in rows("families.csv", FAMILY_COLUMNS)}
    artifacts = rows("artifacts.csv", ARTIFACT_COLUMNS)
    for a in artifacts:
        f = families.get(a["family"])
        if f is None:
            sys.exit(f"artifacts.csv: {a['file']} is of the family {a['family']}, which families.csv does not have")
        a.update({k: f[k] for k in ("registry", "group", "language", "split")})
    return families, artifacts


def check():
    families, artifacts = lists()
    wrong = []
    table = rows("families.csv", FAMILY_COLUMNS)
    for name, count in collections.Counter(f["family"] for f in table).items():
        if count > 1:
            wrong.append(f"family {name} stands {count} times")
    for name, count in collections.Counter((a["registry"], a["file"]) for a in artifacts).items():
        if count > 1:
            wrong.append(f"artifact {name[1]} stands {count} times")
    for name, count in collections.Counter(a["sha256"] for a in artifacts).items():
        if count > 1:
            wrong.append(f"SHA-256 {name} stands {count} times")
    splits_of = collections.defaultdict(set)
    for f in table:
        splits_of[f["group"]].add(f["split"])
        if f["split"] not in SPLITS:
            wrong.append(f"family {f['family']}: no such split: {f['split']}")
        for column in FAMILY_COLUMNS:
            if not f[column]:
                wrong.append(f"family {f['family']}: {column} is empty")
    wrong += [f"group {g} is in {' and '.join(sorted(s))}" for g, s in splits_of.items() if len(s) > 1]
    plain = lambda name: re.sub(r"[-_.]+", "-", name.lower())
    wrong += [f"{n} is one of the project's tests" for f in families for n in {f} if plain(n) in EXCLUDED]
    wrong += [f"{a['package']} is one of the project's tests" for a in artifacts if a["registry"] == "pypi" and plain(a["package"]) in EXCLUDED]
    wrong += [f"{a['file']}: not a SHA-256: {a['sha256']!r}" for a in artifacts if not re.fullmatch(r"[0-9a-f]{64}", a["sha256"])]
    have = {a["family"] for a in artifacts}
    wrong += [f"family {f} has no artifact" for f in families if f not in have]
    if len(families) < 150:
        wrong.append(f"{len(families)} families; at least 150 are wanted")
    counts = collections.Counter(f["split"] for f in table)
    for split, least in zip(SPLITS, (80, 25, 45)):
        if counts[split] < least:
            wrong.append(f"{split} has {counts[split]} families; at least {least} are wanted")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(families)} families in {len(splits_of)} groups, {len(artifacts)} artifacts, {sum(int(a['size']) for a in artifacts) / 1e6:.0f} MB: "
          + ", ".join(f"{s} {counts[s]}" for s in SPLITS))
    return 1 if wrong else 0


def summary(table):
    for split in SPLITS:
        part = [r for r in table if r["split"] == split]
        system = collections.Counter(r["platform"].split("-")[0] for r in part)
        print(f"{split}: {len({r['family'] for r in part})} families, {len(part)} files, {sum(int(r['size']) for r in part) / 1e6:.0f} MB ("
              + ", ".join(f"{s} {n}" for s, n in system.most_common()) + ")")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", type=pathlib.Path, nargs="?", help="folder for the executables and manifest.csv")
    ap.add_argument("--cache", type=pathlib.Path, help="folder for the downloads (default: OUT/.cache)")
    ap.add_argument("--jobs", type=int, default=4, help="downloads at a time")
    ap.add_argument("--families", help="only these, separated by commas")
    ap.add_argument("--check", action="store_true", help="check the lists and stop")
    args = ap.parse_args()
    if args.check:
        return check()
    if args.out is None:
        ap.error("OUT is missing")
    _, artifacts = lists()
    if args.families:
        only = set(args.families.split(","))
        artifacts = [a for a in artifacts if a["family"] in only]
        if not artifacts:
            ap.error(f"no such family: {args.families}")
    cache = args.cache or args.out / ".cache"
    failed = download(artifacts, cache, args.jobs)
    for a, why in failed:
        print(f"{a['family']}: {a['file']}: {why}", file=sys.stderr)
    lost = {id(a) for a, _ in failed}
    artifacts = [a for a in artifacts if id(a) not in lost]
    cores = max(1, min(args.jobs, os.cpu_count() or 1))
    taken = choose(artifacts, scan_all(artifacts, cache, cores))
    table, work, names = [], [], set()
    for index, chosen in taken.items():
        a, wanted = artifacts[index], {}
        for module, size, digest, platform in chosen:
            to = target(a, module, platform)
            if to in names:
                to = to.with_name(f"{to.name}~{digest[:8]}")
            names.add(to)
            wanted[module] = to
            table.append(dict(zip(MANIFEST_COLUMNS, (a["split"], a["family"], a["group"], a["language"], a["version"], platform, module, size, digest, str(to)))))
        if wanted:
            work.append((cached(a, cache), args.out, wanted))
    if not args.families:   # what an earlier list put there
        for split in SPLITS:
            for path in (args.out / split).glob("*/*"):
                if pathlib.PurePosixPath(path.relative_to(args.out)) not in names:
                    path.unlink()
            for folder in (args.out / split).glob("*"):
                if not any(folder.iterdir()):
                    folder.rmdir()
    args.out.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor(cores) as pool:
        for number, _ in enumerate(pool.map(extract, work), 1):
            if number % 50 == 0 or number == len(work):
                print(f"\rextracted: {number} of {len(work)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    table.sort(key=lambda r: (SPLITS.index(r["split"]), r["path"]))
    with open(args.out / "manifest.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, MANIFEST_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    summary(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
