"""The Cohorts page as a whole, without a browser: it starts, its URL restores it, and it says what is missing."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import cohort_charts as charts
from app import session
from app.view_models import cohorts as view
from reg4rec_core import Cohort, Range, cohort_metrics, count_users, mass_along_steps, metrics_by, open_store

MAIN = Path(__file__).parents[2] / "app" / "main.py"


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory, reg4rec):
    """A copy of the tiny run with a stored search of everyone."""
    copied = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "tiny")
    done = reg4rec("trace", "--run", copied, "--theta", "0.003", "--beam", "6")
    assert done.exit_code == 0, done.stderr
    return copied


def opened(run, monkeypatch, tmp_path, **state: str) -> AppTest:
    monkeypatch.setenv(session.RUN_VARIABLE, str(run))
    monkeypatch.chdir(tmp_path)
    app = AppTest.from_file(str(MAIN), default_timeout=120)
    for name, value in state.items():
        app.query_params[name] = value
    app.switch_page("screens/cohorts.py").run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def test_the_page_shows_everyone_first(run, monkeypatch, tmp_path):
    app = opened(run, monkeypatch, tmp_path)
    assert not app.error
    (path,) = session.trace_stores("tiny").values()
    counts = count_users(open_store(path), Cohort())
    assert f"**{counts.users:,} users**, {counts.hits / counts.asked:.1%} found among ten" in text_of(app)
    assert len(app.dataframe[0].value) == counts.users
    assert len(app.get("plotly_chart")) == 4


def test_a_link_restores_the_cohort(run, monkeypatch, tmp_path):
    app = opened(run, monkeypatch, tmp_path, outcome="miss", cohort="history_5~7", by="history")
    assert app.selectbox(key="outcome").value == "miss"
    assert app.selectbox(key="by").value == "history"
    (path,) = session.trace_stores("tiny").values()
    counts = count_users(open_store(path), Cohort(history=Range(5, 7), outcome="miss"))
    assert f"**{counts.users:,} users**, 0.0% found" in text_of(app)


def test_a_wrong_link_and_an_empty_cohort_end_in_words(run, monkeypatch, tmp_path):
    assert "A cohort reads NAME_VALUE" in opened(run, monkeypatch, tmp_path, cohort="size_5").error[0].value
    app = opened(run, monkeypatch, tmp_path, cohort="history_900~901")
    assert "widen a condition" in app.info[0].value


def test_a_run_without_a_store_says_how_to_make_one(tiny_run, monkeypatch, tmp_path):
    app = opened(tiny_run, monkeypatch, tmp_path)
    assert app.code[0].value == f"reg4rec trace --run {tiny_run}"


def test_tables_and_charts_hold_the_numbers_of_the_core(run):
    (path,) = (run / "traces").iterdir()
    store = open_store(path)
    whole, slices = cohort_metrics(store, Cohort()), metrics_by(store, Cohort(), "seen")
    table = view.slices_table(whole, slices)
    assert table["users"].tolist() == [whole.users, *(part.users for part in slices)]
    figure = charts.slice_chart(table, "ndcg@10")
    np.testing.assert_allclose(figure.data[0].x, [part.metrics["ndcg@10"].mean for part in slices])
    beliefs = mass_along_steps(store, Cohort())
    steps = view.steps_table(beliefs)
    np.testing.assert_allclose(steps.sum(), 1)
    assert steps.loc[beliefs.names[int(beliefs.mass[0].argmax())], 0] == beliefs.mass[0].max()


def test_controls_narrow_what_the_link_says():
    settings = {"bounds": (1, 50), "outcome": "any", "cold": False}
    base = Cohort(history=Range(4, None))
    assert view.chosen_cohort(base, longest=(1, 50), **settings) == base
    narrowed = view.chosen_cohort(base, longest=(2, 9), **(settings | {"cold": True, "outcome": "hit"}))
    assert narrowed == Cohort(history=Range(4, 9), seen=Range(0, 4), outcome="hit")
    assert view.chosen_cohort(Cohort(), longest=(20, 50), **settings) == Cohort(history=Range(20, None))
