"""The Overview page and the tour as a whole, without a browser."""

import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from opened_page import link_of, page_of
from streamlit.testing.v1 import AppTest

from app.session import open_runs, tour
from app.view_models.tree import path_key
from reg4rec_core import Fate, check_run


@pytest.fixture(scope="module")
def evaluated_run(two_stage_run: Path, tmp_path_factory, reg4rec) -> Path:
    """A copy of the run of two stages with a report, a log of post-training, plans of formats and stored searches."""
    run = shutil.copytree(two_stage_run, tmp_path_factory.mktemp("runs") / "evaluated")
    options = ("--split", "test", "--oracle-users", "2", "--against", "pretrained")
    for arguments in (("evaluate", "--run", run, *options), ("trace", "--run", run, "--users", "80", "--beam", "6")):
        done = reg4rec(*arguments)
        assert done.exit_code == 0, done.stderr
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as file:
        rows = [{"stage": "post-train", "step": s, "reward": 1 + s / 50, "kl": s / 1e4} for s in range(40)]
        file.writelines(json.dumps(row) + "\n" for row in rows)
    plan = {"stage": "pretrain", "step": 7, "layer": "encoder.0", "dtype": "bf16"}
    (run / "precision.jsonl").write_text(json.dumps(plan) + "\n", encoding="utf-8")
    return run


def started(app: AppTest, **state: str) -> AppTest:
    for name, value in state.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.error
    return app


def words_of(app: AppTest) -> str:
    return " ".join(unescape(element.value) for element in [*app.markdown, *app.html, *app.caption])


def test_a_run_that_was_only_trained_says_what_is_missing_and_how_to_make_it(tiny_run, monkeypatch, tmp_path):
    app = started(page_of(tiny_run, monkeypatch, tmp_path))
    commands = [code.value for code in app.code if code.value.startswith("reg4rec")]
    assert commands == [f"reg4rec evaluate --run {tiny_run} --split test", f"reg4rec trace --run {tiny_run}"]
    words = words_of(app)
    for check in check_run(open_runs.open_run("tiny").recommender.run):
        assert check.reason in words
    assert "This run was not post-trained." in words
    assert "full precision" in words
    assert len(app.get("plotly_chart")) == 1
    assert "made by reg4rec" in app.caption[-1].value


def test_a_run_with_reports_shows_them(evaluated_run, monkeypatch, tmp_path):
    app = started(page_of(evaluated_run, monkeypatch, tmp_path))
    report = json.loads((evaluated_run / "evaluation/test.json").read_text())
    words = words_of(app)
    assert f"{report['recall@10']:.3f}" in words
    low, high = report["intervals_95"]["ndcg@10"]
    assert f"95 %: {low:.3f} to {high:.3f}" in words
    assert len(app.get("plotly_chart")) == 3
    assert "keeps 1 in bf16." in words
    (table,) = [html.value for html in app.html if "<th>who</th>" in html.value]
    recalls = [float(value) for value in re.findall(r"<b>([\d.]+)</b>", table)]
    assert len(recalls) > 1
    assert recalls == sorted(recalls)
    assert 'href="cohorts?run=evaluated&amp;store=' in table
    assert link_of(app) == {"run": "evaluated"}
    assert not [code for code in app.code if code.value.startswith("reg4rec")]
    footer = app.caption[-1].value
    assert f"measured on all {report['users']} test users" in footer
    checksums = json.loads((evaluated_run / "manifest.json").read_text())["sha256"]
    assert checksums["weights/post_trained.safetensors"][:12] in footer


def follow(app: AppTest) -> AppTest:
    app.button(key="tour_next").click().run()
    assert not app.exception
    assert not app.error
    return app


def card(app: AppTest) -> str:
    (text,) = [markdown.value for markdown in app.markdown if "· tour, " in markdown.value]
    return text.replace("\\", "")


def test_every_stop_shows_what_its_sentence_says(tiny_run, monkeypatch, tmp_path):
    app = started(page_of(tiny_run, monkeypatch, tmp_path))
    app.button(key="tour_start").click().run()
    assert not app.exception
    stops = tour.stops("tiny")
    assert [stop.page for stop in stops] == ["reasoning", "codebooks", *["reasoning"] * 3, "overview"]
    run = open_runs.open_run("tiny").recommender
    for number, stop in enumerate(stops, 1):
        assert stop.caption in card(app)
        assert f"{number} of 6" in card(app)
        assert app.query_params["tour"] == str(number)
        words = words_of(app)
        assert "You have changed" not in words
        if stop.page == "codebooks":
            assert f"code {stop.state['code']} · " in words
            assert app.segmented_control(key="facet").value == stop.state["facet"]
        if stop.page == "reasoning":
            assert {name: link_of(app)[name] for name in ("user", "step")} == {
                "user": stop.state["user"],
                "step": str(stop.state["step"]),
            }
            assert float(link_of(app)["theta"]) == pytest.approx(stop.state["theta"])
        if number < len(stops):
            follow(app)
    pruned, edited = stops[3].state, stops[4].state
    [trace] = run.recommend([run.history(run.user_index(pruned["user"]))], replace(run.decode, theta=pruned["theta"]))
    fates = {path_key(trace, row): trace.fate[row] for row in np.flatnonzero(trace.step == pruned["step"]).tolist()}
    assert fates[pruned["path"]] == Fate.PRUNED
    assert edited["edit"].startswith("-")
    follow(app)
    assert "tour" not in app.query_params
    assert not [markdown for markdown in app.markdown if "· tour, " in markdown.value]


def test_a_link_to_a_stop_leads_there_and_back_leads_to_the_one_before(tiny_run, monkeypatch, tmp_path):
    app = started(page_of(tiny_run, monkeypatch, tmp_path), tour="5")
    stops = tour.stops("tiny")
    assert stops[4].caption in card(app)
    assert link_of(app)["edit"] == stops[4].state["edit"]
    assert app.query_params["step"] == str(stops[4].state["step"]), "the address alone restores the view"
    app.slider(key="beam").set_value(int(stops[4].state["beam"]) - 1).run()
    assert "You have changed the beam width since" in words_of(app)
    app.button(key="tour_restore").click().run()
    assert "You have changed" not in words_of(app)
    assert app.slider(key="beam").value == stops[4].state["beam"]
    app.button(key="tour_back").click().run()
    assert stops[3].caption in card(app)
    assert "edit" not in link_of(app)
    assert link_of(app)["path"].startswith(stops[3].state["path"])
    app.button(key="tour_close").click().run()
    assert not app.exception
    assert "tour" not in app.query_params
    assert link_of(app)["path"].startswith(stops[3].state["path"]), "one stays where one is"


def test_with_stored_searches_the_tour_ends_at_the_cohorts(evaluated_run, monkeypatch, tmp_path):
    app = started(page_of(evaluated_run, monkeypatch, tmp_path), tour="6")
    stop = tour.stops("evaluated")[-1]
    assert stop.page == "cohorts"
    assert stop.caption in card(app)
    assert app.selectbox(key="by").value == stop.state["by"]
    assert "made by reg4rec" in app.caption[-1].value
    assert "80 users drawn at random, seed 0" in app.caption[-1].value


@pytest.mark.parametrize("bad", ["99", "x"])
def test_a_stop_that_there_is_not_is_taken_out_of_the_address(tiny_run, monkeypatch, tmp_path, bad):
    app = started(page_of(tiny_run, monkeypatch, tmp_path), tour=bad)
    assert "tour" not in app.query_params
    assert app.button(key="tour_start")
