"""Stored sweeps over theta, and making a small one in the page."""

import json

import streamlit as st

from app.session import stored_searches
from app.session.open_runs import OpenRun
from app.session.progress import on_bar
from app.view_models.theta_cohort import QUICK_THETAS, SPLITS, chosen_sweep, comparable, sample_words, sweeps_of
from reg4rec_core import (
    Axis,
    Cohort,
    InputError,
    ThetaCurve,
    ThetaSuggestion,
    ThetaSweep,
    TraceStore,
    cohort_users,
    curve_of_users,
    read_cohort,
    read_theta_curve,
    suggest_theta,
    sweep,
    theta_sweeps,
)

SEARCHED = ("recommended", "outcome", "leans")
"""Conditions of a cohort that a search decides."""
Written = tuple[tuple[str, int], ...]


def stored_sweeps(run: OpenRun) -> tuple[ThetaSweep, ...]:
    """The finished sweeps over theta of the run's weights of today."""
    return _stored_sweeps(run.key, _written(run), run)


@st.cache_resource(max_entries=8, show_spinner=False)
def _stored_sweeps(key: tuple, written: Written, _run: OpenRun) -> tuple[ThetaSweep, ...]:
    return theta_sweeps(_run.recommender.run.path)


def how_drawn(run: OpenRun) -> str:
    """How the users of the sweep that is looked at were drawn, "" where none is stored."""
    sweeps = sweeps_of(stored_sweeps(run), run.weights)
    if not sweeps:
        return ""
    sweep = chosen_sweep(sweeps, chosen()["sweep"])
    file = run.recommender.run.path / "evaluation" / "sweeps" / sweep.name / "sweep.json"
    return sample_words(sweep, json.loads(file.read_text(encoding="utf-8")).get("asked", {}))


def curve(run: OpenRun, name: str) -> ThetaCurve:
    """One of them."""
    return _curve(run.key, _written(run), name, run)


@st.cache_resource(max_entries=16, show_spinner="Reading the sweep…")
def _curve(key: tuple, written: Written, name: str, _run: OpenRun) -> ThetaCurve:
    return read_theta_curve(_run.recommender.run.path, name)


def curve_of(run: OpenRun, name: str, cohort: str) -> ThetaCurve:
    """One of them, over the users of a cohort; InputError for a text that is none, or where nobody is in it."""
    read_cohort(cohort)
    return _curve_of(run.key, _written(run), name, cohort, run) if cohort else curve(run, name)


@st.cache_resource(max_entries=32, show_spinner="Choosing the users…")
def _curve_of(key: tuple, written: Written, name: str, cohort: str, _run: OpenRun) -> ThetaCurve:
    whole, recommender = curve(_run, name), _run.recommender
    whom, store = read_cohort(cohort), None
    if any(getattr(whom, part) != getattr(Cohort(), part) for part in SEARCHED):
        store = searched_by(_run, whole.split)
    rows = cohort_users(whom, recommender.catalog, recommender.interactions, whole.split, store=store)
    return curve_of_users(whole, cohort, rows, recommender.catalog)


def searched_by(run: OpenRun, split: str) -> TraceStore:
    """The largest stored search of a split, of another where there is none; InputError without any."""
    stores = list(stored_searches.trace_stores(run.name).values())
    same = [path for path in stores if stored_searches.store_settings(path).get("split") == split]
    if not stores:
        raise InputError(
            "a cohort by its outcome, by what it is recommended or by where its belief leans needs a stored search; "
            "make one on the Cohorts page"
        )
    return stored_searches.open_trace_store((same or stores)[0])


def suggestion(run: OpenRun, valid: str, test: str, cohort: str = "") -> ThetaSuggestion:
    """What two stored sweeps suggest; "" where there is none of test users. Kept: its intervals take a moment."""
    return _suggestion(run.key, _written(run), valid, test, cohort, run)


@st.cache_resource(max_entries=16, show_spinner=False)
def _suggestion(key: tuple, written: Written, valid: str, test: str, cohort: str, _run: OpenRun) -> ThetaSuggestion:
    same = comparable(curve(_run, valid), curve(_run, test) if test else None)
    heard = curve_of(_run, test, cohort) if same is not None else None
    return suggest_theta(curve_of(_run, valid, cohort), heard)


def _written(run: OpenRun) -> Written:
    """When sweeps were last written, so that they are read afresh."""
    folders = sorted((run.recommender.run.path / "evaluation" / "sweeps").glob("*/"))
    return tuple((folder.name, folder.stat().st_mtime_ns) for folder in folders)


def chosen() -> dict[str, str]:
    """The sweep and the cohort that the URL names, as a link has them."""
    return {name: st.query_params.get(name, "") for name in ("sweep", "cohort")}


def choose_sweep(name: str) -> None:
    """Look at another sweep."""
    st.query_params["sweep"] = name


def choose_cohort(text: str) -> None:
    """Look at the curves of other users."""
    st.query_params["cohort"] = text


def make_sweeps(run: OpenRun, users: int) -> None:
    """Sweep a sample of the users of both splits, with a bar of its progress; what is finished is kept."""
    bar = st.progress(0.0, "starting")
    try:
        for split in SPLITS:
            sample = min(users, run.n_users)
            sweep(run.recommender, [Axis("theta", QUICK_THETAS)], split=split, users=sample, progress=on_bar(bar))
    except OSError as error:
        raise InputError(
            f"a sweep is stored in the run, which must be writable ({error.strerror}); sweep a copy of it"
        ) from error
    finally:
        bar.empty()
