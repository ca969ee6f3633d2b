#!/usr/bin/env python3
"""Measure the base model on families that it did not learn from.

    python3 assets/base/evaluate.py CORPUS [--split test] [--peers] [--model M] [--program target/release/lookalike]

CORPUS is what fetch.py made. The newest version of each family is asked of the older ones, through the command line as a user
runs it. Prints recall@1 by protocol, for all views together and for each alone, then how the verdicts did.

    all           files of the query's platform
    other module  the same, without files of the query's own module
    other system  files for Linux and macOS on ARM64 asked of files for Windows
    text zeroed   as `all`, with all printable runs of six bytes and more in the query zeroed
    appended      as `all`, with a tenth of random bytes appended to the query
    times zeroed  as `all`, with time stamps and checksum of a PE query zeroed
    stripped      as `all`, with an ELF query stripped (needs `strip`)
    UPX           as `all`, with the query packed (needs `upx`; what it refuses is not asked)
    blanked       as `other module`, with the names of package, folder and module blanked in every file, known and asked

With --peers, each row also has TLSH, ssdeep and byte pairs on the same files: peers.py. Text grams alone are the text view.

The library has labels, as a labelled folder gives them; with --without-labels it has none.

An unknown family is one that is left out of the library: half of the groups, 20 times at random. AUROC says how well the
probability tells known from unknown; the calibration error is that of ten bins of equal mass.
"""
import argparse, collections, csv, json, os, pathlib, random, re, shutil, subprocess, sys, tempfile

VIEWS = ["distance", "distance_text", "distance_code", "distance_header"]
RUNS = re.compile(rb"[\x20-\x7e]{6,}")


def key(version):
    return [int(part) if part.isdigit() else -1 for part in re.split(r"[.\-+~:]", version)]


def stem(module):
    """The module without what differs between systems."""
    parts = module.rsplit("/", 1)[-1].split(".")
    return ".".join(p for p in parts if not p.startswith(("cpython", "cp3", "abi3")) and p not in ("so", "pyd", "dll", "exe", "dylib"))


def zeroed(content, _):
    content = bytearray(content)
    for run in RUNS.finditer(bytes(content)):
        content[run.start():run.end()] = bytes(run.end() - run.start())
    return content


def appended(content, rng):
    return content + rng.randbytes(len(content) // 10)


def times_zeroed(content, _):
    at = int.from_bytes(content[0x3c:0x40], "little")
    if content[:2] != b"MZ" or content[at:at + 4] != b"PE\0\0":
        return None
    content = bytearray(content)
    content[at + 8:at + 12] = content[at + 88:at + 92] = bytes(4)
    return content


def by_tool(tool, *arguments, magic=b""):
    """A change by a program; nothing where it refuses or is not installed."""
    def change(content, _):
        if not shutil.which(tool) or not content.startswith(magic):
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "file"
            path.write_bytes(content)
            done = subprocess.run([tool, *arguments, path], capture_output=True)
            return path.read_bytes() if done.returncode == 0 else None
    return change


def blanked(content, row):
    """All names of package, folders and module, in one or two bytes a character."""
    words = {row["family"], *row["module"].split("/")[:-1], stem(row["module"]).split(".")[0]}
    words |= {word.replace("-", "_") for word in words} | {word.split(".")[0] for word in words}
    words = sorted((word.encode() for word in words if len(word) >= 3), key=len, reverse=True)
    wide = [b"".join(bytes([c, 0]) for c in word) for word in words]
    if not words:
        return content
    fill = lambda found: re.sub(rb"[^\0]", b"_", found.group())
    return re.sub(b"|".join(map(re.escape, words + wide)), fill, content, flags=re.IGNORECASE)


CHANGES = {
    "text zeroed": zeroed,
    "appended": appended,
    "times zeroed": times_zeroed,
    "stripped": by_tool("strip", magic=b"\x7fELF"),
    "UPX": by_tool("upx", "-q", "--force"),
}


class Corpus:
    def __init__(self, root, split, scratch, program, model, labels):
        self.program, self.scratch = program, pathlib.Path(scratch)
        self.options = [*(["--model", model] if model else []), *([] if labels else ["--label-level", "9"])]
        rows = [row for row in csv.DictReader(open(root / "manifest.csv")) if row["split"] == split]
        newest, versions = {}, collections.defaultdict(set)
        for row in rows:
            versions[row["family"]].add(row["version"])
            newest[row["family"]] = max(newest.get(row["family"], row["version"]), row["version"], key=key)
        self.rows, self.queries = {}, []
        rng = random.Random(0)
        for row in rows:
            asked = len(versions[row["family"]]) > 1 and newest[row["family"]] == row["version"]
            content = (root / row["path"]).read_bytes()
            files = {"query" if asked else "known": content}
            files["blanked query" if asked else "blanked"] = blanked(content, row)
            if asked:
                files |= {name: change(content, rng) for name, change in CHANGES.items()}
            for folder, changed in files.items():
                path = self.scratch / folder / row["family"] / os.path.basename(row["path"])
                if changed is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(changed)
                    self.rows[str(path)] = row
        for known in ["known", "blanked"]:
            self.run("index", known, "--library", f"{known}.lookalike", *self.options)

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], cwd=self.scratch, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def answers(self, folder, library="known"):
        """Each queried row and its neighbours: row and the distance by view."""
        if not (self.scratch / folder).exists():
            return
        for line in self.run("query", folder, "--library", f"{library}.lookalike", "-k", "100000", "--json").splitlines():
            answer = json.loads(line)
            if answer.get("event") == "answer":
                row = lambda path: self.rows[str(self.scratch / path)]
                yield row(answer["path"]), answer, [(row(n["path"]), n) for n in answer["neighbours"]]


def right(query, neighbours, view):
    """Whether the nearest is of the query's family; None if none could be."""
    if not any(row["family"] == query["family"] for row, _ in neighbours):
        return None
    seen = [found for found in neighbours if found[1][view] is not None]
    # A view that abstains has no answer. Of equal distances the first, as they are listed.
    return bool(seen) and min(seen, key=lambda found: found[1][view])[0]["family"] == query["family"]


def protocols(query, neighbours):
    same = [found for found in neighbours if found[0]["platform"] == query["platform"]]
    yield "all", same
    other = [f for f in same if not (f[0]["family"] == query["family"] and stem(f[0]["module"]) == stem(query["module"]))]
    yield "other module", other
    if query["platform"] in ("linux-arm64", "macos-arm64"):
        yield "other system", [found for found in neighbours if found[0]["platform"].startswith("windows")]


def unknown(answers):
    """AUROC of the probability for known against unknown families, and the calibration error."""
    groups = sorted({query["group"] for query, _, _ in answers} | {row["group"] for _, _, all in answers for row, _ in all})
    rng, scores = random.Random(0), []
    for _ in range(20):
        known = set(rng.sample(groups, len(groups) // 2))
        for query, _, neighbours in answers:
            nearest = next((found for found in neighbours if found[0]["group"] in known), None)
            if nearest:
                there = query["group"] in known
                scores.append((1 - nearest[1]["distance"], there, nearest[0]["family"] == query["family"]))
    scores.sort(key=lambda score: score[0])
    # Ranks, with ties at their mean (Mann and Whitney).
    above = ranks = at = 0
    while at < len(scores):
        end = at
        while end < len(scores) and scores[end][0] == scores[at][0]:
            end += 1
        ties = sum(there for _, there, _ in scores[at:end])
        above, ranks, at = above + ties, ranks + ties * (at + end + 1) / 2, end
    auroc = (ranks - above * (above + 1) / 2) / max(1, above * (len(scores) - above))
    bins = [scores[len(scores) * i // 10:len(scores) * (i + 1) // 10] for i in range(10)]
    error = sum(abs(sum(p for p, _, _ in b) - sum(r for _, _, r in b)) for b in bins) / len(scores)
    return auroc, error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--model", help="instead of the base model of the program", type=os.path.abspath)
    parser.add_argument("--program", default="target/release/lookalike")
    parser.add_argument("--peers", action="store_true", help="also measure TLSH, ssdeep and byte pairs")
    parser.add_argument("--without-labels", action="store_true", help="index the known files without labels")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Corpus(args.corpus, args.split, scratch, os.path.abspath(args.program), args.model, not args.without_labels)
        columns, peers = list(VIEWS), {}
        if args.peers:
            import peers as others
            columns += others.NAMES
            peers = {folder: others.Peers(pathlib.Path(scratch), folder) for folder in ["known", "blanked"]}
        found, verdicts, asked = collections.defaultdict(list), collections.Counter(), []
        for folder in ["query", *CHANGES, "blanked query"]:
            library = "blanked" if folder == "blanked query" else "known"
            by_peer = peers[library].distances(folder) if peers and (pathlib.Path(scratch) / folder).exists() else {}
            for query, answer, neighbours in corpus.answers(folder, library):
                if by_peer:
                    of_query = by_peer[os.path.join(scratch, answer["path"])]
                    neighbours = [(row, n | of_query[os.path.join(scratch, n["path"])]) for row, n in neighbours]
                for name, kept in protocols(query, neighbours):
                    row = name if folder == "query" else folder if name == "all" else None
                    if folder == "blanked query":
                        row = "blanked" if name == "other module" else None
                    for view in columns if row else []:
                        found[row, view].append(right(query, kept, view))
                if folder == "query":
                    asked.append((query, answer, neighbours))
                    if any(row["family"] == query["family"] for row, _ in neighbours):
                        verdicts[answer["verdict"]] += 1
        families = len({row["family"] for row in corpus.rows.values()})
        print(f"{args.split}: {families} families, {len(asked)} queries\n")
        print("| recall@1 | asked | all views | text | code | header |" + "".join(f" {name} |" for name in columns[4:]))
        print("|---" * (len(columns) + 2) + "|")
        for name in dict.fromkeys(name for name, _ in found):
            shares = []
            for view in columns:
                known = [value for value in found[name, view] if value is not None]
                shares.append(f"{sum(known) / max(1, len(known)):.3f}")
            print(f"| {name} | {len(known)} | **{shares[0]}** | {' | '.join(shares[1:])} |")
        auroc, error = unknown(asked)
        print(f"\nUnknown family: AUROC {auroc:.3f}, calibration error {error:.3f}.")
        total = sum(verdicts.values())
        print("Verdicts on files of known families: " + ", ".join(f"{name} {n / total:.3f}" for name, n in verdicts.most_common()) + ".")


main()
