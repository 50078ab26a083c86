"""Which stored sweep is looked at, what it is compared with, and keeping a setting as a file."""

from collections.abc import Callable, Sequence

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


def cohort_control(labels: dict[str, str], chosen: str, *, help: str, on_choose: Callable[[str], None]) -> None:
    """Whom the curves are about: one of a few cohorts, or another that is typed; the address bar keeps the choice."""
    st.session_state["swept_cohort"] = chosen
    st.selectbox(
        "Of whom",
        list(labels),
        format_func=lambda text: labels.get(text, text),
        key="swept_cohort",
        accept_new_options=True,
        on_change=lambda: on_choose(st.session_state["swept_cohort"] or ""),
        help=help,
    )


def top_control(tops: Sequence[int]) -> int:
    """Among how many first places the item has to stand."""
    chosen = st.segmented_control(
        "Places that count", tops, default=tops[0], required=True, key="top", bind="query-params"
    )
    return chosen if chosen in tops else tops[0]


def against_control(names: list[str]) -> str:
    """The swept theta that the slider's is compared with."""
    return choice_control("From θ", names, key="against", help="The other side is the swept θ nearest to the slider.")


def preset_button(file: str, *, document: Callable[[], str], label: str = "Save preset") -> None:
    """The setting that is looked at as a file that the command line reads."""
    st.download_button(
        label,
        data=document,
        file_name=file,
        mime="application/json",
        icon=":material/save:",
        on_click="ignore",
        width="stretch",
        help="θ and the step from which beliefs are compared, with the run's other settings. The command line reads "
        "it: reg4rec recommend, evaluate and trace take --decode FILE.",
    )
