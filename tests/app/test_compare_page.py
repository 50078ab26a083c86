"""The Compare page as a whole, without a browser: two sides, each restored by the URL, and what differs in words."""

import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest
from test_reasoning_page import MAIN

from app.session import open_runs

PAGE = "screens/compare.py"


@pytest.fixture(scope="module")
def run(two_stage_run: Path, tmp_path_factory, reg4rec) -> Path:
    """The run with two stages and the stored searches of both."""
    copied = shutil.copytree(two_stage_run, tmp_path_factory.mktemp("runs") / "two-stage")
    for weights in ("pretrained", "post_trained"):
        done = reg4rec("trace", "--run", copied, "--weights", weights, "--users", "60")
        assert done.exit_code == 0, done.stderr
    return copied


def page_of(run: Path, monkeypatch, folder: Path) -> AppTest:
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(run))
    monkeypatch.chdir(folder)
    return AppTest.from_file(str(MAIN), default_timeout=120)


@pytest.fixture
def app(run, monkeypatch, tmp_path) -> AppTest:
    return page_of(run, monkeypatch, tmp_path)


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
    return " ".join(element.value for element in [*app.markdown, *app.html, *app.caption, *app.info])


def test_before_and_after_post_training_are_compared_first(app):
    started(app, user="visitor 9")
    assert not app.error
    state = link_of(app)
    assert (state["weights"], state["weights_b"]) == ("pretrained", "post_trained")
    print(words_of(app))
