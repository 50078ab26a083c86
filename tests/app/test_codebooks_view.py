"""The tables of the Codebooks page, by hand numbers over eight items."""

import json

import numpy as np
import pandas as pd
import pytest
from small_shop import small_catalog, small_ids, small_interactions

from app.charts import codebooks as charts
from app.charts.gates import gate_boxes
from app.components.heat_table import heat_markup
from app.view_models import codebooks as view
from reg4rec_core import (
    Agreement,
    CodebookMaps,
    CodebookReport,
    InputError,
    ItemAttribute,
    Layout,
    Likeness,
    SemanticIds,
    code_card,
    read_facets,
)

KIND = ItemAttribute(
    "category level 1", ("Makeup", "Hair"), np.array([-1, 0, 0, 0, 0, 0, 1, 1, -1]), True, "text", False
)
BOUGHT = ItemAttribute(
    "popularity", ("bought 0", "bought 1", "bought 2"), np.array([-1, 2, 2, 1, 0, 0, 1, 0, 1]), False, "not read", True
)


def make_report(**changes: object) -> CodebookReport:
    """Codebook A tells kinds, B does not; nothing collides but what a test adds."""
    agreements = (
        Agreement(KIND, np.array([0.7, 0.25]), np.array([0.2, 0.2]), np.array([0.9, 0.1])),
        Agreement(BOUGHT, np.array([0.3, 0.305]), np.array([0.3, 0.3]), np.array([0.0, -0.01])),
    )
    likenesses = (
        Likeness("shared information", np.array([[1, 0.12], [0.12, 1]]), "0 for strangers"),
        Likeness("codewords", np.array([[1, 0.4], [0.4, 1]]), "a note"),
    )
    parts = {
        "ids": small_ids(),
        "loads": np.array([[3, 2, 3, 0], [3, 3, 2, 0]]),
        "perplexity": np.array([2.95, 2.9]),
        "agreements": agreements,
        "likenesses": likenesses,
        "collisions": (),
        "gate_means": (0.75, 0.25),
        "gate_quantiles": np.array([[0.6, 0.7, 0.76, 0.8, 0.9], [0.1, 0.2, 0.24, 0.3, 0.4]]),
    }
    return CodebookReport(**(parts | changes))


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


@pytest.fixture(scope="module")
def cards(facets):
    return tuple(code_card(facets, 0, code) for code in range(4))


def make_maps() -> CodebookMaps:
    rng = np.random.default_rng(0)
    codes = tuple(Layout(rng.uniform(-1, 1, (4, 2)), "UMAP", "") for _ in range(2))
    return CodebookMaps(codes, Layout(rng.uniform(-1, 1, (8, 2)), "PCA", "PCA is shown because a test says so"))


def test_the_overview_has_a_line_for_every_facet():
    table = view.experts(make_report())
    assert table["facet"].tolist() == ["A", "B"]
    assert table["codes in use"].tolist() == ["3 of 4", "3 of 4"]
    assert table["dead"].tolist() == ["1", "1"]
    assert table["effectively in use"].tolist() == ["3", "3"]
    assert table["largest code"].tolist() == ["3 items", "3 items"]
    assert table["tells most of"].tolist() == ["category level 1", "category level 1"]
    assert table["beyond chance"].tolist() == ["0.50", "0.05"]
    assert table["mean gate weight"].tolist() == ["75.0%", "25.0%"]


def test_a_run_without_gate_weights_says_so_and_has_no_column_for_them():
    report = make_report(gate_means=())
    assert "mean gate weight" not in view.experts(report)
    assert view.experts_note(report).endswith("This run does not store gate weights.")


def test_the_spread_of_the_gate_is_told_where_the_run_knows_it():
    report = make_report()
    spread = view.gate_spread(report)
    assert spread.even == 0.5
    first = spread.rows.to_dict("records")[0]
    assert [first[name] for name in ("facet", "lowest", "middle", "highest")] == ["A", 0.6, 0.76, 0.9]
    assert first["detail"].startswith("facet A: median 76.0%, mean 75.0%")
    assert first["detail"].endswith("<br>half of the items from 70.0% to 80.0%<br>90 % of them from 60.0% to 90.0%")
    assert "spread" not in view.experts_note(report)
    wider = report.gate_quantiles - [[0], [0.05]] + [[0, 0, 0, 0, 0.0], [0, 0, 0, 0, 0.1]]
    assert view.gate_spread(make_report(gate_quantiles=wider)).summary.endswith(
        "most from item to item for facet B and least for facet A."
    )


def test_a_run_that_knows_only_the_means_of_its_gate_says_so():
    report = make_report(gate_quantiles=np.zeros((0, 5)))
    assert not view.has_gate_spread(report)
    assert "the means alone" in view.experts_note(report)


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_every_quantile_of_the_gate_stands_where_it_belongs(ground):
    spread = view.gate_spread(make_report())
    option = gate_boxes(spread.rows, spread.even, 1, ground)
    json.dumps(option, allow_nan=False)
    boxes = option["series"][0]["data"]
    for place, name in enumerate(("lowest", "lower", "middle", "upper", "highest")):
        assert [box["value"][place] for box in boxes] == pytest.approx(spread.rows[name].tolist())
    assert boxes[0]["itemStyle"] != boxes[1]["itemStyle"]
    low, high = option["yAxis"]["min"], option["yAxis"]["max"]
    assert low < 0.1 < 0.9 < high


@pytest.mark.parametrize(
    ("shared", "said"),
    [(0.12, "say mostly different things"), (0.3, "A and B overlap"), (0.8, "nearly copy each other")],
)
def test_the_verdict_follows_the_most_alike_pair(shared, said):
    likeness = Likeness("shared information", np.array([[1, shared], [shared, 1]]), "")
    assert said in view.verdict(make_report(likenesses=(likeness,)))


def test_the_verdict_says_who_tells_what_and_what_nobody_tells():
    assert view.verdict(make_report()).endswith(
        "Facet A tells category level 1 best; no facet tells popularity beyond chance."
    )


def test_a_single_facet_is_compared_with_nothing():
    alone = Likeness("shared information", np.ones((1, 1)), "")
    report = make_report(likenesses=(alone,), agreements=())
    assert view.verdict(report) == "There is a single facet, so there is nothing to compare it with."
    assert view.likeness_matrix(alone).summary.endswith("with a single facet.")


def test_the_heat_map_shows_what_is_beyond_chance_and_marks_what_is_no_input():
    matrix = view.agreement_matrix(make_report())
    assert matrix.values.loc["category level 1"].tolist() == pytest.approx([0.5, 0.05])
    assert matrix.values.loc["popularity (not an input)"].tolist() == pytest.approx([0, 0.005])
    cell = matrix.details.loc["category level 1", "A"]
    assert "beyond chance 0.500 (raw 0.700, shuffled 0.200)" in cell
    assert "tells 90% of what there is to know" in cell
    assert "known of 7 items, 2 values" in cell


def test_a_facet_is_not_compared_with_itself():
    values = view.likeness_matrix(make_report().likenesses[1]).values
    assert np.isnan(values.loc["A", "A"])
    assert values.loc["A", "B"] == 0.4


def test_an_unknown_measure_is_the_first():
    assert view.chosen_likeness(make_report(), "codewords").name == "codewords"
    assert view.chosen_likeness(make_report(), "<b>").name == "shared information"


def test_health_in_words():
    assert view.health(make_report(), 0) == (
        "Facet A leaves 1 of 4 codes unused, as evenly as 3 equal ones would be; the largest carries 3 items, "
        "none carries more than three times an even share (2 items)."
    )


def test_codes_are_found_by_every_word_of_their_card(cards):
    assert view.code_rows(cards, "")["code"].tolist() == [0, 2, 1, 3]
    assert view.code_rows(cards, "LIPS avalon")["code"].tolist() == [0]
    assert view.code_rows(cards, "mascara")["code"].tolist() == [1]
    assert view.code_rows(cards, "zzz").empty


@pytest.mark.parametrize("bad", ["4", "-1", "x", "1.0", "²", "9" * 30, "<script>"])
def test_a_code_that_is_not_there_is_refused_in_words(bad):
    with pytest.raises(InputError, match="code must be a number from 0 to 3 for facet A"):
        view.chosen_code(make_report(), 0, bad)


def test_without_a_code_the_largest_is_shown():
    assert view.chosen_code(make_report(), 0, "") == 0
    assert view.chosen_code(make_report(), 0, "3") == 3


def test_a_dead_code_says_so(cards):
    assert view.card_heading(cards[3], make_report()) == "code 3 · dead: no item carries it"
    assert view.card_heading(cards[0], make_report()) == "code 0 · 3 items carry it, 1.5 times an even share"


def test_items_are_coloured_by_their_value_and_the_unknown_stand_last(facets):
    drawn = view.point_map(make_report(), facets, make_maps(), what="items", codebook=0, colour="category level 1")
    assert drawn.points["group"].tolist() == ["Makeup"] * 5 + ["Hair"] * 2 + ["unknown"]
    assert drawn.groups == ("Makeup", "Hair", "unknown")
    assert drawn.note.endswith("PCA is shown because a test says so.")


def test_codes_are_coloured_by_what_most_of_their_items_are(facets):
    drawn = view.point_map(make_report(), facets, make_maps(), what="codes", codebook=0, colour="category level 1")
    assert drawn.points["group"].tolist() == ["Makeup", "Makeup", "Hair", "unknown"]
    by_middle = view.point_map(make_report(), facets, make_maps(), what="codes", codebook=0, colour="popularity")
    # Code 0 carries items bought 2, 2 and 1; code 1 0 and 0; code 2 1, 0 and 1.
    assert by_middle.points["group"].tolist() == ["bought 2", "bought 0", "bought 1", "unknown"]
    assert by_middle.ordered


def test_codes_are_coloured_by_load(facets):
    drawn = view.point_map(make_report(), facets, make_maps(), what="codes", codebook=0, colour=view.LOAD)
    assert drawn.points["group"].tolist() == ["about an even share"] * 3 + ["no item"]
    assert view.LOAD not in view.colourings(make_report(), "items")


def test_many_values_keep_the_frequent_ones_and_sum_the_rest():
    many = ItemAttribute("brand", tuple("abcdefghijkl"), np.array([-1, *range(12)]), True, "", False)
    named, groups = view.grouped(many, many.values[1:])
    assert groups == (*"abcdefg", "all others")
    assert named == [*"abcdefg", *["all others"] * 5]


def test_the_points_keep_their_order_whatever_colours_them(facets):
    report, maps = make_report(), make_maps()
    drawn = [
        view.point_map(report, facets, maps, what="codes", codebook=1, colour=colour)
        for colour in view.colourings(report, "codes")
    ]
    for other in drawn[1:]:
        pd.testing.assert_frame_equal(other.points[["x", "y", "name"]], drawn[0].points[["x", "y", "name"]])


def test_a_lasso_lists_its_items_and_how_they_differ(facets):
    report, maps = make_report(), make_maps()
    drawn = view.point_map(report, facets, maps, what="items", codebook=0, colour="category level 1")
    rows = view.selected_rows([{"series_index": 0, "data_indices": [0, 3, 99, -1]}], len(drawn.points))
    assert rows == [0, 3]
    chosen = view.selection(drawn, report, facets, rows, what="items", codebook=0)
    assert chosen.rows["item"].tolist() == ["Red Lipstick", "Black Mascara"]
    assert chosen.summary == "2 of 8 items; 100% of them “Makeup”, against 62% on the whole map."


def test_an_empty_lasso_says_what_to_do(facets):
    report, maps = make_report(), make_maps()
    drawn = view.point_map(report, facets, maps, what="codes", codebook=0, colour=view.LOAD)
    chosen = view.selection(drawn, report, facets, [], what="codes", codebook=0)
    assert chosen.rows.empty
    assert chosen.summary.startswith("Choose the lasso or the box")


def test_collisions_are_listed_by_group(facets):
    report = make_report(collisions=(np.array([1, 3]), np.array([6, 7])))
    assert view.collision_summary(report).startswith("4 items in 2 groups (50.00% of the catalogue)")
    rows = view.collision_rows(report, facets)
    assert rows["group"].tolist() == ["1", "1", "2", "2"]
    assert rows["item"].tolist() == ["Red Lipstick", "Coral Lipstick", "Mint Shampoo", "Honey Shampoo"]


def test_no_collisions_are_said_in_a_sentence(facets):
    assert view.collision_summary(make_report()).startswith("No two items share all their codes")
    assert view.collision_rows(make_report(), facets).empty


def test_the_flow_counts_items_from_groups_of_codes_to_categories():
    flow = view.flow_rows(make_report(), 1)
    # Facet B: code 0 carries 1 4 6 (Makeup twice, Hair once), code 1 2 5 7 (the same), code 2 3 8 (Makeup, unknown).
    assert flow.rows.to_dict("records") == [
        {"source": "3 codes mostly Makeup", "target": "Makeup", "items": 5},
        {"source": "3 codes mostly Makeup", "target": "Hair", "items": 2},
    ]
    assert flow.summary.startswith("In facet B, 71% of the items have the category level 1")


def test_without_categories_nothing_flows():
    flow = view.flow_rows(make_report(agreements=()), 0)
    assert flow.rows.empty
    assert "no categories" in flow.summary


def test_a_link_keeps_only_the_choices_of_this_page():
    state = {"code": "3", "user": "7", "theta": "0.1", "colour": "brand", "find": ""}
    assert view.url_choices(state) == {"code": "3", "colour": "brand"}


def test_the_report_comes_away_as_plain_json():
    document = json.loads(view.report_json(make_report(collisions=(np.array([1, 3]),))))
    assert document["facets"][0]["dead_codes"] == [3]
    assert document["agreements"][0]["adjusted"] == [0.5, 0.05]
    assert document["collisions"] == [[1, 3]]


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_charts_are_plain_values_on_both_grounds(facets, ground):
    report, maps = make_report(), make_maps()
    bars = charts.load_bars(view.load_rows(report, facets, 0), report.even_load, 2, ground)
    json.dumps(bars, allow_nan=False)
    drawn = bars["series"][0]["data"]
    assert [bar["value"] for bar in drawn] == [3, 3, 2, 0]
    assert ["itemStyle" in bar for bar in drawn] == [bar["name"].startswith("code 2:") for bar in drawn]
    assert any("itemStyle" in bar for bar in drawn)
    json.dumps(charts.flow(view.flow_rows(report, 1).rows, ground), allow_nan=False)
    for colour in view.colourings(report, "codes"):
        drawn = view.point_map(report, facets, maps, what="codes", codebook=0, colour=colour)
        option = charts.point_map(drawn.points, drawn.groups, ground, ordered=drawn.ordered)
        option.pop("dataset")
        json.dumps(option, allow_nan=False)
        colours = option["visualMap"]["inRange"]["color"]
        assert len(set(colours.values())) == len(drawn.groups)


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_the_larger_a_number_the_stronger_its_cell(ground):
    weakest, strongest = charts.HEAT[ground]
    on_weak, on_strong = charts.HEAT_TEXT[ground]
    assert charts.heat_colours(0.0, 0.8, ground) == charts.heat_colours(-0.1, 0.8, ground) == (weakest, on_weak)
    assert charts.heat_colours(0.8, 0.8, ground) == (strongest, on_strong)
    assert charts.heat_colours(0.04, 0.01, ground)[0] not in (weakest, strongest)


def test_a_matrix_becomes_a_table_that_leaves_empty_what_is_not_compared():
    matrix = view.likeness_matrix(Likeness("shared information", np.array([[1.0, 0.25], [0.25, 1.0]]), ""))
    drawn = heat_markup(matrix.values, matrix.details, "light", alt="How <alike>")
    assert drawn.count("<td></td>") == 3  # the corner and the diagonal
    assert drawn.count(">0.25</td>") == 2
    assert 'title="facets A and B: 0.250"' in drawn
    assert 'aria-label="How &lt;alike&gt;"' in drawn


def test_a_heat_map_of_nothing_is_still_a_table():
    matrix = view.likeness_matrix(Likeness("shared information", np.ones((1, 1)), ""))
    drawn = heat_markup(matrix.values, matrix.details, "light", alt="nothing to compare")
    assert '<th scope="row">A</th><td></td>' in drawn


def test_overloaded_codes_are_told():
    ids = SemanticIds(np.array([[0]] * 8 + [[1]]), 4)
    report = make_report(ids=ids, loads=np.array([[7, 1, 0, 0]]), perplexity=np.array([1.5]))
    assert "1 carries more than three times an even share" in view.health(report, 0)
