import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.view_models import tree
from reg4rec_core import Fate, read_facets


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def drawn(trace, facets, *, target=-1, fold=True):
    return tree.search_tree(tree.describe_nodes(trace, facets), trace, facets, target, fold=fold)


def test_without_a_path_the_first_item_is_followed():
    focus = tree.find_focus(small_trace(), "", 1)
    assert (focus.rows, focus.node, focus.ended, focus.found) == ((0, 1, 4), 1, False, True)


def test_a_node_is_found_by_its_codes_and_led_on_to_its_best_leaf():
    focus = tree.find_focus(small_trace(), "0.1", 1)
    assert (focus.rows, focus.node, focus.found) == ((0, 2, 6), 2, True)


def test_every_node_is_found_again_by_its_own_key():
    trace = small_trace()
    for node in range(1, trace.n_nodes):
        key = tree.path_key(trace, node)
        assert tree.find_focus(trace, key, tree.path_length(key)).node == node


def test_a_branch_that_died_ends_before_later_steps():
    focus = tree.find_focus(small_trace(), "0.2", 2)
    assert (focus.rows, focus.node, focus.ended) == ((0, 3), 3, True)


def test_a_path_that_left_the_tree_gives_its_longest_part_that_is_there():
    focus = tree.find_focus(small_trace(), "0.1-1.3", 2)
    assert (focus.rows, focus.found) == ((0, 2, 6), False)


@pytest.mark.parametrize("key", ["9.9", "x", "-", "0.0.0", "0.-1-1.1", "1.1"])
def test_a_key_that_means_nothing_gives_the_first_path(key):
    focus = tree.find_focus(small_trace(), key, 1)
    assert focus.rows == (0, 1, 4)


def test_a_code_tried_twice_means_the_one_that_was_kept():
    trace = small_trace(
        codebook=np.array([-1, 0, 0, 0, 1, 1, 1, 1]),
        code=np.array([-1, 0, 1, 2, 1, 2, 0, 0]),
        fate=np.array([0, 0, 0, 1, 0, 2, int(Fate.PRUNED), 0]),
    )
    assert tree.find_focus(trace, "0.1-1.0", 2).node == 7


def test_a_search_that_recommends_nothing_still_has_a_path():
    empty = {name: np.zeros(0) for name in ("item_scores", "item_first_state", "item_evidence")}
    nothing = {name: np.zeros(0, np.int64) for name in ("items", "item_nodes")}
    assert tree.find_focus(small_trace(**empty, **nothing), "", 2).node == 4


def test_every_kind_of_node_is_told_apart():
    trace = small_trace()
    kinds = ["root", "kept", "kept", "beam_cut", "kept", "pruned", "regenerated", "fallback"]
    assert [tree.node_kind(trace, node) for node in range(8)] == kinds
    counts = tree.fate_counts(trace).set_index("kind")["count"]
    assert counts.to_dict() == {"kept": 3, "regenerated": 1, "beam_cut": 1, "pruned": 1, "fallback": 1}
    assert counts.sum() == trace.n_nodes - 1


def test_rows_keep_the_order_of_the_trace_whatever_is_folded(facets):
    trace = small_trace()
    frames = [drawn(trace, facets, fold=fold) for fold in (True, False)]
    assert frames[0]["path"].tolist() == frames[1]["path"].tolist() == [tree.path_key(trace, row) for row in range(8)]
    assert frames[0]["y"].tolist() == frames[1]["y"].tolist()


def best_end(trace, node):
    """The best leaf below a node by its definition, one node at a time."""
    for leaf in trace.item_nodes.tolist():
        if leaf >= 0 and node in trace.path(leaf):
            return leaf
    below = [row for row in range(trace.n_nodes) if node in trace.path(row)]
    alive = {row for row in below if trace.fate[row] in (Fate.KEPT, Fate.FALLBACK)}
    lives = [row for row in below if set(trace.path(row)[trace.path(row).index(node) + 1 :]) <= alive]
    return min(lives, key=lambda row: (-trace.step[row], -trace.log_prob[row], row))


@pytest.mark.parametrize("seed", range(30))
def test_every_node_leads_on_to_its_best_leaf(seed):
    rng, count = np.random.default_rng(seed), 24
    parent = np.array([-1] + [int(rng.integers(0, row)) for row in range(1, count)])
    step = np.zeros(count, np.int64)
    for row in range(1, count):
        step[row] = step[parent[row]] + 1
    items = rng.choice(count, 3, replace=False)
    trace = small_trace(
        parent=parent, step=step, fate=rng.choice([0, 0, 0, 1, 2, 3], count), log_prob=rng.choice([-1.0, -2.0], count),
        item_nodes=np.append(items, -1),
        **{name: rng.integers(0, 5, count) for name in ("codebook", "code", "attempt", "items_left")},
        **{name: rng.normal(size=count) for name in ("score", "confidence", "js")}, beliefs=np.zeros((count, 4)),
    )  # fmt: skip
    assert tree.best_ends(trace).tolist() == [best_end(trace, node) for node in range(count)]


@pytest.mark.parametrize("parents", [[-1, 0, 0, 0, 1, 1, 2, 2], [-1, 0, 0, 0, 2, 2, 1, 1], [-1, 0, 0, 0, 2, 1, 2, 1]])
def test_columns_are_filled_in_their_parents_order_so_that_links_do_not_cross(facets, parents):
    trace = small_trace(parent=np.array(parents))
    y = drawn(trace, facets)["y"]
    for step in (1, 2):
        rows = np.flatnonzero(trace.step == step)
        ordered = rows[np.argsort(y[rows])]
        assert (np.diff(y[trace.parent[ordered]]) >= 0).all()
        assert len(set(y[rows])) == len(rows)


def test_the_likelier_child_stands_above_its_sister(facets):
    y = drawn(small_trace(), facets)["y"]
    assert y[4] < y[5]
    assert y[6] < y[7]


def test_leaves_carry_rank_and_title_and_the_truth_is_marked(facets):
    frame = drawn(small_trace(), facets, target=4)
    assert frame["label"].tolist() == [
        "",
        "",
        "",
        "",
        "1 · Plum Lipstick",
        "",
        "2 · Black Mascara",
        "3 · Brown Mascara",
    ]
    assert frame.index[frame["hit"]].tolist() == [6]


def test_a_followed_path_that_gave_no_item_shows_where_it_leads(facets):
    trace = small_trace(items=np.array([2]), item_scores=np.array([-0.9]), item_nodes=np.array([4]),
                        item_first_state=np.array([-1.1]), item_evidence=np.zeros(1))  # fmt: skip
    assert drawn(trace, facets)["label"][6] == ""
    said = [tree.end_label(trace, facets, tree.find_focus(trace, key, 2)) for key in ("0.1-1.0", "0.0-1.1", "0.2")]
    assert said == ["Black Mascara", "", ""], "one that gave an item has its label, one that ended early leads nowhere"


def forced_trace():
    """One path of four steps; one item is left after the second, so the third is forced, and the fourth is the last."""
    return small_trace(
        parent=np.array([-1, 0, 1, 2, 3]),
        step=np.arange(5),
        attempt=np.zeros(5, np.int64),
        codebook=np.array([-1, 0, 1, 0, 1]),
        code=np.array([-1, 0, 1, 0, 1]),
        log_prob=np.array([0.0, -0.5, -0.7, -0.7, -0.7]),
        score=np.zeros(5),
        confidence=np.ones(5),
        js=np.full(5, np.nan),
        fate=np.zeros(5, np.int64),
        items_left=np.array([8, 3, 1, 1, 1]),
        beliefs=np.full((5, 4), np.nan),
        items=np.array([2]),
        item_scores=np.array([-0.7]),
        item_nodes=np.array([4]),
        item_first_state=np.array([-1.0]),
        item_evidence=np.array([0.0]),
    )


def test_only_kept_first_choices_after_a_single_item_was_left_are_forced():
    assert tree.forced_nodes(forced_trace()).tolist() == [False, False, False, True, False]
    assert not tree.forced_nodes(small_trace()).any()


def test_a_column_without_a_choice_takes_less_room_when_folded():
    trace = forced_trace()
    forced = tree.forced_nodes(trace)
    assert tree.column_edges(trace, forced, fold=False).tolist() == [0, 1, 2, 3, 4]
    folded = tree.column_edges(trace, forced, fold=True)
    assert np.diff(folded).tolist() == pytest.approx([1, 1, tree.FOLDED_WIDTH, 1])
    assert tree.tree_columns(trace, fold=True)["narrow"].tolist() == [False, False, False, True, False]


def test_a_forced_step_that_was_pruned_is_never_folded():
    trace = forced_trace()
    fate = trace.fate.copy()
    fate[3] = Fate.FALLBACK
    assert not tree.forced_nodes(small_trace(**{**vars(trace), "fate": fate})).any()


def test_probabilities_never_read_zero_for_what_is_possible():
    shares = (0, 1e-9, 0.00034, 0.034, 0.5, 1)
    assert [tree.percent(share) for share in shares] == ["0 %", "< 0.01 %", "0.034 %", "3.4 %", "50 %", "100 %"]


def test_the_tree_is_summed_up_for_those_who_cannot_see_it():
    assert tree.tree_summary(small_trace()) == (
        "Search tree of 8 nodes over 2 steps: 5 kept, 1 beam-cut, 1 pruned, 1 regenerated, 1 fallback."
    )
