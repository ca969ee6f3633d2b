#!/usr/bin/env python3
"""PyTorch's own figures for batch normalisation and a rectifier behind it: batch_norm_pytorch.json.

    batch_norm_pytorch.py > batch_norm_pytorch.json      (needs PyTorch; made with 2.15.0, CPU)

Each case trains-mode-forwards some batches through one BatchNorm2d and ReLU, with a given gradient behind it,
and then looks at the last batch in eval mode. Activations are [rows][channels], as Lookalike keeps them.
"""
import json, sys, torch

torch.manual_seed(20261124)


def case(name, rows, channels, batches, momentum, epsilon, scale=1.0, offset=0.0):
    layer = torch.nn.BatchNorm1d(channels, eps=epsilon, momentum=momentum)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(channels))
        layer.bias.copy_(torch.randn(channels) * 0.5)
    out = {"name": name, "rows": rows, "channels": channels, "momentum": momentum, "epsilon": epsilon,
           "gamma": layer.weight.tolist(), "beta": layer.bias.tolist(), "batches": []}
    grad = torch.randn(rows, channels)
    out["grad"] = grad.flatten().tolist()

    def run(x):
        x = x.clone().requires_grad_()
        layer.zero_grad()
        y = torch.relu(layer(x))
        y.backward(grad)
        return {"y": y.flatten().tolist(), "dx": x.grad.flatten().tolist(),
                "dgamma": layer.weight.grad.tolist(), "dbeta": layer.bias.grad.tolist()}

    for _ in range(batches):
        x = torch.randn(rows, channels) * scale * (1 + torch.arange(channels)) + offset
        layer.train()
        found = run(x)
        found |= {"x": x.flatten().tolist(), "running_mean": layer.running_mean.tolist(),
                  "running_var": layer.running_var.tolist()}
        out["batches"].append(found)
    layer.eval()
    out["eval"] = run(x)
    return out


json.dump([
    case("PyTorch's default", 12, 3, 3, 0.1, 1e-5),
    case("Keras' momentum and epsilon", 12, 3, 3, 0.01, 1e-3),
    case("the plain average", 12, 3, 4, None, 1e-5),
    case("a batch of two values", 2, 2, 2, 0.1, 1e-5),
    case("small variances", 20, 2, 2, 0.1, 1e-5, scale=1e-3),
    case("a mean far from zero", 20, 2, 2, 0.1, 1e-5, offset=30.0),
    case("many rows", 300, 2, 1, 0.5, 1e-5),
], sys.stdout)
