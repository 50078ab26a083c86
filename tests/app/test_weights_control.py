"""The Reasoning page on a run with two sets of weights: each can be looked at, a link restores which."""

from pathlib import Path

import pytest
from opened_page import link_of, page_of, visitor
from streamlit.testing.v1 import AppTest
from test_reasoning_page import started

from app.session import focus_user, open_runs, searches


@pytest.fixture
def app(two_stage_run: Path, monkeypatch, tmp_path) -> AppTest:
    """The application on the run with two stages, in a folder without checkpoints."""
    return page_of(two_stage_run, monkeypatch, tmp_path)


def explanation(app: AppTest) -> str:
    (text,) = [html.value for html in app.html if 'class="r4-why"' in html.value]
    return text.split(">", 2)[2]


def footer(app: AppTest) -> str:
    (text,) = [caption.value for caption in app.caption if "made by reg4rec" in caption.value]
    return text


def test_the_latest_weights_are_shown_first(app):
    started(app, user="visitor 9")
    assert app.segmented_control(key="weights").value == "post_trained"
    assert app.segmented_control(key="weights").options == ["pre-trained", "post-trained"]
    assert link_of(app)["weights"] == "post_trained"
    assert explanation(app).startswith("With the post-trained weights: ")
    assert footer(app).startswith("Run two-stage, post-trained weights · ")


def test_the_url_restores_the_weights(app):
    started(app, user="visitor 9", weights="pretrained")
    assert app.segmented_control(key="weights").value == "pretrained"
    assert link_of(app)["weights"] == "pretrained"
    assert explanation(app).startswith("With the pre-trained weights: ")
    again = visitor()
    assert link_of(started(again, **link_of(app))) == link_of(app)


def test_the_control_changes_the_model_and_nothing_else(app):
    started(app, user="visitor 9", theta="0.1", beam="7", step="2")
    before, scores = link_of(app), [html.value for html in app.html]
    app.segmented_control(key="weights").set_value("pretrained").run()
    assert not app.exception
    assert app.query_params["weights"] == "pretrained"
    after = link_of(app)
    assert {**after, "weights": "", "path": ""} == {**before, "weights": "", "path": ""}
    assert [html.value for html in app.html] != scores
    app.segmented_control(key="weights").set_value("post_trained").run()
    assert link_of(app) == before
    assert [html.value for html in app.html] == scores


def test_each_search_is_that_of_its_own_weights(app):
    started(app, user="visitor 9")
    latest = open_runs.open_run("two-stage")
    user = latest.recommender.user_index("visitor 9")
    for weights in ("pretrained", "post_trained"):
        run = open_runs.with_weights(latest, weights)
        shown = searches.search(run, user, "test", run.recommender.decode).trace
        alone = latest.recommender.with_weights(weights)
        expected = alone.recommend([alone.history(user)], alone.decode)[0]
        assert shown.log_prob.tolist() == expected.log_prob.tolist()
    assert open_runs.with_weights(latest, "pretrained").facets is latest.facets
    assert open_runs.with_weights(latest, "post_trained") is latest


def test_the_first_user_does_not_depend_on_the_weights(app):
    user = link_of(started(app))["user"]
    focus_user._first_user.clear()
    other = visitor()
    assert link_of(started(other, weights="pretrained"))["user"] == user


@pytest.mark.parametrize("bad", ["nonsense", "", "../pretrained", "post-trained", "x" * 300])
def test_weights_that_are_not_there_are_an_error_in_one_sentence_and_the_choice_stays(app, bad):
    started(app, user="visitor 9", weights=bad)
    (error,) = app.error
    assert error.value.endswith(f"has no {bad} weights; it has post_trained, pretrained.")
    assert not app.code
    assert app.slider(key="theta")
    app.segmented_control(key="weights").set_value("pretrained").run()
    assert not app.exception
    assert not app.error
    assert link_of(app)["weights"] == "pretrained"


def test_a_run_with_one_stage_offers_no_choice_but_a_way_back_from_a_wrong_one(app, tiny_run, monkeypatch):
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(tiny_run))
    started(app, user="visitor 9")
    assert not app.segmented_control(key="at").disabled
    assert [control.key for control in app.segmented_control] == ["at"]
    assert not explanation(app).startswith("With the")
    assert link_of(app)["weights"] == "pretrained"

    other = started(visitor(), user="visitor 9", weights="post_trained")
    (error,) = other.error
    assert error.value.endswith("has no post_trained weights; it has pretrained.")
    other.segmented_control(key="weights").set_value("pretrained").run()
    assert not other.error
    assert link_of(other)["weights"] == "pretrained"


def test_latest_stands_for_the_last_stage(app):
    started(app, user="visitor 9", weights="latest")
    assert not app.error
    assert link_of(app)["weights"] == "post_trained"
