"""The peers' side of benches/compare: the same work by PyTorch, faiss, umap-learn and sha256sum.

    peers.py WORK REPEATS THREADS SIZE [FOLDER]   prints the milliseconds of each repetition as a JSON array
"""
import json, os, pathlib, subprocess, sys, time

import numpy as np

WORK, REPEATS, THREADS, SIZE = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
FOLDER = sys.argv[5] if len(sys.argv) > 5 else None


def timed(work, warm=True):
    if warm:
        work()
    out = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        out.append((time.perf_counter() - begun) * 1e3)
    return out


def step():
    from peer_model import network

    torch, F, net = network(20, THREADS)
    x = torch.rand(SIZE, 6, 64, 64) * 2 - 1
    y = torch.arange(SIZE) % 20
    own = F.one_hot(y, 20) * 0.2
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3)
    net.train()

    def work():
        optimiser.zero_grad()
        logits = (net(x) @ F.normalize(net.prototypes).T - own) * 16
        F.cross_entropy(logits, y).backward()
        optimiser.step()

    return timed(work)


def embed():
    from peer_model import network

    torch, _, net = network(20, THREADS)
    x = torch.rand(SIZE, 6, 64, 64)
    net.eval()
    with torch.inference_mode():
        return timed(lambda: net(x))


def vectors(n, seed):
    v = np.random.default_rng(seed).uniform(-1, 1, (n, 64)).astype("float32")
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def search(queries):
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexFlatIP(64)
    index.add(vectors(SIZE, 1))
    asked = vectors(queries, 2)
    return timed(lambda: index.search(asked, 10))


def sha256():
    files = sorted(str(p) for p in pathlib.Path(FOLDER).rglob("*") if p.is_file())
    parts = [files[i::THREADS] for i in range(THREADS)]

    def work():
        # Names on standard input: a command line would be too long.
        running = []
        for part in parts:
            p = subprocess.Popen(["xargs", "-0", "sha256sum"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            running.append(p)
            p.stdin.write("\0".join(part).encode())
            p.stdin.close()
        assert all(p.wait() == 0 for p in running)

    return timed(work)


def sample(n):
    return np.fromfile(os.environ["VECTORS"], dtype="<f4").reshape(-1, 64)[:n]


def trust(x, places):
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(x, places, n_neighbors=15, metric="cosine"))


def lay_out():
    import umap

    x = sample(SIZE)
    umap.UMAP(n_neighbors=15, metric="cosine").fit_transform(x[:500])  # compiles, before the clock runs
    begun = time.perf_counter()
    places = umap.UMAP(n_neighbors=15, metric="cosine", n_jobs=THREADS).fit_transform(x)
    ms = (time.perf_counter() - begun) * 1e3
    kept = min(SIZE, 5000)
    return {"ms": ms, "trustworthiness": trust(x[:kept], places[:kept])}


def place():
    """Time of the first file placed on a map, and trustworthiness of 500 placed files among 4,500 of the map."""
    import umap

    x = sample(SIZE + 500)
    known, new = x[:SIZE], x[SIZE:]
    fitted = umap.UMAP(n_neighbors=15, metric="cosine", n_jobs=THREADS).fit(known)
    begun = time.perf_counter()
    fitted.transform(new[:1])
    ms = (time.perf_counter() - begun) * 1e3
    placed = fitted.transform(new)
    both = np.concatenate([new, known[:4500]]), np.concatenate([placed, fitted.embedding_[:4500]])
    return {"ms": ms, "trustworthiness": trust(*both)}


RUN = {
    "step": step,
    "embed": embed,
    "search-1": lambda: search(1),
    "search-256": lambda: search(256),
    "pictures": sha256,
    "views": sha256,
    "facts": sha256,
    "umap": lay_out,
    "place": place,
}
print(json.dumps(RUN[WORK]()))
