#!/usr/bin/env python3
"""A large library beside approximate indexes: the same vectors, the same queries, one query at a time.

    benches/indexes.py OURS LIBRARY [--queries 200] [--label LABEL]

OURS is the bench `ours`, LIBRARY a file that `ours library 1 SIZE LIBRARY SET` wrote. Prints for each the seconds to build it, the
memory it takes, the time of a query, and recall@10: by identity, and by distance, where an answer as near as the true one counts. The
truth is brute force by numpy. Needs numpy, faiss-cpu and usearch: the Python of `target/peers`, see README.md.
"""
import argparse, json, os, pathlib, sqlite3, statistics, subprocess, sys, tempfile, time

import numpy as np

THREADS = os.cpu_count() or 1
K = 10


def vectors(library, label):
    """Row ids and vectors of all samples, or of those with a label."""
    with sqlite3.connect(f"file:{library}?mode=ro", uri=True) as db:
        n = db.execute("SELECT count(*) FROM embeddings").fetchone()[0]
        dimension = len(db.execute("SELECT vector FROM embeddings LIMIT 1").fetchone()[0]) // 4
        ids, out = np.empty(n, "int64"), np.empty((n, dimension), "<f4")
        for i, (sample, vector) in enumerate(db.execute("SELECT sample, vector FROM embeddings ORDER BY sample")):
            ids[i], out[i] = sample, np.frombuffer(vector, "<f4")
        if label is None:
            return ids, out, np.ones(n, bool)
        wanted = np.array([row[0] for row in db.execute("SELECT id FROM samples WHERE label = ?", [label])], "int64")
        return ids, out, np.isin(ids, wanted)


def queries(x, n):
    """Vectors near some of `x`, and a few anywhere."""
    rng = np.random.default_rng(7)
    near = x[rng.integers(0, len(x), n)] + rng.normal(0, 0.02, (n, x.shape[1])).astype("f4")
    near[::5] = rng.normal(0, 1, near[::5].shape)
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype("<f4")


def truth(x, asked):
    """The largest cosines of each query, by blocks, in double precision for the nearest."""
    best = [np.empty((0, 2))] * len(asked)
    for first in range(0, len(x), 250_000):
        products = asked @ x[first : first + 250_000].T
        for i, row in enumerate(products):
            top = np.argpartition(-row, 4 * K)[: 4 * K] if len(row) > 4 * K else np.arange(len(row))
            exact = 1 - x[first + top].astype("f8") @ asked[i].astype("f8")
            both = np.concatenate([best[i], np.stack([exact, first + top], 1)])
            best[i] = both[np.lexsort((both[:, 1], both[:, 0]))][:K]
    return best


def recall(x, asked, found, best):
    """By identity and by distance, of rows of `x`."""
    same = near = 0
    for query, rows, true in zip(asked, found, best):
        rows = [int(row) for row in rows if row >= 0][:K]
        same += len(set(rows) & set(true[:, 1].astype(int)))
        distances = 1 - x[rows].astype("f8") @ query.astype("f8")
        near += int((np.sort(distances) <= true[: len(distances), 0] + 1e-6).sum())
    total = sum(len(true) for true in best)
    return same / total, near / total


def resident():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1000
    return 0.0


def timed(search, asked):
    times, found = [], []
    for query in asked:
        begun = time.perf_counter()
        rows = search(query[None])
        times.append((time.perf_counter() - begun) * 1e3)
        found.append(np.asarray(rows).reshape(-1))
    return times, found


def report(name, build, memory, times, recalls):
    p95 = sorted(times)[int(0.95 * len(times))]
    print(f"| {name} | {build} | {memory} | {statistics.median(times):.2f} | {p95:.2f} | {recalls[0]:.4f} | {recalls[1]:.4f} |", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("ours")
    options.add_argument("library")
    options.add_argument("--queries", type=int, default=200)
    options.add_argument("--label")
    options.add_argument("--only-ours", action="store_true")
    args = options.parse_args()
    ids, x, wanted = vectors(args.library, args.label)
    asked = queries(x, args.queries)
    among = x[wanted]
    best = [np.stack([b[:, 0], np.flatnonzero(wanted)[b[:, 1].astype(int)]], 1) for b in truth(among, asked)]
    print(f"{len(x):,} vectors of {x.shape[1]} numbers, {args.queries} queries, {THREADS} threads, label {args.label}")
    print("| index | build, s | memory, MB | p50, ms | p95, ms | recall@10 by identity | by distance |\n|---|---|---|---|---|---|---|")
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        asked.tofile(file.name)
        command = [args.ours, "ask", "1", "0", args.library, file.name, *([args.label] if args.label else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
    row = {sample: i for i, sample in enumerate(ids.tolist())}
    found = [[row[sample] for sample, _ in near] for near in answer["found"]]
    report("Lookalike, exact", "–", "–", answer["ms"][1:], recall(x, asked, found, best))
    if args.label or args.only_ours:
        return
    import faiss
    from usearch.index import Index

    faiss.omp_set_num_threads(THREADS)
    d = x.shape[1]

    def build(name, make, settings):
        before, begun = resident(), time.perf_counter()
        index, search = make()
        seconds, memory = time.perf_counter() - begun, resident() - before
        for what, setting in settings:
            setting(index)
            times, found = timed(search, asked)
            report(f"{name}, {what}", f"{seconds:.0f}", f"{memory:.0f}", times, recall(x, asked, found, best))

    def flat():
        index = faiss.IndexFlatIP(d)
        index.add(x)
        return index, lambda query: index.search(query, K)[1]

    def ivf():
        lists = int(4 * len(x) ** 0.5)
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, lists, faiss.METRIC_INNER_PRODUCT)
        index.train(x[np.random.default_rng(1).permutation(len(x))[: 40 * lists]])
        index.add(x)
        return index, lambda query: index.search(query, K)[1]

    def hnsw():
        index = faiss.IndexHNSWFlat(d, 16, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 100
        index.add(x)
        return index, lambda query: index.search(query, K)[1]

    def usearch():
        index = Index(ndim=d, metric="ip", connectivity=16, expansion_add=100)
        index.add(np.arange(len(x)), x, threads=THREADS)
        return index, lambda query: index.search(query, K).keys

    build("faiss flat", flat, [("exact", lambda _: None)])
    build("faiss IVF", ivf, [(f"nprobe {n}", lambda index, n=n: setattr(index, "nprobe", n)) for n in (1, 8, 32, 128)])
    build("faiss HNSW 16", hnsw, [(f"ef {n}", lambda index, n=n: setattr(index.hnsw, "efSearch", n)) for n in (20, 100, 400)])
    build("usearch 16", usearch, [(f"ef {n}", lambda index, n=n: setattr(index, "expansion_search", n)) for n in (20, 100, 400)])


if __name__ == "__main__":
    sys.exit(main())
