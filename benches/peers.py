"""The peers' side of benches/compare: the same work by PyTorch, faiss, umap-learn and sha256sum.

    peers.py WORK REPEATS THREADS [FOLDER]      prints the milliseconds of each repetition as a JSON array
"""
import json, os, pathlib, subprocess, sys, time

import numpy as np

WORK, REPEATS, THREADS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
FOLDER = sys.argv[4] if len(sys.argv) > 4 else None


def timed(work, warm=True):
    if warm:
        work()
    out = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        out.append((time.perf_counter() - begun) * 1e3)
    return out


def network():
    """The default network: 6 planes of 64 by 64, twenty labels."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(THREADS)
    torch.manual_seed(1)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            layers, before = [], 6
            for filters, stride in ((32, 2), (64, 2), (128, 2), (128, 1)):
                layers += [nn.Conv2d(before, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()]
                before = filters
            self.convolutions = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
            self.linear = nn.Linear(2048, 64, bias=False)
            self.text = nn.Linear(4096, 64, bias=False)
            self.prototypes = nn.Parameter(torch.randn(20, 64) / 8)

        def forward(self, x):
            return F.normalize(self.linear(self.convolutions(x)) + self.text(x[:, 1].flatten(1)))

    return torch, F, Net()


def step():
    torch, F, net = network()
    x = torch.rand(64, 6, 64, 64) * 2 - 1
    y = torch.arange(64) % 20
    own = F.one_hot(y, 20) * 0.2
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3)
    net.train()

    def work():
        optimiser.zero_grad()
        logits = (net(x) @ F.normalize(net.prototypes).T - own) * 16
        F.cross_entropy(logits, y).backward()
        optimiser.step()

    return timed(work)


def embed(batch):
    torch, _, net = network()
    x = torch.rand(batch, 6, 64, 64)
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
    index.add(vectors(1_000_000, 1))
    asked = vectors(queries, 2)
    return timed(lambda: index.search(asked, 10))


def sha256():
    files = sorted(str(p) for p in pathlib.Path(FOLDER).rglob("*") if p.is_file())
    parts = [files[i::THREADS] for i in range(THREADS)]

    def work():
        # With the names on standard input, so that no command line is too long.
        running = []
        for part in parts:
            p = subprocess.Popen(["xargs", "-0", "sha256sum"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            running.append(p)
            p.stdin.write("\0".join(part).encode())
            p.stdin.close()
        assert all(p.wait() == 0 for p in running)

    return timed(work)


def lay_out():
    import umap
    from sklearn.manifold import trustworthiness

    n = int(FOLDER)
    x = np.fromfile(os.environ["VECTORS"], dtype="<f4").reshape(-1, 64)[:n]
    umap.UMAP(n_neighbors=15, metric="cosine").fit_transform(x[:500])  # compiled before the clock runs
    begun = time.perf_counter()
    places = umap.UMAP(n_neighbors=15, metric="cosine", n_jobs=THREADS).fit_transform(x)
    ms = (time.perf_counter() - begun) * 1e3
    kept = min(n, 5000)
    return {"ms": ms, "trustworthiness": float(trustworthiness(x[:kept], places[:kept], n_neighbors=15, metric="cosine"))}


RUN = {
    "step": step,
    "embed-64": lambda: embed(64),
    "embed-1": lambda: embed(1),
    "search-1": lambda: search(1),
    "search-256": lambda: search(256),
    "pictures": sha256,
    "umap": lay_out,
}
print(json.dumps(RUN[WORK]()))
