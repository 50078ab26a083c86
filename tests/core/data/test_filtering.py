"""Duplicates, k-core and the order of keys."""

from collections import Counter

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from reg4rec_core.data.filtering import first_occurrences, index_keys, k_core, order_keys

ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60)


def slow_core(rows, k):
    """Take away one offending row at a time."""
    while True:
        users, items = Counter(user for user, _ in rows), Counter(item for _, item in rows)
        bad = [row for row in rows if users[row[0]] < k or items[row[1]] < k]
        if not bad:
            return rows
        rows.remove(bad[0])


@given(rows=ROWS, k=st.integers(0, 4))
def test_the_core_is_what_is_left_when_offenders_are_removed_one_by_one(rows, k):
    users, items = (np.array(column) for column in zip(*rows, strict=True))
    kept = k_core(users, items, k)
    assert sorted(zip(users[kept].tolist(), items[kept].tolist(), strict=True)) == sorted(slow_core(list(rows), k))


def test_the_core_may_be_empty():
    assert not k_core(np.array([0, 1]), np.array([0, 1]), 2).any()


def test_only_a_repeat_at_the_same_known_time_is_a_duplicate():
    log = pd.DataFrame(
        [("a", "x", 5), ("a", "x", 5), ("a", "x", 6), ("b", "x", 5), ("a", "y", -1), ("a", "y", -1)],
        columns=["user", "item", "timestamp"],
    )
    assert first_occurrences(log).tolist() == [True, False, True, True, True, True]


def test_whole_numbers_are_ordered_as_numbers_and_anything_else_as_text():
    assert order_keys(["10", "9", "1"]) == ["1", "9", "10"]
    assert order_keys(["10", "9", "x1"]) == ["10", "9", "x1"]
    assert order_keys(["7", "007"]) == ["007", "7"]


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=30))
def test_an_index_leads_back_to_its_key(keys):
    rows, ordered = index_keys(pd.Series(keys, dtype=object))
    assert [ordered[row] for row in rows] == keys
    assert len(ordered) == len(set(keys))
