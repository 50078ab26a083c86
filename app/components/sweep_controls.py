"""Which stored sweep is looked at, what it is compared with, and keeping a setting as a file."""

from collections.abc import Callable

import streamlit as st

from app.components.controls import choice_control


def sweep_control(labels: dict[str, str], chosen: str, *, on_choose: Callable[[str], None]) -> None:
    """The stored sweeps; the address bar keeps the choice, so that a wrong value can be told."""
    st.session_state["sweep_name"] = chosen
    st.selectbox(
        "Stored sweep",
        list(labels),
        format_func=lambda name: labels[name],
        key="sweep_name",
        on_change=lambda: on_choose(st.session_state["sweep_name"]),
    )


def against_control(names: list[str]) -> str:
    """The swept theta that the slider's is compared with."""
    return choice_control("From θ", names, key="against", help="The other side is the swept θ nearest to the slider.")


def preset_button(file: str, *, document: Callable[[], str]) -> None:
    """The setting that is looked at as a file that the command line reads."""
    st.download_button(
        "Save preset",
        data=document,
        file_name=file,
        mime="application/json",
        icon=":material/save:",
        on_click="ignore",
        width="stretch",
        help="θ and the step from which beliefs are compared, with the run's other settings. The command line reads "
        "it: reg4rec recommend, evaluate and trace take --decode FILE.",
    )
