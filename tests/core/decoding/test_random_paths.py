"""Random paths: legal, seeded, and scored as the exhaustive oracle scores them."""

import numpy as np
import pytest
import torch
from lookup_model import LookupModel, random_histories, random_ids

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex, item_path_scores, random_paths
from reg4rec_core.decoding.random_paths import draw_uniformly

KINDS = ("item_marginal", "heads", "mixture")


def draws_of(users, width, steps, seed=0):
    return np.random.default_rng(seed).random((users, width, steps))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_item_has_the_score_that_the_oracle_gives_it(kind, seed):
    model, index = LookupModel(seed=seed), ItemIndex(random_ids(seed))
    histories = random_histories(seed, 7)
    decode = DecodeConfig(code_probabilities=kind, top_k=10)
    lists = random_paths(model, index, histories, draws_of(7, 5, 3, seed), decode)
    for items, scores, history in zip(lists.items, lists.scores, histories, strict=True):
        oracle = item_path_scores(model, index, history, decode)
        found = items > 0
        assert 0 < found.sum() <= 10
        assert len(set(items[found].tolist())) == found.sum(), "an item stands in a list once"
        assert not set(items[found].tolist()) & set(history.tolist())
        np.testing.assert_allclose(scores[found], oracle[items[found]])
        assert (np.diff(scores[found]) <= 0).all()
        assert np.isneginf(scores[~found]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_enough_random_paths_rank_the_whole_catalogue_as_the_oracle_does(kind):
    model, index = LookupModel(), ItemIndex(random_ids(0))
    history = random_histories(0, 3)[2:]
    decode = DecodeConfig(code_probabilities=kind, top_k=12)
    lists = random_paths(model, index, history, draws_of(1, 400, 3), decode)
    oracle = item_path_scores(model, index, history[0], decode)
    expected = np.argsort(-oracle, kind="stable")
    expected = expected[np.isfinite(oracle[expected])]
    assert lists.items[0, : len(expected)].tolist() == expected.tolist()


def test_a_history_has_the_same_paths_alone_and_in_any_company():
    model, index, decode = LookupModel(), ItemIndex(random_ids(0)), DecodeConfig(top_k=6)
    histories, draws = random_histories(0, 20), draws_of(20, 4, 3)
    together = random_paths(model, index, histories, draws, decode)
    for row in (0, 5, 6, 19):
        alone = random_paths(model, index, histories[row : row + 1], draws[row : row + 1], decode)
        np.testing.assert_array_equal(alone.items[0], together.items[row])
        np.testing.assert_array_equal(alone.scores[0], together.scores[row])


def test_other_draws_give_other_paths():
    model, index, decode = LookupModel(), ItemIndex(random_ids(0)), DecodeConfig(top_k=6)
    histories = random_histories(0, 12)
    first, second = (random_paths(model, index, histories, draws_of(12, 2, 3, s), decode).items for s in (0, 1))
    assert (first != second).any()


def test_items_seen_outside_the_history_window_are_left_out():
    model, index, decode = LookupModel(), ItemIndex(random_ids(0)), DecodeConfig(top_k=12)
    seen = [np.arange(1, 9)]
    lists = random_paths(model, index, random_histories(0, 2)[1:], draws_of(1, 300, 3), decode, seen=seen)
    assert set(lists.items[0].tolist()) - {0} == set(range(9, 13))


def test_open_codes_are_drawn_evenly_and_closed_ones_never():
    is_open = torch.tensor([False, True, False, True, True, False])
    draw = torch.arange(3000)[None].double() / 3000
    codes = draw_uniformly(is_open.expand(1, 3000, 6), draw)
    assert codes[0].bincount(minlength=6).tolist() == [0, 1000, 0, 1000, 1000, 0]
