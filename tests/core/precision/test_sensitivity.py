import pytest
import torch
from torch import nn

from reg4rec_core.precision.sensitivity import LayerNorms, SampledLoss, layer_norms, linear_layers

N, N_IN, HIDDEN, CLASSES = 12, 5, 4, 3


def toy(*, scale=1.0):
    """A network and inputs whose numbers are written down, not drawn, so that stored results stay valid."""
    first, second = nn.Linear(N_IN, HIDDEN), nn.Linear(HIDDEN, CLASSES)
    for layer, step in ((first, 0.7), (second, 1.3)):
        size = layer.weight.numel()
        layer.weight.data = scale * torch.sin(step * torch.arange(1.0, size + 1)).view_as(layer.weight)
        layer.bias.data = 0.1 * torch.cos(torch.arange(1.0, len(layer.bias) + 1))
    inputs = torch.cos(0.9 * torch.arange(1.0, N * N_IN + 1)).view(N, N_IN)
    return nn.Sequential(first, nn.Tanh(), second), inputs


def norms_over(network, inputs, draws, *, seed=0):
    """Sum over batches of labels drawn from the network's own predictions."""
    generator = torch.Generator().manual_seed(seed)
    layers = linear_layers(network)
    total = {name: LayerNorms() for name in layers}

    def draw():
        logits = network(inputs)
        flat = logits.flatten(0, -2)
        labels = torch.multinomial(flat.detach().softmax(1), 1, generator=generator)[:, 0]
        return SampledLoss(nn.functional.cross_entropy(flat, labels, reduction="sum") / len(inputs), len(inputs))

    for _ in range(draws):
        fresh = layer_norms(layers, draw)
        total = {name: total[name] + fresh[name] for name in layers}
    return total


def exact_traces(network, inputs):
    """Both traces of every layer by going through all examples and all labels, one at a time."""
    layers = linear_layers(network)
    weights = [layer.weight for layer in layers.values()]
    seen = {}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _, a, out, name=name: seen.update({name: (a[0].detach(), out)}))
    fisher, input_square, gradient_square = (dict.fromkeys(layers, 0.0) for _ in range(3))
    for row in inputs:
        log_probs = network(row[None]).log_softmax(1)[0]
        for log_prob in log_probs:
            outputs = [seen[name][1] for name in layers]
            gradients = torch.autograd.grad(-log_prob, [*weights, *outputs], retain_graph=True)
            p = log_prob.detach().exp()
            for name, to_weight, to_output in zip(layers, gradients, gradients[len(weights) :], strict=False):
                fisher[name] += float(p * to_weight.square().sum()) / len(inputs)
                gradient_square[name] += float(p * to_output.square().sum()) / len(inputs)
        for name in layers:
            input_square[name] += float(seen[name][0].square().sum()) / len(inputs)
    return {name: (input_square[name] * gradient_square[name], fisher[name]) for name in layers}


CURVLINOPS = {"0": (0.5034547, 0.4638729), "2": (1.8224255, 1.8262853)}
"""Traces of `toy()` by curvlinops 3.0.1: KFACLinearOperator of the weights (type-2: exact in the labels), and the GGN,
which for a softmax is the exact Fisher matrix. Stored, since a test environment with a CPU build of PyTorch cannot
install curvlinops: it brings a torchvision along that only fits the GPU build and breaks whatever imports it."""


@pytest.fixture(scope="module")
def sampled():
    """Norms of `toy()` over many draws of labels."""
    return norms_over(*toy(), 4000)


def test_the_kfac_trace_is_that_of_curvlinops(sampled):
    exact = exact_traces(*toy())
    for name, (kfac, fisher) in CURVLINOPS.items():
        assert exact[name] == pytest.approx((kfac, fisher), rel=1e-5)
        assert sampled[name].kfac_trace == pytest.approx(kfac, rel=0.02)


def test_curvlinops_still_says_what_is_stored():
    curvlinops = pytest.importorskip("curvlinops", reason="curvlinops is not installed; its stored numbers are used")
    network, inputs = toy()
    labels = torch.zeros(N, dtype=torch.long)
    for name, (kfac, fisher) in CURVLINOPS.items():
        weight = network.get_submodule(name).weight
        arguments = (network, nn.CrossEntropyLoss(), [weight], [(inputs, labels)])
        operator = curvlinops.KFACLinearOperator(*arguments, fisher_type="type-2")
        assert float(operator.trace) == pytest.approx(kfac, rel=1e-5)
        exact = curvlinops.GGNLinearOperator(*arguments) @ torch.eye(weight.numel())
        assert float(exact.trace()) == pytest.approx(fisher, rel=1e-5)


def test_the_sampled_fisher_trace_has_the_exact_one_as_its_mean(sampled):
    exact = exact_traces(*toy())
    for name in exact:
        assert sampled[name].fisher_trace == pytest.approx(exact[name][1], rel=0.04)


def test_both_traces_agree_where_inputs_and_gradients_are_independent():
    """With weights of zero every prediction is the bias's, whatever the input: the factors are independent."""
    network, inputs = nn.Sequential(nn.Linear(N_IN, CLASSES)), toy()[1] * torch.linspace(0.1, 3, N)[:, None]
    network[0].weight.data.zero_()
    kfac, fisher = exact_traces(network, inputs)["0"]
    assert kfac / fisher == pytest.approx(1, rel=1e-5)


def test_the_traces_part_where_large_inputs_make_sure_predictions():
    """A long input makes a confident prediction and a small gradient: the product of means is too large."""
    network, inputs = nn.Sequential(nn.Linear(N_IN, CLASSES)), toy()[1] * torch.linspace(0.1, 3, N)[:, None]
    network[0].weight.data = 3 * toy()[0][2].weight.data.repeat(1, 2)[:, :N_IN]
    kfac, fisher = exact_traces(network, inputs)["0"]
    assert kfac / fisher > 1.5
    drawn = norms_over(network, inputs, 2000)["0"]
    assert drawn.kfac_trace / drawn.fisher_trace == pytest.approx(kfac / fisher, rel=0.1)


def test_positions_of_a_sequence_count_as_rows_of_one_example():
    """Expand: inputs are averaged over all rows, gradients summed over the rows of an example."""
    network, inputs = nn.Sequential(nn.Linear(2, 2, bias=False)), torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])

    def draw():
        return SampledLoss((network(inputs) * torch.tensor([[3.0, 0.0], [0.0, 4.0]])).sum(), 1)

    norms = layer_norms(linear_layers(network), draw)["0"]
    assert (norms.inputs, norms.rows, norms.gradients) == (5.0, 2.0, 25.0)
    assert norms.kfac_trace == 5 / 2 * 25
    assert norms.weight == (3 * 1) ** 2 + (4 * 2) ** 2


def test_measuring_leaves_gradients_and_hooks_as_they_were_and_a_layer_unused_has_no_trace():
    network, inputs = toy()
    network.add_module("unused", nn.Linear(2, 2))
    loss_of = network[:3]
    norms = layer_norms(linear_layers(network), lambda: SampledLoss(loss_of(inputs).square().mean(), N))
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())
    assert norms["unused"].kfac_trace == norms["unused"].fisher_trace == 0


def test_a_frozen_layer_is_as_sensitive_as_a_trained_one():
    network, inputs = toy()
    expected = norms_over(network, inputs, 3)
    network.requires_grad_(False)
    network[2].bias.requires_grad_(True)
    frozen = norms_over(network, inputs, 3)
    for name in expected:
        assert frozen[name].kfac_trace == pytest.approx(expected[name].kfac_trace)
