"""The reward weights that a page is about: the address bar holds them, the sliders follow it."""

from collections.abc import Collection, Mapping

import streamlit as st

from app.view_models.reasoning import sentence
from app.view_models.rewards import TERMS, lock_key, normalised, read_weights, slider_key, weights_text
from reg4rec_core import InputError, RewardWeights

PARAMETER = "rewards"
"""Name in the URL; its text is what the command line takes as --reward-weights."""


def chosen_weights(default: RewardWeights) -> RewardWeights:
    """The weights that the URL names, shown by the sliders, too; InputError for weights that make no sense.

    Call it before the sliders are drawn. Where the URL makes no sense they stay where they are.
    """
    for term, value in default.to_dict().items():
        st.session_state.setdefault(slider_key(term), float(value))
    weights = read_weights(st.query_params.get(PARAMETER, ""), default)
    set_sliders(weights.to_dict())
    return weights


def set_sliders(values: Mapping[str, float]) -> None:
    for term, value in values.items():
        st.session_state[slider_key(term)] = float(value)


def slider_values() -> dict[str, float]:
    return {term: float(st.session_state[slider_key(term)]) for term in TERMS}


def locked_terms() -> list[str]:
    """The weights whose lock is on."""
    return [term for term in TERMS if st.query_params.get(lock_key(term)) == "true"]


def mixed(weights: Mapping[str, float], locked: Collection[str]) -> None:
    """Write the sliders and their locks to the URL; their callback."""
    set_sliders(weights)
    for term in TERMS:
        if term in locked:
            st.query_params[lock_key(term)] = "true"
        else:
            st.query_params.pop(lock_key(term), None)
    choose(weights)


def choose(values: Mapping[str, float]) -> None:
    """Look at other weights; only from a callback, or before a rerun."""
    st.query_params[PARAMETER] = weights_text(values)


def normalise() -> None:
    """Scale what is not locked to the paper's sum; where that cannot be, the sliders stay and the next run says why."""
    try:
        choose(normalised(slider_values(), locked_terms()))
    except InputError as error:
        st.toast(sentence(str(error)), icon=":material/info:")
