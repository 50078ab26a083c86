import json
import math
from dataclasses import replace

import numpy as np
import pytest

from app.charts import theta_curves as theta_charts
from app.view_models import theta_cohort as view
from app.view_models import tuning
from reg4rec_core import (
    DecodeConfig,
    InputError,
    ThetaCurve,
    ThetaPoint,
    ThetaSweep,
    flips,
    read_cohort,
    suggest_theta,
)
from reg4rec_core.metrics import Interval

KEYS = [f"visitor {row}" for row in range(10)]
PLACES = {0.05: [1, 0, 3], 0.3: [1, 12, 0], math.inf: [2, 4, 0]}


def point_of(theta: float, ndcg: float, nodes: float) -> ThetaPoint:
    metrics = {name: Interval(ndcg, ndcg - 0.01, ndcg + 0.02) for name in ("recall@10", "ndcg@10")}
    metrics |= {name: Interval(ndcg / 2, 0.0, 1.0) for name in ("recall@5", "ndcg@5")}
    return ThetaPoint(theta, metrics, nodes, 3.25, 1.0, 0.5, 0.0125, 0.9, 0.3, 4.5, 12.0)


def curve_of(split: str = "valid", *, check_from: int = 2, weights: str = "pretrained") -> ThetaCurve:
    """Three users, three thetas; a larger one ranks better until pruning is off, and takes fewer nodes."""
    points = (point_of(0.05, 0.5, 300.0), point_of(0.3, 0.7, 250.0), point_of(math.inf, 0.6, 240.0))
    places = np.array(list(PLACES.values()))
    return ThetaCurve(f"theta-{split}", split, 3, weights, check_from, 0.3, points, np.array([4, 2, 7]), places)


SWEEPS = (
    ThetaSweep("a", "test", 900, "pretrained"),
    ThetaSweep("b", "valid", 50, "pretrained"),
    ThetaSweep("c", "valid", 200, "pretrained"),
    ThetaSweep("d", "valid", 900, "post_trained"),
)


def test_the_largest_validation_sweep_of_these_weights_is_shown_first():
    sweeps = view.sweeps_of(SWEEPS, "pretrained")
    assert list(sweeps) == ["c", "b", "a"]
    assert view.chosen_sweep(sweeps, "").name == "c"
    assert view.chosen_sweep(sweeps, "a").users == 900
    assert view.sweep_label(sweeps["a"]) == "900 test users (a)"


def test_an_unknown_sweep_is_refused_in_words():
    with pytest.raises(InputError, match="these weights have no theta sweep 'd'; choose one of c, b, a or make it"):
        view.chosen_sweep(view.sweeps_of(SWEEPS, "pretrained"), "d")


def test_the_other_split_is_the_largest_sweep_that_has_it():
    sweeps = view.sweeps_of(SWEEPS, "pretrained")
    assert view.of_split(sweeps, sweeps["b"], "valid").name == "b"
    assert view.of_split(sweeps, sweeps["a"], "valid").name == "c"
    assert view.of_split({"b": sweeps["b"]}, sweeps["b"], "test") is None


def test_sweeps_of_other_settings_are_not_compared():
    assert view.comparable(curve_of(), curve_of("test")).split == "test"
    assert view.comparable(curve_of(), curve_of("test", check_from=3)) is None
    assert view.comparable(curve_of(), replace(curve_of("test"), cohort="seen_0~4")) is None
    assert view.comparable(curve_of(), None) is None


def test_a_curve_is_a_row_a_theta_with_no_pruning_last():
    table = view.curve_table(curve_of())
    assert table["theta"].tolist() == ["0.05", "0.3", "off"]
    assert table["x"].is_monotonic_increasing
    assert table.loc[1, ["ndcg_low", "ndcg", "ndcg_high"]].tolist() == pytest.approx([0.69, 0.7, 0.72])
    assert table.loc[0, ["nodes", "pruned", "wrong", "fallback"]].tolist() == [300, 3.25, 0.0125, 0.5]
    assert table["front"].tolist() == [False, True, True]


def test_a_curve_may_count_the_first_five_places():
    table = view.curve_table(curve_of(), 5)
    assert table["ndcg"].tolist() == table["recall"].tolist() == pytest.approx([0.25, 0.35, 0.3])
    assert table["front"].tolist() == [False, True, True]


def test_the_users_of_a_cohort_are_told_and_too_few_of_them_say_nothing():
    some = replace(curve_of(), cohort="history_1~4", users=40)
    assert view.cohort_note(some, 900, "Users: short") == "Users: short: 40 of the 900 users that this sweep searched."
    assert view.cohort_note(replace(some, users=29), 900, "Users").endswith(
        "; too few to say anything, 30 is the least."
    )
    assert "of 40 users of the cohort find their next item" in view.point_sentence(some, 0.3, 2)
    assert "of the cohort seen_0~4 (s)" in view.sweep_label(ThetaSweep("s", "test", 9, "pretrained", "seen_0~4"))
    assert view.cohort_labels("history_3~")["history_3~"] == "history_3~"
    assert all(read_cohort(text).to_text() == text for text in view.COHORTS)


def test_what_an_older_sweep_did_not_keep_is_left_out_of_the_sentence():
    points = tuple(replace(point, nodes=math.nan, pruned=math.nan, seconds=math.nan) for point in curve_of().points)
    some = replace(curve_of(), points=points)
    assert view.point_sentence(some, 0.3, 2).endswith("NDCG@10 is 0.7000.")
    assert view.time_note(some) == ""
    assert view.time_note(curve_of()).startswith("The 3 settings took 36 s together, 4000 ms a user and setting;")


def test_only_what_nothing_else_beats_is_on_the_front():
    assert view.on_front([1, 2, 3, 2], [0.1, 0.3, 0.3, 0.2]) == [True, True, False, False]
    assert view.on_front([1, 1], [0.2, 0.2]) == [True, True]


def test_the_sliders_end_is_no_pruning():
    nearest = [view.nearest_theta(curve_of(), theta) for theta in (0.0, 0.1, 0.2, 0.4, 0.7)]
    assert nearest == [0.05, 0.05, 0.3, 0.3, math.inf]


def test_a_point_is_told_with_its_interval_and_its_cost():
    said = view.point_sentence(curve_of(), 0.3, 2)
    assert said == (
        "At θ = 0.3, the swept value nearest to the slider's, 70.00% of 3 users find their next item among ten "
        "(95 %: 69.00% to 72.00%); NDCG@10 is 0.7000. A search takes 250 nodes; 3.25 branches are pruned, "
        "0.0125 of them wrongly."
    )
    assert "(this sweep compares from step 2 on)" in view.point_sentence(curve_of(), 0.3, 4)
    off = replace(curve_of(), points=(*curve_of().points[:2], replace(curve_of().points[2], pruned=0.0)))
    assert view.point_sentence(off, math.inf, 2).startswith("Without pruning, 60.00%")
    assert view.point_sentence(off, math.inf, 2).endswith("240 nodes; nothing is pruned.")


def test_validation_suggests_and_the_test_users_are_heard_apart():
    found = suggest_theta(curve_of(), curve_of("test"))
    valid, test = view.suggestion_words(found)
    assert valid.startswith("Validation NDCG@10 is highest with θ = 0.3, compared from step 2: 0.7000 (95 %:")
    assert valid.endswith(found.valid.sentence)
    assert test.startswith("The test users had no part in the choice; with it: NDCG@10 0.7000 (95 %:")
    assert view.take_label(found) == "Take θ = 0.3"
    assert view.suggestion_words(suggest_theta(curve_of()))[1].endswith("the test users are not heard.")


def test_test_users_are_not_said_to_choose_no_pruning():
    best_off = curve_of()
    points = (*best_off.points[:2], point_of(math.inf, 0.9, 240.0))
    off, test = replace(best_off, points=points), curve_of("test")
    valid, heard = view.suggestion_words(suggest_theta(off, test))
    assert valid.startswith("Validation NDCG@10 is highest with no pruning")
    assert heard.endswith("with it: NDCG@10 0.6000 (95 %: 0.5900 to 0.6200).")
    assert view.take_label(suggest_theta(off)) == "Take it: no pruning"


def test_a_setting_is_kept_as_the_slider_shows_it():
    own = DecodeConfig(theta=0.2, check_from=2, beam_width=7)
    kept = tuning.preset_decode(own, 0.05, 3)
    assert (kept.theta, kept.check_from, kept.beam_width) == (0.05, 3, 7)
    assert tuning.preset_decode(own, 0.7, 2).theta == math.inf
    assert view.slider_theta(math.inf) == 0.7


def test_who_flips_is_told_and_listed_with_places_and_links():
    curve = curve_of()
    found = flips(curve, math.inf, 0.05)
    assert view.flip_sentence(found, math.inf, 0.05) == (
        "From no pruning to θ = 0.05, 1 user gains and 1 user loses the next item among ten. "
        "A name opens that user's tree."
    )
    links = view.user_links("http://here/tuning?x=1", {"theta": "0.05"}, found, KEYS)
    assert links["visitor 7"] == "http://here/tuning?theta=0.05&user=visitor+7"
    rows = view.flip_rows(curve, found, math.inf, 0.05, KEYS, links)
    assert [(row["user"], row["target"]) for row in rows] == [
        ("visitor 7", "gained: missed → place 3"),
        ("visitor 2", "lost: place 4 → missed"),
    ]
    assert "move the slider" in view.flip_sentence(flips(curve, 0.3, 0.3), 0.3, 0.3)


def test_a_long_list_of_flips_is_cut_in_proportion():
    found = flips(curve_of(), math.inf, 0.05)
    many = type(found)(np.arange(150), np.arange(50))
    cut = view.shown_flips(many)
    assert (len(cut.gained), len(cut.lost)) == (75, 25)
    assert view.shown_flips(found) is found


def test_what_is_missing_is_made_by_two_commands():
    first, second = view.sweep_commands("checkpoints/demo", "pretrained").splitlines()
    thetas = "theta=0.02,0.05,0.1,0.2,0.3,0.5,inf"
    assert first == f"reg4rec sweep --run checkpoints/demo --weights pretrained --over {thetas} --split valid"
    assert second.endswith("--split test")


def drawing_of(curve: ThetaCurve, *, theta: float = 0.2, top: int = 10, ground="light") -> dict:
    drawing = theta_charts.curves_drawing(curve, top=top, theta=theta, check_from=2, ground=ground)
    json.dumps(drawing, allow_nan=False)
    return drawing


def panels_of(drawing: dict) -> dict[str, dict]:
    return {panel["title"] or "front": panel for chart in drawing["charts"] for panel in chart["panels"]}


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_curves_stand_on_the_axis_of_the_slider(ground):
    curve = curve_of()
    table, drawing = view.curve_table(curve), drawing_of(curve, ground=ground)
    panels = panels_of(drawing)
    columns = {look.name: look.column for look in (*theta_charts.COSTS, *theta_charts.LISTS)}
    columns |= {"recall@10": "recall", "NDCG@10": "ndcg"}
    assert panels.keys() - {"front"} == columns.keys()
    for title, column in columns.items():
        points = panels[title]["points"]
        assert [x for x, *_ in points] == drawing["places"] == table["x"].tolist()
        assert [value for _, value, _ in points] == table[column].tolist()
    band = panels["recall@10"]["band"]
    assert [row[1:] for row in band] == table[["recall_low", "recall_high"]].to_numpy().tolist()
    assert panels["NDCG@10"]["points"][1][2] == "θ 0.3: 0.7 (95 %: 0.69 to 0.72)"
    assert panels["wrong prunes"]["points"][2][2] == "no pruning: 0.0125"
    assert panels["nodes"]["x"]["ticks"][-1] == [view.OFF_PLACE, "off"]
    looks = [(panel["symbol"], panel["hollow"], panel["dash"]) for panel in drawing["charts"][1]["panels"]]
    assert len(set(looks)) == len(looks)


def test_nothing_of_the_curves_but_where_the_slider_first_stands_depends_on_theta():
    curve = curve_of()
    drawings = [drawing_of(curve, theta=theta) for theta in (0.1, 0.7, math.nan)]
    assert [drawing.pop("theta") for drawing in drawings] == [0.1, 0.7, None]
    assert drawings[0] == drawings[1] == drawings[2]
    assert drawings[0]["said"] == [view.point_sentence(curve, theta, 2) for theta in curve.thetas]
    assert drawings[0]["own"] == view.mark_place(0.3)
    assert drawing_of(replace(curve, own_theta=math.inf))["own"] == view.OFF_PLACE
    assert drawing_of(replace(curve, own_theta=math.nan))["own"] is None


def test_the_front_is_filled_and_named_and_counts_the_places_that_count():
    front = panels_of(drawing_of(curve_of(), top=5))["front"]
    assert front["front"] == [False, True, True]
    assert front["labels"] == ["θ 0.05", "θ 0.3", "θ off"]
    assert front["points"][0] == [300, 0.25, "θ 0.05: 300.0 nodes, NDCG@5 0.25"]
    assert (front["x"]["name"], front["y"]["name"]) == ("nodes a search", "NDCG@5")


def test_a_sweep_without_counts_shows_quality_alone_and_says_why():
    points = tuple(replace(point, nodes=math.nan, coverage=math.nan) for point in curve_of().points)
    (quality,) = drawing_of(replace(curve_of(), points=points))["charts"]
    assert [panel["title"] for panel in quality["panels"]] == ["recall@10", "NDCG@10"]
    assert quality["note"].endswith(view.NO_COUNTS)


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (0.121, 0.158, ["0.12", "0.13", "0.14", "0.15", "0.16"]),
        (141.2, 148.9, ["140", "142", "144", "146", "148", "150"]),
        (0.0, 1234.0, ["0", "500", "1,000", "1,500"]),
        (0.0, 0.0, ["0.0", "0.5", "1.0"]),
        (4.5, 4.5, ["2", "4", "6", "8"]),
        (-0.5, 0.5, ["-0.5", "0.0", "0.5"]),
    ],
)
def test_an_axis_goes_from_one_round_number_to_another_around_all_values(low, high, names):
    axis = theta_charts.axis(low, high)
    assert [name for _, name in axis["ticks"]] == names
    assert axis["low"] <= low <= high <= axis["high"]
    assert (axis["ticks"][0][0], axis["ticks"][-1][0]) == (axis["low"], axis["high"])


def test_how_the_users_of_a_sweep_were_drawn():
    swept = ThetaSweep("some", "valid", 1000, "pretrained")
    assert view.sample_words(swept, {"users": 1000, "seed": 4}) == (
        "swept: 1,000 validation users drawn at random, seed 4"
    )
    assert view.sample_words(swept, {"users": None, "seed": 4}) == "swept: all 1,000 validation users"
