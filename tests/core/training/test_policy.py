"""The policy's log-probabilities with gradients are those that decoding samples with."""

import numpy as np
import pytest
import torch

from reg4rec_core.decoding import ItemIndex
from reg4rec_core.model import EncoderDecoder, Reasoner, Transitions
from reg4rec_core.training.policy import encode_histories, path_log_probs, segment_logsumexp
from reg4rec_core.training.rollouts import SampledPaths, sample_paths
from reg4rec_core.types import SemanticIds

KINDS = ("heads", "item_marginal", "mixture")
HISTORY = torch.tensor([[0, 0, 0, 5], [1, 2, 3, 4], [0, 0, 30, 7]])
FOLLOWING = torch.tensor([[6, 9], [8, 0], [10, 11]])


def small_network(seed: int = 0, *, noise: float = 0.6) -> tuple[EncoderDecoder, ItemIndex]:
    torch.manual_seed(seed)
    codes = np.random.default_rng(seed).integers(0, 5, (41, 3))
    codes[40] = codes[39]
    codes[0] = 0
    sizes = {"n_categories": 6, "history_length": 4, "width": 8, "hidden": 16, "encoder_layers": 1}
    random = np.random.default_rng(seed)
    transitions = Transitions.count([random.permutation(np.arange(1, 41))[:12] for _ in range(30)], n_items=41)
    network = EncoderDecoder(
        torch.as_tensor(codes),
        codebook_size=5,
        **sizes,
        decoder_layers=2,
        n_heads=2,
        transition_weight=0.3,
        transitions=transitions,
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(noise * torch.randn_like(parameter))
    return network, ItemIndex(SemanticIds(codes, 5))


def rollouts(network: EncoderDecoder, index: ItemIndex, kind: str) -> tuple[torch.Tensor, SampledPaths]:
    excluded = torch.zeros(3, 41, dtype=torch.bool).scatter_(1, HISTORY, True)
    draws = torch.rand(3, 7, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    reasoner = Reasoner(network)
    root = reasoner.encode_before(HISTORY, FOLLOWING)
    return excluded, sample_paths(reasoner, index, root, excluded, draws, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_the_policy_gives_a_sampled_path_the_probability_it_was_sampled_with(kind, seed):
    network, index = small_network(seed)
    excluded, paths = rollouts(network, index, kind)
    log_probs = path_log_probs(
        network, index, encode_histories(network, HISTORY, excluded, FOLLOWING), paths, kind=kind
    )
    assert (paths.log_probs < -0.01).any()
    torch.testing.assert_close(log_probs.detach(), paths.log_probs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_slopes_of_the_log_probabilities(kind):
    network, index = small_network()
    network = network.double()
    excluded, paths = rollouts(small_network()[0], index, kind)

    def total() -> torch.Tensor:
        return path_log_probs(
            network, index, encode_histories(network, HISTORY, excluded, FOLLOWING), paths, kind=kind
        ).sum()

    total().backward()
    for name in ("code_embedding.weight", "decoder.1.feed_forward.0.weight", "encoder_recency", "code_heads.weight"):
        parameter = network.get_parameter(name)
        direction = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        with torch.no_grad():
            parameter.add_(1e-6 * direction)
            above = total()
            parameter.sub_(2e-6 * direction)
            slope = (above - total()) / 2e-6
            parameter.add_(1e-6 * direction)
        expected = torch.zeros(()) if parameter.grad is None else (parameter.grad * direction).sum()
        assert slope.item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-6), name


def test_a_path_is_scored_alone_as_in_its_group():
    network, index = small_network(1)
    excluded, paths = rollouts(network, index, "item_marginal")
    whole = path_log_probs(
        network, index, encode_histories(network, HISTORY, excluded, FOLLOWING), paths, kind="item_marginal"
    )
    draws = torch.rand(3, 7, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)[1:2, 2:3]
    reasoner = Reasoner(network)
    root = reasoner.encode_before(HISTORY[1:2], FOLLOWING[1:2])
    alone = sample_paths(reasoner, index, root, excluded[1:2], draws, kind="item_marginal")
    encoded = encode_histories(network, HISTORY[1:2], excluded[1:2], FOLLOWING[1:2])
    part = path_log_probs(network, index, encoded, alone, kind="item_marginal")
    torch.testing.assert_close(part, whole[1:2, 2:3], rtol=1e-4, atol=1e-5)


def test_segment_logsumexp_is_that_of_each_segment_and_0_for_an_empty_one():
    values = torch.tensor([1.0, 2.0, -3.0, 500.0, 500.0])
    got = segment_logsumexp(values, torch.tensor([2, 2, 0, 3, 3]), 5)
    expected = [-3.0, 0.0, np.log(np.e + np.e**2), 500 + np.log(2), 0.0]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
