"""Exhaustive scores against a beam that holds every item."""

import math
from dataclasses import replace

import numpy as np
import pytest
from lookup_model import LookupModel, random_histories, random_ids

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex, item_path_scores, oracle, search

SIZES = {"n_items": 60, "n_codebooks": 4}


@pytest.mark.parametrize("kind", ["item_marginal", "heads", "mixture"])
@pytest.mark.parametrize("exclude_history", [True, False])
@pytest.mark.parametrize("selection", ["confidence", "fixed"])
def test_the_oracle_equals_a_search_that_cuts_nothing(kind: str, exclude_history: bool, selection: str) -> None:
    ids, model = random_ids(3, codebook_size=3, **SIZES), LookupModel(seed=3, codebook_size=3, **SIZES)
    index = ItemIndex(ids)
    assert index.set_sizes[-1] > 1, "the case needs collisions"
    config = DecodeConfig(
        beam_width=60,
        theta=math.inf,
        top_k=60,
        code_probabilities=kind,
        exclude_history=exclude_history,
        selection=selection,
    )
    for history in random_histories(3, 3, n_items=60):
        scores = item_path_scores(model, index, history, config)
        trace = search(model, index, history[None], config)[0]
        left_out = {0, *history} if exclude_history else {0}
        assert set(np.flatnonzero(np.isneginf(scores))) == left_out
        assert sorted(trace.items) == sorted(set(range(60)) - left_out)
        np.testing.assert_allclose(trace.item_scores, scores[trace.items], atol=1e-5)  # float32 sums, other shapes
        assert np.exp(scores).sum() == pytest.approx(1)


def test_the_oracle_does_not_depend_on_its_chunks_or_on_the_beam(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, model = random_ids(4, **SIZES), LookupModel(seed=4, **SIZES)
    index, history, config = ItemIndex(ids), random_histories(4, 2, n_items=60)[1], DecodeConfig()
    scores = item_path_scores(model, index, history, config)
    monkeypatch.setattr(oracle, "CHUNK", 3)
    other = replace(config, beam_width=1, theta=0.0, look_ahead=False)
    np.testing.assert_allclose(item_path_scores(model, index, history, other), scores)


def test_the_oracle_never_asks_about_a_path_with_one_item() -> None:
    ids, model = random_ids(5, codebook_size=40, **SIZES), LookupModel(seed=5, codebook_size=40, **SIZES)
    config = DecodeConfig(exclude_history=False)
    item_path_scores(model, ItemIndex(ids), random_histories(5, 1)[0], config)
    assert sum(model.calls) < 40


def test_seen_items_are_left_out_instead_of_the_history() -> None:
    ids, model = random_ids(6), LookupModel(seed=6)
    history = random_histories(6, 2)[1]
    scores = item_path_scores(model, ItemIndex(ids), history, DecodeConfig(), seen=np.array([2, 7]))
    assert np.flatnonzero(np.isneginf(scores)).tolist() == [0, 2, 7]
