import json

import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.charts import reasoning as charts
from app.charts.palette import MARKS, colour_of
from app.view_models import tree
from reg4rec_core import read_facets


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def drawing(facets, *, target=-1, fold=True, ground="light"):
    trace = small_trace()
    nodes = tree.search_tree(tree.describe_nodes(trace, facets), trace, facets, target, fold=fold)
    return charts.search_tree(nodes, tree.tree_columns(trace, fold=fold), ground, alt="a tree")


def test_entry_i_is_node_i_whatever_is_folded(facets):
    paths = [[node["path"] for node in drawing(facets, fold=fold)["nodes"]] for fold in (True, False)]
    assert paths[0] == paths[1]
    assert len(paths[0]) == small_trace().n_nodes


def test_a_drawing_is_plain_json(facets):
    json.dumps(drawing(facets), allow_nan=False)


def test_kinds_differ_in_shape_or_outline_and_in_dash_not_in_colour_alone():
    looks = {kind: (mark.symbol, mark.filled) for kind, mark in MARKS.items() if kind != "root"}
    assert len(set(looks.values())) == len(looks)
    dead = [MARKS[kind].dash for kind in ("beam_cut", "pruned", "fallback")]
    assert len(set(dead)) == 3
    assert "none" not in dead


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_every_kind_has_a_colour_of_its_own(ground):
    colours = [colour_of(kind, ground) for kind in MARKS if kind != "root"]
    assert len(set(colours)) == len(colours)


def test_a_step_along_a_path_changes_only_what_is_said_beside_the_drawing(facets):
    picture, trace = drawing(facets), small_trace()
    told = [charts.followed(picture["id"], tree.find_focus(trace, "0.1", step), path="0.1") for step in (1, 2)]
    same = {"id": picture["id"], "path": "0.1", "end": 6, "label": "", "note": ""}
    assert told == [same | {"step": 1}, same | {"step": 2}]
    assert {drawing(facets, target=4)["id"], drawing(facets, fold=True)["id"]} == {picture["id"]}, "the same nodes"
    described = tree.describe_nodes(trace, facets)
    assert tree.search_id(described[:-1]) != tree.search_id(described) == picture["id"]


def test_a_click_can_be_followed_without_asking_where_its_path_leads(facets):
    picture, trace = drawing(facets), small_trace()
    for row, node in enumerate(picture["nodes"][1:], 1):
        focus = tree.find_focus(trace, node["path"], node["step"])
        assert (focus.node, focus.rows[-1]) == (row, node["end"])


def test_the_followed_path_is_drawn_stronger_and_later_steps_are_fainter(facets):
    looks, usual = charts.LOOKS, drawing(facets)["nodes"][2]["opacity"]
    for when in ("now", "later"):
        assert looks["path"][when]["link"]["width"] > looks["aside"][when]["link"]["width"]
    for whose in ("path", "aside"):
        now, later = looks[whose]["now"], looks[whose]["later"]
        assert later["opacity"] < (now["opacity"] or usual)
        assert later["link"]["opacity"] < now["link"]["opacity"]


def test_the_hit_carries_a_star(facets):
    nodes = drawing(facets, target=4)["nodes"]
    assert nodes[6]["label"] == "★ 2 · Black Mascara"
    assert [node["label"].startswith("★") for node in nodes].count(True) == 1


def test_places_lie_in_the_unit_square(facets):
    for node in drawing(facets)["nodes"]:
        assert 0 <= node["x"] <= 1
        assert 0 <= node["y"] <= 1
