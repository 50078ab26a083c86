"""The settings of a search and the step scrubber. Every widget is bound to the URL by its key."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.view_models.reasoning import weights_name
from app.view_models.tree import SHOWN, Show
from reg4rec_core import DecodeConfig

MOMENTS = {"test": "the last purchase", "valid": "the last but one", "now": "what comes next"}
MAX_BEAM = 40
MAX_THETA = 0.7
"""Just above ln 2, the largest Jensen-Shannon divergence there is."""
PAPERS_THETA = 0.06
"""Where the slider stands when a run prunes nothing by default."""


@dataclass(frozen=True)
class Choice:
    """What the settings row says."""

    at: str
    theta: float
    """Of all steps, where they have no threshold each."""
    corp: bool
    beam: int
    check_from: int


def settings_row(
    default: DecodeConfig, last: int, by_step: Callable[[int, bool], None] | None = None
) -> tuple[DeltaGenerator, DeltaGenerator, Choice]:
    """The row of settings of a search with `last` steps; returns its first and last place, for whom and what to share.

    `by_step` draws thresholds by step in the slider's place, told the first step that is compared and whether any is.
    """
    who, what, how_strict, since, how_wide, take_away = st.columns(
        [1.6, 1.9, 3.2, 0.9, 1.3, 1.9], vertical_alignment="bottom", gap="medium"
    )
    with what:
        at = moment_control()
    with since:
        check_from = since_control(last, default.check_from)
    with how_strict:
        theta, corp = threshold_control(default, check_from, by_step)
    with how_wide:
        beam = beam_control(default)
    return who, take_away, Choice(at, theta, corp, beam, check_from)


def threshold_control(
    default: DecodeConfig, check_from: int, by_step: Callable[[int, bool], None] | None, side: str = ""
) -> tuple[float, bool]:
    """The threshold of all steps, and whether CORP prunes at all; `by_step` draws those by step in its place."""
    if by_step is None:
        return theta_control(default, side)
    fields, switch = st.columns([2.2, 1], vertical_alignment="bottom", gap="small")
    corp = prune_control(switch, True, side)
    with fields:
        by_step(check_from, corp)
    return default.theta, corp


def since_control(last: int, default: int, side: str = "") -> int:
    """From which step on beliefs are compared, in little room."""
    steps = sorted({*range(1, last), default})
    chosen = st.selectbox(
        "from step",
        steps,
        index=steps.index(default),
        key=f"check_from{side}",
        bind="query-params",
        help="The first step whose belief is compared. The first codes say what kind of item it is, so their jumps are "
        "no inconsistency yet.",
    )
    return chosen if chosen in steps else default


def run_control(names: list[str], side: str = "") -> str:
    """Which run to look at, where there is a choice; `side` ends the name of every control of a second search."""
    if len(names) == 1:
        return names[0]
    chosen = st.selectbox("Run", names, key=f"run{side}", bind="query-params")
    return chosen if chosen in names else names[0]


def weights_control(stages: list[str], chosen: str, *, on_choose: Callable[[str], None], side: str = "") -> None:
    """Whose weights search, where there is a choice; the address bar keeps it, so that a wrong value can be told."""
    if stages == [chosen]:
        return
    key = f"weights{side}"
    st.session_state[key] = chosen if chosen in stages else None
    st.segmented_control(
        "Weights",
        stages[::-1],
        format_func=weights_name,
        key=key,
        required=True,
        on_change=lambda: on_choose(st.session_state[key]),
        help="The same shopper and the same settings, searched with the model before or after post-training.",
    )


def facet_control(names: list[str], *, on_choose: Callable[[], None]) -> str:
    """Which facet to look at; one of `names`."""
    chosen = st.segmented_control(
        "Facet to look at",
        names,
        default=names[0],
        required=True,
        key="facet",
        bind="query-params",
        on_change=on_choose,
    )
    return chosen if chosen in names else names[0]


def likeness_control(names: list[str]) -> str:
    """By which measure facets are compared; one of `names`."""
    chosen = st.segmented_control(
        "How alike two facets are, by their",
        names,
        default=names[0],
        required=True,
        key="alike",
        bind="query-params",
    )
    return chosen if chosen in names else names[0]


def fold_control() -> bool:
    """Whether steps without a choice are folded."""
    return st.toggle(
        "fold forced",
        value=True,
        key="fold",
        bind="query-params",
        help="Once a branch has one item left, its remaining codes are forced. They are still checked.",
    )


def show_control(which: DeltaGenerator, how_far: DeltaGenerator) -> Show:
    """Which nodes of the tree to draw."""
    chosen = which.selectbox(
        "Nodes to show",
        SHOWN,
        key="show",
        bind="query-params",
        label_visibility="collapsed",
        help="js is how far a node moved the belief, in nats. The followed path is always shown.",
    )
    above = how_far.number_input(
        "js above",
        min_value=0.0,
        max_value=MAX_THETA,
        value=0.05,
        step=0.01,
        key="above",
        bind="query-params",
        disabled=chosen != SHOWN[-1],
        label_visibility="collapsed",
    )
    return Show(chosen if chosen in SHOWN else SHOWN[0], min(max(float(above), 0.0), MAX_THETA))


def choice_control(label: str, names: list[str], *, key: str, help: str = "") -> str:
    """One of a few names, the first unless the URL says another of them."""
    chosen = st.selectbox(label, names, key=key, bind="query-params", help=help or None)
    return chosen if chosen in names else names[0]


def cohort_text() -> str:
    """The cohort as the text that links hold; the address bar and other pages speak to this field."""
    return st.text_input(
        "The same as text",
        key="cohort",
        bind="query-params",
        placeholder="everyone",
        help="For example history_5~20.outcome_miss: NAME_VALUE parts joined by dots. The command line reads it, too: "
        "reg4rec cohorts --cohort",
    )


def moment_control() -> str:
    """Which purchase to predict; a key of MOMENTS."""
    chosen = st.segmented_control(
        "Predict",
        list(MOMENTS),
        default="test",
        required=True,
        key="at",
        bind="query-params",
        help="test: the last purchase, held out from training. valid: the one before it. now: what nobody knows yet.",
    )
    return chosen if chosen in MOMENTS else "test"


def theta_control(default: DecodeConfig, side: str = "") -> tuple[float, bool]:
    """The threshold, and whether CORP prunes at all."""
    usual = default.theta if np.isfinite(default.theta) else PAPERS_THETA
    slider, switch = st.columns([2.2, 1], vertical_alignment="bottom", gap="small")
    corp = prune_control(switch, bool(np.isfinite([default.theta, *default.thetas]).any()), side)
    theta = slider.slider(
        "θ: largest jump of the belief",
        min_value=0.0,
        max_value=MAX_THETA,
        value=min(float(usual), MAX_THETA),
        step=0.005,
        format="%.3f",
        key=f"theta{side}",
        bind="query-params",
        disabled=not corp,
        help="A branch whose belief over categories moves by more than this (Jensen-Shannon divergence, at most 0.693) "
        "is pruned, and the next best candidate takes its place.",
    )
    return theta, corp


def prune_control(place: DeltaGenerator, usual: bool, side: str = "") -> bool:
    """Whether CORP prunes at all; `usual` holds until somebody says otherwise."""
    return place.toggle(
        "prune",
        value=usual,
        key=f"corp{side}",
        bind="query-params",
        help="Off is θ = ∞: plain beam search.",
    )


def check_from_control(steps: list[int], default: int) -> int:
    """From which step on beliefs are compared; one of `steps`."""
    chosen = st.segmented_control(
        "Compare from step",
        steps,
        default=default,
        required=True,
        key="from",
        bind="query-params",
        help="The first codes move the belief most, so a search that compares from an early step on prunes more. "
        "The run's own choice is the one a link leaves out.",
    )
    return chosen if chosen in steps else default


def beam_control(default: DecodeConfig) -> int:
    """How many paths the search keeps at every step."""
    return st.slider(
        "Beam width",
        min_value=1,
        max_value=max(MAX_BEAM, default.beam_width),
        value=default.beam_width,
        key="beam",
        bind="query-params",
        help="Paths kept at every step.",
    )


def step_scrubber(last: int, *, default: int, set_step: Callable[[int], None]) -> int:
    """The chosen step, by slider or by the arrow keys."""

    def move(by: int) -> None:
        set_step(min(max(int(st.session_state["step"]) + by, 0), last))

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("◂", key="step_back", on_click=move, args=(-1,), shortcut="Left", help="One step back")
        step = st.slider(
            f"Step (of {last})", min_value=0, max_value=last, value=min(default, last), key="step", bind="query-params"
        )
        st.button("▸", key="step_forth", on_click=move, args=(1,), shortcut="Right", help="One step on")
    return min(max(int(step), 0), last)
