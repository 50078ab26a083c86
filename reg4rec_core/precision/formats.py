"""The number formats a linear layer can compute in, and a layer's products in each of them.

fp8 is e4m3 for inputs and weights, e5m2 for gradients, one scale a tensor, sums in float32. Where the hardware has no
fp8 product, values are rounded to fp8 and multiplied in float32, which gives the same numbers and saves no time.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Format = Literal["fp32", "bf16", "fp8"]
FORMATS: tuple[Format, ...] = ("fp32", "bf16", "fp8")
"""From the finest to the coarsest."""

FORWARD, BACKWARD = torch.float8_e4m3fn, torch.float8_e5m2
BLOCK = 16
"""The fp8 product of a GPU wants sizes that are multiples of this."""


@dataclass(frozen=True)
class Scaled:
    """A matrix in fp8: its numbers are values * scale."""

    values: Tensor
    scale: Float[Tensor, ""]

    def numbers(self) -> Float[Tensor, "rows columns"]:
        return self.values.float() * self.scale

    def transposed(self) -> "Scaled":
        return Scaled(self.values.t(), self.scale)


def to_fp8(matrix: Float[Tensor, "rows columns"], kind: torch.dtype) -> Scaled:
    """Round to fp8 with the scale that puts the largest magnitude on the largest fp8 number; NaN stays NaN."""
    limits = torch.finfo(kind)
    # The floor keeps a matrix of zeros, or of numbers near the smallest float, from being divided by zero.
    scale = (matrix.abs().amax().float() / limits.max).clamp_min(torch.finfo(torch.float32).tiny)
    return Scaled((matrix.float() / scale).clamp(limits.min, limits.max).to(kind), scale)


def rounded(weight: Float[Tensor, "out in"], number_format: Format) -> Float[Tensor, "out in"]:
    """Q_p(W): what is left of a weight in a format."""
    if number_format == "bf16":
        return weight.bfloat16().float()
    return to_fp8(weight, FORWARD).numbers() if number_format == "fp8" else weight


def has_fp8_product(device: torch.device) -> bool:
    """Whether the device multiplies fp8 matrices by itself (Ada, Hopper and newer)."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 9)


def product(left: Scaled, right: Scaled) -> Float[Tensor, "rows columns"]:
    """left @ right, summed in float32."""
    if has_fp8_product(left.values.device):
        return hardware_product(left, right)
    return left.numbers() @ right.numbers()


def hardware_product(left: Scaled, right: Scaled) -> Float[Tensor, "rows columns"]:
    """left @ right by `torch._scaled_mm`, which wants the right side stored by columns and sizes in blocks."""
    rows, columns = left.values.shape[0], right.values.shape[1]
    by_rows, by_columns = in_blocks(left.values), in_blocks(right.values.t()).t()
    whole = torch._scaled_mm(by_rows, by_columns, scale_a=left.scale, scale_b=right.scale, out_dtype=torch.float32)
    return whole[:rows, :columns]


def in_blocks(values: Tensor) -> Tensor:
    """The matrix stored by rows, filled with zeros up to whole blocks."""
    rows, columns = values.shape
    fill = (0, -columns % BLOCK, 0, -rows % BLOCK)
    # Padding works on bytes: the byte 0 is the number 0 in both fp8 formats.
    return nn.functional.pad(values.contiguous().view(torch.uint8), fill).view(values.dtype)


class _Fp8Product(torch.autograd.Function):
    """inputs @ weight.T with both rounded to e4m3; its gradients from the output gradient rounded to e5m2."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor) -> Tensor:
        left, right = to_fp8(inputs, FORWARD), to_fp8(weight, FORWARD)
        ctx.save_for_backward(left.values, left.scale, right.values, right.scale)
        return product(left, right.transposed())

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor]:
        inputs, input_scale, weight, weight_scale = ctx.saved_tensors
        gradient = to_fp8(upstream, BACKWARD)
        to_inputs = product(gradient, Scaled(weight, weight_scale))
        to_weight = product(gradient.transposed(), Scaled(inputs, input_scale))
        return to_inputs, to_weight


def linear(layer: nn.Linear, number_format: Format, inputs: Float[Tensor, "*rows in"]) -> Float[Tensor, "*rows out"]:
    """What the layer computes, in a format; float32 goes in and comes out, the weight itself stays float32."""
    if number_format == "fp32":
        return nn.functional.linear(inputs, layer.weight, layer.bias)
    if number_format == "bf16":
        bias = None if layer.bias is None else layer.bias.bfloat16()
        return nn.functional.linear(inputs.bfloat16(), layer.weight.bfloat16(), bias).float()
    flat = _Fp8Product.apply(inputs.reshape(-1, layer.in_features), layer.weight)
    outputs = flat.view(*inputs.shape[:-1], layer.out_features)
    return outputs if layer.bias is None else outputs + layer.bias


@contextmanager
def computing_in(layers: Mapping[str, nn.Linear], formats: Mapping[str, Format]) -> Iterator[None]:
    """Inside, the named layers compute in their formats; parameters and their names stay as they are."""
    changed = [(layers[name], number_format) for name, number_format in formats.items() if number_format != "fp32"]
    for layer, number_format in changed:
        layer.forward = partial(linear, layer, number_format)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer, _ in changed:
            del layer.forward
