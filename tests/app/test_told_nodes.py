"""What the browser is told of every node of a search."""

import json
from base64 import b64decode

import numpy as np
import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.view_models import told_nodes as view
from app.view_models import tree
from reg4rec_core import items_left, read_facets

CATEGORIES = small_catalog().category_names


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def told(facets, **changes):
    trace = small_trace(**changes)
    return view.told_nodes(tree.describe_nodes(trace, facets), trace, CATEGORIES)


def codes(facets, trace, barred=frozenset()):
    return view.told_codes(trace, facets, lambda *code: view.told_card(facets, *code), barred)


def test_every_node_is_told_of_in_plain_json(facets):
    said = told(facets)
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert {len(said[name]) for name in said if isinstance(said[name], list)} == {small_trace().n_nodes}
    assert said["headings"][5] == "B2 · like “Coral Lipstick”"
    assert (said["chances"][5], said["left"][5], said["kinds"][5]) == ("20 %", "1", "pruned")
    assert said["reasons"][5].startswith("Pruned: its belief moved by js 0.110")


def test_beliefs_come_as_they_are_to_a_hundred_thousandth(facets):
    trace, said = small_trace(), told(facets)["beliefs"]
    shares = np.frombuffer(b64decode(said["shares"]), dtype="<u2").reshape(-1, len(CATEGORIES)) / said["finest"]
    for row, place in enumerate(said["row"]):
        if np.isnan(trace.beliefs[row]).any():
            assert place == -1
        else:
            assert shares[place] == pytest.approx(trace.beliefs[row], abs=1e-5)
    assert said["categories"][0] == "Makeup › Lips"


def test_a_search_without_any_belief_has_none_to_tell(facets):
    said = told(facets, beliefs=np.full((8, 4), np.nan))["beliefs"]
    assert (set(said["row"]), said["shares"]) == ({-1}, "")


def test_the_belief_is_named_by_its_step_and_by_what_it_lacks(facets):
    said = told(facets)
    assert said["titles"][0] == "What kind of item comes next, before any code"
    assert said["titles"][1] == "What kind of item comes next, after step 1 and before it"
    assert said["titles"][3] == "Step 1 needs no belief; shown is the last one"
    assert said["ended_titles"][3] == "This branch ended at step 1: beam-cut"
    assert said["ended"][3] == "The branch ended at step 1. "


def test_what_is_not_compared_is_null(facets):
    shifts = told(facets)["shifts"]
    assert shifts[0] == {"js": None, "theta": 0.06, "verdict": "nothing to compare", "too_far": False}
    assert (shifts[5]["js"], shifts[5]["too_far"]) == (0.11, True)
    assert told(facets, theta=np.inf)["shifts"][5]["theta"] is None


def test_allowed_items_put_recommended_ones_first_then_popular_ones(facets):
    trace = small_trace()
    said = codes(facets, trace)
    titles = [said["items"][place][0] for place in said["allowed"][1]]
    assert titles == ["Plum Lipstick", "Red Lipstick", "Coral Lipstick"]
    assert [said["ranks"].get(str(place)) for place in said["allowed"][1]] == [1, None, None]
    for node in range(trace.n_nodes):
        found = {said["items"][place][0] for place in said["allowed"][node]}
        assert found == {facets.catalog.titles[item] for item in items_left(facets.ids, trace, node)}
    assert said["counts"][1] == "3"


def test_barred_items_are_counted_but_not_listed(facets):
    said = codes(facets, small_trace(), barred={1})
    assert [said["items"][place][0] for place in said["allowed"][1]] == ["Plum Lipstick", "Coral Lipstick"]
    assert said["counts"][1] == "2 of 3"


def test_long_lists_are_cut_and_their_count_is_not(facets, monkeypatch):
    monkeypatch.setattr(view, "LISTED_ITEMS", 2)
    said = codes(facets, small_trace())
    assert (len(said["allowed"][0]), said["counts"][0]) == (2, "8")


def test_a_code_is_told_by_what_its_items_share(facets):
    said = codes(facets, small_trace())
    card = said["cards"][said["codes"][2]]
    assert (card["code"], card["load"]) == (1, 2)
    assert card["about"][:2] == [("categories", "Eyes 100%, Makeup 100%"), ("brands", "none stands out")]
    assert [said["items"][place][0] for place in card["typical"]] == ["Black Mascara", "Brown Mascara"]
    assert said["codes"][0] == ""


def test_what_was_tried_comes_likeliest_first(facets):
    trace = small_trace()
    chances = [trace.log_prob[row] for row in codes(facets, trace)["order"]]
    assert chances == sorted(chances, reverse=True)
