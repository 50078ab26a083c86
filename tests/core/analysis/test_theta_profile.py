"""The profile of one history against fresh searches."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from lookup_model import Answers, LookupModel, random_histories, random_ids

import reg4rec_core.decoding.theta_range as theta_range
import reg4rec_core.decoding.theta_routes as theta_routes
from reg4rec_core.analysis.attribution import Question
from reg4rec_core.analysis.theta_profile import (
    ThetaProfile,
    interval_of,
    profile_theta,
    theta_changes,
    theta_intervals,
)
from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import Fate, InputError, ReasoningTrace

CODEBOOKS, ITEMS = 4, 40


class RoundModel(LookupModel):
    """Item logits of which many are equal."""

    def look_up(self, history, path) -> Answers:
        answers = super().look_up(history, path)
        return replace(answers, item_logits=answers.item_logits.mul(0.5).round())


def nearest(item: int, count: int) -> np.ndarray:
    order = np.arange(1, ITEMS)
    return order[np.argsort(np.abs(order - item), kind="stable")][:count]


def question(seed: int, model: type[LookupModel] = LookupModel, **settings) -> Question:
    sizes = {"n_items": ITEMS, "n_codebooks": CODEBOOKS}
    index = ItemIndex(random_ids(seed, **sizes))
    history = random_histories(seed, 2, n_items=ITEMS)[1]
    decode = DecodeConfig(**({"beam_width": 5, "check_from": 1} | settings))
    return Question(model(seed=seed, **sizes), index, history, history[history > 0], decode, nearest)


def fresh(asked: Question, theta: float) -> ReasoningTrace:
    return replace(asked, config=replace(asked.config, theta=theta)).trace()


def assert_same(left: ReasoningTrace, right: ReasoningTrace) -> None:
    """Equal bit for bit in everything but theta."""
    for name in ReasoningTrace.__dataclass_fields__:
        one, other = getattr(left, name), getattr(right, name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other, err_msg=name)
        elif name != "theta":
            assert one == other


def assert_holds(profile: ThetaProfile, asked: Question, theta: float) -> None:
    interval, expected = profile.at(theta), fresh(asked, theta)
    assert interval.low <= theta < interval.high
    assert_same(interval.trace, expected)
    np.testing.assert_array_equal(interval.items, expected.items)
    np.testing.assert_array_equal(interval.scores, expected.item_scores)
    assert interval.nodes == expected.n_nodes
    assert interval.pruned == (expected.fate == Fate.PRUNED).sum()


def assert_exact(asked: Question, *, high: float = 0.7, thetas: int = 200, seed: int = 0) -> ThetaProfile:
    """At random thetas, and at every breakpoint from both sides, the profile is a fresh search."""
    profile = profile_theta(asked, 0.0, high)
    lows, highs = ([getattr(interval, name) for interval in profile.intervals] for name in ("low", "high"))
    assert (lows[0], highs[-1]) == (0.0, high)
    assert lows[1:] == highs[:-1] == list(profile.breakpoints)
    assert all(low < after for low, after in zip(lows, highs, strict=True))
    for theta in high * np.random.default_rng(seed).random(thetas):
        assert_holds(profile, asked, float(theta))
    for theta in profile.breakpoints:
        assert_holds(profile, asked, theta)
        assert_holds(profile, asked, math.nextafter(theta, 0))
    return profile


def test_at_any_theta_the_profile_is_a_fresh_search_bit_for_bit() -> None:
    profile = assert_exact(question(0, max_regenerations=2))
    assert len(profile.intervals) > 20
    assert all(interval.trace.theta == interval.low for interval in profile.intervals)


OPTIONS = [
    {"beam_width": 2, "max_regenerations": 0},
    {"beam_width": 20, "max_regenerations": 1, "check_from": 2},
    {"beam_width": 3, "max_regenerations": 4, "top_k": 15, "look_ahead": False},
    {"beam_width": 8, "code_probabilities": "heads", "exclude_history": False},
    {"beam_width": 6, "code_probabilities": "mixture", "selection": "fixed", "check_from": 3},
]


@pytest.mark.parametrize(("seed", "options"), list(enumerate(OPTIONS, 1)))
def test_it_is_exact_under_every_option(seed: int, options: dict) -> None:
    assert_exact(question(seed, **options), thetas=5, seed=seed)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_exact_where_scores_are_equal_and_the_order_of_the_beam_decides(seed: int, monkeypatch) -> None:
    ties = []
    is_tied = theta_range.is_tied
    monkeypatch.setattr(theta_range, "is_tied", lambda *given: ties.append(is_tied(*given)) or ties[-1])
    assert_exact(question(seed, RoundModel, beam_width=4), thetas=5)
    assert any(tied.any() for tied in ties)


def test_a_range_searched_piece_by_piece_gives_the_same(monkeypatch) -> None:
    whole = profile_theta(question(0), 0.0, 0.7)
    monkeypatch.setattr(theta_routes, "MOST_BEAMS", 3)
    pieces = profile_theta(question(0), 0.0, 0.7)
    assert pieces.breakpoints == whole.breakpoints
    assert pieces.beams > whole.beams
    for one, other in zip(pieces.intervals, whole.intervals, strict=True):
        assert one.high == other.high
        assert_same(one.trace, other.trace)


def test_every_step_is_expanded_once_for_all_searches_that_share_it() -> None:
    asked = question(0)
    profile = profile_theta(asked, 0.0, 0.7)
    ends = {interval.trace.log_prob[interval.trace.step == CODEBOOKS].tobytes() for interval in profile.intervals}
    assert len(ends) <= profile.searches < len(profile.intervals)
    assert profile.beams < CODEBOOKS * len(profile.intervals) / 2


def test_a_range_without_comparisons_is_one_interval() -> None:
    asked = question(0, check_from=CODEBOOKS)
    profile = profile_theta(asked, 0.0, 0.5)
    assert [(interval.low, interval.high) for interval in profile.intervals] == [(0.0, 0.5)]
    assert_same(profile.intervals[0].trace, fresh(asked, math.inf))


def test_a_narrower_range_gives_the_same_intervals_clipped() -> None:
    asked = question(2)
    whole = profile_theta(asked, 0.0, 0.7)
    low, high = whole.breakpoints[4], math.nextafter(whole.breakpoints[9], 1)
    part = profile_theta(asked, low, high)
    assert part.breakpoints == whole.breakpoints[5:10]
    assert part.intervals[0].low == low
    assert part.intervals[-1].high == high
    for theta in (low, *part.breakpoints):
        assert_same(part.at(theta).trace, whole.at(theta).trace)


def test_the_interval_of_a_single_search_is_that_of_the_profile() -> None:
    asked = question(3)
    for interval in profile_theta(asked, 0.0, 0.6).intervals[:8]:
        for theta in (interval.low, math.nextafter(interval.high, 0)):
            alone = interval_of(fresh(asked, theta), 0.0, 0.6)
            assert (alone.low, alone.high) == (interval.low, interval.high)


def test_the_first_interval_holds_the_theta_asked_for_and_the_others_follow_once_each() -> None:
    asked = question(4)
    profile = profile_theta(asked, 0.0, 0.6)
    first, *others = theta_intervals(asked, 0.0, 0.6, start=0.1)
    assert first.low <= 0.1 < first.high
    assert_same(first.trace, profile.at(0.1).trace)
    assert first.trace.theta == first.low
    lows = [interval.low for interval in others]
    assert lows == sorted(lows)
    assert sorted([first.low, *lows]) == [interval.low for interval in profile.intervals]


def test_changes_turn_one_list_into_the_next() -> None:
    profile = profile_theta(question(1), 0.0, 0.7)
    changes = theta_changes(profile)
    assert tuple(change.theta for change in changes) == profile.breakpoints
    assert {change.same_list for change in changes} == {True, False}
    assert any(change.moved for change in changes)
    for change, (before, after) in zip(changes, pairwise(profile.intervals), strict=True):
        old, new = before.items.tolist(), after.items.tolist()
        assert {move.item for move in change.entered} == set(new) - set(old)
        assert {move.item for move in change.left} == set(old) - set(new)
        assert change.same_list == (old == new)
        assert change.pruned == after.pruned - before.pruned
        for move in (*change.entered, *change.left, *change.moved):
            assert not move.before or old[move.before - 1] == move.item
            assert not move.after or new[move.after - 1] == move.item


@pytest.mark.parametrize(
    ("low", "high"), [(-0.1, 0.2), (math.nan, 0.2), (0.0, math.nan), (0.1, 0.1), (0.2, 0.1), (0.0, math.inf)]
)
def test_a_range_that_makes_no_sense_is_refused(low: float, high: float) -> None:
    with pytest.raises(InputError, match="0 <= LOW < HIGH"):
        profile_theta(question(0), low, high)
    with pytest.raises(InputError, match="0 <= LOW < HIGH"):
        next(theta_intervals(question(0), low, high, start=0.1))


def test_a_theta_outside_of_the_range_is_refused() -> None:
    asked = question(0)
    with pytest.raises(InputError, match=r"got 0\.2"):
        profile_theta(asked, 0.0, 0.2).at(0.2)
    with pytest.raises(InputError, match=r"got 0\.3"):
        next(theta_intervals(asked, 0.0, 0.2, start=0.3))
    with pytest.raises(InputError, match="widen"):
        interval_of(fresh(asked, 0.3), 0.0, 0.2)


def test_thetas_of_their_own_for_every_step_are_refused() -> None:
    with pytest.raises(InputError, match="one theta for all steps"):
        profile_theta(question(0, thetas=(0.1, 0.2)), 0.0, 0.2)


def test_a_trained_run_has_an_exact_profile(tiny_run) -> None:
    recommender = Recommender.load(tiny_run)
    decode = replace(recommender.decode, beam_width=12, top_k=10)
    asked = recommender.question(recommender.history(recommender.user_index("visitor 7")), decode)
    profile = assert_exact(asked, high=0.3, thetas=10)
    assert len(profile.intervals) > 5
