"""The guided tour through a run: its stops are searched for once, and the address says which one is shown."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import streamlit as st

from app.session import focus_user, overview, searches, stored_searches
from app.session.open_runs import OpenRun, RunKey, known_runs, open_run
from app.view_models import tour as view
from app.view_models.by_hand import ByHand
from app.view_models.cohorts import SLICES
from reg4rec_core import Cohort, Edit, InputError, compare_traces, metrics_by

TRIED_USERS = 24
"""Users looked at for something worth showing, at most, after the one that the pages open on."""
FREE = ("user", "path", "edit", "steer", "from", "weights", "code", "marked", "tour")
"""What pages write into the address themselves; everything else in it is bound to a widget."""


def chosen_run() -> str:
    """The run that the page shows or is about to show."""
    names = list(known_runs())
    asked = st.session_state.get("run") or st.query_params.get("run")
    return asked if asked in names else names[0]


def stops(name: str) -> tuple[view.Stop, ...]:
    """The tour through a run; InputError when it does not open."""
    run = open_run(name)
    stores = tuple(stored_searches.trace_stores(name))
    return _stops(run.key, stores, run)


@st.cache_resource(max_entries=4, show_spinner="Preparing the tour…")
def _stops(key: RunKey, stores: tuple[str, ...], _run: OpenRun) -> tuple[view.Stop, ...]:
    """What is found to show, in the order of the story; what no user of the run shows is left out."""
    first = _first_stops(_run)
    found = [*first, _belief(_run), _pruned(_run), _edited(_run), _cohorts(_run, stores) or _health(_run)]
    return tuple(stop for stop in found if stop is not None)


def _users(run: OpenRun) -> Iterator[int]:
    """The user that the pages open on, then those with histories of a handy length."""
    first = focus_user.first_user(run)
    yield first
    positions = run.recommender.interactions.test_positions
    handy = np.flatnonzero((positions >= 3) & (positions <= 12))
    yield from [user for user in handy[:TRIED_USERS].tolist() if user != first]


def _key(run: OpenRun, user: int) -> str:
    return run.recommender.interactions.user_keys[user]


def _first_stops(run: OpenRun) -> list[view.Stop]:
    """A history with its list, and the code it began with."""
    decode = run.recommender.decode
    for user in _users(run):
        history = run.recommender.history(user)
        if len(history) == 0:
            continue
        trace, target = searches.search(run, user, "test", decode).trace, run.recommender.target(user)
        asked = {"user": _key(run, user), "history": history.tolist(), "target": target}
        stop = view.history_stop(trace, run.facets.catalog, decode, **asked)
        if stop is not None:
            return [stop, view.facet_stop(trace, run.facets, user=_key(run, user))]
    return []


def _belief(run: OpenRun) -> view.Stop | None:
    decode = run.recommender.decode
    for user in _users(run):
        if len(run.recommender.history(user)):
            trace = searches.search(run, user, "test", decode).trace
            stop = view.belief_stop(trace, run.facets, decode, user=_key(run, user))
            if stop is not None:
                return stop
    return None


def _pruned(run: OpenRun) -> view.Stop | None:
    """A pruned branch under the run's own theta where it has one, under the most lenient that prunes otherwise."""
    own = run.recommender.decode
    for user in _users(run):
        lower = (theta for theta in view.THETAS if own.thetas or theta < own.theta)
        for decode in (own, *(replace(own, theta=theta, thetas=()) for theta in lower)):
            if np.isfinite([decode.theta, *decode.thetas]).any() and len(run.recommender.history(user)):
                trace = searches.search(run, user, "test", decode).trace
                stop = view.pruned_stop(trace, run.facets, own, user=_key(run, user))
                if stop is not None:
                    return stop
    return None


def _edited(run: OpenRun) -> view.Stop | None:
    """The history without the purchase that speaks most for the first item."""
    decode = run.recommender.decode
    for user in _users(run):
        if len(run.recommender.history(user)) < 2:
            continue
        searched = searches.search(run, user, "test", decode).trace
        influence = searches.influence(run, user, "test", decode, searches.PLAIN)
        if len(influence.items) == 0 or not np.isfinite(influence.influence[:, 0]).all():
            continue
        place = int(influence.influence[:, 0].argmax()) + 1
        edit = Edit("remove", place, 0)
        compared = compare_traces(searched, searches.search(run, user, "test", decode, ByHand(edits=(edit,))).trace)
        left_out = int(run.recommender.history(user)[-len(influence.influence) :][place - 1])
        asked = {"user": _key(run, user), "left_out": left_out, "edit": edit, "step": int(searched.step.max())}
        stop = view.edited_stop(compared, run.facets.catalog, decode, **asked)
        if stop is not None:
            return stop
    return None


def _cohorts(run: OpenRun, stores: tuple[str, ...]) -> view.Stop | None:
    """For whom it works, where there are stored searches that know the truth."""
    for name in stores:
        store = stored_searches.open_trace_store(stored_searches.trace_stores(run.name)[name])
        for by, cut_by in SLICES.items():
            try:
                slices = stored_searches.ask(metrics_by, store, Cohort(), cut_by)
            except InputError:  # this store does not know it; the next way of cutting, or the health checks, remain
                continue
            stop = view.cohort_stop(slices, store=name, by=by)
            if stop is not None:
                return stop
    return None


def _health(run: OpenRun) -> view.Stop:
    record = overview.run_record(run)
    report = record.report or {}
    return view.health_stop(record.checks, report.get("recall@10"), int(report.get("users", 0)))


def asked_stop(count: int) -> int | None:
    """The stop that the address asks for, from 1; what makes no sense is taken out of it."""
    number = view.stop_number(st.query_params.get("tour"), count)
    if number is None:
        leave()
    return number


def is_touring() -> bool:
    return "tour" in st.query_params


def begin() -> None:
    """Ask for the first stop; only from a callback."""
    st.query_params["tour"] = "1"


def go(stop: view.Stop, number: int) -> None:
    """Let page and address say what the stop says; before any widget of the page is drawn.

    What a widget of this session holds is set in the session, which brings it into the address; the rest goes there.
    """
    for name in FREE:
        st.query_params.pop(name, None)
    for name, value in stop.state.items():
        if name in st.session_state and name not in FREE:
            st.session_state[name] = value
    for name, text in address_of(stop, number).items():
        st.query_params[name] = text


def is_at(stop: view.Stop, page: str) -> bool:
    """Whether the page and its address are those of the stop, whatever has been tried out there since."""
    return page == stop.page and all(name in st.query_params for name in stop.state if name in FREE)


def changed_since(stop: view.Stop) -> str:
    """What of the stop has been changed since one arrived, in a sentence; "" for nothing that its caption speaks of."""
    said = {name: st.query_params.get(name, "") for name in view.WATCHED if name in FREE}
    bound = {name: st.session_state.get(name, st.query_params.get(name)) for name in stop.state if name not in FREE}
    held = {name: view.url_text(value) for name, value in bound.items() if value is not None}
    return view.changed_since(stop, said | held)


def address_of(stop: view.Stop, number: int) -> dict[str, str]:
    """What the address has to say on the way to a stop: what pages write themselves, what no widget holds, the run."""
    said = {**stop.state, "tour": number}
    if "run" in st.query_params:
        said["run"] = st.query_params["run"]
    return {name: view.url_text(value) for name, value in said.items() if name in FREE or name not in st.session_state}


def leave() -> None:
    """End the tour and stay where one is."""
    st.query_params.pop("tour", None)
