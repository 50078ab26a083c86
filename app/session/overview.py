"""What the files of a run say about it as a whole."""

import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.session import stored_searches
from app.session.open_runs import OpenRun
from app.view_models.overview import CUTS, worst_slices
from reg4rec_core import (
    Cohort,
    HealthCheck,
    InputError,
    SliceMetrics,
    TraceStore,
    check_run,
    cohort_metrics,
    metrics_by,
)

REPORT = "evaluation/test.json"
PLANS = "precision.jsonl"


@dataclass(frozen=True)
class RunRecord:
    """What is told of a run besides its weights; shared, so nobody changes it."""

    report: dict[str, Any] | None
    """The evaluation on the test split, None where there is none."""
    log: list[dict[str, Any]]
    plans: list[dict[str, Any]]
    """The number format of every layer at every plan; [] where all was computed in full precision."""
    checks: tuple[HealthCheck, ...]


def run_record(run: OpenRun) -> RunRecord:
    """The record of a run, read again when one of its files has changed."""
    path = run.recommender.run.path
    names = (REPORT, PLANS, "metrics.jsonl", "run.json", "tokenizer_report.json", "data/dataset.json")
    written = tuple((path / name).stat().st_mtime_ns if (path / name).exists() else 0 for name in names)
    return _run_record(run.key, written, run)


@st.cache_resource(max_entries=4, show_spinner="Reading the run's reports…")
def _run_record(key: tuple[str, int, str], written: tuple[int, ...], _run: OpenRun) -> RunRecord:
    run = _run.recommender.run
    plans = run.path / PLANS
    return RunRecord(
        report=run.read_json(REPORT) if (run.path / REPORT).exists() else None,
        log=run.metrics(),
        plans=[json.loads(line) for line in plans.read_text(encoding="utf-8").splitlines()] if plans.exists() else [],
        checks=check_run(run),
    )


def newest_store(run: str) -> TraceStore | None:
    """The stored search of a run that was written last, None where there is none."""
    stores = stored_searches.trace_stores(run)
    if not stores:
        return None
    newest = max(stores.values(), key=lambda path: (path / "store.json").stat().st_mtime_ns)
    return stored_searches.open_trace_store(newest)


def served_least(store: TraceStore) -> tuple[SliceMetrics, list[SliceMetrics]]:
    """Everyone of a stored search, and the slices with the lowest recall; InputError where the truth is not known."""
    everyone = stored_searches.ask(cohort_metrics, store, Cohort())
    slices: list[SliceMetrics] = []
    for by in CUTS:
        try:
            slices += stored_searches.ask(metrics_by, store, Cohort(), by)
        except InputError:  # this store does not know what users are cut by; the other ways of cutting remain
            continue
    return everyone, worst_slices(slices, everyone.users)


def link_of_search() -> dict[str, str]:
    """What a link says; what a widget of this session is bound to, Streamlit carries over by itself."""
    return {name: value for name, value in st.query_params.to_dict().items() if name not in st.session_state}
