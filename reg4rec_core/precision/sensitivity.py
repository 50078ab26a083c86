"""How sensitive the loss is to each linear layer: the trace of its Fisher matrix, by K-FAC and exactly.

The *true* Fisher: labels are drawn from the network's own predictions, not taken from the data.
"""

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class SampledLoss:
    """A loss whose labels were drawn from the network's own predictions."""

    mean: Float[Tensor, ""]
    """-log p(drawn labels), mean over the examples."""
    examples: int


@dataclass(frozen=True)
class LayerNorms:
    """Squared norms of a layer, summed over sample batches; all a trace needs."""

    inputs: float = 0.0
    """Sum of |a|^2 over the rows the layer has seen."""
    rows: float = 0.0
    gradients: float = 0.0
    """Sum over batches of examples * sum of |g|^2, g the gradient of the mean loss at the layer's output."""
    weight: float = 0.0
    """Sum over batches of examples * |gradient of the weight|^2."""
    batches: float = 0.0

    def __add__(self, other: "LayerNorms") -> "LayerNorms":
        return LayerNorms(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def rows_per_batch(self) -> float:
        return self.rows / self.batches if self.batches else 0.0

    @property
    def kfac_trace(self) -> float:
        """tr(A (x) G) = tr A * tr G = E|a|^2 * E|g|^2, g of one example's loss, summed over its rows."""
        return self.inputs / self.rows * self.gradients / self.batches if self.rows else 0.0

    @property
    def fisher_trace(self) -> float:
        """Estimate of the exact trace E|dW|^2, dW of one example's loss.

        Hutchinson's estimator tr(J'HJ) = E|J's|^2 with the probes s that drawn labels are: the score of a drawn label
        has mean 0 and covariance H, so that the cross terms between examples vanish.
        """
        return self.weight / self.batches if self.batches else 0.0


def linear_layers(network: nn.Module) -> dict[str, nn.Linear]:
    """Every linear layer by its name in the network."""
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Linear)}


def layer_norms(layers: Mapping[str, nn.Linear], draw: Callable[[], SampledLoss]) -> dict[str, LayerNorms]:
    """One batch's squared norms of every layer; no parameter's `.grad` is touched, frozen layers are measured, too."""
    seen = {name: _Seen() for name in layers}
    hooks = [layer.register_forward_hook(seen[name].watch) for name, layer in layers.items()]
    try:
        loss = draw()
    finally:
        for hook in hooks:
            hook.remove()
    weights = {name: [layer.weight] if layer.weight.requires_grad else [] for name, layer in layers.items()}
    wanted = [tensor for name in layers for tensor in (*seen[name].outputs, *weights[name])]
    gradients = iter(torch.autograd.grad(loss.mean, wanted, allow_unused=True))
    norms = {}
    for name in layers:
        to_outputs = sum((squared_norm(next(gradients)) for _ in seen[name].outputs), 0.0)
        to_weight = sum((squared_norm(next(gradients)) for _ in weights[name]), 0.0)
        examples = loss.examples
        norms[name] = LayerNorms(seen[name].inputs, seen[name].rows, examples * to_outputs, examples * to_weight, 1.0)
    return norms


def squared_norm(values: Tensor | None) -> float:
    """|values|^2; the gradient of what the loss does not depend on is None, which counts as zeros."""
    return 0.0 if values is None else float(values.detach().float().square().sum())


class _Seen:
    """What has passed through one layer."""

    def __init__(self) -> None:
        self.inputs = self.rows = 0.0
        self.outputs: list[Tensor] = []

    def watch(self, layer: nn.Linear, arguments: tuple[Tensor, ...], outputs: Tensor) -> None:
        self.inputs += squared_norm(arguments[0])
        self.rows += arguments[0].numel() / layer.in_features
        if torch.is_grad_enabled():
            if not outputs.requires_grad:  # a frozen layer on frozen inputs
                outputs.requires_grad_()
            self.outputs.append(outputs)
