"""The Tuning page as a whole, without a browser: it starts, its URL restores it, and bad values end in words."""

import json
import math
import shutil
from html import escape
from pathlib import Path

import pytest
from opened_page import link_of, opened, page_of, visitor
from streamlit.testing.v1 import AppTest

from app.components import theta_curves
from app.screens.theta_reported import report_of
from app.session import open_runs
from app.view_models import theta_cohort as view
from reg4rec_core import flips, read_theta_curve, suggest_theta, theta_report_page, theta_sweeps

PAGE = "screens/tuning.py"


@pytest.fixture
def app(tiny_run: Path, monkeypatch, tmp_path) -> AppTest:
    """The application on the tiny run, in a folder without checkpoints."""
    return page_of(tiny_run, monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    return opened(app, PAGE, **state)


def curves_of(app: AppTest) -> dict:
    """What the curves draw."""
    (found,) = [part.proto for part in app.get("bidi_component") if part.proto.id.endswith(f"-{theta_curves.KEY}")]
    return json.loads(found.json or found.mixed.json)


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
    assert link_of(started(visitor(), **state)) == state


def test_a_theta_for_every_step_is_chosen_shown_and_restored(app):
    started(app, user="visitor 9", theta="0.05")
    app.segmented_control(key="theta_rule").set_value("steps").run()
    assert link_of(app)["thetas"] == "0.05,0.05,0.05"
    app.number_input(key="theta_step_3").set_value(0.7).run()
    state = link_of(app)
    assert (state["thetas"], state["from"]) == ("0.05,0.05,0.7", "2")
    assert "theta" not in state
    assert "θ by step, compared from step 2: " in words_of(app)
    (link,) = [text.value for text in app.caption if "on the Reasoning page" in text.value]
    assert "thetas=0.05%2C0.05%2C0.7&check_from=2" in link
    app.segmented_control(key="theta_rule").set_value("one").run()
    assert (link_of(app)["theta"], link_of(app).get("thetas", "")) == ("0.05", "")
    assert not app.exception
    assert not app.error


def test_thetas_that_make_no_sense_are_refused_in_words(app):
    started(app, user="visitor 9", thetas="0.1,nan,0.2")
    (error,) = app.error
    assert error.value.startswith("Thetas must be 3 numbers from 0 to 0.7 with commas between them")
    assert link_of(app)["theta"] == "0.2"


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


def test_without_a_sweep_the_page_says_how_to_make_one(app):
    started(app, user="visitor 9", sweep="theta-valid-30")
    assert not app.error
    assert any("is not stored for these weights yet" in info.value for info in app.info)
    (commands,) = [code.value for code in app.code if code.value.startswith("reg4rec sweep")]
    assert commands.count("--over theta=0.02,") == 2


@pytest.fixture(scope="module")
def swept_run(tiny_run: Path, tmp_path_factory) -> Path:
    """A copy of the tiny run into which sweeps may be written."""
    return shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture
def swept(swept_run: Path, monkeypatch, tmp_path) -> AppTest:
    """The application on a run that the first test of it sweeps."""
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(swept_run))
    monkeypatch.chdir(tmp_path)
    app = visitor()
    app.default_timeout = 280
    return app


def test_a_sample_is_swept_in_the_page_and_its_curves_appear(swept, swept_run, monkeypatch):
    monkeypatch.setattr(view, "QUICK_USERS", (30,))
    started(swept, user="visitor 9", theta="0.05")
    swept.button(key="make").click().run()
    assert not swept.exception
    assert [sweep.name for sweep in theta_sweeps(swept_run)] == ["theta-test-30", "theta-valid-30"]
    drawing = curves_of(swept)
    assert [chart["name"] for chart in drawing["charts"]] == ["quality", "cost", "front", "lists"]
    assert drawing["theta"] == 0.05
    assert any(said.startswith("At θ = 0.05, the swept value nearest to the slider's") for said in drawing["said"])
    assert "The test users had no part in the choice" in words_of(swept)


def test_curves_of_a_cohort_are_restored_from_the_address(swept):
    started(swept, user="visitor 9", theta="0.05", cohort="history_5~9", top="5")
    assert not swept.error
    said = words_of(swept)
    n = int(said.split("of the 30 users that this sweep searched")[0].split()[-1])
    assert 0 < n < 30
    assert "too few to say anything" in said
    assert link_of(swept)["cohort"] == "history_5~9"
    started(swept, user="visitor 9", theta="0.05", cohort="history_1~")
    assert link_of(swept)["top"] == "5"
    drawing = curves_of(swept)
    assert all("of 30 users of the cohort find their next item among ten" in said for said in drawing["said"])
    assert drawing["charts"][0]["panels"][0]["title"] == "recall@5"


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        ("history_many", "A range reads LOW~HIGH"),
        ("main_Toys > Trains", "The sweep theta-valid-30 searched nobody of the cohort main_Toys"),
        ("outcome_miss", "A cohort by its outcome, by what it is recommended"),
    ],
)
def test_a_cohort_that_makes_no_sense_is_refused_in_words(swept, cohort, message):
    started(swept, user="visitor 9", cohort=cohort)
    (error,) = swept.error
    assert error.value.startswith(message)


@pytest.mark.parametrize(
    ("cohort", "curves", "said"),
    [
        ("history_1~", 2, []),
        ("history_900~", 0, [f"The sweep theta-{split}-30 searched nobody of the cohort history_900~; widen one of its "
                             "conditions." for split in ("valid", "test")]),
        ("history_many", 0, ["A range reads LOW~HIGH with whole numbers, either of which may be left out, got 'many'."
                             ]),
    ],
)  # fmt: skip
def test_the_report_is_about_the_cohort_of_the_page_or_says_why_it_cannot_be(swept, cohort, curves, said):
    link = f"http://host/tuning?sweep=theta-test-30&cohort={cohort}"
    run = open_runs.open_run("tiny")
    document = report_of(run, run.recommender.decode, link)
    assert (document["cohort"], document["missing"]) == (cohort, said)
    assert [sweep["cohort"] for sweep in document["sweeps"]] == [cohort] * curves
    assert all(escape(sentence) in theta_report_page(document) for sentence in said)


def test_a_report_on_an_unknown_sweep_says_which_there_are(swept):
    run = open_runs.open_run("tiny")
    (said,) = report_of(run, run.recommender.decode, "?sweep=..%2Fother")["missing"]
    assert said.startswith("These weights have no theta sweep '../other'; choose one of theta-")


def test_the_suggestion_is_taken_over_by_a_click(swept, swept_run):
    started(swept, user="visitor 9", theta="0.0123")
    found = suggest_theta(read_theta_curve(swept_run, "theta-valid-30"))
    swept.button(key="take").click().run()
    assert not swept.exception
    assert float(link_of(swept)["theta"]) == view.slider_theta(found.theta)
    assert link_of(swept)["from"] == str(found.check_from)


def test_users_who_flip_lead_to_their_own_tree_on_this_page(swept, swept_run):
    started(swept, user="visitor 9", theta="0.02", sweep="theta-test-30")
    curve = read_theta_curve(swept_run, "theta-test-30")
    found = flips(curve, math.inf, 0.02)
    tables = [html.value for html in swept.html if "<th>user</th>" in html.value]
    links = [part.split('"')[0].replace("&amp;", "&") for table in tables for part in table.split('href="')[1:]]
    assert len(links) == len(found.gained) + len(found.lost)
    assert all("at=test" in link and "theta=0.02" in link and "sweep=theta-test-30" in link for link in links)


def test_an_unknown_sweep_is_refused_in_words(swept):
    started(swept, user="visitor 9", sweep="../other")
    (error,) = swept.error
    assert error.value.startswith("These weights have no theta sweep '../other'; choose one of theta-valid-30")
