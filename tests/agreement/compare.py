#!/usr/bin/env python3
"""Compares the facts of `lookalike inspect --json` with pefile, LIEF and readelf, by kind of fact.

    compare.py --lookalike PROGRAM --folder FOLDER [--small] [--kept | --keep]     (tests/agreement/run calls it)
    compare.py --lookalike PROGRAM --files FILE…

Prints for each fact and tool how many files agree, and each file that does not. Exits with 1 if less than 99.5 % of a
fact agree or if a disagreement is not in reasons.txt.

--files  compares these files instead of the demo's, the wheels' and the system's
--kept   compares the demo's files with kept.json in place of the tools: for machines without network
--keep   writes kept.json
"""
import argparse, collections, concurrent.futures, datetime, fnmatch, hashlib, json, os, pathlib, subprocess, sys

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "kept.json"
FACTS = ("entry", "linked", "sections", "libraries", "imports", "exports", "signed", "overlay")
# Files of one call of the program.
AT_ONCE = 200
LEAST = 0.995


def inspected(program, paths):
    """What the program says: by path, the objects of the file's programs."""
    found = {}
    for begin in range(0, len(paths), AT_ONCE):
        part = [str(path) for path in paths[begin:begin + AT_ONCE]]
        # `inspect` of a development build without the command is replaced by a program that prints the same lines.
        command = [program, "inspect", "--json"] if pathlib.Path(program).name.startswith("lookalike") else [program]
        run = subprocess.run(command + part, stdout=subprocess.PIPE, text=True)
        for line in run.stdout.splitlines():
            one = json.loads(line)
            found[one["path"]] = one
    return found


def programs(one):
    """The facts of each program of an object, in the form of the reference's."""
    return [facts(part, one["kind"]) for part in one.get("slices", [one])]


def facts(one, kind):
    """Sets where order means nothing. A fact that is absent is unknown."""
    pe, found = kind == "PE", {}
    for fact in FACTS:
        if fact not in one:
            continue
        value = one[fact]
        if fact == "linked":
            value = value and int(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp())
        elif fact == "sections":
            value = [(s["name"], s["size"], s["address"]) for s in value]
        elif fact == "libraries":
            value = {name.lower() for name in value} if pe else value
        elif fact == "imports":
            value = {((i.get("library") or "").lower(), i.get("ordinal", i.get("name")), i["delayed"]) if pe
                     else i.get("name") for i in value}
        elif fact == "exports":
            value = set(value)
        elif fact == "overlay":
            value = value and (value["offset"], value["size"])
        found[fact] = value
    return found


def reference(path):
    """By tool, the facts of each program of a file."""
    import reference_elf, reference_macho, reference_pe
    with open(path, "rb") as opened:
        magic = opened.read(4)
    if magic[:2] == b"MZ":
        tools = {"pefile": reference_pe.by_pefile, "LIEF": reference_pe.by_lief}
    elif magic == b"\x7fELF":
        tools = {"readelf": reference_elf.by_readelf, "LIEF": reference_elf.by_lief}
    else:
        tools = {"LIEF": reference_macho.by_lief}
    answers = {}
    for tool, read in tools.items():
        try:
            answer = read(path)
        except Exception as error:  # A tool that fails is no reason to stop: the failure is listed.
            print(f"{tool} cannot read {path}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        answers[tool] = answer if isinstance(answer, list) else [answer]
    return answers


def shown(value):
    """A value as JSON has it, with sets sorted."""
    return json.loads(json.dumps(sorted(value, key=str) if isinstance(value, set) else value))


def digest(value):
    text = json.dumps(shown(value))
    return text if len(text) <= 40 else hashlib.sha256(text.encode()).hexdigest()[:16]


def difference(fact, ours, theirs):
    """A short text that says how two values differ."""
    if isinstance(theirs, (set, list)) and isinstance(ours, (set, list)) and fact != "overlay":
        more = [one for one in ours if one not in theirs]
        less = [one for one in theirs if one not in ours]
        parts = [f"{len(all_)} {what}: {', '.join(map(str, sorted(all_, key=str)[:3]))}" for what, all_ in
                 (("only here", more), ("only there", less)) if all_]
        return "; ".join(parts) or "another order"
    return f"here {ours}, there {theirs}"


def reasons():
    """`FACT TOOL PATTERN: reason` of each line."""
    lines = [line for line in (HERE / "reasons.txt").read_text().splitlines() if line and not line.startswith("#")]
    return [(*line.split(": ", 1)[0].split(), line.split(": ", 1)[1]) for line in lines]


class Table:
    """Counts of agreement by fact and tool, and the disagreements."""

    def __init__(self, folder):
        self.folder, self.known = folder, reasons()
        self.agree, self.compared, self.lines, self.unexplained = collections.Counter(), collections.Counter(), [], 0

    def add(self, path, kind, fact, tool, same, how):
        key = (kind, fact, tool)
        self.compared[key] += 1
        self.agree[key] += same
        if same:
            return
        name = os.path.relpath(path, self.folder) if str(path).startswith(str(self.folder)) else str(path)
        why = next((why for f, t, pattern, why in self.known
                    if f == fact and t == tool and fnmatch.fnmatch(name, pattern)), None)
        self.unexplained += why is None
        self.lines.append(f"{fact} by {tool}: {name}: {how}\n    {why or 'NO KNOWN REASON'}")

    def report(self):
        print(f"{'format':8} {'fact':10} {'tool':8} {'compared':>9} {'agree':>9} {'share':>9}")
        low = []
        for key in sorted(self.compared, key=lambda key: (key[0], FACTS.index(key[1]), key[2])):
            share = self.agree[key] / self.compared[key]
            print(f"{key[0]:8} {key[1]:10} {key[2]:8} {self.compared[key]:9} {self.agree[key]:9} {share:9.2%}")
        for fact in FACTS:
            of_fact = [key for key in self.compared if key[1] == fact]
            compared, agree = (sum(counter[key] for key in of_fact) for counter in (self.compared, self.agree))
            if compared:
                print(f"{'all':8} {fact:10} {'':8} {compared:9} {agree:9} {agree / compared:9.2%}")
                low += [fact] if agree < LEAST * compared else []
        compared, agree = sum(self.compared.values()), sum(self.agree.values())
        print(f"{'all':8} {'all':10} {'':8} {compared:9} {agree:9} {agree / max(1, compared):9.2%}")
        if self.lines:
            print("\nWhere they do not agree:")
            print("\n".join(self.lines))
        if low:
            print(f"Less than {LEAST:.1%} agree: {', '.join(low)}", file=sys.stderr)
        if self.unexplained:
            print(f"{self.unexplained} disagreements have no known reason", file=sys.stderr)
        return not low and not self.unexplained and compared > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lookalike", required=True)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/"))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--files", type=pathlib.Path, nargs="+")
    args = parser.parse_args()

    import files as sets
    groups = {}
    if args.files:
        groups["given"] = args.files
    else:
        groups["demo"] = sets.demo(args.folder)
        if not args.kept and not args.keep:
            found = sets.wheels(args.folder, args.small)
            if found is None:
                print("PyPI cannot be reached: its wheels are left out", file=sys.stderr)
            groups["wheels"] = found or []
            groups["system"] = sets.system(args.small)
    paths = [path for group in groups.values() for path in group]
    print(", ".join(f"{len(group)} files of the {name}" for name, group in groups.items()))
    found = inspected(args.lookalike, paths)
    if args.kept:
        answers = json.loads(KEPT.read_text())
        answers = [answers.get(path.name, {}) for path in paths]
    else:
        with concurrent.futures.ProcessPoolExecutor() as pool:
            answers = list(pool.map(reference, paths, chunksize=4))
    if args.keep:
        kept = {path.name: {tool: [{fact: digest(value) for fact, value in one.items()} for one in all_]
                            for tool, all_ in answer.items()} for path, answer in zip(paths, answers)}
        KEPT.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")
        return True

    table = Table(args.folder)
    for path, answer in zip(paths, answers):
        ours = found.get(str(path), {"kind": "not inspected"})
        mine = programs(ours)
        for tool, theirs in answer.items():
            if len(mine) != len(theirs):
                table.add(path, ours["kind"], "sections", tool, False, f"{len(mine)} programs here, {len(theirs)} there")
                continue
            for one, other in zip(mine, theirs):
                for fact in FACTS:
                    if other.get(fact, "unknown") == "unknown" or fact == "exports" and other[fact] is None:
                        continue
                    here, there = one.get(fact, "unknown"), other[fact]
                    if args.kept:
                        same, how = digest(here) == there, f"here {digest(here)}, kept {there}"
                    else:
                        same, how = here == there, difference(fact, here, there)
                    table.add(path, ours["kind"], fact, tool, same, how)
    return table.report()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
