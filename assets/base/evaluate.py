#!/usr/bin/env python3
"""Measure the base model on families that it did not learn from.

    python3 assets/base/evaluate.py CORPUS [--split test] [--model M] [--program target/release/lookalike]

CORPUS is what fetch.py made. The newest version of each family is asked of the older ones, through the command line as a user
runs it. Prints recall@1 by protocol, for all views together and for each alone, then how the verdicts did.

    all           files of the query's platform
    other module  the same, without files of the query's own module
    other system  files for Linux and macOS on ARM64 asked of files for Windows
    text zeroed   as `all`, with all printable runs of six bytes and more in the query zeroed
    appended      as `all`, with a tenth of random bytes appended to the query

An unknown family is one that is left out of the library: half of the groups, 20 times at random. AUROC says how well the
probability tells known from unknown; the calibration error is that of ten bins of equal mass.
"""
import argparse, collections, csv, json, os, pathlib, random, re, subprocess, sys, tempfile

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


class Corpus:
    def __init__(self, root, split, scratch, program, model):
        self.program, self.scratch = program, pathlib.Path(scratch)
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
            for folder, change in [("query", None), ("zeroed", zeroed), ("appended", appended)] if asked else [("known", None)]:
                path = self.scratch / folder / row["family"] / os.path.basename(row["path"])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(change(content, rng) if change else content)
                self.rows[str(path)] = row
        self.run("index", "known", "--library", "l.lookalike", *(["--model", model] if model else []))

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], cwd=self.scratch, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def answers(self, folder):
        """Each queried row and its neighbours: row and the distance by view."""
        for line in self.run("query", folder, "--library", "l.lookalike", "-k", "100000", "--json").splitlines():
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
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Corpus(args.corpus, args.split, scratch, os.path.abspath(args.program), args.model)
        found, verdicts, asked = collections.defaultdict(list), collections.Counter(), []
        for folder, only in [("query", None), ("zeroed", "text zeroed"), ("appended", "appended")]:
            for query, answer, neighbours in corpus.answers(folder):
                for name, kept in protocols(query, neighbours):
                    if only and name != "all":
                        continue
                    for view in VIEWS:
                        found[only or name, view].append(right(query, kept, view))
                if not only:
                    asked.append((query, answer, neighbours))
                    if any(row["family"] == query["family"] for row, _ in neighbours):
                        verdicts[answer["verdict"]] += 1
        families = len({row["family"] for row in corpus.rows.values()})
        print(f"{args.split}: {families} families, {len(asked)} queries\n")
        print("| recall@1 | asked | all views | text | code | header |\n|---|---|---|---|---|---|")
        for name in dict.fromkeys(name for name, _ in found):
            shares = []
            for view in VIEWS:
                known = [value for value in found[name, view] if value is not None]
                shares.append(f"{sum(known) / max(1, len(known)):.3f}")
            print(f"| {name} | {len(known)} | **{shares[0]}** | {' | '.join(shares[1:])} |")
        auroc, error = unknown(asked)
        print(f"\nUnknown family: AUROC {auroc:.3f}, calibration error {error:.3f}.")
        total = sum(verdicts.values())
        print("Verdicts on files of known families: " + ", ".join(f"{name} {n / total:.3f}" for name, n in verdicts.most_common()) + ".")


main()
