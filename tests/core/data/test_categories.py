"""Category classes of a useful size."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reg4rec_core.data.categories import choose_classes, merge_rare
from reg4rec_core.types import InputError

LIPS, RED, PINK, NAILS = ("Beauty", "Lips"), ("Beauty", "Lips", "Red"), ("Beauty", "Lips", "Pink"), ("Beauty", "Nails")
NAMES = st.sampled_from("abc")
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map(tuple), min_size=1, max_size=40)


def test_rare_leaves_go_into_their_parent_until_it_is_large_enough():
    paths = [RED] * 2 + [PINK] + [LIPS] + [NAILS] * 3 + [("Gifts",)]
    assert Counter(merge_rare(paths, 2)) == {RED: 2, LIPS: 2, NAILS: 3, ("Gifts",): 1}
    assert Counter(merge_rare(paths, 3)) == {LIPS: 4, NAILS: 3, ("Gifts",): 1}
    assert Counter(merge_rare(paths, 5)) == {("Beauty",): 7, ("Gifts",): 1}


@given(PATHS, st.integers(1, 12))
def test_only_roots_stay_small_and_every_class_begins_the_path_of_its_items(paths, minimum):
    classes = merge_rare(paths, minimum)
    sizes = Counter(classes)
    assert all(sizes[name] >= minimum or len(name) == 1 for name in classes)
    assert all(path[: len(name)] == name for path, name in zip(paths, classes, strict=True))


def test_classes_are_numbered_in_the_order_of_their_names():
    classes, names = choose_classes([NAILS, RED, ()], level="leaf", minimum=1)
    assert names == ("Beauty > Lips > Red", "Beauty > Nails", "unknown")
    assert classes.tolist() == [1, 0, 2]


@pytest.mark.parametrize(("level", "expected"), [("1", 2), ("2", 3), ("3", 4), ("9", 4)])
def test_a_level_counts_the_names_of_a_path_from_the_root(level, expected):
    _, names = choose_classes([NAILS, RED, PINK, ()], level=level, minimum=1)
    assert len(names) == expected


@pytest.mark.parametrize("level", ["0", "-1", "two", "", "1.5"])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(InputError, match=r"--category-level must be leaf or a level 1, 2, 3"):
        choose_classes([NAILS], level=level, minimum=1)
