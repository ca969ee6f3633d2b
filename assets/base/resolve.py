#!/usr/bin/env python3
"""Pin the packages of candidates.csv: make families.csv and artifacts.csv, which fetch.py reads.

    resolve.py --cache DIR [--jobs 4] [--families a,b] [--fresh]

For each family: the newest version, one about a year older and one about two and a half years older; of the newest the
builds for Windows, Linux and macOS on the processors there are, of the older ones Windows and Linux x86-64. From
Debian three releases for amd64, and the newest for five other processors. The packages are asked for through pip,
npm and apt as this machine has them set up, are downloaded and looked into: what holds no executable is left out,
and a family with fewer than two executables is dropped and named. A licence is what the package itself says: the
wheel's METADATA, package.json or debian/copyright.

A split that families.csv already gives a group stays. New groups are dealt out by a seeded hash, evenly over
registries, languages and systems. --fresh asks the registries again (else answers in the cache are used).
"""
import argparse, collections, concurrent.futures, csv, fnmatch, hashlib, json, os, pathlib, re, subprocess, sys, tarfile, threading, zipfile
from datetime import datetime, timedelta

import fetch

CANDIDATE_COLUMNS = "registry family group language packages".split()
BUDGET = {"pypi": 36 << 20, "npm": 36 << 20, "debian": 24 << 20}   # downloads of one family
ONE = 45 << 20                                                      # one download
SHARES = {"train": 0.54, "validation": 0.17, "test": 0.29}
AGES = (timedelta(days=330), timedelta(days=900))

SPDX = {"MIT License": "MIT", "MIT": "MIT", "The MIT License (MIT)": "MIT", "BSD License": "BSD (which one: see the package)", "BSD-3": "BSD-3-Clause", "BSD 3-Clause License": "BSD-3-Clause",
        "3-Clause BSD License": "BSD-3-Clause", "BSD 3-clause": "BSD-3-Clause", "Apache Software License": "Apache-2.0", "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0",
        "Apache License, Version 2.0": "Apache-2.0", "Apache-2": "Apache-2.0", "Apache 2": "Apache-2.0", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "MPL 2.0": "MPL-2.0",
        "ISC License (ISCL)": "ISC", "Python Software Foundation License": "PSF-2.0", "Zope Public License": "ZPL-2.1",
        "GNU General Public License v2 (GPLv2)": "GPL-2.0-only", "GNU General Public License v3 (GPLv3)": "GPL-3.0-only", "GNU General Public License (GPL)": "GPL (which one: see the package)",
        "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later", "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
        "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later", "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
        "GNU Library or Lesser General Public License (LGPL)": "LGPL (which one: see the package)", "Expat": "MIT", "expat": "MIT", "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later",
        "GPL-3": "GPL-3.0-only", "GPL-3+": "GPL-3.0-or-later", "LGPL-2.1": "LGPL-2.1-only", "LGPL-2.1+": "LGPL-2.1-or-later", "LGPL-2+": "LGPL-2.0-or-later", "LGPL-3": "LGPL-3.0-only",
        "LGPL-3+": "LGPL-3.0-or-later", "BSD-3-clause": "BSD-3-Clause", "BSD-2-clause": "BSD-2-Clause", "AGPL-3+": "AGPL-3.0-or-later", "MPL-2": "MPL-2.0", "Boost-1.0": "BSL-1.0",
        "GPL-1+": "GPL-1.0-or-later", "OLDAP-2.8": "OLDAP-2.8", "BSD 2-Clause License": "BSD-2-Clause", "BSD-2": "BSD-2-Clause", "Artistic": "Artistic-1.0", "zlib": "Zlib", "ZLIB": "Zlib",
        "BSD": "BSD (which one: see the package)", "BSD 3-Clause": "BSD-3-Clause", "LICENSE.BSD3": "BSD-3-Clause", "Simplified BSD": "BSD-2-Clause", "GPL-2.0+": "GPL-2.0-or-later", "GPL-3.0+": "GPL-3.0-or-later",
        "LGPL v2.1": "LGPL-2.1-only", "LGPL-2": "LGPL-2.0-only", "APACHE-2-LLVM-EXCEPTIONS": "Apache-2.0 WITH LLVM-exception", "GNU LESSER GENERAL PUBLIC LICENSE": "LGPL (which one: see the package)",
        "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0", "MIT License, Apache License, Version 2.0": "MIT; Apache-2.0", "UNKNOWN": "see the package", "public-domain": "public domain",
        "GPL-3+ with GCC-runtime-library exception": "GPL-3.0-or-later WITH GCC-exception-3.1", "LGPL-2.1-OCaml": "LGPL-2.1-only WITH OCaml-LGPL-linking-exception"}


def memo(cache, key, fresh, make):
    path = cache / "resolve" / (re.sub(r"[^\w.@-]", "+", key) + ".json")
    if path.exists() and not fresh:
        return json.loads(path.read_text())
    value = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return value


def by_age(versions):
    """Of (date, version), the newest, one about a year older, one about two and a half years older (or what is nearest)."""
    number = lambda v: [int(n) for n in re.findall(r"\d+", v[1])]
    versions = sorted((v for v in versions if v[1] != "0.0.0"), reverse=True)
    if not versions:
        return []
    newest = max(versions, key=number)   # by number: an older line may have had a later release
    versions = [newest] + [v for v in versions if number(v) < number(newest)]
    chosen = versions[:1]
    for age in AGES:
        older = [v for v in versions if v[0] <= newest[0] - age and v not in chosen]
        if older:
            chosen.append(older[0])
    if len(chosen) < 3:   # young or rarely released: the oldest, then the one in the middle
        rest = [v for v in versions if v not in chosen]
        if rest and len(chosen) < 2:
            chosen.append(rest[-1])
            rest = rest[:-1]
        if rest:
            chosen.append(rest[len(rest) // 2])
    return [v for _, v in sorted(chosen, key=number, reverse=True)]


def first_choice(newest, older):
    """What a family of large files shall have before its limit is reached: systems, versions and processors in turn."""
    return ([(newest, t) for t in ("any", "windows-x86_64", "linux-x86_64")] + [(v, t) for v in older[:1] for t in ("any", "windows-x86_64")] + [(newest, "macos-arm64")]
            + [(v, t) for v in older[1:] for t in ("any", "windows-x86_64")] + [(newest, "linux-arm64")])


def when(text):
    return datetime.fromisoformat(text.rstrip("Z")[:19])


# ---- PyPI ---------------------------------------------------------------------------------------------------------

local = threading.local()


def pip_index(name):
    """The Simple API's answer for one package, asked with pip's own session and settings."""
    if not hasattr(local, "session"):
        from pip._internal.commands import create_command
        command = create_command("download")
        options, _ = command.parse_args(["x"])
        local.session, local.index = command._build_session(options), options.index_url.rstrip("/")
    answer = local.session.get(f"{local.index}/{re.sub(r'[-_.]+', '-', name.lower())}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    answer.raise_for_status()
    files = [f for f in answer.json()["files"] if f["filename"].endswith(".whl") and not f.get("yanked")]
    return [[f["filename"], f.get("size") or 0, f["hashes"]["sha256"], f["upload-time"]] for f in files]


def wheel_target(name):
    platform = name.removesuffix(".whl").rsplit("-", 1)[1]
    if platform == "any":
        return "any"
    for pattern, target in ((r"win_amd64", "windows-x86_64"), (r"win32", "windows-x86"), (r"win_arm64", "windows-arm64"), (r"macosx\S*_arm64", "macos-arm64"),
                            (r"macosx\S*_universal2", "macos-universal"), (r"macosx\S*_x86_64|macosx\S*_intel", "macos-x86_64")):
        if re.search(pattern, platform):
            return target
    m = re.search(r"(?:manylinux|^linux)\w*?_(x86_64|aarch64|i686|armv7l|ppc64le|s390x|riscv64)", platform)
    return "linux-" + {"aarch64": "arm64", "i686": "x86", "armv7l": "arm"}.get(m[1], m[1]) if m else None


def python_rank(name):
    pythons, abi = name.removesuffix(".whl").rsplit("-", 3)[1:3]
    order = ["cp311", "abi3", "none", "cp312", "cp310", "cp313", "cp314", "cp39"]
    key = "abi3" if "abi3" in abi else "none" if abi == "none" else abi
    return order.index(key) if key in order and not abi.endswith("t") else None


def pypi(c, cache, fresh):
    artifacts = []
    for package in c["packages"].split():
        files = memo(cache, f"pypi-{package}", fresh, lambda: pip_index(package))
        releases = collections.defaultdict(dict)
        dates = {}
        for name, size, digest, uploaded in files:
            version, target, rank = name.split("-")[1], wheel_target(name), python_rank(name)
            if target is None or rank is None or re.search(r"(a|b|rc|dev)\d*$", version) or size > fetch.MAX_BYTES * 6:
                continue
            dates[version] = max(dates.get(version, datetime.min), when(uploaded))
            if target not in releases[version] or rank < releases[version][target][0]:
                releases[version][target] = (rank, name, size, digest)
        useful = [v for v in releases if set(releases[v]) != {"any"}] or list(releases)
        with_windows = [v for v in useful if "windows-x86_64" in releases[v]]
        if len(with_windows) * 2 >= len(useful):
            useful = with_windows
        versions = by_age([(dates[v], v) for v in useful])
        if not versions:
            continue
        newest, older = versions[0], versions[1:]
        rare = sorted(["linux-x86", "linux-arm", "linux-ppc64le", "linux-s390x", "linux-riscv64"], key=lambda t: hashlib.sha256(f"{package}{t}".encode()).digest())
        rare = [t for t in rare if t in releases[newest]][:2]
        order = first_choice(newest, older)
        order += [(newest, t) for t in ("windows-x86", "macos-x86_64", "windows-arm64")] + [(v, "linux-x86_64") for v in older]
        order += [(newest, t) for t in rare] + [(v, t) for v in older for t in ("macos-arm64", "linux-arm64")]
        for version, target in order:
            have = releases[version]
            if target.startswith("macos") and target not in have:
                target = "macos-universal"
            if target in have and not (target == "any" and len(have) > 1):
                _, name, size, digest = have[target]
                a = dict(family=c["family"], package=package, version=version, platform=target, file=name, size=size, sha256=digest)
                if a not in artifacts:
                    artifacts.append(a)
    return artifacts


# ---- npm ----------------------------------------------------------------------------------------------------------

def npm_view(spec, *fields):
    return json.loads(subprocess.run(["npm", "view", spec, *fields, "--json"], capture_output=True, text=True, check=True).stdout or "null")


def npm_target(name):
    name = name.lower().replace("windows", "win32")
    if re.search(r"musl|android|freebsd|openbsd|netbsd|sunos|aix|wasm|openharmony|ohos", name):
        return None
    system = next((s for p, s in (("win32", "windows"), ("linux", "linux"), ("darwin|macos", "macos")) if re.search(p, name)), None)
    arch = next((a for p, a in ((r"universal", "universal"), (r"arm64|aarch64", "arm64"), (r"riscv64", "riscv64"), (r"ppc64", "ppc64le"), (r"s390x", "s390x"), (r"loong", "loong64"),
                                (r"ia32|i686|386|x86$", "x86"), (r"x64|x86_64|amd64", "x86_64"), (r"arm(?!64)", "arm")) if re.search(p, name)), None)
    return f"{system}-{arch}" if system and arch else None


def npm(c, cache, fresh):
    artifacts = []
    for item in c["packages"].split():
        package, _, glob = item.partition(">")
        times = memo(cache, f"npm-{package}-time", fresh, lambda: npm_view(package, "time"))
        dated = [(when(t), v) for v, t in times.items() if re.fullmatch(r"\d+\.\d+\.\d+(-\d+)?", v) or package.startswith("@typescript/") and re.match(r"\d", v)]
        if not dated:
            continue
        builds = {}

        def look(version):
            def ask():
                view = npm_view(f"{package}@{version}", "optionalDependencies", "dist")
                view = view[-1] if isinstance(view, list) else view
                return [view.get("optionalDependencies") or {}, (view.get("dist") or {}).get("unpackedSize") or 0] if view else [{}, 0]
            dependencies, size = memo(cache, f"npm-{package}@{version}", fresh, ask)
            if not glob:
                builds[version] = {"any": (package, version)}
            else:
                builds[version] = {}
                for name, pinned in sorted(dependencies.items()):
                    if fnmatch.fnmatch(name, glob) and (target := npm_target(name.rsplit("/", 1)[-1])) and re.fullmatch(r"[~^]?\d[\w.+-]*", pinned):
                        builds[version].setdefault(target, (name, pinned.lstrip("^~")))
            return bool(builds[version])

        versions = [v for v in by_age(dated) if look(v)]
        if glob and len(versions) < 3 and versions:   # older versions had no packages per platform: nearer ones
            since = sorted(d for d, v in dated if v == versions[-1])[0]
            middle = [v for d, v in sorted(dated, reverse=True) if d < since][:40:13]
            versions += [v for v in middle if look(v)][: 3 - len(versions)]
        if not versions:
            continue
        newest, older = versions[0], versions[1:]
        order = first_choice(newest, older)
        order += [(newest, t) for t in ("windows-x86", "windows-arm64", "macos-x86_64", "macos-universal")] + [(v, "linux-x86_64") for v in older]
        order += [(newest, t) for t in ("linux-arm", "linux-riscv64", "linux-ppc64le", "linux-s390x")] + [(v, "macos-arm64") for v in older]
        for version, target in order:
            if target in builds[version]:
                name, exact = builds[version][target]
                file = f"{name.removeprefix('@').replace('/', '-')}-{exact}.tgz"
                a = dict(family=c["family"], package=name, version=exact, platform=target, file=file, size=0, sha256="")
                if a not in artifacts:
                    artifacts.append(a)
    return artifacts


# ---- Debian -------------------------------------------------------------------------------------------------------

def debian_index(environment, wanted):
    """{(release, arch, package): stanza} of the packages asked for, from apt's lists."""
    found = {}
    for path in (pathlib.Path(environment["APT_CONFIG"]).parent / "lists").glob("*_Packages"):
        release, arch = re.search(r"_dists_(\w+)_main_binary-(\w+)_Packages", path.name).groups()
        for stanza in path.read_text().split("\n\n"):
            name = stanza[9:stanza.find("\n")]
            if name in wanted:
                fields = dict(line.split(": ", 1) for line in stanza.split("\n") if re.match(r"(Version|Architecture|Filename|Size|SHA256): ", line))
                found[release, arch, name] = fields
    return found


def debian(c, index):
    artifacts = []
    places = [("trixie", "amd64"), ("bookworm", "amd64"), ("bullseye", "amd64"), ("trixie", "arm64")]
    places += [("trixie", a) for a in sorted(["armhf", "i386", "riscv64", "ppc64el", "s390x"], key=lambda a: hashlib.sha256(f"{c['family']}{a}".encode()).digest())[:4]]
    names = {"amd64": "x86_64", "armhf": "arm", "i386": "x86", "ppc64el": "ppc64le"}
    for release, arch in places:
        for alternatives in c["packages"].split():
            for package in alternatives.split("|"):
                if s := index.get((release, arch, package)):
                    platform = "any" if s["Architecture"] == "all" else f"linux-{names.get(arch, arch)}"
                    a = dict(family=c["family"], package=package, version=s["Version"], platform=platform, file=f"{release}/{s['Filename']}", size=int(s["Size"]), sha256=s["SHA256"])
                    if not any(b["sha256"] == a["sha256"] for b in artifacts):
                        artifacts.append(a)
                    break
    return artifacts


# ---- licences -----------------------------------------------------------------------------------------------------

def licence_of(path):
    """(licence, where it says so) out of the artifact."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as z:
            name = next((n for n in z.namelist() if n.endswith(".dist-info/METADATA")), None)
            lines = z.read(name).decode(errors="replace").split("\n\n")[0].splitlines() if name else []
        field = lambda k: [l.split(":", 1)[1].strip() for l in lines if l.startswith(k + ":")]
        if field("License-Expression"):
            return field("License-Expression")[0], "METADATA: License-Expression"
        classifiers = [x.split("::")[-1].strip() for x in field("Classifier") if x.startswith("License ::")]
        classifiers = [x for x in classifiers if x != "OSI Approved"]
        text = (field("License") or [""])[0]
        if text and len(text) <= 60 and text.upper() != "UNKNOWN" and (not classifiers or SPDX.get(classifiers[0], "(").find("(") >= 0):
            return SPDX.get(text, text), "METADATA: License"
        if classifiers:
            return "; ".join(SPDX.get(x, x) for x in classifiers), "METADATA: Classifier"
        return ("see the package", "METADATA names none") if not text or text.upper() == "UNKNOWN" else (text[:60], "METADATA: License")
    if path.suffix == ".tgz":
        with tarfile.open(path) as t:
            for m in t:
                if re.fullmatch(r"[^/]+/package\.json", m.name):
                    value = json.load(t.extractfile(m)).get("license")
                    value = value.get("type") if isinstance(value, dict) else value
                    return (SPDX.get(value, value).strip("()"), "package.json") if value else ("see the package", "package.json names none")
        return "see the package", "no package.json"
    with tarfile.open(fileobj=fetch.deb_data(path), mode="r|") as t:
        for m in t:
            if re.search(r"usr/share/doc/[^/]+/copyright$", m.name) and m.isreg():
                text = t.extractfile(m).read().decode(errors="replace")
                for stanza in re.split(r"\n\s*\n", text):
                    if re.search(r"(?m)^Files:\s*\*\s*$", stanza) and (found := re.search(r"(?m)^License:[ \t]*(\S.*)$", stanza)):
                        if found[1].strip() in SPDX:
                            return SPDX[found[1].strip()], "debian/copyright: Files: *"
                        words = re.split(r",?\s+(and|or)\s+", found[1].strip().rstrip(","))
                        return " ".join(SPDX.get(w, w.upper() if w in ("and", "or") else w) for w in words), "debian/copyright: Files: *"
                for pattern, spdx in ((r"Apache License", "Apache-2.0"), (r"GPL-3|General Public License[^.]{0,40}version 3", "GPL-3.0-or-later"), (r"common-licenses/LGPL", "LGPL (which one: see the package)"),
                                      (r"common-licenses/GPL|General Public License", "GPL (which one: see the package)"), (r"Permission is hereby granted, free of charge", "MIT")):
                    if re.search(pattern, text):
                        return spdx, "debian/copyright, free text"
                return "see debian/copyright", "debian/copyright, free text"
    return None


# ---- splits -------------------------------------------------------------------------------------------------------

def deal(families, old):
    """A split for each group: old ones stay, new ones by a seeded hash in the order of their strata, each to the split that lacks most."""
    groups = collections.defaultdict(list)
    for f in families:
        groups[f["group"]].append(f)
    split, keys = {}, {}
    for g, members in groups.items():
        first = sorted(members, key=lambda f: f["family"])[0]
        language = re.split(r"[/ ]", first["language"].removeprefix("Free "))[0]
        keys[g] = ("all", first["registry"], language, (first["registry"], first["cross"], language))
    have, total = collections.defaultdict(collections.Counter), collections.Counter()

    def put(g, s):
        split[g] = s
        for k in keys[g]:
            have[k][s] += len(groups[g])
            total[k] += len(groups[g])

    for g in sorted(set(groups) & set(old)):
        put(g, old[g])
    for g in sorted(set(groups) - set(old), key=lambda g: (-len(groups[g]) if len(groups[g]) > 2 else 0, keys[g][3], hashlib.sha256(f"{fetch.SEED}|{g}".encode()).digest())):
        lack = lambda s: sum((SHARES[s] * (total[k] + len(groups[g])) - have[k][s]) / (total[k] + 1) ** 0.5 for k in keys[g])
        put(g, max(SHARES, key=lambda s: (lack(s), s)))
    return split


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--cache", type=pathlib.Path, required=True)
    ap.add_argument("--jobs", type=int, default=4)
    ap.add_argument("--families", help="only these, separated by commas; writes nothing")
    ap.add_argument("--fresh", action="store_true")
    args = ap.parse_args()
    cache = args.cache
    candidates = fetch.rows("candidates.csv", CANDIDATE_COLUMNS)
    if args.families:
        candidates = [c for c in candidates if c["family"] in args.families.split(",")]
    environment = fetch.apt_root(cache, args.fresh)
    index = debian_index(environment, {p for c in candidates if c["registry"] == "debian" for p in re.split(r"[ |]", c["packages"])})

    def resolve(c):
        try:
            return {"pypi": pypi, "npm": npm}[c["registry"]](c, cache, args.fresh) if c["registry"] != "debian" else debian(c, index)
        except Exception as error:
            print(f"{c['family']}: {error!r}"[:300], file=sys.stderr)
            return []

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        resolved = list(pool.map(resolve, candidates))
    artifacts = []
    for c, found in zip(candidates, resolved):
        spent = 0
        for n, a in enumerate(found):
            a.update({k: c[k] for k in ("registry", "group", "language")})
            if c["registry"] != "npm":
                if a["size"] > ONE or (n and spent + a["size"] > BUDGET[c["registry"]]):
                    continue
                spent += a["size"]
            artifacts.append(a)
    print(f"{len(artifacts)} artifacts, {sum(a['size'] for a in artifacts if a['size']) / 1e6:.0f} MB without npm", file=sys.stderr)
    for a, why in fetch.download(artifacts, cache, args.jobs):
        print(f"{a['family']}: {a['file']}: {why}"[:300], file=sys.stderr)
        artifacts = [b for b in artifacts if b is not a]
    spent, kept = collections.Counter(), []
    for a in artifacts:
        path = fetch.cached(a, cache)
        if a["registry"] == "npm":
            a["size"] = path.stat().st_size
            if a["size"] > ONE or (spent[a["family"]] and spent[a["family"]] + a["size"] > BUDGET["npm"]):
                continue
            spent[a["family"]] += a["size"]
            a["sha256"] = memo(cache, f"sha256-{a['file']}-{a['size']}", args.fresh, lambda: fetch.sha256(path))
        kept.append(a)
    artifacts = kept
    scans = fetch.scan_all(artifacts, cache, min(args.jobs, os.cpu_count() or 1))
    taken = fetch.choose(artifacts, scans)
    files, systems = collections.Counter(), collections.defaultdict(set)
    for i, a in enumerate(artifacts):
        files[a["family"]] += len(taken[i])
        systems[a["family"]].update(p.split("-")[0] for _, _, _, p in taken[i])
    dropped = {c["family"]: "no artifact was found" if not any(a["family"] == c["family"] for a in artifacts) else f"{files[c['family']]} executables"
               for c in candidates if files[c["family"]] < 2}
    artifacts = [a for i, a in enumerate(artifacts) if taken[i] and a["family"] not in dropped]
    families = []
    for c in candidates:
        if c["family"] in dropped:
            continue
        mine = [a for a in artifacts if a["family"] == c["family"]]
        licence = None
        for a in mine:
            licence = memo(cache, f"licence-{a['sha256']}", args.fresh, lambda: licence_of(fetch.cached(a, cache)))
            if licence and not licence[0].startswith("see"):
                break
        licence = licence or ("see the package", "none found")
        cross = "windows" in systems[c["family"]] and bool({"linux", "macos"} & systems[c["family"]])
        families.append({**{k: c[k] for k in CANDIDATE_COLUMNS[:4]}, "licence": licence[0], "licence_source": licence[1], "cross": cross})
    print("dropped: " + "; ".join(f"{f} ({why})" for f, why in sorted(dropped.items())))
    if args.families:
        for a in artifacts:
            print(a["family"], a["package"], a["version"], a["platform"], a["size"])
        return 0
    old = {f["group"]: f["split"] for f in fetch.rows("families.csv", fetch.FAMILY_COLUMNS)} if (fetch.HERE / "families.csv").exists() else {}
    split = deal(families, old)
    for f in families:
        f["split"] = split[f["group"]]
    order = {f["family"]: n for n, f in enumerate(sorted(families, key=lambda f: (f["registry"], f["family"].lower())))}
    for name, columns, table in (("families.csv", fetch.FAMILY_COLUMNS, sorted(families, key=lambda f: order[f["family"]])),
                                 ("artifacts.csv", fetch.ARTIFACT_COLUMNS, sorted(artifacts, key=lambda a: order[a["family"]]))):
        with open(fetch.HERE / name, "w", newline="") as f:
            writer = csv.DictWriter(f, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
    return fetch.check()


if __name__ == "__main__":
    sys.exit(main())
