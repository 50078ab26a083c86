"""The searches of one user, plain or changed by hand."""

import json
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.session.open_runs import OpenRun, RunKey
from app.view_models.by_hand import ByHand
from app.view_models.step_thetas import with_thetas
from app.view_models.told_nodes import told_card, told_codes, told_nodes
from app.view_models.tree import describe_nodes, search_id
from reg4rec_core import (
    Attribution,
    DecodeConfig,
    InputError,
    ReasoningTrace,
    SmallestEdit,
    TransitionSource,
    ask_edited,
    ask_from,
    ask_steered,
    attribute,
    smallest_edit,
)

PLAIN = ByHand()
KEPT = 32
"""Searches of all visitors that are kept: one takes about a megabyte."""
BEGUN = 8
"""Beginnings of searches that are kept, for another theta."""


@dataclass(frozen=True)
class Searched:
    """One search, and its nodes described; shared, so nobody changes it."""

    trace: ReasoningTrace
    nodes: pd.DataFrame
    history: np.ndarray
    """Items the model saw, oldest first, edits included."""
    sources: tuple[tuple[TransitionSource, ...], ...]
    """For every recommended item, the history items after which other shoppers bought it."""
    barred: frozenset[int]
    """Items that may not be recommended."""
    told: str
    """What is told of every node as JSON; see `told_nodes`."""
    drawings: dict[tuple[bool, str], dict[str, Any]] = field(default_factory=dict)
    """Of the whole tree, by whether it is folded and the ground it is drawn on: made when first asked for."""

    @cached_property
    def id(self) -> int:
        """The number that its parts in the browser know it by."""
        return search_id(self.nodes)


def search(run: OpenRun, user: int, at: str, decode: DecodeConfig, by_hand: ByHand = PLAIN) -> Searched:
    """The search for a user's history; kept, so that clicking around in it costs little."""
    return _search(run.key, user, at, decode, by_hand, run)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _search(key: RunKey, user: int, at: str, decode: DecodeConfig, by_hand: ByHand, _run: OpenRun) -> Searched:
    asked = _question(_run, user, at, decode, by_hand)
    begun = _begin(key, user, at, replace(decode, theta=math.inf, thetas=()), by_hand, _run)
    trace, seen = begun.trace(decode.theta, decode.thetas), asked.history[asked.history > 0]
    sources = tuple(_run.recommender.transition_sources(seen, int(item)) for item in trace.items)
    barred = frozenset(asked.seen.tolist()) - {0} if asked.config.exclude_history else frozenset()
    described = describe_nodes(trace, _run.facets, given=len(by_hand.branch))
    told = told_nodes(described, trace, _run.facets.catalog.category_names)
    return Searched(trace, described, seen, sources, barred, json.dumps(told))


def codes_told(run: OpenRun, searched: Searched, barred: frozenset[int]) -> str:
    """What the codes of a search stand for and still allow, without `barred` items, as JSON; see `told_codes`."""
    cards = _told_cards(run.key[:2])

    def card_of(codebook: int, code: int) -> dict[str, Any]:
        if (codebook, code) not in cards:
            cards[codebook, code] = told_card(run.facets, codebook, code)
        return cards[codebook, code]

    return json.dumps(told_codes(searched.trace, run.facets, card_of, barred))


@st.cache_resource(max_entries=2, show_spinner=False)
def _told_cards(key: tuple[str, int]) -> dict[tuple[int, int], dict[str, Any]]:
    """The cards of a run's codes as they were asked for: each takes a moment, and searches share most of them."""
    return {}


@st.cache_resource(max_entries=BEGUN, show_spinner=False)
def _begin(key: RunKey, user: int, at: str, decode: DecodeConfig, by_hand: ByHand, _run: OpenRun):
    """What the searches of all thetas share: moving theta costs the steps that are compared with it."""
    return _question(_run, user, at, decode, by_hand).begin()


def _question(run: OpenRun, user: int, at: str, decode: DecodeConfig, by_hand: ByHand):
    history = run.recommender.history(user, at)
    if len(history) == 0:
        key = run.recommender.interactions.user_keys[user]
        raise InputError(
            f"user {key} bought nothing before what is to be predicted; predict now, or look at another user"
        )
    edited = ask_edited(run.recommender.question(history, decode), by_hand.edits)
    return ask_from(ask_steered(edited, run.facets.catalog, by_hand.steering), by_hand.branch)


def influence(run: OpenRun, user: int, at: str, decode: DecodeConfig, by_hand: ByHand) -> Attribution:
    """What each purchase adds to each recommended item of `search` with the same arguments; kept like it."""
    return _influence(run.key, user, at, decode, by_hand, run)


@st.cache_resource(max_entries=KEPT, show_spinner=False)
def _influence(key: RunKey, user: int, at: str, decode: DecodeConfig, by_hand: ByHand, _run: OpenRun) -> Attribution:
    question = _question(_run, user, at, decode, by_hand)
    return attribute(question, _search(key, user, at, decode, by_hand, _run).trace)


def smallest(run: OpenRun, user: int, at: str, decode: DecodeConfig, by_hand: ByHand, rank: int) -> SmallestEdit:
    """The fewest purchases without which the item at `rank` of `search` goes; kept like it, some seconds at first."""
    return _smallest(run.key, user, at, decode, by_hand, rank, run)


@st.cache_resource(max_entries=KEPT, show_spinner="Leaving purchases out…")
def _smallest(
    key: RunKey, user: int, at: str, decode: DecodeConfig, by_hand: ByHand, rank: int, _run: OpenRun
) -> SmallestEdit:
    question = _question(_run, user, at, decode, by_hand)
    return smallest_edit(question, _influence(key, user, at, decode, by_hand, _run), rank)


def decode_settings(
    run: OpenRun, *, theta: float, corp: bool, beam: int, check_from: int | None = None, thetas: tuple[float, ...] = ()
) -> DecodeConfig:
    """The run's decoding with the page's choices; InputError for values that no search accepts.

    `thetas` are thresholds by step in the place of `theta`; without `check_from` the run's own step holds.
    """
    own = run.recommender.decode
    chosen = replace(own, beam_width=int(beam), check_from=check_from or own.check_from)
    if not corp:
        return replace(chosen, theta=float("inf"), thetas=())
    return with_thetas(chosen, thetas) if thetas else replace(chosen, theta=float(theta), thetas=())
