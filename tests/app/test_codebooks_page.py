"""The Codebooks page as a whole, without a browser: it starts, its URL restores it, and bad values end in words."""

import json
import shutil
from html import escape
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from opened_page import link_of, opened, page_of, visitor
from safetensors.numpy import load_file, save_file
from streamlit.testing.v1 import AppTest

from app.session import codebooks, open_runs
from reg4rec_core import has_umap_maps
from reg4rec_core.analysis import projection

PAGE = "screens/codebooks.py"


@pytest.fixture
def app(tiny_run: Path, monkeypatch, tmp_path) -> AppTest:
    """The page on a copy of the tiny run, so that maps are kept beside the copy."""
    return page_of(shutil.copytree(tiny_run, tmp_path / "runs" / "tiny"), monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    return opened(app, PAGE, **state)


def html_with(app: AppTest, text: str) -> str:
    (found,) = [html.value for html in app.html if text in html.value]
    return found


def test_the_page_opens_on_the_first_facet_and_its_largest_code(app):
    started(app)
    assert not app.error
    assert app.segmented_control(key="facet").options == ["A", "B", "C", "D"]
    assert link_of(app) == {"run": "tiny", "facet": "A"}
    report = codebooks.codebook_report(open_runs.open_run("tiny"))
    largest = int(report.loads[0].argmax())
    assert f"code {largest} · {report.loads[0].max()} items carry it" in html_with(app, "items carry it")
    assert "made by reg4rec" in app.caption[-1].value


def test_the_url_restores_the_view(app):
    wanted = {"facet": "C", "code": "5", "points": "items", "colour": "brand", "alike": "codewords", "find": "nail"}
    started(app, **wanted)
    assert app.segmented_control(key="facet").value == "C"
    assert app.segmented_control(key="points").value == "items"
    assert app.selectbox(key="colour").value == "brand"
    assert app.segmented_control(key="alike").value == "codewords"
    assert app.text_input(key="find").value == "nail"
    assert "code 5 · " in html_with(app, "items carry it")
    assert link_of(app) == {"run": "tiny", **wanted}
    again = visitor()
    assert link_of(started(again, **link_of(app))) == link_of(app)


@pytest.mark.parametrize(
    "bad",
    [
        {"facet": "Z"},
        {"facet": "<script>"},
        {"points": "users"},
        {"colour": "taste"},
        {"colour": "items a code carries", "points": "items"},
        {"alike": "9"},
        {"run": "../../etc"},
    ],
)
def test_a_value_that_makes_no_sense_is_replaced_not_obeyed(app, bad):
    started(app, **bad)
    assert not app.error
    assert app.segmented_control(key="facet").value == "A"
    assert link_of(app)["run"] == "tiny"


@pytest.mark.parametrize("bad", ["8", "-1", "x", "9" * 40])
def test_a_code_that_is_not_there_is_an_error_in_one_sentence_and_the_list_stays(app, bad):
    started(app, code=bad)
    (error,) = app.error
    assert error.value.startswith("Code must be a number from 0 to 7 for facet A, got ")
    assert app.text_input(key="find")


def test_another_facet_starts_at_its_largest_code(app):
    started(app, code="3")
    app.segmented_control(key="facet").set_value("B").run()
    assert not app.exception
    assert "code" not in app.query_params
    report = codebooks.codebook_report(open_runs.open_run("tiny"))
    assert f"code {report.loads[1].argmax()} · " in html_with(app, "items carry it")
    assert "Facet B uses" in " ".join(markdown.value for markdown in app.markdown)


def test_codes_are_searched(app):
    started(app, find="zzz")
    assert any(caption.value.startswith("No code matches.") for caption in app.caption)
    app.text_input(key="find").set_value("avalon").run()
    assert not app.exception
    assert len(app.dataframe[0].value)


def test_a_run_without_collisions_says_so(tiny_run, monkeypatch, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "runs" / "apart")
    arrays = load_file(run / "tokenizer.safetensors")
    items = np.arange(len(arrays["codes"]))
    arrays["codes"][:, 0], arrays["codes"][:, 1] = items % 8, items // 8
    save_file(arrays, run / "tokenizer.safetensors")
    app = started(page_of(run, monkeypatch, tmp_path))
    assert any(caption.value.startswith("No two items share all their codes") for caption in app.caption)


def test_a_run_with_collisions_lists_them(tiny_run, monkeypatch, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "runs" / "same")
    arrays = load_file(run / "tokenizer.safetensors")
    arrays["codes"][2] = arrays["codes"][1]
    save_file(arrays, run / "tokenizer.safetensors")
    app = started(page_of(run, monkeypatch, tmp_path))
    titles = open_runs.open_run("same").facets.catalog.titles
    listed = html_with(app, '<th class="num">group</th>')
    assert escape(titles[1]) in listed
    assert escape(titles[2]) in listed


def test_maps_are_computed_when_asked_for_and_kept(app, monkeypatch):
    monkeypatch.setattr(projection, "MIN_POINTS", 1000)  # compiling UMAP takes longer than the rest of the test
    started(app)
    assert any("PCA is shown until UMAP has been computed" in caption.value for caption in app.caption)
    app.button(key="umap").click().run()
    assert not app.exception
    run = open_runs.open_run("tiny")
    assert has_umap_maps(run.recommender.run)
    assert not [button for button in app.button if button.key == "umap"]
    assert any("UMAP needs 1000 different points and there are 8." in caption.value for caption in app.caption)


def test_maps_that_cannot_be_kept_beside_the_run_are_there_for_the_next_visitor(app, monkeypatch):
    monkeypatch.setattr(projection, "MIN_POINTS", 1000)
    run = open_runs.open_run("tiny")
    (run.recommender.run.path.parent / projection.CACHE_FOLDER).write_text("a file where the folder should be")
    assert not codebooks.has_maps(run)
    codebooks.compute_maps(run)
    st.session_state.clear()
    assert codebooks.has_maps(run)
    assert not has_umap_maps(run.recommender.run)
    assert codebooks.maps(run).items.reason.startswith("PCA is shown because UMAP needs 1000 different points")


def test_the_report_is_the_cores(app):
    from app.view_models.codebooks import report_json

    started(app)
    report = codebooks.codebook_report(open_runs.open_run("tiny"))
    assert json.loads(report_json(report))["facets"][0]["loads"] == report.loads[0].tolist()
    assert "mean gate weight" in html_with(app, "effectively in use")
    assert any("How much of an item's description" in caption.value for caption in app.caption)


def test_both_pages_stand_in_the_navigation_and_keep_the_run(app):
    started(app)
    app.switch_page("screens/reasoning.py").run()
    assert not app.exception
    assert app.slider(key="theta")
