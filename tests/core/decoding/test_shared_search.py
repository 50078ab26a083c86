"""Searches that share their work against searches by themselves."""

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from math import inf

import numpy as np
import pytest
import torch
from lookup_model import Answers, LookupModel, random_histories, random_ids

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex, SearchedItems, Truth, search_items
from reg4rec_core.decoding.shared_search import search_items_under
from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.types import SemanticIds

CODEBOOKS, ITEMS, USERS = 4, 40, 8
THETAS = (0.0, 0.03, 0.08, 0.2, inf)


class RoundModel(LookupModel):
    """Item logits of which many are equal, so that the order of the places decides."""

    def look_up(self, history, path) -> Answers:
        answers = super().look_up(history, path)
        return replace(answers, item_logits=answers.item_logits.mul(0.5).round())


@dataclass
class CountingModel(LookupModel):
    """Writes down every candidate that it is asked for, but for the idle columns: code 0 after the first path."""

    asked: Counter = field(default_factory=Counter)

    def step(self, state, parent, codebook, code):
        for row, paths in enumerate(state):
            columns = zip(parent[row].tolist(), codebook[row].tolist(), code[row].tolist(), strict=True)
            self.asked.update((parent.shape[1], row, paths[p], m, k) for p, m, k in columns if (p, k) != (0, 0))
        return super().step(state, parent, codebook, code)


def nearest(item: int, count: int) -> np.ndarray:
    order = np.arange(1, ITEMS)
    return order[np.argsort(np.abs(order - item), kind="stable")][:count]


def settings(thetas=THETAS, **options) -> list[DecodeConfig]:
    return [DecodeConfig(**({"beam_width": 5, "check_from": 1, "theta": theta} | options)) for theta in thetas]


def both(seed: int, configs: list[DecodeConfig], kind: type[LookupModel] = LookupModel) -> tuple[LookupModel, ...]:
    """Search both ways, compare bit for bit, and return the two models for what they were asked."""
    sizes = {"n_items": ITEMS, "n_codebooks": CODEBOOKS}
    index, histories = ItemIndex(random_ids(seed, **sizes)), random_histories(seed, USERS, n_items=ITEMS)
    random = np.random.default_rng(seed)
    truth = Truth(random.integers(1, ITEMS, USERS), random.integers(0, 5, ITEMS))
    options = {"seen": [row[row > 0] for row in histories], "neighbours": nearest, "truth": truth}
    together, alone = kind(seed=seed, **sizes), kind(seed=seed, **sizes)
    found = search_items_under(together, index, histories, configs, **options)
    for config, result in zip(configs, found, strict=True):
        assert_same(result, search_items(alone, index, histories, config, **options))
    return together, alone


def assert_same(left: SearchedItems, right: SearchedItems) -> None:
    for column in fields(SearchedItems):
        one, other = getattr(left, column.name), getattr(right, column.name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, err_msg=column.name)


OPTIONS = [
    {},
    {"look_ahead": False, "max_regenerations": 4, "top_k": 15, "beam_width": 3},
    {"max_regenerations": 0, "beam_width": 2},
    {"beam_width": 20, "max_regenerations": 1, "check_from": 2},
    {"code_probabilities": "heads", "beam_width": 8, "exclude_history": False},
    {"code_probabilities": "mixture", "selection": "fixed", "check_from": 3, "beam_width": 6},
    {"beam_width": 4, "check_from": CODEBOOKS},
]


@pytest.mark.parametrize(("seed", "options"), list(enumerate(OPTIONS)))
def test_every_theta_has_the_result_of_a_search_by_itself_bit_for_bit(seed: int, options: dict) -> None:
    both(seed, settings(**options))


@pytest.mark.parametrize("seed", [11, 12])
def test_equal_scores_fall_as_they_would(seed: int) -> None:
    both(seed, settings(beam_width=4), RoundModel)


def test_settings_may_differ_in_where_they_compare_and_have_a_theta_for_every_step() -> None:
    decode = DecodeConfig(beam_width=5, theta=0.04)
    checks = [replace(decode, check_from=check) for check in (1, 2, 3)]
    both(3, [*checks, replace(decode, thetas=(0.01, inf, 0.1)), replace(decode, thetas=(0.3, 0.02)), checks[0]])


def test_a_candidate_that_several_thetas_try_is_put_to_the_network_once() -> None:
    together, alone = both(5, settings(max_regenerations=3), CountingModel)
    assert set(together.asked.values()) == {1}
    assert set(alone.asked.values()) > {1, 2, 3}
    assert {asked for asked in together.asked if asked[-1] > 0} <= set(alone.asked)
    assert set(together.calls) == set(alone.calls)
    assert sum(together.calls) < sum(alone.calls) / 2


def test_other_settings_cannot_be_searched_together() -> None:
    with pytest.raises(ValueError, match="theta and check_from alone"):
        both(0, [DecodeConfig(), DecodeConfig(beam_width=3)])


@pytest.fixture(scope="module")
def reasoner() -> Reasoner:
    torch.manual_seed(0)
    codes = torch.randint(8, (120, 5))
    codes[0] = 0
    sizes = {"codebook_size": 8, "n_categories": 7, "history_length": 6, "encoder_layers": 1, "decoder_layers": 2}
    network = EncoderDecoder(codes, **sizes, width=64, hidden=128, n_heads=4)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return Reasoner(network)


@pytest.mark.parametrize("look_ahead", [True, False])
def test_a_real_network_gives_the_same_bits(reasoner: Reasoner, look_ahead: bool) -> None:
    index = ItemIndex(SemanticIds(reasoner.network.flat_codes.numpy() % 8, 8))
    histories = np.random.default_rng(0).integers(1, 120, (8, 6))
    [off] = settings(thetas=(inf,), beam_width=20, check_from=2, look_ahead=look_ahead)
    js = search_items(reasoner, index, histories[:1], off).tried_js
    configs = [replace(off, theta=float(theta)) for theta in (*np.nanquantile(js, (0.2, 0.5, 0.9)), inf)]
    found = search_items_under(reasoner, index, histories, configs)
    assert len({int(result.pruned.sum()) for result in found}) == 4
    for config, result in zip(configs, found, strict=True):
        assert_same(result, search_items(reasoner, index, histories, config))
