import dataclasses

import pytest
import torch

from reg4rec_core.config import PretrainConfig
from reg4rec_core.model import EncoderDecoder
from reg4rec_core.training.drawn_labels import drawn, drawn_loss, labelled_loss
from reg4rec_core.training.objective import BatchShare, CatalogTensors, Prefixes, draw_prefixes, pretrain_losses

N, M, K, C, LENGTH = 14, 3, 4, 3, 6


def make_share(seed):
    generator = torch.Generator().manual_seed(seed)
    windows = torch.randint(1, N, (9, LENGTH + 1), generator=generator)
    for row in range(len(windows)):
        windows[row, : row % 4] = 0
    prefixes = draw_prefixes(windows[:, :-1] > 0, per_window=2, n_codebooks=M, generator=generator)
    codes = torch.randint(K, (N, M), generator=generator)
    torch.manual_seed(seed)
    network = EncoderDecoder(
        codes, codebook_size=K, n_categories=C, history_length=LENGTH, width=8, hidden=12, encoder_layers=1,
        decoder_layers=1, n_heads=2,
    )  # fmt: skip
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    catalog = CatalogTensors(codes, torch.randint(C, (N,), generator=generator))
    return network, BatchShare(windows, prefixes, 1.0, 1.0), catalog


@pytest.mark.parametrize("seed", range(3))
def test_with_the_labels_of_the_data_it_is_the_training_loss(seed):
    network, share, catalog = make_share(seed)
    config = PretrainConfig(item_weight=0.7, token_weight=1.3, category_weight=0.4)
    loss = labelled_loss(network, share, catalog, config, lambda logits, truth: truth)
    expected = pretrain_losses(network, share.windows, catalog, share.prefixes).total(config)
    torch.testing.assert_close(loss.mean, expected)
    assert loss.examples == 9
    gradients = [torch.autograd.grad(value, network.revision.weight)[0] for value in (loss.mean, expected)]
    torch.testing.assert_close(*gradients)


def test_labels_are_drawn_by_the_softmax_and_never_where_it_is_zero():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2, 0.0]])).expand(20_000, -1)
    labels = drawn(torch.Generator().manual_seed(0))(logits, torch.zeros(20_000, dtype=torch.long))
    shares = torch.bincount(labels, minlength=4) / len(labels)
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.3, 0.2, 0.0]), atol=0.015, rtol=0)


def test_the_mean_gradient_of_drawn_labels_is_zero():
    """The score of the true Fisher has mean zero; with the labels of the data it has not."""
    network, share, catalog = make_share(0)
    generator, config = torch.Generator().manual_seed(0), PretrainConfig()
    parameters = [network.code_heads.weight, network.category_head.weight, network.revision.weight]

    def gradient(loss):
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)])

    drawn_gradients = torch.stack(
        [gradient(drawn_loss(network, share, catalog, config, generator).mean) for _ in range(200)]
    )
    error = drawn_gradients.std(0).norm() / 200**0.5
    assert drawn_gradients.mean(0).norm() < 1.5 * error
    truth = gradient(labelled_loss(network, share, catalog, config, lambda logits, truth: truth).mean)
    assert truth.norm() > 5 * error


def test_the_same_generator_draws_the_same_labels():
    network, share, catalog = make_share(1)
    losses = [
        drawn_loss(network, share, catalog, PretrainConfig(), torch.Generator().manual_seed(seed)).mean.item()
        for seed in (0, 0, 1)
    ]
    assert losses[0] == losses[1] != losses[2]


def test_a_worker_without_examples_adds_nothing():
    network, share, catalog = make_share(0)
    nothing = Prefixes(*(values[:0] for values in (share.prefixes.rows, share.prefixes.last, share.prefixes.orders)))
    empty = dataclasses.replace(share, windows=share.windows[:0], prefixes=nothing)
    loss = drawn_loss(network, empty, catalog, PretrainConfig(), torch.Generator())
    assert (loss.mean.item(), loss.examples) == (0, 0)
