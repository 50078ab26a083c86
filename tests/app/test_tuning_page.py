"""The Tuning page as a whole, without a browser: it starts, its URL restores it, and bad values end in words."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest
from test_reasoning_page import MAIN

from app.session import open_runs

PAGE = "screens/tuning.py"


@pytest.fixture
def app(tiny_run: Path, monkeypatch, tmp_path) -> AppTest:
    """The application on the tiny run, in a folder without checkpoints."""
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(tiny_run))
    monkeypatch.chdir(tmp_path)
    return AppTest.from_file(str(MAIN), default_timeout=120)


def started(app: AppTest, **state: str) -> AppTest:
    app.switch_page(PAGE)
    for name, value in state.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def link_of(app: AppTest) -> dict[str, str]:
    (link,) = [code.value for code in app.code if code.value.startswith("?")]
    return dict(parse_qsl(urlsplit(link).query))


def words_of(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.html, *app.caption])


def test_the_page_opens_on_the_runs_own_theta(app):
    started(app, user="visitor 9")
    assert not app.error
    state = link_of(app)
    assert (state["theta"], state["from"], state["user"], state["at"]) == ("0.2", "2", "visitor 9", "test")
    assert "the list stays as it is; the tree is the same." in words_of(app)
    assert "See every node of this search on the Reasoning page" in words_of(app)


def test_query_parameters_restore_the_view(app):
    wanted = {"user": "visitor 5", "at": "valid", "theta": "0.0123", "from": "3"}
    state = link_of(started(app, **wanted))
    assert {name: state[name] for name in wanted} == wanted
    assert "θ = 0.0123, compared from step 3" in words_of(app)
    assert link_of(started(AppTest.from_file(str(MAIN), default_timeout=120), **state)) == state


@pytest.mark.parametrize("theta", ["-0.1", "nan", "7", "<script>"])
def test_a_theta_that_makes_no_sense_is_refused_in_words(app, theta):
    started(app, user="visitor 9", theta=theta)
    (error,) = app.error
    assert error.value.startswith("Theta must be a number from 0 to 0.7, got ")
    assert error.value.endswith("The run's own is shown.")
    assert link_of(app)["theta"] == "0.2"


def test_an_unknown_user_is_an_error_in_one_sentence(app):
    started(app, user="visitor 9999")
    (error,) = app.error
    assert error.value.startswith("There is no user 'visitor 9999' in this run; near matches: ")
