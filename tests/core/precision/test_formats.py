import copy
import functools

import pytest
import torch
from torch import nn

from reg4rec_core.precision.formats import (
    BACKWARD,
    FORMATS,
    FORWARD,
    Scaled,
    computing_in,
    hardware_product,
    linear,
    product,
    rounded,
    to_fp8,
)


def normal(*shape, seed=0, scale=1.0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * scale


@pytest.mark.parametrize(("kind", "share"), [(FORWARD, 2**-4), (BACKWARD, 2**-3)])
@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1.0, 1e30])
def test_rounding_to_fp8_errs_by_half_a_step_at_most(kind, share, scale):
    """Half a step is 2^-4 of a normal e4m3 number, 2^-3 of an e5m2 one; below them, half the smallest number."""
    matrix = normal(64, 48, scale=scale)
    fp8 = to_fp8(matrix, kind)
    error = (fp8.numbers() - matrix).abs()
    limits = torch.finfo(kind)
    bound = torch.maximum(matrix.abs() * share, limits.smallest_normal * share * fp8.scale)
    assert (error <= bound * (1 + 1e-5)).all()
    assert error.max() > 0


@pytest.mark.parametrize("kind", [FORWARD, BACKWARD])
def test_scales_never_overflow_and_zeros_survive(kind):
    for peak in (0.0, 1e-45, 1e-38, 1e-3, 1.0, 448.0, 57344.0, 3e38):
        matrix = torch.tensor([[peak, -peak, 0.0]])
        fp8 = to_fp8(matrix, kind)
        assert torch.isfinite(fp8.values.float()).all()
        assert torch.isfinite(fp8.numbers()).all()
        assert fp8.numbers()[0, 2] == 0
        if peak >= 1e-3:
            torch.testing.assert_close(fp8.numbers(), matrix, rtol=1e-6, atol=0)


def test_not_a_number_stays_visible_in_fp8():
    assert to_fp8(torch.tensor([[1.0, float("nan")]]), FORWARD).numbers().isnan().any()


@pytest.mark.parametrize("left_kind", [FORWARD, BACKWARD])
@pytest.mark.parametrize(("rows", "inner", "columns"), [(16, 16, 16), (5, 7, 3), (33, 20, 50), (1, 16, 1)])
def test_the_emulated_product_is_the_one_that_torch_computes_in_fp8(left_kind, rows, inner, columns):
    """`torch._scaled_mm` runs on the CPU, too, only slowly: the path that a GPU takes, padding included."""
    left = to_fp8(normal(rows, inner, seed=1, scale=3e-4), left_kind)
    right = to_fp8(normal(columns, inner, seed=2, scale=20.0), FORWARD).transposed()
    torch.testing.assert_close(hardware_product(left, right), product(left, right), rtol=1e-6, atol=1e-7)


def test_the_gradients_of_an_fp8_layer_are_products_of_what_was_rounded():
    layer, inputs, upstream = nn.Linear(6, 4), normal(5, 6), normal(5, 4, seed=3)
    inputs.requires_grad_()
    linear(layer, "fp8", inputs).backward(upstream)
    gradient = to_fp8(upstream, BACKWARD).numbers()
    torch.testing.assert_close(inputs.grad, gradient @ to_fp8(layer.weight.detach(), FORWARD).numbers())
    torch.testing.assert_close(layer.weight.grad, gradient.T @ to_fp8(inputs.detach(), FORWARD).numbers())
    torch.testing.assert_close(layer.bias.grad, upstream.sum(0))


def test_a_coarser_format_is_further_from_float32():
    layer, inputs = nn.Linear(64, 32), normal(3, 5, 64)
    exact = layer(inputs)
    errors = [(linear(layer, p, inputs) - exact).norm() / exact.norm() for p in FORMATS]
    assert errors[0] == 0
    assert errors[1] < 0.01 < errors[2] < 0.1
    weights = [(rounded(layer.weight.detach(), p) - layer.weight).norm().item() for p in FORMATS]
    assert weights[0] == 0
    assert weights[0] < weights[1] < weights[2] / 8


def test_formats_leave_names_and_forward_as_they_were():
    network = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3, bias=False))
    layers = {"0": network[0], "2": network[2]}
    names, inputs = list(network.state_dict()), normal(4, 8)
    before = network(inputs)
    with computing_in(layers, {"0": "bf16", "2": "fp8"}):
        assert list(network.state_dict()) == names
        assert not torch.equal(network(inputs), before)
    assert torch.equal(network(inputs), before)
    assert "forward" not in vars(network[0])
    copy.deepcopy(network)


def test_formats_end_with_the_block_also_when_it_fails():
    layer = nn.Linear(4, 4)
    with pytest.raises(RuntimeError), computing_in({"": layer}, {"": "fp8"}):
        raise RuntimeError
    assert "forward" not in vars(layer)


@pytest.mark.parametrize("number_format", ["bf16", "fp8"])
def test_a_toy_learns_in_a_coarse_format(number_format):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
    inputs = normal(256, 8)
    labels = (inputs @ normal(8, 4, seed=9)).argmax(1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    formats = dict.fromkeys(("0", "2"), number_format)
    with computing_in({"0": network[0], "2": network[2]}, formats):
        for _ in range(100):
            loss = nn.functional.cross_entropy(network(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


def test_a_scaled_matrix_is_its_values_times_its_scale():
    matrix = Scaled(torch.tensor([[1.0, -2.0]]).to(FORWARD), torch.tensor(0.5))
    assert matrix.numbers().tolist() == [[0.5, -1.0]]
    assert functools.reduce(lambda m, _: m.transposed(), range(2), matrix).numbers().tolist() == [[0.5, -1.0]]
