"""The Reasoning page steered, and from a restored branch, without a browser."""

from html import unescape

import numpy as np
import pytest
from opened_page import link_of, page_of, visitor
from streamlit.testing.v1 import AppTest

from app.session import open_runs
from reg4rec_core import Fate, ask_edited, ask_from, ask_steered, parse_branch, parse_edits, parse_steering

USER = "visitor 9"


@pytest.fixture
def app(tiny_run, monkeypatch, tmp_path) -> AppTest:
    return page_of(tiny_run, monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    for name, value in state.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def trace_of(*, edit: str = "", steer: str = "", start: str = ""):
    recommender = open_runs.open_run("tiny").recommender
    question = recommender.question(recommender.history(recommender.user_index(USER)), recommender.decode)
    edited = ask_edited(question, parse_edits(edit))
    steered = ask_steered(edited, recommender.catalog, parse_steering(steer))
    return ask_from(steered, parse_branch(start)).trace()


def why(app: AppTest) -> str:
    (text,) = [html.value for html in app.html if 'class="r4-why"' in html.value]
    return unescape(text)


def first_title(trace) -> str:
    return open_runs.open_run("tiny").recommender.catalog.titles[trace.items[0]]


def test_the_chosen_code_can_be_forbidden_and_the_way_back_restores_the_link(app):
    first = link_of(started(app, user=USER, step="1"))
    code = first["path"].split("-")[0]
    app.button(key="without_code").click().run()
    assert link_of(app)["steer"] == f"forbid:{code}"
    trace = trace_of(steer=f"forbid:{code}")
    assert first_title(trace) in why(app)
    assert "items that steering allows" in why(app)
    assert app.warning[0].value.startswith("Steered: without facet ")
    assert any(caption.value.startswith("Against the original list") for caption in app.caption)
    app.button(key="stop_steering").click().run()
    assert link_of(app) == first
    assert not app.warning


def test_rules_add_up_and_are_taken_back_one_by_one(app):
    started(app, user=USER, steer="forbid_brand:Avalon", step="1")
    code = link_of(app)["path"].split("-")[0]
    app.button(key="only_code").click().run()
    assert link_of(app)["steer"] == f"forbid_brand:Avalon,fix:{code}"
    assert not app.error
    app.button(key="stop_steering_undo").click().run()
    assert link_of(app)["steer"] == "forbid_brand:Avalon"


def test_a_pruned_branch_is_restored_and_left_again(app):
    plain = trace_of()
    dropped = np.flatnonzero(np.isin(plain.fate, (Fate.PRUNED, Fate.BEAM_CUT)) & (plain.step == 2))
    path = "-".join(f"{plain.codebook[row]}.{plain.code[row]}" for row in plain.path(int(dropped[0]))[1:])
    started(app, user=USER, step="2", path=path)
    app.button(key="go_on").click().run()
    assert not app.error
    assert app.warning[0].value.startswith("Restored branch: every path begins with facet ")
    assert "given by hand" in why(app)
    assert link_of(app)["from"] == path
    assert link_of(app)["path"].startswith(path)
    assert first_title(trace_of(start=path)) in why(app)
    assert app.button(key="go_on").disabled
    app.button(key="back_to_root").click().run()
    assert "from" not in link_of(app)
    assert link_of(app)["path"].startswith(path)


def test_a_link_restores_edits_steering_branch_and_what_is_drawn(app):
    branch = f"{trace_of().codebook[1]}.{trace_of().code[1]}"
    wanted = {"edit": "-2,~9", "steer": "forbid_brand:Avalon", "from": branch, "fold": "false", "show": "only js above"}
    state = link_of(started(app, user=USER, above="0.1", smallest="true", **wanted))
    assert not app.error
    assert {name: state[name] for name in wanted} == wanted
    assert (state["above"], state["smallest"]) == ("0.1", "true")
    assert len(app.warning) == 3
    again = visitor()
    assert link_of(started(again, **state)) == state
    assert first_title(trace_of(edit="-2,~9", steer="forbid_brand:Avalon", start=branch)) in why(app)


@pytest.mark.parametrize(
    ("state", "begins"),
    [
        ({"steer": "<script>"}, "A steering rule reads RULE:VALUE"),
        ({"steer": "require_brand:Nobody"}, "There is no brand 'Nobody'"),
        ({"from": "9.9"}, "A branch needs codebooks below 4"),
        ({"from": "x" * 5000}, "A branch reads"),
    ],
)
def test_what_makes_no_sense_is_told_and_can_be_taken_back(app, state, begins):
    started(app, user=USER, **state)
    (error,) = app.error
    assert error.value.startswith(begins)
    app.button(key="restore").click().run()
    assert not app.error
    assert not {"steer", "from", "edit"} & set(link_of(app))


def test_edits_are_taken_back_one_by_one_and_the_smallest_edit_is_made_by_a_button(app):
    started(app, user=USER, edit="-1,2@1")
    app.button(key="restore_undo").click().run()
    assert link_of(app)["edit"] == "-1"
    app.button(key="restore").click().run()
    app.toggle(key="smallest").set_value(True).run()
    (said,) = app.info
    assert said.value.startswith("Without “")
    item = first_title(trace_of())
    assert f"“{item}” is not recommended any more" in said.value
    app.button(key="apply_smallest").click().run()
    edit = link_of(app)["edit"]
    assert edit.startswith("-")
    assert trace_of().items[0] not in trace_of(edit=edit).items
    assert first_title(trace_of(edit=edit)) in why(app)


def test_a_purchase_is_moved_and_replaced_in_the_editor(app):
    started(app, user=USER)
    app.session_state["history_editor"] = True
    app.run()
    app.segmented_control(key="edit_way").set_value("move one").run()
    assert app.button(key="earlier").disabled
    app.button(key="later").click().run()
    assert link_of(app)["edit"] == "1@2"
    assert app.selectbox(key="edit_place").value == 1, "the choice moves along"
    app.segmented_control(key="edit_way").set_value("replace a purchase").run()
    app.text_input(key="item_query").set_value("shampoo").run()
    assert all("shampoo" in title for title in app.dataframe[0].value["title"])
