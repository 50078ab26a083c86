from dataclasses import replace

import numpy as np
import pytest
from small_shop import NAMES, small_catalog, small_ids, small_interactions, small_trace

from app.view_models import comparison as view
from app.view_models.tree import find_focus
from reg4rec_core import DecodeConfig, Fate, SearchHabits, UserRow, compare_traces, read_facets

CATALOG = small_catalog()


@pytest.fixture(scope="module")
def facets():
    return read_facets(CATALOG, small_ids(), small_interactions())


def other_trace(**changes):
    """Another last code at the leaf of the first item, the pruned one kept, the list turned round."""
    before = small_trace()
    code, fate = before.code.copy(), before.fate.copy()
    code[4], fate[5] = 3, Fate.KEPT
    return small_trace(**({"code": code, "fate": fate, "items": np.array([4, 2, 8, 7]), "theta": 0.2} | changes))


def test_nodes_of_one_tree_alone_and_other_fates_are_marked_in_both():
    before, after = small_trace(), other_trace()
    marks = view.node_differences(before, after, compare_traces(before, after))
    assert marks[0] == ["", "", "", "", "only", "fate", "", ""]
    assert marks[1] == marks[0]
    assert set(marks[0]) - {""} == set(view.DIFFERENCES)


def test_the_same_search_is_marked_nowhere():
    marks = view.node_differences(small_trace(), small_trace(), compare_traces(small_trace(), small_trace()))
    assert marks == ([""] * 8, [""] * 8)


def test_every_item_says_where_it_stands_in_the_other_list():
    rows = view.list_rows(small_trace(), other_trace(), CATALOG, 4, letters=("A", "B"))
    assert rows["in B"].tolist() == ["▼ 2", "▲ 1", "not in B", "same place"]
    assert rows["list of A"].tolist()[1] == "★ bought next · Black Mascara"
    assert rows["score"].tolist()[0] == "-0.90"
    back = view.list_rows(other_trace(), small_trace(), CATALOG, -1, letters=("B", "A"))
    assert back["in A"].tolist() == ["▼ 2", "▲ 1", "not in A", "same place"]


def test_the_sentence_tells_the_first_difference_the_beliefs_and_the_lists(facets):
    before, after = small_trace(), other_trace()
    comparison = compare_traces(before, after)
    said = view.what_differs(before, after, facets, comparison, codes_agree=True)
    assert said.startswith("The first difference is at step 2")
    assert "Before any code, A and B expect the same kinds of item." in said
    assert said.endswith(
        "Of the items, 1 only B recommends, 1 only A recommends and 2 stand in another place."
    )  # fmt: skip
    other_codes = view.what_differs(before, after, facets, comparison, codes_agree=False)
    assert other_codes.startswith(view.OTHER_CODES)
    assert "first difference" not in other_codes
    same = compare_traces(before, before)
    assert view.what_differs(before, before, facets, same, codes_agree=True).endswith("recommend the same list.")


def test_the_target_is_found_in_each_list():
    said = view.target_sentence(CATALOG, 5, small_trace(), other_trace())
    assert said == "Bought next: “Brown Mascara”. A: number 3. B: missed."
    assert view.target_sentence(CATALOG, -1, small_trace(), other_trace()) == "What comes next is not known."


def test_beliefs_of_both_stand_side_by_side_at_the_chosen_step():
    before, beliefs = small_trace(), small_trace().beliefs.copy()
    beliefs[1] = [0.1, 0.1, 0.1, 0.7]
    after = small_trace(beliefs=beliefs)
    focuses = tuple(find_focus(trace, "", 1) for trace in (before, after))
    rows = view.belief_rows(before, after, focuses, NAMES).set_index("category")
    assert rows.loc["Makeup › Lips"].tolist() == pytest.approx([0.1, 0.7])
    assert rows.loc["unknown"].tolist() == pytest.approx([0.7, 0.1])
    assert rows.index[0] == "Makeup › Lips"


def test_the_command_says_only_what_differs_from_the_run():
    own, other = DecodeConfig(theta=0.06), DecodeConfig(theta=float("inf"), beam_width=7, check_from=3)
    said = view.trace_command("checkpoints/demo", "pretrained", decode=own, at="test", own=own, preset="")
    assert said == "reg4rec trace --run checkpoints/demo --weights pretrained"
    said = view.trace_command("a b", "post_trained", decode=other, at="now", own=own, preset="")
    assert said == "reg4rec trace --run 'a b' --weights post_trained --split now --theta inf --beam 7 --check-from 3"
    by_step = replace(own, thetas=(0.5, 0.1))
    said = view.trace_command("a", "pretrained", decode=own, at="test", own=by_step, preset="")
    assert said.endswith("pretrained --theta 0.06"), "one theta takes the place of the run's own thresholds by step"
    said = view.trace_command("a", "pretrained", decode=by_step, at="test", own=own, preset="preset-A.json")
    assert said.endswith("pretrained --decode preset-A.json")


def test_only_thresholds_that_are_not_the_runs_own_are_read_from_a_file():
    own = DecodeConfig(thetas=(0.5, 0.1))
    assert not view.needs_preset(replace(own, thetas=(0.5, 0.1, 0.1)), own, 3), "the last one holds for later steps"
    assert view.needs_preset(replace(own, thetas=(0.5, 0.1, 0.2)), own, 3)
    assert not view.needs_preset(replace(own, thetas=()), own, 3)


def habits(pruned: list[int], js: list[float]) -> SearchHabits:
    kept = np.array([[3, 1], [2, 2]])
    zeros = np.zeros(2, np.int64)
    return SearchHabits(
        4, np.array([1, 2]), kept, np.array([[count, 0] for count in pruned]), zeros, zeros, np.array(js)
    )


def test_habits_stand_side_by_side_per_user():
    a, b = habits([0, 6], [0.1, 0.3]), habits([0, 2], [0.2, float("nan")])
    rows = view.habits_table(a, b)
    assert rows.loc[1, ["pruned A", "pruned B", "js A", "js B"]].tolist() == ["1.50", "0.50", "0.3000", "–"]
    said = view.habits_sentence(a, b)
    assert said.startswith("A prunes 1.50 candidates a user, B 0.50. The largest mean jump of the belief is js 0.300")
    assert said.endswith("js 0.200 in B (step 1).")
    nothing = habits([0, 0], [float("nan")] * 2)
    assert view.habits_sentence(nothing, nothing) == "A prunes 0.00 candidates a user, B 0.00."


def test_loads_are_shares_of_a_step():
    rows = view.load_table(habits([0, 0], [0.0, 0.0]), habits([0, 0], [0.0, 0.0]), 1)
    assert rows["category"].tolist() == ["facet A", "facet B"]
    assert rows["before"].tolist() == [0.75, 0.25]
    assert rows["adds"].tolist() == ["+0.0 points"] * 2


def row(user: int, *, place: int | None, pruned: int | None = None) -> UserRow:
    return UserRow(user, f"u{user}", 5, 7, place, 0, 0, pruned)


def test_who_gained_a_hit_is_linked_to_both_trees_and_to_each():
    settings = [
        {"weights": "pretrained", "split": "test", "decode": {"theta": theta, "beam_width": 6}} for theta in (0.1, None)
    ]
    links = view.flip_links(
        "http://host/compare?x=1", {"run": "tiny", "user": "other"}, "u3", ("tiny", "more"), settings
    )
    assert links["link"] == "http://host/compare?run=tiny&user=u3"
    assert links["link_a"].startswith("http://host/reasoning?run=tiny&user=u3&weights=pretrained&at=test&theta=0.1")
    assert links["link_b"].startswith("http://host/reasoning?run=more&user=u3&weights=pretrained&at=test&corp=false")
    (found,) = view.flip_rows([row(3, place=None, pruned=2)], [row(3, place=4)], links=[links])
    assert (found["user"], found["A"], found["B"]) == ("u3", "pruned at step 2", "place 4")
    assert view.flips_title("gained", 1) == "Only B finds the next purchase of 1 user"
    assert view.flips_title("lost", 1234).endswith("1,234 users; the first 60 are listed")
