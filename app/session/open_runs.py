"""Runs and their weights, opened once for all visitors."""

import atexit
import gc
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from app.view_models.reasoning import found_users
from reg4rec_core import Facets, InputError, Recommender, UserIndex, index_users, read_facets, search_users

RUN_VARIABLE = "REG4REC_RUN"
CHECKPOINTS = Path("checkpoints")
DEFAULT_RUN = CHECKPOINTS / "demo"
LATEST = "latest"
"""Stands for the weights of the last training stage of a run."""
RunKey = tuple[str, int, str]
"""A run's path, when it was last written, so that a retrained run is opened afresh, and whose weights are asked for."""

# What is frozen or kept when Python ends is never let go, and DuckDB says so in forty lines.
atexit.register(gc.unfreeze)
atexit.register(st.cache_resource.clear)


@dataclass(frozen=True)
class OpenRun:
    """One run in memory. Shared by all sessions: nobody changes anything in it."""

    key: RunKey
    name: str
    recommender: Recommender
    facets: Facets
    users: UserIndex

    @property
    def weights(self) -> str:
        """The training stage whose weights search."""
        return self.recommender.weights

    @property
    def stages(self) -> list[str]:
        """The training stages that left weights, the latest first."""
        return self.recommender.run.weights_available()

    @property
    def n_users(self) -> int:
        return self.recommender.interactions.n_users

    def find_users(self, query: str) -> pd.DataFrame:
        """Users that match a query, as rows to choose from."""
        return found_users(search_users(self.users, query), self.facets.catalog, self.recommender.interactions)


def known_runs() -> dict[str, Path]:
    """The runs that a link may name: the one the app was started on first, then every folder under checkpoints/."""
    started_on = Path(os.environ.get(RUN_VARIABLE) or DEFAULT_RUN)
    others = sorted(path.parent for path in CHECKPOINTS.glob("*/run.json"))
    return {started_on.name: started_on} | {path.name: path for path in others if path.name != started_on.name}


def run_path(name: str) -> Path:
    """Where the run of that name lies; InputError when it is none of `known_runs`."""
    runs = known_runs()
    if name not in runs:
        raise InputError(f"there is no run {name!r} here; choose one of {', '.join(runs)}")
    return runs[name]


def open_run(name: str) -> OpenRun:
    """The run of that name, latest weights; InputError when it is none of `known_runs` or lacks something."""
    path = run_path(name)
    weights = sorted(path.glob("weights/*.safetensors"))
    written = max((file.stat().st_mtime_ns for file in weights), default=0)
    return _open((str(path), written, LATEST), name)


@st.cache_resource(max_entries=2, show_spinner="Opening the run…")
def _open(key: RunKey, name: str) -> OpenRun:
    recommender = Recommender.load(key[0])
    facets = read_facets(recommender.catalog, recommender.semantic_ids, recommender.interactions)
    users = index_users(recommender.catalog, recommender.interactions)
    recommender.recommend([recommender.interactions.sequence(0)], recommender.decode)
    gc.collect()
    gc.freeze()  # what is loaded stays: without this every click pays for searching it for garbage
    return OpenRun(key, name, recommender, facets, users)


def with_weights(run: OpenRun, weights: str) -> OpenRun:
    """The run with a stage's weights; all but the network is shared. InputError when that stage left none."""
    if weights == run.weights:
        return run
    key = (*run.key[:2], weights)
    return replace(run, key=key, recommender=_with_weights(key, run.recommender))


@st.cache_resource(max_entries=2, show_spinner="Opening the weights…")
def _with_weights(key: RunKey, _recommender: Recommender) -> Recommender:
    return _recommender.with_weights(key[2])


def chosen_weights(run: OpenRun) -> str:
    """The stage whose weights the URL asks for, the latest where it asks for none."""
    chosen = st.query_params.get("weights", LATEST)
    return run.weights if chosen == LATEST else chosen


def choose_weights(weights: str) -> None:
    """Look at the search of another stage's weights, along the same path."""
    st.query_params["weights"] = weights
