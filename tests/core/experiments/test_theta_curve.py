"""Finished sweeps over theta alone, read back."""

import json
import math
import re
import shutil
from dataclasses import replace
from html import escape

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.config import DecodeConfig
from reg4rec_core.evaluation import search_split
from reg4rec_core.evaluation.beam_search import search_users
from reg4rec_core.evaluation.comparison import paired_differences
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.evaluation.prunes import counts_per_user
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.experiments.theta_curve import (
    ThetaCurve,
    ThetaPoint,
    curve_of_users,
    flips,
    read_theta_curve,
    suggest_theta,
    theta_sweeps,
)
from reg4rec_core.experiments.theta_report import ReportedThetas, suggestion_of, theta_report
from reg4rec_core.experiments.theta_report_page import theta_report_page
from reg4rec_core.metrics import (
    MISSED,
    Interval,
    categories_per_list,
    coverage,
    distinctness,
    gains_at,
    hits_at,
    ranking_metrics,
)
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import InputError

SWEEP = ("--over", "theta=inf,0.01,0.05", "--users", "12", "--seed", "1")


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory, reg4rec):
    """A copy of the tiny run with a finished theta sweep of either split, and a sweep over something else."""
    path = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "curves")
    opened = open_run(path)
    opened.set_decode_config(replace(opened.decode_config(), theta=0.2, check_from=1, beam_width=4))
    for arguments in (SWEEP, (*SWEEP, "--split", "test"), ("--over", "beam_width=2,3", "--users", "6")):
        assert reg4rec("sweep", "--run", path, *arguments).exit_code == 0
    return path


def curve_of(places: dict[float, list[int]], *, split: str = "valid", rows: list[int] | None = None) -> ThetaCurve:
    """A curve with nothing but places; 0 is a miss."""
    thetas = sorted(places)
    table = np.array([places[theta] for theta in thetas])
    means = [gains_at(np.where(row == 0, MISSED, row), 10).mean() for row in table]
    points = [
        ThetaPoint(theta, {"ndcg@10": Interval(float(mean), 0.0, 1.0)}, *[0.0] * 9)
        for theta, mean in zip(thetas, means, strict=True)
    ]
    rows = np.arange(table.shape[1]) if rows is None else np.array(rows)
    return ThetaCurve("made", split, table.shape[1], "pretrained", 2, 0.1, tuple(points), rows, table)


def test_only_finished_sweeps_over_theta_alone_are_listed(run, reg4rec, tmp_path):
    assert [(sweep.name, sweep.split, sweep.users, sweep.weights) for sweep in theta_sweeps(run)] == [
        ("theta-test-12", "test", 12, "pretrained"),
        ("theta-valid-12", "valid", 12, "pretrained"),
    ]
    copy = shutil.copytree(run, tmp_path / "copy")
    folder = copy / "evaluation" / "sweeps"
    (folder / "theta-test-12" / "theta=0.01.json").unlink()
    assert [sweep.name for sweep in theta_sweeps(copy)] == ["theta-valid-12"]
    (folder / "theta-valid-12" / "sweep.json").unlink()
    assert theta_sweeps(copy) == ()
    with pytest.raises(InputError, match=r"no finished theta sweep 'theta-valid-12'.*reg4rec sweep"):
        read_theta_curve(copy, "theta-valid-12")


def test_a_sweep_of_other_weights_is_no_longer_listed(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    weights = copy / "weights" / "pretrained.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert theta_sweeps(copy) == ()


def test_a_sweep_that_another_question_has_begun_to_overwrite_is_not_listed(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    folder = copy / "evaluation" / "sweeps" / "theta-valid-12"
    other = read_json(folder / "theta=0.01.json")
    other["identity"]["seed"] = 2
    write_json(folder / "theta=0.01.json", other)
    assert [sweep.name for sweep in theta_sweeps(copy)] == ["theta-test-12"]


def read_json(path):
    return open_run(path.parents[3]).read_json(str(path.relative_to(path.parents[3])))


def test_a_curve_holds_where_every_user_stands_under_every_theta(run):
    curve, recommender = read_theta_curve(run, "theta-valid-12"), Recommender.load(run)
    assert curve.thetas == (0.01, 0.05, 0.2, math.inf)
    assert (curve.own_theta, curve.check_from, curve.users) == (0.2, 1, 12)
    for theta, point, row in zip(curve.thetas, curve.points, curve.places, strict=True):
        searched = search_split(recommender, "valid", replace(recommender.decode, theta=theta), users=12, seed=1)
        np.testing.assert_array_equal(curve.user_rows, searched.questions.users)
        np.testing.assert_array_equal(row, np.where(searched.places == MISSED, 0, searched.places))
        means = {name: interval.mean for name, interval in point.metrics.items()}
        assert means == pytest.approx(ranking_metrics(searched.places))
        assert point.pruned == pytest.approx(searched.searched.pruned.sum() / 12)
    assert curve.points[0].pruned > curve.points[-1].pruned == 0


def test_a_curve_over_some_users_has_the_numbers_of_their_searches(run):
    curve, recommender = read_theta_curve(run, "theta-valid-12"), Recommender.load(run)
    rows = curve.user_rows[[1, 4, 5, 9, 10]]
    some = curve_of_users(curve, "history_5~", np.append(rows, 10_000), recommender.catalog)
    assert (some.users, some.cohort, some.user_rows.tolist()) == (5, "history_5~", rows.tolist())
    decode = replace(recommender.decode, theta=0.01)
    questions = held_out(recommender.interactions, "valid")
    questions = questions.take(np.flatnonzero(np.isin(questions.users, rows)))
    result = search_users(recommender, questions, decode, name="", progress=unseen_progress)
    point, lists = some.points[0], result.searched.items[:, :10]
    assert {name: row.mean for name, row in point.metrics.items()} == pytest.approx(ranking_metrics(result.places))
    for name, column in vars(counts_per_user(result)).items():
        assert getattr(point, name) == pytest.approx(column.mean())
    assert point.coverage == pytest.approx(coverage(lists, n_items=recommender.catalog.n_items))
    assert point.distinctness == pytest.approx(distinctness(lists))
    assert point.categories_per_list == pytest.approx(categories_per_list(lists, recommender.catalog.categories))
    assert point.pruned > some.points[-1].pruned == 0


def test_a_curve_over_all_its_users_is_the_same_curve(run):
    curve, catalog = read_theta_curve(run, "theta-valid-12"), Recommender.load(run).catalog
    whole = curve_of_users(curve, "history_1~", curve.user_rows, catalog)
    for mine, theirs in zip(whole.points, curve.points, strict=True):
        names = set(vars(mine)) - {"metrics", "seconds"}
        assert {name: getattr(mine, name) for name in names} == pytest.approx({n: getattr(theirs, n) for n in names})
    with pytest.raises(InputError, match="searched nobody of the cohort history_99~; widen"):
        curve_of_users(curve, "history_99~", np.array([], dtype=np.int64), catalog)


def test_a_sweep_that_kept_places_alone_still_has_a_curve(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    for path in (copy / "evaluation" / "sweeps" / "theta-valid-12").glob("*.safetensors"):
        save_file({name: column for name, column in load_file(path).items() if name in ("users", "places")}, path)
    curve = read_theta_curve(copy, "theta-valid-12")
    some = curve_of_users(curve, "history_5~", curve.user_rows[:5], Recommender.load(copy).catalog)
    assert curve.counts is None
    assert curve.points[0].pruned > 0
    assert math.isnan(some.points[0].pruned)
    assert not math.isnan(some.points[0].metrics["ndcg@5"].mean)


def test_a_run_with_a_theta_for_every_step_has_a_curve_without_its_own_point(run, reg4rec, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    opened = open_run(copy)
    opened.set_decode_config(replace(opened.decode_config(), thetas=(0.3, 0.01, 0.02)))
    assert reg4rec("sweep", "--run", copy, *SWEEP).exit_code == 0
    curve = read_theta_curve(copy, "theta-valid-12")
    assert curve.thetas == (0.01, 0.05, math.inf)
    assert math.isnan(curve.own_theta)
    one_theta = read_theta_curve(run, "theta-valid-12")
    np.testing.assert_array_equal(curve.places_at(0.01), one_theta.places_at(0.01))


def test_flips_are_the_users_whose_target_crosses_the_end_of_the_list():
    curve = curve_of({0.1: [1, 0, 11, 10, 0], math.inf: [0, 2, 10, 11, 0]}, rows=[40, 30, 20, 10, 0])
    changed = flips(curve, 0.1, math.inf)
    assert (changed.gained.tolist(), changed.lost.tolist()) == ([20, 30], [10, 40])
    back = flips(curve, math.inf, 0.1, k=1)
    assert (back.gained.tolist(), back.lost.tolist()) == ([40], [])


def test_flips_of_a_sweep_make_up_its_difference_in_recall(run):
    curve = read_theta_curve(run, "theta-valid-12")
    changed = flips(curve, 0.01, math.inf, k=5)
    hits = [hits_at(curve.places_at(theta), 5).sum() for theta in (0.01, math.inf)]
    assert len(changed.gained) - len(changed.lost) == hits[1] - hits[0]
    with pytest.raises(InputError, match=r"has not searched theta 0\.3 but 0\.01, 0\.05, 0\.2, inf"):
        flips(curve, 0.01, 0.3)


def test_the_best_theta_on_validation_is_suggested_with_its_paired_difference_to_off():
    better, worse = [1] * 60 + [0] * 40, [1] * 40 + [0] * 60
    suggestion = suggest_theta(curve_of({0.1: worse, 0.2: better, math.inf: worse}))
    ours, off = (np.where(np.array(places) == 0, MISSED, places) for places in (better, worse))
    assert (suggestion.theta, suggestion.check_from, suggestion.test) == (0.2, 2, None)
    assert suggestion.valid.difference.mean == pytest.approx(0.2)
    assert suggestion.valid.difference == paired_differences(ours, off, seed=0)["ndcg@10"]
    assert suggestion.valid.standard_error == pytest.approx(math.sqrt(0.2 * 0.8 / 100))
    assert suggestion.valid.better_than_off
    assert "the interval leaves 0 out. It is the best of" in suggestion.sentence


@pytest.mark.parametrize(
    ("gained", "lost", "better", "ending"),
    [
        (9, 3, True, "yet chance is not ruled out."),
        (5, 4, False, "not more than chance explains."),
        (0, 5, False, "No theta of the sweep ranks the 100 validation users better than no pruning."),
    ],
)
def test_a_gain_within_noise_is_called_so(gained, lost, better, ending):
    off = [1] * 50 + [0] * 50
    moved = [0] * lost + [1] * (50 - lost) + [1] * gained + [0] * (50 - gained)
    suggestion = suggest_theta(curve_of({0.1: moved, math.inf: off}))
    assert suggestion.valid.better_than_off is better
    assert ending in suggestion.sentence


def test_test_users_have_no_part_in_the_choice_and_speak_of_the_same_theta(run):
    valid, test = (read_theta_curve(run, f"theta-{split}-12") for split in ("valid", "test"))
    alone, both = suggest_theta(valid), suggest_theta(valid, test)
    assert (both.theta, both.valid) == (alone.theta, alone.valid)
    assert (both.test.theta, both.test.split) == (both.theta, "test")
    gains = [gains_at(test.places_at(theta), 10).mean() for theta in (both.theta, math.inf)]
    assert both.test.difference.mean == pytest.approx(gains[0] - gains[1])


def test_a_test_sweep_without_the_suggested_theta_says_nothing_of_it():
    valid = curve_of({0.1: [1, 1], 0.2: [1, 0], math.inf: [1, 0]})
    known, unknown = (curve_of({theta: [2, 0], math.inf: [1, 3]}, split="test") for theta in (0.1, 0.2))
    assert suggest_theta(valid, known).test.theta == 0.1
    assert suggest_theta(valid, unknown).test is None


def test_a_suggestion_needs_a_validation_sweep_with_pruning_off():
    curve = curve_of({0.1: [1, 2], math.inf: [1, 0]})
    with pytest.raises(InputError, match="chosen on validation users"):
        suggest_theta(replace(curve, split="test"))
    with pytest.raises(InputError, match="has not searched theta inf"):
        suggest_theta(curve_of({0.1: [1, 2], 0.2: [1, 0]}))
    with pytest.raises(InputError, match="in their split alone"):
        suggest_theta(curve, replace(curve, split="test", check_from=3))


def test_the_report_holds_the_curves_the_choice_and_its_evidence(run, reg4rec, tmp_path):
    out = tmp_path / "thetas.html"
    done = reg4rec("report", "--run", run, "--thetas", "--theta", "0.05", "--out", out, "--json")
    assert done.exit_code == 0, done.stderr
    document, page = json.loads(out.with_suffix(".json").read_text("utf-8")), out.read_text("utf-8")
    curves = [read_theta_curve(run, f"theta-{split}-12") for split in ("valid", "test")]
    for told, curve in zip(document["sweeps"], curves, strict=True):
        assert [point["theta"] for point in told["points"]] == [0.01, 0.05, 0.2, None]
        for point, known in zip(told["points"], curve.points, strict=True):
            assert point["metrics"]["ndcg@10"]["mean"] == known.metrics["ndcg@10"].mean
            assert (point["pruned"], point["distinctness"]) == (known.pruned, known.distinctness)
    found = suggest_theta(*curves)
    assert document["suggestion"]["sentence"] == found.sentence
    assert document["suggestion"]["valid"]["difference"]["mean"] == found.valid.difference.mean
    assert document["suggestion"]["test"]["ndcg"]["mean"] == found.test.ndcg.mean
    assert document["chosen"] == {"theta": 0.05, "thetas": [], "check_from": 1}
    assert page == theta_report_page(document)
    assert page.count("<svg") == page.count("</svg>") == 2 * 9
    assert "θ 0.05, compared from step 1. The run&#x27;s own setting is θ 0.2, compared from step 1." in page
    assert escape(found.sentence) in page
    assert page.count("<polygon") == 2 * 4, "each measure of quality has its band"
    assert page.count('V296.0" stroke="#777"') == 2 * 9, "the chosen theta stands upright in every chart"
    assert page.count("<td>0.05\u00a0(chosen)</td>") == page.count("<td>0.2\u00a0(own)</td>") == 2
    assert "Of so few users, curves show little but luck." in page
    assert "branches of a search that moved the belief by more than θ" in page
    assert not re.search(r"<script|<link|src=|url\(", page)
    assert len(page) < 300_000


def test_a_report_of_a_sweep_that_kept_less_leaves_it_out(run, reg4rec, tmp_path):
    curve = read_theta_curve(run, "theta-valid-12")
    some = curve_of_users(replace(curve, counts=None), "history_5~", curve.user_rows[:5], Recommender.load(run).catalog)
    by_step = DecodeConfig(thetas=(0.4, math.inf))
    reported = ReportedThetas("r<b>", "pretrained", {}, by_step, DecodeConfig(), (some,), suggestion_of((some,)), None,
                              cohort="history_5~", missing=("The sweep <x> searched nobody; widen it.",))  # fmt: skip
    document = theta_report(reported, link="http://host/tuning?x=1&y=2")
    assert json.loads(json.dumps(document, allow_nan=False))["sweeps"][0]["points"][0]["pruned"] is None
    page = theta_report_page(document)
    assert page.count("<svg") == 4
    assert "θ by step 0.4 · off, compared from step 2" in page
    assert "Users of the cohort history_5~ alone." in page
    assert "r&lt;b&gt;" in page
    assert "<b>" not in page
    assert 'href="http://host/tuning?x=1&amp;y=2"' in page
    assert "the test users are not heard" in page
    assert "<p>The sweep &lt;x&gt; searched nobody; widen it.</p>" in page


def test_a_report_needs_a_sweep_and_one_subject(run, reg4rec, tiny_run, tmp_path):
    out = ("--out", tmp_path / "x.html")
    for run_of, arguments, message in (
        (tiny_run, ("--thetas",), "has no finished theta sweep of its pretrained weights; make one with"),
        (run, (), "give either --user KEY or --thetas"),
        (run, ("--thetas", "--user", "visitor 9"), "give either --user KEY or --thetas"),
    ):
        done = reg4rec("report", "--run", run_of, *arguments, *out)
        assert (done.exit_code, done.stdout) == (2, "")
        assert message in done.stderr
