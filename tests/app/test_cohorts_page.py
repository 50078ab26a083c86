"""The Cohorts page as a whole, without a browser: it starts, its URL restores it, and it says what is missing."""

import json
import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from opened_page import link_of, opened, page_of, visitor
from streamlit.testing.v1 import AppTest

from app.components.cohort_builder import BUILDER
from reg4rec_core import (
    Cohort,
    Leaning,
    Range,
    cohort_metrics,
    compare_stores,
    count_users,
    mass_along_steps,
    open_store,
    users_of,
)

PAGE = "screens/cohorts.py"
SEARCH = ("--beam", "6", "--users", "60")


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory, reg4rec) -> Path:
    """A copy of the tiny run with two stored searches, one of which prunes."""
    copied = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "tiny")
    for theta in ("0.003", "inf"):
        done = reg4rec("trace", "--run", copied, "--theta", theta, *SEARCH)
        assert done.exit_code == 0, done.stderr
    return copied


@pytest.fixture(scope="module")
def stores(run) -> dict[str, Path]:
    return {path.name: path for path in sorted((run / "traces").iterdir())}


@pytest.fixture
def app(run, monkeypatch, tmp_path) -> AppTest:
    return page_of(run, monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    return opened(app, PAGE, **state)


def words_of(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.html, *app.caption])


def listed_links(app: AppTest) -> list[dict[str, str]]:
    (table,) = [html.value for html in app.html if "<th>user</th>" in html.value]
    links = [part.split('"')[0].replace("&amp;", "&") for part in table.split('href="')[1:]]
    return [dict(parse_qsl(urlsplit(link).query)) for link in links]


def test_the_page_opens_on_everyone_and_lists_them_with_links_to_their_trees(app, stores):
    started(app)
    assert not app.error
    assert not app.info
    store = open_store(stores[app.selectbox(key="store").value])
    whole, counts = cohort_metrics(store, Cohort()), count_users(store, Cohort())
    assert f"{whole.metrics['recall@10'].mean:.3f}" in words_of(app)
    assert f"of {counts.misses:,} missed targets" in words_of(app)
    rows = users_of(store, Cohort(), limit=60)
    assert [link["user"] for link in listed_links(app)] == [row.key for row in rows]
    assert len(app.get("echarts_chart")) == 6


def test_a_link_to_a_user_repeats_the_stored_search(app, stores):
    for name, path in stores.items():
        started(app, store=name)
        decode = json.loads((path / "store.json").read_text())["settings"]["decode"]
        link = listed_links(app)[0]
        assert (link["run"], link["weights"], link["at"], link["beam"]) == ("tiny", "pretrained", "test", "6")
        assert link.get("theta") == (None if decode["theta"] is None else f"{decode['theta']:g}")
        assert link.get("corp") == ("false" if decode["theta"] is None else None)
        app = visitor()


def test_the_url_restores_the_view(app, stores):
    cohort, marked = Cohort(history=Range(5, 7)), Cohort(history=Range(5, 7), outcome="miss")
    wanted = {
        "store": list(stores)[1],
        "cohort": cohort.to_text(),
        "marked": marked.to_text(),
        "by": "days active",
        "metric": "ndcg@5",
        "source": "recommendations",
        "period": "month",
        "against": next(iter(stores)),
    }
    started(app, **wanted)
    for name in ("store", "by", "metric", "source", "period", "against"):
        assert app.selectbox(key=name).value == wanted[name], name
    assert app.text_input(key="cohort").value == wanted["cohort"]
    store = open_store(stores[wanted["store"]])
    assert f"{count_users(store, marked).users:,} users behind the mark" in words_of(app)
    assert [link["user"] for link in listed_links(app)] == [row.key for row in users_of(store, marked, limit=60)]
    assert link_of(app) == {"run": "tiny", **wanted}
    again = visitor()
    assert link_of(started(again, **link_of(app))) == link_of(app)


def test_the_cohort_is_kept_when_one_goes_to_another_page_and_back(app):
    started(app, cohort="history_5~7")
    app.switch_page("screens/codebooks.py").run()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert app.text_input(key="cohort").value == "history_5~7"
    assert "Users: 5 to 7 purchases" in words_of(app)


@pytest.mark.parametrize(
    "bad",
    [{"store": "../.."}, {"by": "shoe size"}, {"metric": "9"}, {"period": "day"}, {"against": "<b>"}, {"run": "/"}],
)
def test_a_value_that_makes_no_sense_is_replaced_not_obeyed(app, bad):
    started(app, **bad)
    assert not app.error
    assert app.selectbox(key="by").value == "history length"
    assert link_of(app)["run"] == "tiny"


@pytest.mark.parametrize("name", ["cohort", "marked"])
def test_users_that_no_cohort_can_mean_are_an_error_in_one_sentence(app, name):
    started(app, **{name: "size_5"})
    (error,) = app.error
    assert error.value.startswith("A cohort reads NAME_VALUE.NAME_VALUE")
    assert app.text_input(key="cohort")


def test_an_empty_cohort_says_what_to_do(app):
    started(app, cohort="history_900~901")
    (info,) = app.info
    assert info.value.startswith("Nobody is in this cohort.")
    app.pills(key="quick").set_value("everyone").run()
    assert not app.exception
    assert not app.info


def test_a_mark_with_nobody_behind_it_cannot_become_the_cohort(app):
    started(app, marked="history_900~901")
    assert "0 users behind the mark" in words_of(app)
    assert app.button(key="keep").disabled


def test_users_behind_a_mark_become_the_cohort(app, stores):
    store = open_store(next(iter(stores.values())))
    beliefs = mass_along_steps(store, Cohort())
    leaning = Cohort(leans=Leaning(1, beliefs.names[int(beliefs.leaning[1].argmax())]))
    started(app, store=next(iter(stores)), marked=leaning.to_text())
    app.button(key="keep").click().run()
    assert not app.exception
    assert app.text_input(key="cohort").value == leaning.to_text()
    assert "marked" not in app.query_params
    assert f"{beliefs.leaning[1].max()} users of this cohort" in words_of(app)


def test_whose_target_another_search_finds_is_listed(app, stores):
    first, second = stores
    compared = compare_stores(*(open_store(path) for path in stores.values()), Cohort())
    started(app, store=first, against=second)
    app.button(key="gained" if compared.gained else "lost").click().run()
    users = compared.gained_users if compared.gained else compared.lost_users
    assert app.query_params["marked"] == users.to_text()
    assert len(listed_links(app)) == len(users.users) > 0


def test_the_form_is_drawn_when_it_is_opened_says_every_condition_and_closes_with_the_answer(app):
    started(app, cohort="history_5~7.outcome_miss.users_1-2-3")
    assert not any(button.label == "Look at these users" for button in app.button)
    app.session_state[BUILDER] = True
    app.run()
    assert app.number_input(key="cohort history_low").value == 5
    assert app.selectbox(key="cohort outcome").value == "miss"
    app.number_input(key="cohort history_low").set_value(9)
    app.number_input(key="cohort seen_high").set_value(4)
    app.selectbox(key="cohort outcome").set_value("any")
    (submit,) = [button for button in app.button if button.label == "Look at these users"]
    submit.click().run()
    assert not app.exception
    wanted = Cohort(history=Range(7, 9), seen=Range(None, 4), users=(1, 3, 6))
    assert app.text_input(key="cohort").value == wanted.to_text(), "ends in the wrong order change places"
    assert app.session_state[BUILDER] is False


def test_a_quick_cohort_stands_out_when_the_url_names_it(app):
    started(app, cohort="outcome_miss")
    assert app.pills(key="quick").value == "missed"
    app.pills(key="quick").set_value("cold targets").run()
    assert app.text_input(key="cohort").value == "seen_0~4"


def test_a_run_without_a_store_says_how_to_make_one(tiny_run, monkeypatch, tmp_path):
    app = started(page_of(tiny_run, monkeypatch, tmp_path))
    assert app.code[0].value == f"reg4rec trace --run {tiny_run}"
    assert "has none yet" in app.info[0].value


def test_a_run_without_a_store_can_search_a_sample_in_the_page(tiny_run, monkeypatch, tmp_path):
    copied = shutil.copytree(tiny_run, tmp_path / "runs" / "tiny")
    app = started(page_of(copied, monkeypatch, tmp_path))
    app.button(key="make").click().run()
    assert not app.exception
    (store,) = (copied / "traces").iterdir()
    description = json.loads((store / "store.json").read_text(encoding="utf-8"))
    assert (description["complete"], description["settings"]["split"]) == (True, "test")
    assert "made by reg4rec" in words_of(app)
    assert app.selectbox(key="store").value == store.name


def test_one_store_alone_says_how_to_make_a_second(run, stores, monkeypatch, tmp_path):
    alone = tmp_path / "runs" / "alone"
    shutil.copytree(run, alone, ignore=lambda folder, names: [next(iter(stores))] if "traces" in folder else [])
    app = started(page_of(alone, monkeypatch, tmp_path))
    assert [code.value for code in app.code if "trace" in code.value] == [
        f"reg4rec trace --run {alone} --weights post_trained"
    ]


def test_a_store_without_targets_shows_what_it_has_and_names_what_it_lacks(run, stores, monkeypatch, tmp_path):
    bare = tmp_path / "runs" / "bare"
    shutil.copytree(run, bare, ignore=lambda folder, names: [list(stores)[1]] if Path(folder).name == "traces" else [])
    shutil.rmtree(bare / "traces" / next(iter(stores)) / "users")
    app = started(page_of(bare, monkeypatch, tmp_path))
    assert not app.error
    assert any("users.place" in info.value for info in app.info)
    assert len(app.get("echarts_chart"))
