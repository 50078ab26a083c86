"""The deletion test finds planted causes, and says no to an order that means nothing."""

import math
from functools import cache

import numpy as np
import pytest
from lookup_model import random_ids
from planted_model import PlantedModel

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.analysis.deletion import (
    ARMS,
    MEASURES,
    DeletionTest,
    Order,
    UserFalls,
    by_influence,
    choose,
    deletion_test,
    shuffled,
)
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex

SIZES = {"n_items": 60, "n_codebooks": 4, "codebook_size": 4}
CAUSE = 3


def nearest(item: int, count: int) -> np.ndarray:
    return np.array([other for other in range(1, 60) if other != item])[:count]


@cache
def ask(seed: int, *, length: int = 6) -> Question:
    """`length` purchases in random order; `CAUSE` alone puts item 50 first, the others mean nothing."""
    history = np.random.default_rng(seed).permutation([CAUSE, *range(10, 9 + length)])
    model = PlantedModel(seed=seed, gains={(CAUSE, 50): 12.0}, **SIZES)
    config = DecodeConfig(beam_width=5, top_k=5, theta=math.inf)
    return Question(model, ItemIndex(random_ids(1, **SIZES)), history, history, config, nearest)


def put_to_the_test(users: range, order: Order, *, length: int = 6) -> DeletionTest:
    questions = [ask(user, length=length) for user in users]
    return deletion_test(questions, order=order, seed=0, progress=lambda rows, desc: rows)


@pytest.fixture(scope="module")
def planted() -> DeletionTest:
    return put_to_the_test(range(8), by_influence)


def test_a_planted_cause_is_found(planted: DeletionTest) -> None:
    assert planted.holds
    assert (len(planted.users), planted.skipped) == (8, 0)
    block = planted.block("deletion", 1)
    assert block["mean_fall"]["influential"]["place"] > block["mean_fall"]["random"]["place"] + 1
    assert block["mean_fall"]["least"]["path_log_prob"] == pytest.approx(0, abs=1e-4), "these mean nothing"
    assert block["advantage_over"]["least"]["dropped"]["low"] > 0


def test_the_cause_alone_is_enough(planted: DeletionTest) -> None:
    block = planted.block("sufficiency", 1)
    for measure in MEASURES:
        assert block["mean_fall"]["influential"][measure] == pytest.approx(0, abs=1e-4)
    assert block["advantage_over"]["random"]["place"]["low"] > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_random_order_fails_the_test(seed: int) -> None:
    assert not put_to_the_test(range(6), shuffled(seed)).holds


def test_the_wrong_way_round_fails_the_test() -> None:
    report = put_to_the_test(range(4), lambda attribution: attribution.strongest(0)[::-1])
    assert not report.holds
    assert report.block("deletion", 3)["advantage_over"]["random"]["place"]["high"] < 0


def test_the_sets_are_what_their_arms_say() -> None:
    named, positions = np.array([5, 3, 2, 4]), np.array([2, 3, 4, 5])
    sets = choose(named, positions, np.random.default_rng(0))
    assert (sets["influential", 2], sets["least", 2], sets["newest", 2]) == ([(3, 5)], [(2, 4)], [(4, 5)])
    assert len(set(sets["random", 1])) > 1
    assert {size for _, size in sets} == {1, 2, 3}
    assert {size for _, size in choose(named[:2], positions[:2], np.random.default_rng(0))} == {1}, "one has to stay"


def test_advantages_are_paired_differences_with_the_sign_that_speaks_for_the_explanation() -> None:
    falls = np.zeros((2, len(ARMS), len(MEASURES)))
    falls[:, 0, 2], falls[:, 1, 2] = [5, 3], [1, 1]
    users = tuple(UserFalls({("deletion", 1): user, ("sufficiency", 1): user}) for user in falls)
    report = DeletionTest(users, 0, 0, 0.0)
    taken, kept = report.block("deletion", 1), report.block("sufficiency", 1)
    assert taken["advantage_over"]["random"]["place"]["mean"] == 3
    assert kept["advantage_over"]["random"]["place"]["mean"] == -3
    assert (taken["advantage_over"]["random"]["place"]["low"], taken["mean_fall"]["random"]["place"]) == (2, 1)
    assert report.block("deletion", 2) == {}
    assert not report.holds, "the first state did not move"


def test_who_cannot_be_asked_is_counted_not_guessed() -> None:
    report = put_to_the_test(range(3), by_influence, length=1)
    assert (report.users, report.skipped, report.holds) == ((), 3, False)


def test_a_user_gives_the_same_whoever_else_is_asked() -> None:
    alone, together = (put_to_the_test(range(users), by_influence) for users in (1, 3))
    for key, falls in alone.users[0].falls.items():
        np.testing.assert_array_equal(falls, together.users[0].falls[key])
