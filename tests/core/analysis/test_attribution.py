"""Influence against repeated scoring, the smallest edit against all subsets."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from lookup_model import LookupModel, random_ids
from planted_model import PlantedModel

from reg4rec_core.analysis.attribution import Question, attribute, left_out, smallest_edit
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex, item_path_scores

SIZES = {"n_items": 40, "n_codebooks": 4, "codebook_size": 3}


def nearest(item: int, count: int) -> np.ndarray:
    """Neighbours by number."""
    others = np.array([other for other in range(1, 40) if other != item])
    return others[np.argsort(abs(others - item), kind="stable")][:count]


def ask(model: LookupModel, history: list[int], **settings: object) -> Question:
    ids, padded = random_ids(7, **SIZES), np.zeros(6, np.int64)
    padded[6 - len(history) :] = history
    config = DecodeConfig(**({"beam_width": 6, "top_k": 5, "theta": math.inf} | settings))
    return Question(model, ItemIndex(ids), padded, np.array(history), config, nearest)


def test_leaving_out_closes_the_gap_and_keeps_the_length() -> None:
    history = np.array([0, 0, 4, 5, 6, 7])
    assert left_out(history, (3, 5)).tolist() == [0, 0, 0, 0, 4, 6]
    assert left_out(history, ()).tolist() == history.tolist()


@pytest.mark.parametrize("kind", ["item_marginal", "heads", "mixture"])
def test_influence_is_what_a_path_loses_without_the_history_item(kind: str) -> None:
    question = ask(LookupModel(seed=1, **SIZES), [4, 9, 2, 30], code_probabilities=kind)
    trace = question.trace()
    found = attribute(question, trace)
    assert found.history.tolist() == [4, 9, 2, 30]
    assert found.positions.tolist() == [2, 3, 4, 5]
    assert found.influence.shape == (4, 5)
    np.testing.assert_allclose(found.log_prob, trace.log_prob[trace.item_nodes], rtol=1e-5)
    np.testing.assert_allclose(found.first_state, trace.item_first_state, rtol=1e-5)


def test_influence_equals_exhaustive_scoring_where_the_order_of_codes_does_not_matter() -> None:
    """Item-marginal codes and item logits that no code revises: an item's mass is the same along every order."""
    question = ask(LookupModel(seed=2, revises=False, **SIZES), [4, 9, 2, 30], theta=math.inf)
    found = attribute(question, question.trace())
    model, index, config, seen = question.model, question.index, question.config, question.seen
    histories = question.without([(), (2,), (3,), (4,), (5,)])
    scores = [item_path_scores(model, index, history, config, seen=seen) for history in histories]
    _, code_set, carriers = np.unique(question.index.codes, axis=0, return_inverse=True, return_counts=True)
    alone = np.flatnonzero(carriers[code_set[found.items]] == 1)  # the oracle tells apart what shares all codes
    assert len(alone) >= 3
    for row, scored in enumerate(scores[1:]):
        lost = scores[0][found.items[alone]] - scored[found.items[alone]]
        np.testing.assert_allclose(found.influence[row, alone], lost, atol=1e-4)  # sums of float32
        np.testing.assert_allclose(found.first_state_influence[row, alone], lost, atol=1e-4)


def test_padding_and_what_else_is_asked_change_nothing() -> None:
    question = ask(LookupModel(seed=3, **SIZES), [4, 9, 2])
    trace = question.trace()
    found = attribute(question, trace)
    longer = attribute(replace(question, history=np.concatenate([np.zeros(5, np.int64), question.history])), trace)
    np.testing.assert_array_equal(longer.influence, found.influence)
    assert (longer.positions - 5).tolist() == found.positions.tolist()
    columns = ("items", "item_scores", "item_nodes", "item_first_state", "item_evidence")
    fewer = replace(trace, **{name: getattr(trace, name)[:2] for name in columns})
    np.testing.assert_array_equal(attribute(question, fewer).influence, found.influence[:, :2])


def test_what_may_be_recommended_stays_when_evidence_is_left_out() -> None:
    gains = {(4, 9): 9.0, (9, 2): 9.0, (2, 4): 9.0}
    question = ask(PlantedModel(seed=4, gains=gains, **SIZES), [4, 9, 2])
    lists = question.search(question.without([(3,), (4,), (5,)])).items
    assert not np.isin(lists, [4, 9, 2]).any()


def test_a_neighbour_has_no_path_and_so_no_influence() -> None:
    question = ask(LookupModel(seed=5, **SIZES), [4, 9, 2], beam_width=1)
    trace = question.trace()
    found = attribute(question, trace)
    assert trace.item_nodes[0] >= 0
    assert (trace.item_nodes[2:] < 0).all()
    assert not np.isnan(found.influence[:, 0]).any()
    assert np.isnan(found.influence[:, 2:]).all()


def test_a_planted_cause_has_its_exact_influence_and_its_removal_drops_the_item() -> None:
    question = ask(PlantedModel(seed=6, gains={(9, 20): 8.0, (2, 21): 3.0}, **SIZES), [4, 9, 2])
    found = attribute(question, question.trace())
    assert found.items[0] == 20
    assert found.strongest(0)[0] == 4
    assert found.influence[0] == pytest.approx(0, abs=1e-5), "item 4 says nothing"
    edit = smallest_edit(question, found, 0)
    assert (edit.removed.tolist(), edit.smallest, edit.item, edit.searches) == ([4], True, 20, 3)


def test_two_causes_that_say_the_same_are_found_as_a_pair() -> None:
    """Leaving one of them out changes little: its influence is small, and no single removal drops the item."""
    question = ask(PlantedModel(seed=6, gains={(9, 20): 9.0, (2, 20): 9.0}, **SIZES), [4, 9, 2, 30, 31])
    found = attribute(question, question.trace())
    edit = smallest_edit(question, found, 0)
    assert sorted(question.history[edit.removed].tolist()) == [2, 9]
    assert edit.smallest


def test_pairs_find_what_growing_the_strongest_set_misses() -> None:
    """Item 31 only holds a rival back: without it item 20 loses most of its probability and one place."""
    gains = {(9, 20): 8.0, (2, 20): 8.0, (4, 21): 40.0, (31, 21): -40.0}
    question = ask(PlantedModel(seed=6, gains=gains, **SIZES), [4, 9, 2, 30, 31])
    found = attribute(question, question.trace())
    assert (found.items[0], question.history[found.strongest(0)[0]]) == (20, 31)
    edit = smallest_edit(question, found, 0)
    assert sorted(question.history[edit.removed].tolist()) == [2, 9]
    assert edit.smallest


def dropping_sets(question: Question, item: int) -> list[tuple[int, ...]]:
    """Every set of places, one purchase staying, whose removal drops the item; by size."""
    places = question.positions.tolist()
    sets = [found for size in range(1, len(places)) for found in combinations(places, size)]
    lists = question.search(question.without(sets)).items
    return [found for found, row in zip(sets, lists, strict=True) if item not in row]


@pytest.mark.parametrize("seed", range(6))
def test_the_smallest_edit_is_as_small_as_trying_every_set(seed: int) -> None:
    gains = {(cause, 20): 3.0 for cause in (4, 9, 2, 30, 31)[: 2 + seed % 4]}
    question = ask(PlantedModel(seed=seed, gains=gains, **SIZES), [4, 9, 2, 30, 31], top_k=3)
    found = attribute(question, question.trace())
    for rank, item in enumerate(found.items.tolist()):
        edit, sets = smallest_edit(question, found, rank), dropping_sets(question, item)
        assert edit.found == bool(sets)
        if sets:
            assert tuple(edit.removed) in sets
            assert not edit.smallest or len(edit.removed) == len(sets[0])
            assert edit.smallest or len(edit.removed) > 3


def test_a_budget_is_kept_and_said_to_have_ended_the_search() -> None:
    question = ask(PlantedModel(seed=6, gains={(9, 20): 9.0, (2, 20): 9.0}, **SIZES), [4, 9, 2, 30, 31])
    found = attribute(question, question.trace())
    edit = smallest_edit(question, found, 0, budget=4)
    assert (edit.found, edit.smallest, edit.searches) == (False, False, 0)
    edit = smallest_edit(question, found, 0, budget=5)
    assert (edit.found, edit.smallest, edit.searches) == (False, False, 5)


def test_the_only_purchase_is_never_removed() -> None:
    question = ask(PlantedModel(seed=6, gains={(9, 20): 9.0}, **SIZES), [9])
    edit = smallest_edit(question, attribute(question, question.trace()), 0)
    assert (edit.found, edit.searches) == (False, 0)
