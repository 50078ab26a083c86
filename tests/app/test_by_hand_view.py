"""What is changed by hand in words: banners, texts for links, and what can be looked up."""

import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.view_models import by_hand, catalog, history, tree
from app.view_models.by_hand import ByHand
from reg4rec_core import HISTORY_LENGTH, Fate, SmallestEdit, parse_branch, parse_edits, parse_steering, read_facets

CATALOG = small_catalog()
LIPS, MASCARA, SHAMPOO = 0, 1, 2


@pytest.fixture(scope="module")
def facets():
    return read_facets(CATALOG, small_ids(), small_interactions())


def test_what_is_changed_by_hand_has_the_texts_of_the_url():
    changed = ByHand(parse_edits("-1,~3"), parse_steering("forbid:0.1"), parse_branch("0.1-1.0"))
    assert changed.texts == {"edit": "-1,~3", "steer": "forbid:0.1", "from": "0.1-1.0"}
    assert changed.saved_as == {"edit": "edited", "steer": "steered", "from": "restored"}
    assert bool(changed)
    assert not ByHand()
    assert not any(ByHand().texts.values())
    assert bool(ByHand(branch=((0, 1),)))


def test_codes_of_the_branch_and_codes_fixed_without_alternative_are_given():
    changed = ByHand((), parse_steering("fix:2.1,fix:3.1,fix:3.2,forbid:4.1"), ((0, 1),))
    assert changed.given_codes == {(0, 1), (2, 1)}


def test_banners_name_rules_and_branches_as_people_call_them(facets):
    rules = parse_steering("fix:0.1,forbid_category:Beauty > Makeup > Lips,require_brand:unknown,forbid_brand:Avalon")
    assert by_hand.steering_banner(rules, facets, 3) == (
        "Steered: only facet A “Eyes · mascara” (code 1); without category “Makeup › Lips”; only items of unknown "
        "brand; without brand “Avalon”. 3 of 8 items may be recommended."
    )
    assert by_hand.branch_banner(((0, 1), (1, 0)), facets) == (
        "Restored branch: every path begins with facet A “Eyes · mascara”, then facet B “like “Red Lipstick””; "
        "θ applies from step 3 on."
    )
    assert by_hand.allowed_prefix(rules, 1234) == "Among the 1,234 items that steering allows, "
    assert by_hand.allowed_prefix(parse_steering(""), 8) == ""


def test_items_are_found_by_words_of_title_and_brand_the_most_bought_first(facets):
    assert catalog.found_items(facets, "avalon LIP")["title"].tolist() == ["Red Lipstick", "Plum Lipstick"]
    everything = catalog.found_items(facets, "")
    assert len(everything) == 8
    bought = facets.popularity[everything["item"]]
    assert (np.diff(bought) <= 0).all()
    assert catalog.found_items(facets, "zzz").empty


def test_categories_count_what_lies_below_and_brands_stand_beside_them():
    rows = catalog.found_groups(CATALOG, "")
    found = {(kind, name): count for kind, name, _, count in rows.itertuples(index=False)}
    assert found["category", "Beauty > Makeup"] == 5
    assert found["category", "Beauty > Hair"] == found["brand", "Birch"] == 2
    assert found["category", "Beauty"] == 7
    assert rows["items"].is_monotonic_decreasing
    assert catalog.found_groups(CATALOG, "brand av")["name"].tolist() == ["Avalon"]
    assert "unknown brand" in catalog.found_groups(CATALOG, "unknown")["called"].tolist()


def test_what_is_appended_pushes_the_oldest_out_and_places_say_so():
    edits = parse_edits("~1,~2,-1")
    assert history.first_place(3, edits) == 1
    assert history.first_place(HISTORY_LENGTH, edits) == 2
    assert history.first_place(HISTORY_LENGTH + 30, ()) == 1
    assert history.first_place(HISTORY_LENGTH, parse_edits("~1,~2")) == 3


@pytest.mark.parametrize(
    ("removed", "smallest", "titles", "expected"),
    [
        ([4], True, ["A"], "Without “A”, “Red Lipstick” is not recommended any more. No smaller edit exists (7 sear"),
        ([3, 4], True, ["A", "B"], " Every smaller set of purchases was tried and leaves it in"),
        ([2, 3, 4, 5], False, ["A", "B", "C", "D"], "a smaller set may exist"),
        ([], True, [], "“Red Lipstick” stays in the list whatever was left out: every single purchase, every pair and"),
        ([], False, [], "single purchases, some pairs and growing sets were tried in 7 searches"),
    ],
)  # fmt: skip
def test_the_smallest_edit_says_how_sure_it_is(removed, smallest, titles, expected):
    edit = SmallestEdit(1, np.array(removed, np.int64), smallest, 7)
    assert expected in history.smallest_edit_text(edit, titles, CATALOG)


def test_several_purchases_are_left_out_from_the_newest_on():
    assert ",".join(map(str, history.removals([2, 5, 3]))) == "-5,-3,-2"
    assert [history.removals_label(places) for places in ([], [2], [2, 3])] == ["", "Leave it out", "Leave these 2 out"]


def focus_of(trace):
    return tree.find_focus(trace, "0.0", 1)


def test_only_kept_nodes_and_the_followed_path_are_shown():
    trace = small_trace()
    assert np.flatnonzero(tree.hidden_nodes(trace, focus_of(trace), tree.Show("only kept"))).tolist() == [3, 5]
    followed = tree.find_focus(trace, "0.0-1.2", 1)
    assert np.flatnonzero(tree.hidden_nodes(trace, followed, tree.Show("only kept"))).tolist() == [3]
    assert not tree.hidden_nodes(trace, followed, tree.Show()).any()


def test_only_jumps_above_a_js_are_shown_and_none_hangs_in_the_air():
    trace = small_trace()
    hidden = tree.hidden_nodes(trace, focus_of(trace), tree.Show("only js above", 0.08))
    assert np.flatnonzero(hidden).tolist() == [3, 6], "node 7 jumps by .09, node 5 by .11"
    calm = np.where(np.arange(8) == 2, 0.01, trace.js)
    hidden = tree.hidden_nodes(small_trace(js=calm), focus_of(trace), tree.Show("only js above", 0.08))
    assert np.flatnonzero(hidden).tolist() == [3, 6], "node 2 hardly jumps, but node 7 hangs on it"
    hidden = tree.hidden_nodes(trace, focus_of(trace), tree.Show("only js above", 0.5))
    assert np.flatnonzero(~hidden).tolist() == [0, 1, 4], "the followed path alone"


def test_the_summary_counts_what_is_hidden_and_the_others_take_its_room(facets):
    trace, focus = small_trace(), focus_of(small_trace())
    hidden = tree.hidden_nodes(trace, focus, tree.Show("only kept"))
    assert tree.tree_summary(trace, hidden).endswith(" 2 of 8 nodes are hidden.")
    assert "hidden" not in tree.tree_summary(trace)
    described = tree.describe_nodes(trace, facets)
    rows = tree.search_tree(described, trace, facets, -1, fold=True, hidden=hidden)
    assert rows["hidden"].tolist() == hidden.tolist()
    assert rows["y"][1] == 0.25, "two nodes share the column that three had"
    assert described["y"][1] < 0.25


def test_a_node_given_by_hand_is_not_said_to_have_passed_a_check(facets):
    trace = small_trace(check_from=2)
    assert tree.node_fates(trace, given=1) == [tree.node_fate(trace, row, given=1) for row in range(trace.n_nodes)]
    assert tree.node_fate(trace, 1, given=1) == (
        "Given by hand: every path goes through it; its belief moved by js 0.300, which nothing checked."
    )
    assert tree.node_fate(trace, 4, given=1).startswith("Kept: its belief moved")
    assert tree.node_fate(trace, 0, given=1).startswith("The start")
    reasons = tree.describe_nodes(trace, facets, given=1)["reason"]
    assert [reason.startswith("Given by hand") for reason in reasons] == [False, True, True, True] + [False] * 4
    assert trace.fate[3] == Fate.BEAM_CUT
