#!/usr/bin/env python3
"""Measure the base model for images on labelled sets that it did not learn from.

    python3 assets/base/evaluate_images.py CORPUS [--split test] [--model M] [--program target/release/lookalike] [--no-training]

CORPUS is what images.py made. Half of the files of each label are the library and the others are asked, through the command line as
a user runs it; of `icons-size`, the largest are the library. Prints recall@1 by set: of equal distances, the share of right
answers.

    hash          by the perceptual hash alone
    network       by the embedding alone
    both          by the probability, without labels
    labels        by the probability, where the library has the labels of its half
    trained       by a network that was trained on the library's half, from random weights

Then how well the probability, without labels, tells labels that the library has from those that it has not (each half of the labels
is left out, 20 times at random: AUROC), and its calibration error (ten bins of equal mass).
"""
import argparse, collections, csv, json, os, pathlib, random, shutil, subprocess, sys, tempfile

METHODS = ("hash", "network", "both", "labels", "trained")


class Set:
    def __init__(self, root, rows, scratch, program, model, training):
        self.program, self.scratch, self.labels = program, scratch, {}
        rng = random.Random(0)
        by_label = collections.defaultdict(list)
        for row in rows:
            by_label[row["label"]].append(row)
        self.asked = {}
        for label, files in sorted(by_label.items()):
            rng.shuffle(files)
            for i, row in enumerate(files):
                known = row["group"] == "128x128" if row["set"] == "icons-size" else i < (len(files) + 1) // 2
                to = scratch / ("known" if known else "asked") / label / os.path.basename(row["path"])
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / row["path"], to)
        options = ["--model", model] if model else []
        self.run("index", "known", "--library", "plain.lookalike", "--label-level", "9", *options)
        self.run("index", "known", "--library", "labels.lookalike", *options)
        self.answers = {"plain": self.query("plain"), "labels": self.query("labels")}
        if training:
            self.run("train", "known", "--model", "own.safetensors", "--from", "none")
            self.run("index", "known", "--library", "trained.lookalike", "--model", "own.safetensors")
            self.answers["trained"] = self.query("trained")

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments], cwd=self.scratch, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def query(self, library):
        """Of each file that is asked: its label, its verdict, and label and distances of each neighbour."""
        label = lambda path: pathlib.PurePath(path).parts[-2]
        out = []
        for line in self.run("query", "asked", "--library", f"{library}.lookalike", "-k", "100000", "--json").splitlines():
            answer = json.loads(line)
            if answer.get("event") == "answer":
                out.append((label(answer["path"]), answer["verdict"], [(label(n["path"]), n) for n in answer["neighbours"]]))
        return out

    def recall(self, library, column):
        """The share of the files whose nearest neighbour has their label, of those that have one."""
        shares = []
        for own, _, neighbours in self.answers[library]:
            seen = [(n[column], label) for label, n in neighbours if n[column] is not None]
            if not any(label == own for label, _ in neighbours):
                continue
            nearest = min((distance for distance, _ in seen), default=None)
            ties = [label == own for distance, label in seen if distance == nearest]
            shares.append(sum(ties) / len(ties) if ties else 0.0)
        return sum(shares) / max(1, len(shares)), len(shares)

    def recalls(self):
        yield "hash", self.recall("plain", "distance_hash")
        yield "network", self.recall("plain", "distance_image")
        yield "both", self.recall("plain", "distance")
        yield "labels", self.recall("labels", "distance")
        if "trained" in self.answers:
            yield "trained", self.recall("trained", "distance")

    def scores(self, rng, library):
        """Probability, whether the label was in the library, and whether the answer was right, with half of the labels left out."""
        labels = sorted({label for own, _, neighbours in self.answers[library] for label in (own, *(l for l, _ in neighbours))})
        for _ in range(20):
            known = set(rng.sample(labels, len(labels) // 2))
            for own, _, neighbours in self.answers[library]:
                nearest = next(((label, n) for label, n in neighbours if label in known), None)
                if nearest:
                    yield 1 - nearest[1]["distance"], own in known, nearest[0] == own


def quality(scores):
    scores = sorted(scores, key=lambda score: score[0])
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
    return auroc, sum(abs(sum(p for p, _, _ in b) - sum(r for _, _, r in b)) for b in bins) / len(scores)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--model", help="instead of the base model of the program", type=os.path.abspath)
    parser.add_argument("--program", default="target/release/lookalike", type=os.path.abspath)
    parser.add_argument("--no-training", action="store_true", help="leave out the training from random weights")
    args = parser.parse_args()
    by_set = collections.defaultdict(list)
    for row in csv.DictReader(open(args.corpus / "manifest.csv")):
        if row["split"] == args.split:
            by_set[row["set"]].append(row)
    print(f"| recall@1 | labels | asked | {' | '.join(METHODS)} |\n|---|---|---|{'---|' * len(METHODS)}", flush=True)
    sums, scores, verdicts = collections.Counter(), {"plain": [], "labels": []}, collections.Counter()
    for name, rows in by_set.items():
        with tempfile.TemporaryDirectory() as scratch:
            images = Set(args.corpus, rows, pathlib.Path(scratch), args.program, args.model, not args.no_training)
            cells = []
            found = dict(images.recalls())
            for method in METHODS:
                share, asked = found.get(method, (None, 0))
                sums[method] += share or 0.0
                cells.append("–" if share is None else f"{share:.3f}")
            asked = found["both"][1]
            print(f"| {name} | {len({row['label'] for row in rows})} | {asked} | {' | '.join(cells)} |", flush=True)
            for library in scores:
                scores[library] += images.scores(random.Random(0), library)
            known = lambda own, neighbours: any(label == own for label, _ in neighbours)
            verdicts.update(verdict for own, verdict, neighbours in images.answers["plain"] if known(own, neighbours))
    means = [f"**{sums[method] / len(by_set):.3f}**" if sums[method] else "–" for method in METHODS]
    print(f"| mean | | | {' | '.join(means)} |\n")
    for library, text in (("plain", "without labels"), ("labels", "with labels")):
        auroc, error = quality(scores[library])
        print(f"Unknown label, {text}: AUROC {auroc:.3f}, calibration error {error:.3f}.")
    total = sum(verdicts.values())
    print("Verdicts on files of known labels: " + ", ".join(f"{name} {n / total:.3f}" for name, n in verdicts.most_common()) + ".")


if __name__ == "__main__":
    main()
