"""The Reasoning page on an edited history, without a browser."""

import re

import numpy as np
import pytest
from opened_page import link_of, page_of, visitor
from streamlit.testing.v1 import AppTest

from app.session import open_runs
from reg4rec_core import ask_edited, attribute, parse_edits

USER = "visitor 9"


@pytest.fixture
def app(tiny_run, monkeypatch, tmp_path) -> AppTest:
    return page_of(tiny_run, monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    app.switch_page("screens/reasoning.py")
    for name, value in state.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def strip_of(app: AppTest) -> str:
    (strip,) = [html.value for html in app.html if 'class="r4-strip"' in html.value]
    return strip


def numbers(app: AppTest) -> list[str]:
    """The influences under the cards, oldest first."""
    return re.findall(r'aria-hidden="true">([+-][\d.]+)<', strip_of(app))[::-1]


def question():
    recommender = open_runs.open_run("tiny").recommender
    return recommender.question(recommender.history(recommender.user_index(USER)), recommender.decode)


def test_every_purchase_shows_what_it_adds_to_the_followed_item(app):
    started(app, user=USER)
    influence = attribute(question(), question().trace()).influence
    assert numbers(app) == [f"{value:+.2f}" for value in influence[:, 0]]
    codes = "-".join(f"{m}.{k}" for m, k in path_codes(1))
    started(app, user=USER, path=codes)
    assert numbers(app) == [f"{value:+.2f}" for value in influence[:, 1]]
    assert not np.allclose(influence[:, 0], influence[:, 1])
    assert "(number 2) loses" in strip_of(app)


def path_codes(rank: int) -> list[tuple[int, int]]:
    trace = question().trace()
    rows = trace.path(int(trace.item_nodes[rank]))[1:]
    return [(int(trace.codebook[row]), int(trace.code[row])) for row in rows]


def test_leaving_a_purchase_out_searches_again_and_restoring_brings_it_back(app):
    started(app, user=USER)
    before, first = strip_of(app).count('role="listitem"'), link_of(app)
    app.selectbox(key="leave_out").set_value(before).run()
    assert not app.exception
    assert not app.error
    assert strip_of(app).count('role="listitem"') == before - 1
    assert link_of(app)["edit"] == f"-{before}"
    assert app.selectbox(key="leave_out").value is None
    assert app.warning[0].value.startswith("Edited history: 1 item removed.")
    edited = ask_edited(question(), parse_edits(f"-{before}"))
    assert numbers(app) == [f"{value:+.2f}" for value in attribute(edited, edited.trace()).influence[:, 0]]
    (summary,) = [caption.value for caption in app.caption if caption.value.startswith("Against the original list")]
    new = set(edited.trace().items) - set(question().trace().items)
    assert f" {len(new)} entered, {len(new)} left" in summary
    app.button(key="restore").click().run()
    assert link_of(app) == first
    assert not app.warning


def test_edits_add_up(app):
    started(app, user=USER, edit="-1")
    app.selectbox(key="leave_out").set_value(2).run()
    assert link_of(app)["edit"] == "-1,-2"
    assert "2 items removed" in app.warning[0].value


def test_a_link_restores_an_edited_history(app):
    state = link_of(started(app, user=USER, edit="-2,1>7,~9"))
    assert state["edit"] == "-2,1>7,~9"
    again = visitor()
    assert link_of(started(again, **state)) == state
    assert strip_of(again) == strip_of(app)
    assert strip_of(app).count("edited in") == 2


@pytest.mark.parametrize("edit", ["-99", "<script>", "1>99999", "x" * 5000])
def test_an_edit_that_makes_no_sense_is_told_and_can_be_taken_back(app, edit):
    started(app, user=USER, edit=edit)
    (error,) = app.error
    assert error.value.startswith("An edit ")
    app.button(key="restore").click().run()
    assert not app.error
    assert "edit" not in link_of(app)
