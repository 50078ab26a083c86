"""Leave-one-out and the global-time split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reg4rec_core.data.split import cut_points, global_time, is_useful, leave_one_out
from reg4rec_core.types import InputError

HISTORIES = st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=12).map(sorted), min_size=1, max_size=12)


def flat(histories):
    times = np.array([time for history in histories for time in history])
    return times, np.concatenate([[0], np.cumsum([len(history) for history in histories])])


def test_the_last_two_interactions_are_held_out():
    split = leave_one_out(np.array([3, 7]))
    assert split.train_lengths.tolist() == [1, 5]
    assert split.valid_positions.tolist() == [1, 5]
    assert split.test_positions.tolist() == [2, 6]


def test_a_global_split_worked_by_hand():
    times, offsets = flat([[1, 2, 5, 6, 9], [1, 9, 9], [5, 9], [1, 2], [9, 9], [1, 5]])
    split = global_time(times, offsets, (5, 8))
    assert split.train_lengths.tolist() == [2, 1, 0, 2, 0, 1]
    assert split.valid_positions.tolist() == [2, -1, -1, -1, -1, 1]
    assert split.test_positions.tolist() == [4, 1, 1, -1, -1, -1]
    assert is_useful(split).tolist() == [True, True, True, True, False, True]


def test_the_cuts_leave_the_asked_shares_before_them():
    assert cut_points(np.arange(100)[::-1], train_share=0.8, valid_share=0.1) == (80, 90)


@given(HISTORIES, st.integers(1, 30), st.integers(1, 10))
def test_nothing_at_or_after_the_first_cut_is_trained_on(histories, first, gap):
    times, offsets = flat(histories)
    split = global_time(times, offsets, (first, first + gap))
    for user, history in enumerate(histories):
        trained = history[: split.train_lengths[user]]
        assert trained == [time for time in history if time < first]


@given(HISTORIES, st.integers(1, 30), st.integers(1, 10))
def test_a_target_is_the_first_of_its_period_and_has_a_history(histories, first, gap):
    times, offsets = flat(histories)
    split = global_time(times, offsets, (first, first + gap))
    periods = ((split.valid_positions, first, first + gap), (split.test_positions, first + gap, np.inf))
    for positions, begins, ends in periods:
        for user, history in enumerate(histories):
            inside = [place for place, time in enumerate(history) if begins <= time < ends]
            expected = inside[0] if inside and inside[0] > 0 else -1
            assert positions[user] == expected


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=80))
def test_cuts_leave_three_periods_or_are_refused(times):
    try:
        first, second = cut_points(np.array(times), train_share=0.8, valid_share=0.1)
    except InputError:
        return
    assert min(times) < first < second <= max(times)


def test_too_few_distinct_times_are_refused():
    with pytest.raises(InputError, match=r"cuts 0\.8 and 0\.9 must leave three periods.*choose other shares"):
        cut_points(np.array([5] * 50 + [6] * 50), train_share=0.8, valid_share=0.1)
