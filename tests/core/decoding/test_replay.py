import dataclasses
import math

import numpy as np
import pytest
import torch

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex, search
from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.types import SemanticIds

N, M, K, LENGTH = 400, 4, 12, 6


@pytest.fixture(scope="module")
def reasoner():
    """The real network at a width where two threads would share a product."""
    torch.manual_seed(0)
    codes = torch.randint(K, (N, M))
    codes[0] = 0
    network = EncoderDecoder(
        codes, codebook_size=K, n_categories=7, history_length=LENGTH, width=128, hidden=640, encoder_layers=1,
        decoder_layers=2, n_heads=4,
    )  # fmt: skip
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return Reasoner(network)


def same(one, other):
    for field in dataclasses.fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right, err_msg=field.name)
        else:
            assert left == right, field.name


@pytest.mark.parametrize("theta", [0.01, math.inf])
def test_a_trace_is_the_same_bit_for_bit_alone_and_anywhere_in_a_batch(reasoner, theta):
    index = ItemIndex(SemanticIds(reasoner.network.flat_codes.numpy() % K, K))
    rng = np.random.default_rng(0)
    histories = rng.integers(1, N, (19, LENGTH))
    histories[3, :4] = 0
    config = DecodeConfig(theta=theta, beam_width=20)
    torch.set_num_threads(2)
    together = search(reasoner, index, histories, config)
    assert torch.get_num_threads() == 1, "two threads would round by the row's place in the batch"
    order = rng.permutation(19)
    shuffled = search(reasoner, index, histories[order], config)
    for place, user in enumerate(order):
        same(shuffled[place], together[user])
    for user in (0, 3, 11, 18):
        same(search(reasoner, index, histories[user : user + 1], config)[0], together[user])
