"""Stored sweeps over theta, and making a small one in the page."""

import json

import streamlit as st

from app.session.open_runs import OpenRun
from app.session.progress import on_bar
from app.view_models.theta_cohort import QUICK_THETAS, SPLITS, chosen_sweep, comparable, sample_words, sweeps_of
from reg4rec_core import (
    Axis,
    InputError,
    ThetaCurve,
    ThetaSuggestion,
    ThetaSweep,
    read_theta_curve,
    suggest_theta,
    sweep,
    theta_sweeps,
)

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


def suggestion(run: OpenRun, valid: str, test: str) -> ThetaSuggestion:
    """What two stored sweeps suggest; "" where there is none of test users. Kept: its intervals take a moment."""
    return _suggestion(run.key, _written(run), valid, test, run)


@st.cache_resource(max_entries=16, show_spinner=False)
def _suggestion(key: tuple, written: Written, valid: str, test: str, _run: OpenRun) -> ThetaSuggestion:
    chosen = curve(_run, valid)
    return suggest_theta(chosen, comparable(chosen, curve(_run, test) if test else None))


def _written(run: OpenRun) -> Written:
    """When sweeps were last written, so that they are read afresh."""
    folders = sorted((run.recommender.run.path / "evaluation" / "sweeps").glob("*/"))
    return tuple((folder.name, folder.stat().st_mtime_ns) for folder in folders)


def chosen() -> dict[str, str]:
    """The sweep that the URL names, as a link has it."""
    return {"sweep": st.query_params.get("sweep", "")}


def choose_sweep(name: str) -> None:
    """Look at another sweep."""
    st.query_params["sweep"] = name


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
