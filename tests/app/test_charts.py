import json

import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.charts import reasoning as charts
from app.charts.palette import MARKS, colour_of
from app.view_models import reasoning, tree
from reg4rec_core import read_facets


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def drawing(facets, *, key="", step=1, target=-1, fold=True, ground="light"):
    trace = small_trace()
    nodes = tree.describe_nodes(trace, facets)
    nodes = tree.search_tree(nodes, trace, facets, tree.find_focus(trace, key, step), target, fold=fold)
    return charts.search_tree(nodes, tree.tree_columns(trace, fold=fold), ground, alt="a tree")


def test_entry_i_is_node_i_whatever_is_chosen(facets):
    paths = [
        [node["path"] for node in drawing(facets, key=key, step=step, fold=fold)["nodes"]]
        for key in ("", "0.1")
        for step in (0, 2)
        for fold in (True, False)
    ]
    assert all(order == paths[0] for order in paths)
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


def test_exactly_one_node_is_chosen_and_its_column_stands_out(facets):
    picture = drawing(facets, key="0.1", step=2)
    assert [row for row, node in enumerate(picture["nodes"]) if node["chosen"]] == [6]
    assert [column["name"] for column in picture["columns"] if column["chosen"]] == ["step 2"]


def test_the_followed_path_is_drawn_stronger(facets):
    widths = [node["link"]["width"] for node in drawing(facets, key="0.1")["nodes"]]
    assert widths == [3, 1, 3, 1, 1, 1, 3, 1]


def test_later_steps_are_fainter(facets):
    nodes = drawing(facets, step=1)["nodes"]
    assert nodes[5]["opacity"] < nodes[2]["opacity"]
    assert nodes[5]["link"]["opacity"] < nodes[2]["link"]["opacity"]


def test_the_hit_carries_a_star(facets):
    nodes = drawing(facets, target=4)["nodes"]
    assert nodes[6]["label"] == "★ 2 · Black Mascara"
    assert [node["label"].startswith("★") for node in nodes].count(True) == 1


def test_places_lie_in_the_unit_square(facets):
    for node in drawing(facets)["nodes"]:
        assert 0 <= node["x"] <= 1
        assert 0 <= node["y"] <= 1


def test_belief_bars_have_stable_series_in_percent(facets):
    trace = small_trace()
    for step in (0, 1, 2):
        rows = reasoning.belief_rows(trace, facets.catalog, tree.find_focus(trace, "", step))
        option = charts.belief_bars(rows, "light")
        assert [series["id"] for series in option["series"]] == ["now", "before"]
        assert option["yAxis"]["data"] == rows["category"].tolist()
        assert sum(option["series"][0]["data"]) == pytest.approx(100, abs=0.3)
    json.dumps(option, allow_nan=False)
