"""The Reasoning page as a whole, without a browser: it starts, its URL restores it, and bad values end in words."""

import math
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from opened_page import link_of, opened, page_of, visitor
from streamlit.testing.v1 import AppTest

from app.components import followed_path
from app.session import focus_user, open_runs, searches
from reg4rec_core import InputError, count_fates

PAGE = "screens/reasoning.py"


@pytest.fixture
def app(tiny_run, monkeypatch, tmp_path) -> AppTest:
    """The application on the tiny run, in a folder without checkpoints."""
    return page_of(tiny_run, monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    return opened(app, PAGE, **state)


def test_the_page_opens_on_a_user_worth_showing(app):
    started(app)
    assert not app.error
    state = link_of(app)
    assert state["user"].startswith("visitor ")
    assert (state["at"], state["run"]) == ("test", "tiny")
    assert open_runs.open_run("tiny").recommender.user_index(state["user"]) >= 0


def test_the_first_user_is_the_same_on_every_visit(app):
    first = link_of(started(app))
    focus_user._first_user.clear()
    assert link_of(started(visitor())) == first


def test_a_link_to_a_user_on_the_first_page_leads_to_the_search(app):
    app.query_params["user"], app.query_params["theta"], app.query_params["step"] = "visitor 5", "0.1", "3"
    app.run()
    assert not app.exception
    assert app.slider(key="theta").value == pytest.approx(0.1)
    assert {"user": "visitor 5", "step": "3"}.items() <= link_of(app).items()


def test_query_parameters_restore_the_view(app):
    wanted = {"user": "visitor 5", "at": "valid", "theta": "0.1", "beam": "7", "step": "3", "fold": "false"}
    started(app, **wanted)
    assert app.slider(key="theta").value == pytest.approx(0.1)
    assert app.slider(key="beam").value == 7
    assert app.toggle(key="fold").value is False
    state = link_of(app)
    assert {name: state[name] for name in ("user", "at", "beam", "step")} == {
        name: wanted[name] for name in ("user", "at", "beam", "step")
    }
    assert float(state["theta"]) == pytest.approx(0.1)


def test_thetas_by_step_and_the_first_compared_step_are_restored_and_explained(app):
    started(app, user="visitor 9", thetas="0.7,0.01,0.02", check_from="1", theta="0.3")
    state = link_of(app)
    assert (state["thetas"], state["check_from"], state["corp"]) == ("0.7,0.01,0.02", "1", "true")
    assert "theta" not in state
    assert [app.number_input(key=f"theta_step_{step}").value for step in (1, 2, 3)] == [0.7, 0.01, 0.02]
    assert "the θ of its step" in " ".join(text.value for text in [*app.markdown, *app.html])
    run = open_runs.open_run("tiny").recommender
    decode = replace(run.decode, thetas=(math.inf, 0.01, 0.02), check_from=1)
    trace = run.recommend([run.history(run.user_index("visitor 9"))], decode)[0]
    assert pruned_nodes(app) == count_fates(trace)["pruned"] > 0
    app.button(key="one_theta").click().run()
    assert link_of(app)["theta"] == "0.3"
    assert not app.exception


def test_thetas_that_make_no_sense_are_refused_in_words(app):
    started(app, user="visitor 9", thetas="0.1,nan,0.2")
    (error,) = app.error
    assert error.value.startswith("Thetas must be 3 numbers from 0 to 0.7 with commas between them")
    assert float(link_of(app)["theta"]) == pytest.approx(0.2)


def test_a_link_leads_to_the_same_link(app):
    state = link_of(started(app, user="visitor 9", theta="0.0212345", step="2"))
    assert not app.warning
    again = visitor()
    assert link_of(started(again, **state)) == state
    assert not again.warning


def test_a_path_in_the_url_is_followed(app):
    run = open_runs.open_run("tiny")
    user = run.recommender.user_index("visitor 9")
    trace = run.recommender.recommend([run.recommender.history(user)], run.recommender.decode)[0]
    leaf = int(trace.item_nodes[1])
    path = "-".join(f"{trace.codebook[row]}.{trace.code[row]}" for row in trace.path(leaf)[1:])
    assert link_of(started(app, user="visitor 9", path=path))["path"] == path
    assert not app.warning
    (warning,) = started(visitor(), user="visitor 9", path="9.9-1.1").warning
    assert warning.value.startswith("The address asks for path=9.9-1.1, but path must be a path of this search; ")


def test_an_unknown_user_is_an_error_in_one_sentence_and_the_search_stays(app):
    started(app, user="visitor 9999")
    (error,) = app.error
    assert error.value.startswith("There is no user 'visitor 9999' in this run; near matches: ")
    assert not app.code
    assert app.slider(key="theta")


@pytest.mark.parametrize(
    "bad",
    [
        {"theta": "nan"},
        {"theta": "-1"},
        {"theta": "much"},
        {"beam": "0"},
        {"beam": "99999999"},
        {"beam": "1.5"},
        {"step": "99"},
        {"step": "-3"},
        {"at": "tomorrow"},
        {"corp": "perhaps"},
        {"path": "9.9-<script>"},
        {"path": "-" * 500},
        {"fold": "2"},
        {"check_from": "99"},
        {"run": "../../etc"},
    ],
)
def test_a_value_that_makes_no_sense_is_replaced_not_obeyed(app, bad):
    started(app, user="visitor 9", **bad)
    assert not app.error
    ((name, value),) = bad.items()
    said = [warning.value for warning in app.warning]
    told = 0 if value.strip("-") == "" else 1  # dashes alone name no path
    assert [text.startswith(f"The address asks for {name}={value}, but {name} must be") for text in said] == (
        [True] * told
    ), said
    app.run()
    assert not app.warning
    state = link_of(app)
    assert 0 <= float(state["theta"]) <= 0.7
    assert 1 <= int(state["beam"]) <= 40
    assert 0 <= int(state["step"]) <= 4
    assert (state["at"], state["corp"], state["run"]) == ("test", "true", "tiny")


def pruned_nodes(app: AppTest) -> int:
    """What the legend says."""
    (legend,) = [html.value for html in app.html if "beam-cut" in html.value and "r4-legend" in html.value]
    return int(re.search(r"pruned <b>(\d+)</b>", legend).group(1))


def test_theta_changes_the_search(app):
    started(app, user="visitor 9", theta="0.7")
    loose = pruned_nodes(app)
    app.slider(key="theta").set_value(0.0).run()
    assert not app.exception
    assert pruned_nodes(app) > loose
    assert float(link_of(app)["theta"]) == 0.0


def test_pruning_can_be_turned_off(app):
    state = link_of(started(app, user="visitor 9", corp="false"))
    assert (state["corp"], "theta" in state) == ("false", False)
    assert app.slider(key="theta").disabled
    assert pruned_nodes(app) == 0


@pytest.mark.parametrize(
    ("move", "path", "step"),
    [
        ({"path": "", "step": 3, "turn": 1}, None, "3"),
        ({"path": "1.2", "step": 1, "turn": 1}, "1.2", "1"),
        ({"path": "1.2", "step": 1, "turn": 0}, None, None),
        ({"path": 7, "step": 1, "turn": 1}, None, None),
        ({"path": "1.2", "step": -1, "turn": 1}, None, None),
        ({"path": "1.2", "step": 1, "turn": 1, "more": 0}, None, None),
        ("1.2", None, None),
        (None, None, None),
    ],
)
def test_a_move_in_the_browser_is_kept_in_the_address_and_anything_else_is_not(app, monkeypatch, move, path, step):
    heard = []
    monkeypatch.setattr(followed_path, "_followed", lambda **said: heard.append(said))
    started(app, user="visitor 9")
    (said,) = heard
    assert (said["data"]["path"], said["data"]["turn"]) == ("", 0)
    moved, kept = [], {followed_path.TURNS: {}, "followed_tree": SimpleNamespace(moved=move)}
    monkeypatch.setattr(followed_path.st, "session_state", kept)
    followed_path.followed_path({"id": 1}, tree="tree", on_move=lambda *where: moved.append(where))
    heard[-1]["on_moved_change"]()
    heard[-1]["on_moved_change"]()
    assert moved == ([] if step is None else [(path or "", int(step))]), "and once only"


def test_users_are_searched_by_id_and_by_what_they_bought(app):
    started(app, user="visitor 9")
    app.session_state["user_picker"] = True
    app.run()
    app.text_input(key="user_query").set_value("visitor 12").run()
    assert app.dataframe[0].value["user"].tolist()[0] == "visitor 12"
    app.text_input(key="user_query").set_value("shampoo").run()
    assert all("shampoo" in title for title in app.dataframe[0].value["bought"])
    app.text_input(key="user_query").set_value("zzz").run()
    assert not app.dataframe
    assert any(caption.value.startswith("Nobody matches.") for caption in app.caption)
    assert not app.exception


def test_another_moment_shows_a_longer_history_and_no_truth(app):
    cards = [
        html.value.count('role="listitem"')
        for html in started(app, user="visitor 9").html
        if 'class="r4-strip"' in html.value
    ]
    app.segmented_control(key="at").set_value("now").run()
    (strip,) = [html.value for html in app.html if 'class="r4-strip"' in html.value]
    assert strip.count('role="listitem"') == cards[0] + 1
    assert "What comes next is not known." in strip


def test_a_run_that_is_not_here_is_refused(tiny_run, monkeypatch, tmp_path):
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(tiny_run))
    monkeypatch.chdir(tmp_path)
    for name in ("../tiny", "/etc", "", "checkpoints/demo"):
        with pytest.raises(InputError, match="choose one of tiny"):
            open_runs.open_run(name)


def test_only_folders_under_checkpoints_may_be_named(tiny_run, monkeypatch, tmp_path):
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(tiny_run))
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "checkpoints" / "other"
    other.mkdir(parents=True)
    (other / "run.json").write_text("{}")
    (tmp_path / "checkpoints" / "notes").mkdir()
    assert list(open_runs.known_runs()) == ["tiny", "other"]


def test_a_missing_run_is_an_error_that_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv(open_runs.RUN_VARIABLE, str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)
    app = visitor().run()
    assert not app.exception
    (error,) = app.error
    assert "reg4rec fit-tokenizer" in error.value


def test_an_empty_history_is_said_in_words(app, monkeypatch):
    run = open_runs.open_run("tiny")
    monkeypatch.setattr(type(run.recommender), "history", lambda self, user, at="test": run.facets.ids.codes[:0, 0])
    searches._search.clear()
    started(app, user="visitor 9")
    searches._search.clear()
    (error,) = app.error
    assert error.value.startswith("User visitor 9 bought nothing before what is to be predicted; predict now")
