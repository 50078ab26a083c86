"""From source tables to a data set: filter, order, split, classes, audit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reg4rec_core.config import PrepareConfig
from reg4rec_core.data import prepare_dataset
from reg4rec_core.data.source import SourceTables, items_table
from reg4rec_core.types import InputError

DAY = 86_400
ALL = PrepareConfig(k_core=0)


def tables(rows, items=(), **options):
    """Rows are (user, item, time)."""
    log = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    log["order"] = np.arange(len(log))
    columns = list(zip(*items, strict=True)) or [[], [], [], []]
    return SourceTables(log, items_table(*columns), description="rows", **options)


def sequences(dataset):
    log, keys = dataset.interactions, dataset.catalog.item_keys
    return {key: [keys[item] for item in log.sequence(user)] for user, key in enumerate(log.user_keys)}


def test_interactions_are_ordered_by_time_and_ties_keep_the_source_order():
    rows = [("u", "c", 9), ("u", "b", 5), ("u", "a", 5), ("u", "d", 1)]
    assert sequences(prepare_dataset(tables(rows), ALL)) == {"u": ["d", "b", "a", "c"]}


def test_a_user_with_an_unknown_time_keeps_the_source_order():
    rows = [("u", "c", 9), ("u", "b", -1), ("u", "a", 5), ("v", "c", 9), ("v", "b", 8), ("v", "a", 5)]
    assert sequences(prepare_dataset(tables(rows), ALL)) == {"u": ["c", "b", "a"], "v": ["a", "b", "c"]}


def test_rows_follow_the_numbers_of_the_source():
    rows = [(user, item, time) for user in ("10", "9") for time, item in enumerate(("11", "2", "3"))]
    dataset = prepare_dataset(tables(rows), ALL)
    assert dataset.interactions.user_keys == ("9", "10")
    assert dataset.catalog.item_keys == ("", "2", "3", "11")


def test_an_item_without_metadata_is_unknown_and_counted():
    rows = [("u", item, 1) for item in "abc"]
    described = [("a", "Cream", "Avalon", ("Skin",)), ("b", "", "", ()), ("z", "Never bought", "", ())]
    dataset = prepare_dataset(tables(rows, described), ALL)
    assert dataset.catalog.titles == ("", "Cream", "unknown", "unknown")
    assert dataset.catalog.brands == ("", "Avalon", "unknown", "unknown")
    assert dataset.catalog.category_paths == ((), ("Skin",), ("unknown",), ("unknown",))
    assert dataset.catalog.category_names == ("Skin", "unknown")
    assert dataset.catalog.categories.tolist() == [0, 0, 1, 1]
    audit = dataset.info["audit"]
    assert audit["items_without_metadata"] == 1
    assert audit["missing"] == {"titles": 2, "brands": 2, "categories": 2, "times": 0}


def test_a_table_calls_an_item_without_title_by_its_key():
    rows = [("u", item, 1) for item in "abc"]
    dataset = prepare_dataset(tables(rows, [("a", "Cream", "", ())], title_from_key=True), ALL)
    assert dataset.catalog.titles == ("", "Cream", "b", "c")
    assert dataset.info["audit"]["titles_taken_from_keys"] == 2


def test_users_too_short_for_the_split_are_dropped_and_counted():
    rows = [("long", item, 1) for item in "abc"] + [("short", "a", 1), ("short", "d", 2)]
    dataset = prepare_dataset(tables(rows), ALL)
    assert dataset.interactions.user_keys == ("long",)
    assert dataset.catalog.item_keys == ("", "a", "b", "c")
    removed = dataset.info["audit"]["removed"]
    assert removed["users_too_short_for_the_split"] == 1
    assert removed["interactions_too_short_for_the_split"] == 2


def hand_made():
    """Two users of four; a duplicate; a third user and an item below the 2-core."""
    rows = [
        ("1", "a", 1 * DAY), ("1", "b", 2 * DAY), ("1", "c", 3 * DAY), ("1", "a", 3 * DAY + 5),
        ("2", "b", 1 * DAY), ("2", "a", 1 * DAY + 1), ("2", "c", 4 * DAY), ("2", "c", 4 * DAY), ("2", "d", 8 * DAY),
        ("3", "e", 1 * DAY),
    ]  # fmt: skip
    described = [(key, f"Item {key}", "", ("Root", leaf)) for key, leaf in zip("abcd", "xxyy", strict=True)]
    return tables(rows, described)


def test_the_audit_counts_what_was_counted_by_hand():
    dataset = prepare_dataset(hand_made(), PrepareConfig(k_core=2, category_level="2"))
    audit = dataset.info["audit"]
    assert sequences(dataset) == {"1": ["a", "b", "c", "a"], "2": ["b", "a", "c"]}
    assert audit["read"] == {"interactions": 10, "users": 3, "items": 5, "items_described": 4}
    assert audit["removed"] == {
        "duplicate_interactions": 1,
        "users_below_k_core": 1,
        "items_below_k_core": 2,
        "interactions_below_k_core": 2,
        "users_too_short_for_the_split": 0,
        "interactions_too_short_for_the_split": 0,
    }
    assert (audit["users"], audit["items"], audit["interactions"]) == (2, 3, 7)
    assert audit["density"] == pytest.approx(7 / 6)
    assert audit["history_lengths"]["min"] == 3
    assert audit["history_lengths"]["max"] == 4
    assert audit["history_lengths"]["mean"] == pytest.approx(3.5)
    assert audit["history_lengths"]["share_cut"] == 0
    assert audit["time"] == {
        "first": DAY,
        "last": 4 * DAY,
        "users_whose_last_two_share_a_day": 0.5,
        "transitions_within_a_day": pytest.approx(2 / 5),
    }
    assert audit["targets"] == {
        "training_interactions": 3,
        "items_never_trained": 1,
        "repeated_purchases": 1,
        "valid": {"targets": 2, "never_trained": 1, "repeat_an_item_of_the_history": 0},
        "test": {"targets": 2, "never_trained": 1, "repeat_an_item_of_the_history": 1},
    }
    classes = audit["categories"]
    assert [(level["paths"], level["items_reaching_it"]) for level in classes["levels"]] == [(1, 3), (2, 3)]
    assert (classes["leaf_paths"], classes["classes"]) == (2, 2)
    assert (classes["smallest_class"], classes["largest_class"]) == (1, 2)
    assert classes["largest_share"] == pytest.approx(2 / 3)
    assert classes["effective_classes"] == pytest.approx(3 / 2 ** (2 / 3))


def test_what_was_read_is_what_was_removed_plus_what_was_kept():
    for config in (PrepareConfig(k_core=2), PrepareConfig(k_core=1), ALL):
        audit = prepare_dataset(hand_made(), config).info["audit"]
        removed = sum(count for name, count in audit["removed"].items() if "interactions" in name)
        assert audit["read"]["interactions"] == removed + audit["interactions"]


def test_unknown_times_never_count_as_a_tie():
    audit = prepare_dataset(tables([("u", item, -1) for item in "abc"]), ALL).info["audit"]
    assert audit["time"] == {
        "first": None,
        "last": None,
        "users_whose_last_two_share_a_day": 0.0,
        "transitions_within_a_day": 0.0,
    }
    assert audit["missing"]["times"] == 3


def test_the_leaf_level_merges_below_ten_items_and_a_numbered_level_merges_nothing():
    described = [(f"{item}", "t", "", ("Root", "big" if item < 12 else "small")) for item in range(15)]
    rows = [("u", key, 1) for key, *_ in described]
    leaf = prepare_dataset(tables(rows, described), ALL)
    assert leaf.catalog.category_names == ("Root", "Root > big")
    second = prepare_dataset(tables(rows, described), PrepareConfig(k_core=0, category_level="2"))
    assert second.catalog.category_names == ("Root > big", "Root > small")
    chosen = PrepareConfig(k_core=0, min_category_items=13)
    assert prepare_dataset(tables(rows, described), chosen).catalog.category_names == ("Root",)


def test_nothing_left_after_the_core_is_said_with_a_remedy():
    with pytest.raises(
        InputError, match=r"no interactions are left after the 5-core filter .*3 users.*; lower --k-core"
    ):
        prepare_dataset(hand_made(), PrepareConfig())


def test_nothing_left_for_the_split_is_said():
    with pytest.raises(InputError, match=r"no interactions are left after users too short"):
        prepare_dataset(tables([("u", "a", 1), ("v", "a", 2)]), ALL)


def test_a_global_time_split_without_times_is_refused():
    with pytest.raises(InputError, match=r"without a time .*--split leave-one-out"):
        prepare_dataset(tables([("u", item, -1) for item in "abc"]), PrepareConfig(k_core=0, split="global-time"))


def test_interactions_without_time_have_no_place_in_a_global_time_split_and_are_counted():
    rows = [("u", f"{time}", time) for time in range(20)] + [("u", "late", -1), ("v", "late", -1)]
    dataset = prepare_dataset(tables(rows), PrepareConfig(k_core=0, split="global-time"))
    assert dataset.info["audit"]["removed"]["interactions_without_time"] == 2
    assert sequences(dataset) == {"u": [f"{time}" for time in range(20)]}


LOGS = st.lists(
    st.tuples(st.sampled_from("uvwxy"), st.sampled_from("abcdef"), st.integers(-1, 60)), min_size=20, max_size=80
)


@given(LOGS)
def test_a_global_time_split_trains_on_nothing_at_or_after_the_first_cut(rows):
    try:
        dataset = prepare_dataset(tables(rows), PrepareConfig(k_core=0, split="global-time"))
    except InputError:
        return
    log, (first, second) = dataset.interactions, dataset.info["split"]["cuts"]
    for user in range(log.n_users):
        times, trained = log.times(user), log.train_lengths[user]
        assert (np.diff(times) >= 0).all()
        assert (times[:trained] < first).all()
        assert (times[trained:] >= first).all()
        if log.test_positions[user] >= 0:
            assert times[log.test_positions[user]] >= second
            assert (times[: log.test_positions[user]] < second).all()


@given(LOGS)
def test_leave_one_out_keeps_every_interaction_of_every_user_long_enough(rows):
    rows = list(dict.fromkeys(rows))
    kept = {user for user, _, _ in rows if sum(other == user for other, _, _ in rows) >= 3}
    if not kept:
        return
    dataset = prepare_dataset(tables(rows), ALL)
    bought = {user: sorted(item for other, item, _ in rows if other == user) for user in kept}
    repeats = sum(time == -1 for _, _, time in rows)
    assert {user: sorted(items) for user, items in sequences(dataset).items()} == bought
    assert dataset.info["audit"]["missing"]["times"] <= repeats


def shuffled_ties(seed=0, **settings):
    return PrepareConfig(k_core=0, ties="shuffled", seed=seed, **settings)


def day_visits(n_users=40):
    """Ten items on three days: three, four and three; the source has them in the order of their keys."""
    days = (0, 0, 0, 1, 1, 1, 1, 2, 2, 2)
    return [(f"u{user}", f"i{item}", day * DAY + item) for user in range(n_users) for item, day in enumerate(days)]


def test_only_items_of_the_same_day_change_places():
    standard = sequences(prepare_dataset(tables(day_visits()), ALL))
    drawn = sequences(prepare_dataset(tables(day_visits()), shuffled_ties()))
    assert drawn != standard
    for user, items in drawn.items():
        for part in (slice(0, 3), slice(3, 7), slice(7, 10)):
            assert sorted(items[part]) == standard[user][part]


def test_every_order_of_a_day_comes_up_about_as_often():
    drawn = sequences(prepare_dataset(tables(day_visits(600)), shuffled_ties())).values()
    orders, counts = np.unique([",".join(items[:3]) for items in drawn], return_counts=True)
    assert len(orders) == 6
    assert counts.min() > 60, "600 users share 6 orders; the standard deviation is 9"


def test_times_stay_in_order_and_the_split_is_taken_afterwards():
    standard, drawn = (prepare_dataset(tables(day_visits()), config).interactions for config in (ALL, shuffled_ties()))
    np.testing.assert_array_equal(drawn.timestamps, standard.timestamps)
    np.testing.assert_array_equal(drawn.test_positions, standard.test_positions)
    assert (drawn.items[drawn.offsets[1:] - 1] != standard.items[standard.offsets[1:] - 1]).any()


def test_the_seed_decides_the_order():
    first, again, other = (sequences(prepare_dataset(tables(day_visits()), shuffled_ties(seed))) for seed in (3, 3, 4))
    assert first == again != other


def test_the_order_of_a_user_with_an_unknown_time_is_not_drawn():
    rows = [("u", item, -1 if item == "d" else 5) for item in "gfedcba"]
    assert sequences(prepare_dataset(tables(rows), shuffled_ties())) == {"u": list("gfedcba")}


def test_the_data_set_says_how_its_ties_are_ordered():
    assert prepare_dataset(tables(day_visits()), ALL).info["ties"] == {"order": "standard"}
    info = prepare_dataset(tables(day_visits()), shuffled_ties(7)).info
    assert info["ties"] == {"order": "shuffled", "seed": 7}
    assert info["checksum"] != prepare_dataset(tables(day_visits()), ALL).info["checksum"]
