"""Notes on the Reasoning page, without a browser: made in the form, listed as text, and in the report."""

import json
from pathlib import Path

import pytest
from opened_page import link_of, visitor
from streamlit.testing.v1 import AppTest
from test_reasoning_page import started

from app.session import open_runs
from reg4rec_core import note_lines, notes_file, read_notes

WICKED = "<script>alert(1)</script> 'quoted' **bold**"


@pytest.fixture
def app(tiny_run: Path, monkeypatch, tmp_path) -> AppTest:
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(tiny_run))
    monkeypatch.setenv("REG4REC_NOTES", str(tmp_path / "notes.sqlite"))
    monkeypatch.chdir(tmp_path)
    return visitor()


def test_a_note_is_kept_listed_as_text_and_dropped(app):
    started(app, user="visitor 9", theta="0.1", step="2")
    app.session_state["notes"] = True
    app.run()
    app.text_input(key="note_tag").set_value("odd")
    app.text_area(key="note_text").set_value(WICKED)
    app.segmented_control(key="note_label").set_value(-1)
    app.selectbox(key="note_about").set_value(1)
    (submit,) = [button for button in app.button if button.label == "Keep the note"]
    submit.click().run()
    assert not app.exception
    (note,) = read_notes(notes_file())
    run = open_runs.open_run("tiny")
    user = run.recommender.user_index("visitor 9")
    keys = run.facets.catalog.item_keys
    assert (note.run, note.user, note.label, note.tag, note.text) == ("tiny", "visitor 9", -1, "odd", WICKED)
    assert note.history == tuple(keys[item] for item in run.recommender.history(user))
    assert (note.theta, note.weights, len(note.path)) == (0.1, "pretrained", 4)
    assert note.check_from == run.recommender.decode.check_from
    assert note.item in keys
    assert note.link == app.code[0].value
    assert json.loads(note_lines([note]))["label"] == -1
    (shown,) = [html.value for html in app.html if "thumb down" in html.value]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script" not in shown
    app.button(key="drop 1").click().run()
    assert not app.exception
    assert read_notes(notes_file()) == ()


def test_notes_that_cannot_be_read_cannot_be_opened_and_the_page_stays(app, tmp_path):
    (tmp_path / "notes.sqlite").write_text("no data base " * 100)
    started(app, user="visitor 9")
    assert link_of(app)["user"] == "visitor 9"
    (button,) = [button for button in app.button if button.label == "Notes"]
    assert button.disabled
    assert "REG4REC_NOTES" in button.help
