"""How long a linear layer takes: predicted by a micro-benchmark of its shape, measured in a real training step."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import nn

from reg4rec_core.precision.formats import Format, linear

REPEATS = 5


@dataclass(frozen=True)
class LinearShape:
    """What decides how long a layer takes."""

    rows: int
    n_in: int
    n_out: int

    @classmethod
    def of(cls, layer: nn.Linear, rows: float) -> "LinearShape":
        """The layer's shape at about this many rows: the next power of two, so that few shapes need timing."""
        return cls(1 << max(0, round(rows) - 1).bit_length(), layer.in_features, layer.out_features)

    def __str__(self) -> str:
        return f"{self.rows}x{self.n_in}x{self.n_out}"


def wait(device: torch.device) -> None:
    """Let a GPU finish what it was given, so that a clock reads the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def linear_milliseconds(shape: LinearShape, number_format: Format, device: torch.device) -> float:
    """Best of several forward and backward passes of a layer of this shape, after a warm-up."""
    # Bounds of a uniform distribution, not a random draw: timing must leave the run's random numbers alone.
    layer = nn.utils.skip_init(nn.Linear, shape.n_in, shape.n_out, device=device)
    with torch.no_grad():
        layer.weight.fill_(0.01)
        layer.bias.zero_()
    inputs = torch.ones(shape.rows, shape.n_in, device=device, requires_grad=True)
    upstream = torch.ones(shape.rows, shape.n_out, device=device)
    best = float("inf")
    for _ in range(REPEATS + 1):
        wait(device)
        begin = perf_counter()
        torch.autograd.grad(linear(layer, number_format, inputs), [inputs, layer.weight], upstream)
        wait(device)
        best = min(best, perf_counter() - begin)
    return best * 1e3


class LayerClock:
    """Times every layer's forward and backward passes in one training step."""

    def __init__(self, layers: Mapping[str, nn.Linear]) -> None:
        self.layers = layers
        self.milliseconds = dict.fromkeys(layers, 0.0)

    def __enter__(self) -> "LayerClock":
        self._begun: dict[tuple[str, str], float] = {}
        self._hooks = [hook for name, layer in self.layers.items() for hook in self._watch(name, layer)]
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _watch(self, name: str, layer: nn.Linear) -> list[Any]:
        device = layer.weight.device

        def begin(direction: str) -> None:
            wait(device)
            self._begun[name, direction] = perf_counter()

        def end(direction: str) -> None:
            wait(device)
            self.milliseconds[name] += (perf_counter() - self._begun.pop((name, direction))) * 1e3

        return [
            layer.register_forward_pre_hook(lambda *_: begin("forward")),
            layer.register_forward_hook(lambda *_: end("forward")),
            layer.register_full_backward_pre_hook(lambda *_: begin("backward")),
            layer.register_full_backward_hook(lambda *_: end("backward")),
        ]
