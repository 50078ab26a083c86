"""The search for reward weights that lies with a run."""

from pathlib import Path

import streamlit as st

from app.session.open_runs import OpenRun
from reg4rec_core import RewardTuning, read_reward_tuning, reward_tuning_file


def stored_tuning(run: OpenRun) -> RewardTuning | None:
    """What reg4rec tune-rewards found for the run, None where nothing is stored."""
    path = reward_tuning_file(run.recommender.run.path)
    return None if path is None else _stored_tuning(run.key[:2], str(path), path.stat().st_mtime_ns, run)


@st.cache_resource(max_entries=4, show_spinner=False)
def _stored_tuning(key: tuple[str, int], path: str, written: int, _run: OpenRun) -> RewardTuning:
    return read_reward_tuning(Path(path), _run.recommender.run.path)
