"""How to make the stored searches that a comparison of all users lacks."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.components.sweep_controls import preset_button
from app.session import open_runs, step_thetas
from app.session.compared import Side
from app.view_models import comparison as view
from reg4rec_core import preset_json


def how_to_store(sides: Sequence[Side], at: str) -> None:
    """The commands that store the searches of these sides, and the files that they read."""
    st.info(view.NO_STORES, icon=":material/database:")
    st.code("\n".join(dict.fromkeys(command(side, at) for side in sides)), language="bash")
    of_file = [side for side in sides if needs_preset(side)]
    if of_file:
        st.caption(view.PRESETS)
    for side in of_file:
        path, weights = side.run.recommender.run.path, side.run.weights
        text = partial(preset_json, path, side.decode, weights=weights)
        preset_button(preset_file(side), document=text, label=f"Save preset of {side.letter}")


def command(side: Side, at: str) -> str:
    """How to store the searches of a side."""
    path, preset = str(open_runs.run_path(side.run.name)), preset_file(side) if needs_preset(side) else ""
    return view.trace_command(
        path, side.run.weights, decode=side.decode, at=at, own=step_thetas.own(side.run), preset=preset
    )  # fmt: skip


def needs_preset(side: Side) -> bool:
    return view.needs_preset(side.decode, step_thetas.own(side.run), step_thetas.count(side.run))


def preset_file(side: Side) -> str:
    """What the settings of a side are saved as."""
    return f"preset-{side.letter}.json"
