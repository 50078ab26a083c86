import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.charts import tuning as tuning_charts
from app.view_models import theta_tree
from reg4rec_core import Fate, ThetaInterval, ThetaProfile, read_facets

KEPT, CUT, PRUNED, FALLBACK = (theta_tree.STATES.index(name) for name in ("kept", "beam_cut", "pruned", "fallback"))
REGENERATED = theta_tree.STATES.index("regenerated")


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def loose_trace():
    """`small_trace` as a larger theta has it: nothing pruned, so nothing regenerated, and one leaf fewer tried."""
    names = ("parent", "step", "codebook", "code", "log_prob", "score", "confidence", "js", "items_left", "beliefs")
    trace = small_trace()
    columns = {name: getattr(trace, name)[[0, 1, 2, 3, 4, 5, 7]] for name in names}
    fate = np.array([Fate.KEPT, Fate.KEPT, Fate.KEPT, Fate.BEAM_CUT, Fate.KEPT, Fate.KEPT, Fate.KEPT])
    listed = {
        "items": np.array([2, 3, 5, 7]),
        "item_nodes": np.array([4, 5, 6, -1]),
        "item_scores": np.array([-0.9, -2.3, -2.3, -4.3]),
    }
    return small_trace(**columns, **listed, fate=fate, attempt=np.zeros(7, np.int64), theta=0.2)


def profile_of(*traces, lows=(0.0, 0.1)) -> ThetaProfile:
    highs = [*lows[1:], 0.7]
    intervals = [
        ThetaInterval(low, high, trace.items, trace.item_scores, trace.n_nodes, 0, lambda trace=trace: trace)
        for low, high, trace in zip(lows, highs, traces, strict=True)
    ]
    return ThetaProfile(tuple(intervals), len(traces), len(traces))


def test_the_same_codes_are_one_node_whatever_became_of_it():
    union = theta_tree.union_tree([small_trace(), loose_trace()])
    assert len(union.parent) == 8
    strict, loose = union.states
    assert strict.tolist() == [1, KEPT, KEPT, CUT, KEPT, PRUNED, REGENERATED, FALLBACK]
    assert loose.tolist() == [1, KEPT, KEPT, CUT, KEPT, KEPT, 0, KEPT]


def test_nodes_that_only_a_later_tree_has_come_last_and_know_their_parent():
    union = theta_tree.union_tree([loose_trace(), small_trace()])
    assert union.parent.tolist() == [-1, 0, 0, 0, 1, 1, 2, 2]
    assert (union.codebook[7], union.code[7], union.step[7]) == (1, 0, 2)
    assert union.states[:, 7].tolist() == [0, REGENERATED]


def test_every_listed_item_has_the_leaf_of_its_path():
    union = theta_tree.union_tree([small_trace(), loose_trace()])
    assert union.leaves == {2: 4, 4: 6, 5: 7, 3: 5}


def test_a_divergence_is_kept_from_the_first_search_that_found_one():
    unseen = small_trace(js=np.full(8, np.nan))
    union = theta_tree.union_tree([unseen, small_trace()])
    assert union.js[5] == 0.11
    assert np.isnan(union.js[3])


def test_small_thetas_get_more_of_the_slider():
    assert theta_tree.slider_place(np.array([0, 0.175, 0.7, 9.0])).tolist() == [0, 0.5, 1, 1]


def test_a_node_gets_room_by_the_part_of_the_slider_on_which_it_lives():
    union = theta_tree.union_tree([small_trace(), loose_trace()])
    rooms = theta_tree.room(union, (0.175,))
    least, dead = theta_tree.LEAST_ROOM, theta_tree.ROOM_OF_THE_DEAD
    assert rooms[[4, 5, 6, 3]].tolist() == pytest.approx([least + 1, least + 0.5 + dead / 2, least + 0.5, least + dead])


@pytest.mark.parametrize("order", [1, -1])
def test_nodes_stand_in_their_parents_order_so_that_links_do_not_cross(order):
    union = theta_tree.union_tree([small_trace(), loose_trace()][::order])
    y = theta_tree.heights(union, theta_tree.room(union, (0.1,)))
    for step in (1, 2):
        rows = np.flatnonzero(union.step == step)
        ordered = rows[np.argsort(y[rows])]
        assert (np.diff(y[union.parent[ordered]]) >= 0).all()
        assert len(set(y[rows])) == len(rows)
    assert ((y > 0) & (y < 1)).all()


def test_states_are_told_as_runs():
    assert theta_tree.runs_of(np.array([0, 0, 2, 2, 0, 4], np.uint8)) == [2, 2, 4, 0, 5, 4]
    assert theta_tree.runs_of(np.array([3, 3], np.uint8)) == [0, 3]


def replayed(runs: list[int], intervals: int) -> list[int]:
    states = [0] * intervals
    for start, state in zip(runs[::2], runs[1::2], strict=True):
        states[start:] = [state] * (intervals - start)
    return states


def test_the_drawing_holds_every_state_and_every_name(facets):
    union = theta_tree.union_tree([small_trace(), loose_trace()])
    drawing = theta_tree.union_drawing(union, profile_of(small_trace(), loose_trace()), facets)
    assert [replayed(runs, 2) for runs in drawing["runs"]] == union.states.T.tolist()
    assert drawing["names"][drawing["name"][0]] == "Start"
    assert drawing["names"][drawing["name"][4]] == "B1 · like “Plum Lipstick”"
    assert drawing["js"][3:6] == [-1, 200, 1100]
    assert {len(drawing[name]) for name in ("parent", "step", "y", "size", "js", "name", "runs")} == {8}


def test_lists_are_told_where_they_change(facets):
    traces = (small_trace(), loose_trace(), loose_trace())
    profile = profile_of(*traces, lows=(0.0, 0.1, 0.2))
    drawing = theta_tree.list_drawing(theta_tree.union_tree(traces), profile, loose_trace().items, facets)
    rows = drawing["item_rows"]
    assert [[rows[place] for place in listed] for _, listed in drawing["lists"]] == [[2, 4, 5, 7], [2, 3, 5, 7]]
    assert [interval for interval, _ in drawing["lists"]] == [0, 1]
    assert [rows[place] for place in drawing["own"]] == [2, 3, 5, 7]
    assert drawing["items"][rows.index(7)] == ["Honey Shampoo", "Birch", -1]
    assert drawing["items"][rows.index(4)] == ["Black Mascara", "", 6]


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_every_state_of_a_node_is_drawn_as_its_kind(ground):
    kinds = tuning_charts.explorer_kinds(ground)
    drawn = [kinds["kinds"][place]["name"] for place in kinds["kind_of"][1:]]
    assert drawn == ["kept", "kept", "regenerated", "beam-cut", "pruned", "fallback"]
    assert kinds["lives"] == [False, True, True, True, False, False, True]
    assert len({(kind["symbol"], kind["hollow"]) for kind in kinds["kinds"]}) == 5
