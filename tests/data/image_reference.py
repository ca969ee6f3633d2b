#!/usr/bin/env python3
"""Figures that our image code is tested against: image_reference.json.

    image_reference.py network.safetensors > image_reference.json

network.safetensors is what assets/base/images.py writes. Needs PyTorch (made with 2.15.0+cu132, CPU), Pillow and ImageHash (13.0.0, 4.3.2).

"network": the output of EfficientNet-Lite0's block 14 on a 2×2 grid, [part][channel], by PyTorch. Once with the weights as they are,
once as whole numbers of one byte, as the model file has them. The inputs are made by a formula.

"hashes": ImageHash's phash(hash_size=16) of images that are made by a formula too, as PNG.
Pillow 13 scales some tall images column by column first: a level may differ there by one.
"""
import json, struct, sys

import imagehash, numpy as np, torch
import torch.nn.functional as F
from PIL import Image


def pattern(kind, width, height):
    """RGB bytes; the same in the test."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    if kind == 0:    # smooth
        value = (x * 255 // width + y * 128 // height * (c + 1)) % 256
    elif kind == 1:  # tiles
        value = ((x * 8 // width + y * 8 // height) % 2 * (90 + 60 * c) + 20 + c * 5) % 256
    else:            # a disc on a background that changes
        disc = (2 * x - width) ** 2 * height * height + (2 * y - height) ** 2 * width * width < width * width * height * height // 2
        value = np.where(disc, 250 - 70 * c, (x * 3 + y * 5 + c * 40) // 4 % 200)
    return value.astype(np.uint8)


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    layers = json.loads(header.pop("__metadata__")["layers"])
    at = lambda t: np.frombuffer(data[8 + size:][slice(*t["data_offsets"])], "<f4").reshape(t["shape"])
    return layers, {name: at(tensor) for name, tensor in header.items()}


def short(scale):
    """The next number of at most 16 significant bits."""
    return ((scale.astype("<f4").view("<u4") + np.uint32(255)) & ~np.uint32(255)).view("<f4")


def whole(weights):
    scale = short(np.abs(weights).reshape(-1, weights.shape[-1]).max(0) / np.float32(127))
    return np.clip(np.rint(weights / np.maximum(scale, 1e-30)), -127, 127).astype(np.float32) * scale


def forward(layers, tensors, image, change):
    get = lambda name: torch.tensor(np.array(tensors[name]))
    x, outputs = ((torch.tensor(image).float() - 127) / 128).permute(2, 0, 1)[None], []
    for i, layer in enumerate(layers):
        weights = torch.tensor(np.array(change(tensors[f"block{i}.weights"])))
        depthwise = layer["kind"] == "depthwise"
        weights = weights[..., None].permute(2, 3, 0, 1) if depthwise else weights.permute(3, 2, 0, 1)
        k, stride, side = layer["kernel"], layer["stride"], x.shape[2]
        total = max((-(-side // stride) - 1) * stride + k - side, 0)
        before, after = total // 2, total - total // 2
        x = F.conv2d(F.pad(x, (before, after, before, after)), weights.contiguous(), stride=stride, groups=len(weights) if depthwise else 1)
        x = F.batch_norm(x, get(f"block{i}.kept_mean"), get(f"block{i}.kept_variance"), get(f"block{i}.scale"), get(f"block{i}.shift"), eps=1e-3)
        if layer["activation"] == "relu6":
            x = F.relu6(x)
        if "adds" in layer:
            x = x + outputs[layer["adds"]]
        outputs.append(x)
    n = x.shape[2]
    return F.avg_pool2d(x, -(-n // 2), n // 2)[0].permute(1, 2, 0)


def main():
    layers, tensors = read(sys.argv[1])
    network = []
    for kind, side in ((0, 160), (1, 160), (2, 160), (0, 96), (2, 128)):
        image = pattern(kind, side, side)
        row = {"pattern": kind, "side": side}
        for name, change in (("f32", lambda weights: weights), ("int8", whole)):
            # [part][channel]
            row[name] = [round(float(v), 5) for v in forward(layers, tensors, image, change).reshape(-1)]
        network.append(row)
    hashes = []
    for kind, width, height in ((0, 64, 64), (0, 300, 200), (2, 333, 1000), (0, 480, 640), (2, 256, 256), (2, 1000, 333)):
        found = imagehash.phash(Image.fromarray(pattern(kind, width, height)), hash_size=16)
        hashes.append({"pattern": kind, "width": width, "height": height, "hash": str(found)})
    json.dump({"network": network, "hashes": hashes}, sys.stdout, separators=(",", ":"))
    print()


main()
