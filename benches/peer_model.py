"""The default network and training, written with PyTorch and numpy in the usual way: the peer of a whole
`lookalike train`.

    peer_model.py FOLDER MODEL THREADS
"""
import multiprocessing, pathlib, sys

import numpy as np

SIDE, SEGMENTS, BINS, CELLS, OCTAVES = 64, 8, 4096, 4096, 16.0


def network(labels, threads):
    """6 planes of 64 by 64, four convolutions, text beside them, one prototype a label."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(threads)
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
            self.prototypes = nn.Parameter(torch.randn(labels, 64) / 8)

        def forward(self, x):
            return F.normalize(self.linear(self.convolutions(x)) + self.text(x[:, 1].flatten(1)))

    return torch, F, Net()


def levels(counts, totals):
    """Counts of [SEGMENTS][BINS] as bytes on the logarithmic scale."""
    frequency = counts / np.maximum(totals, 1)[:, None]
    return np.round(np.log2(1 + frequency * 2**OCTAVES) / OCTAVES * 255).astype("uint8")


def picture(path):
    """Byte pairs and text grams by segment, and the layout: what src/picture makes, as bytes."""
    b = np.fromfile(path, dtype="uint8")
    n = len(b)
    segment = (np.arange(n, dtype="int64") * SEGMENTS // n) * BINS
    wide = b.astype("int64")
    pairs = np.bincount(segment[1:] + (wide[:-1] >> 2) * 64 + (wide[1:] >> 2), minlength=SEGMENTS * BINS)
    pairs = pairs.reshape(SEGMENTS, BINS)
    totals = pairs.sum(1)
    grams = np.zeros(SEGMENTS * BINS, "int64")
    if n > 5:
        printable = (b >= 0x20) & (b < 0x7F)
        run = np.logical_and.reduce([printable[5 - i : n - i] for i in range(6)])
        ends = np.flatnonzero(run) + 5
        gram = (wide[ends - 3] << 24) | (wide[ends - 2] << 16) | (wide[ends - 1] << 8) | wide[ends]
        grams = np.bincount(segment[ends] + ((gram * 0x9E3779B1 & 0xFFFFFFFF) >> 20), minlength=SEGMENTS * BINS)
    starts = np.arange(CELLS, dtype="int64") * n // CELLS
    sizes = np.maximum(np.diff(np.append(starts, n)), 1)
    text = ((b >= 0x20) & (b < 0x7F)) | (b == 9) | (b == 10) | (b == 13)
    mean = np.add.reduceat(wide, starts) / sizes / 255
    zeros = np.add.reduceat((b == 0).astype("int64"), starts) / sizes
    shown = np.add.reduceat(text.astype("int64"), starts) / sizes
    cell = np.repeat(np.arange(CELLS), np.diff(np.append(starts, n)))
    found, counts = np.unique(cell * 256 + wide, return_counts=True)
    terms = np.bincount(found // 256, counts * np.log2(counts), minlength=CELLS)
    entropy = np.log2(sizes) - terms / sizes
    entropy = np.divide(entropy, np.minimum(np.log2(sizes), 8), out=np.zeros(CELLS), where=sizes > 1)
    layout = np.stack([mean, zeros, shown, entropy])
    layout = np.round(np.clip(layout, 0, 1) * 255).astype("uint8")
    return levels(pairs, totals), levels(grams.reshape(SEGMENTS, BINS), totals), layout


FREQUENCY = ((2 ** (np.arange(256) / 255 * OCTAVES) - 1) / 2**OCTAVES).astype("float32")


def view(planes, start, length):
    """The picture of a part of a file, 6 planes."""
    pairs, grams, layout = planes
    edges = np.arange(SEGMENTS + 1) / SEGMENTS
    weights = np.clip(np.minimum(start + length, edges[1:]) - np.maximum(start, edges[:-1]), 0, None)
    weights = (weights / weights.sum()).astype("float32")
    out = np.empty((6, BINS), "float32")
    for plane, (histogram, gain) in enumerate(((pairs, 3), (grams, 8))):
        out[plane] = np.log2(1 + (weights @ FREQUENCY[histogram]) * 2**OCTAVES) * (gain / OCTAVES)
    cells = np.minimum((start * CELLS + np.arange(CELLS) * length).astype("int64"), CELLS - 1)
    out[2:] = layout[:, cells] / 127.5 - 1
    return out.reshape(6, SIDE, SIDE)


def main(folder, model, threads):
    rng = np.random.default_rng(0)
    files = sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file())
    names = [p.relative_to(folder).parts[0] for p in files]
    labels = sorted(set(names))
    y = np.array([labels.index(name) for name in names])
    with multiprocessing.Pool(threads) as pool:
        planes = pool.map(picture, files, chunksize=8)
    torch, F, net = network(len(labels), threads)
    held, train = [], []
    for label in range(len(labels)):
        own = rng.permutation(np.flatnonzero(y == label))
        count = max(round(len(own) / 10), 1) if len(own) >= 5 else 0
        held += list(own[:count])
        train.append(own[count:])
    files_of_training = np.concatenate(train)
    steps = max(min(40 + int(0.8 * len(files_of_training)), 400), -(-2 * len(files_of_training) // 64))
    optimiser = torch.optim.AdamW(net.parameters(), 4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    net.train()
    for _ in range(steps):
        chosen = [rng.choice(train[label]) for label in rng.integers(len(labels), size=64)]
        lengths = rng.uniform(0.5, 1, 64)
        x = np.stack([view(planes[i], rng.uniform(0, 1 - length), length) for i, length in zip(chosen, lengths)])
        target = torch.from_numpy(y[chosen])
        logits = (net(torch.from_numpy(x)) @ F.normalize(net.prototypes).T - F.one_hot(target, len(labels)) * 0.2) * 16
        loss = F.cross_entropy(logits, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    # The statistics again, with the weights frozen.
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None
    whole = lambda some: torch.from_numpy(np.stack([view(planes[i], 0, 1) for i in some]))
    with torch.no_grad():
        for at in range(0, len(files_of_training), 64):
            net(whole(files_of_training[at : at + 64]))
        net.eval()
        embed = lambda some: torch.cat([net(whole(some[at : at + 64])) for at in range(0, len(some), 64)])
        known, asked = embed(files_of_training), embed(np.array(held))
        nearest = y[files_of_training][(asked @ known.T).argmax(1).numpy()]
    print(f"recall@1 {(nearest == y[held]).mean():.3f} on {len(held)} files held back, {steps} steps")
    torch.save(net.state_dict(), model)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
