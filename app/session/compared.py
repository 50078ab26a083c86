"""The two sides of a comparison: which searches are A and B."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

from app.session import focus_user, provenance, step_thetas, stored_searches
from app.session.open_runs import LATEST, OpenRun
from app.session.searches import Searched, search
from app.view_models.cohorts import sample
from app.view_models.step_thetas import limit_words, limits, link_text, stored_limits
from app.view_models.tree import path_length
from reg4rec_core import DecodeConfig, InputError

LETTERS = {"A": "", "B": "_b"}
"""How the names of a side's choices end in the URL."""


@dataclass(frozen=True)
class Side:
    """One of the two searches that are compared."""

    letter: str
    run: OpenRun
    decode: DecodeConfig
    thetas: tuple[float, ...] = ()
    """Thresholds by step as its fields show them, () for one of all steps."""

    @property
    def prunes(self) -> bool:
        """Whether any step has a threshold."""
        return bool(np.isfinite(self.decode.thetas or self.decode.theta).any())

    @property
    def pruning(self) -> str:
        """Its thresholds in a few words."""
        return limit_words(self.decode, step_thetas.count(self.run), step_thetas.own(self.run).check_from)

    @property
    def limits(self) -> tuple[float, ...]:
        """What a branch may move the belief by at each step but the last."""
        return limits(self.decode, step_thetas.count(self.run))

    def search(self, user: str, at: str) -> Searched:
        """The search for a user; InputError says which side does not know them."""
        try:
            return search(self.run, self.run.recommender.user_index(user), at, self.decode)
        except InputError as error:
            raise InputError(f"{self.letter}: {error}") from None

    def link_state(self) -> dict[str, str]:
        """What a link has to say for this side to be the same again."""
        end, decode = LETTERS[self.letter], self.decode
        off = np.isinf(decode.theta) and not decode.thetas
        return {
            f"run{end}": self.run.name,
            f"weights{end}": self.run.weights,
            f"theta{end}": "" if off or decode.thetas else f"{decode.theta:g}",
            f"thetas{end}": link_text(self.thetas, step_thetas.own(self.run)),
            f"check_from{end}": str(decode.check_from),
            f"corp{end}": "false" if off else "true",
        }


def chosen_weights(run: OpenRun, letter: str) -> str:
    """The stage whose weights a side asks for: A begins with the first training stage, B with the last."""
    usual = run.stages[-1] if letter == "A" else run.stages[0]
    chosen = st.query_params.get(f"weights{LETTERS[letter]}", usual)
    return run.weights if chosen == LATEST else chosen


def choose_weights(letter: str, weights: str) -> None:
    """Search a side with another stage's weights."""
    st.query_params[f"weights{LETTERS[letter]}"] = weights


def usual_decode(run: OpenRun, other: Side | None) -> DecodeConfig:
    """How a side decodes until somebody says otherwise: like its run; B the other way, where A is the same model."""
    decode = run.recommender.decode
    if other is None or other.run.key != run.key:
        return decode
    if other.prunes:
        return replace(decode, theta=float("inf"), thetas=())
    return decode if decode.thetas else replace(decode, theta=DecodeConfig().theta)


def choose_rule(run: OpenRun, letter: str, by_step: bool, *, theta: float) -> None:
    """One threshold for all steps of a side, or one for each, which prune from then on; only from a callback."""
    end = LETTERS[letter]
    step_thetas.choose_rule(run, by_step, theta, end)
    if by_step:
        st.session_state[f"corp{end}"] = True


def same_catalogue(a: Side, b: Side) -> bool:
    """Whether both sides recommend the same items, row by row."""
    first, second = a.run.facets.catalog, b.run.facets.catalog
    return first is second or (
        first.item_keys == second.item_keys and first.category_names == second.category_names
    )  # fmt: skip


def same_users(a: Side, b: Side) -> bool:
    """Whether both sides know the same users, row by row: stored searches name users by their row."""
    first, second = a.run.recommender.interactions, b.run.recommender.interactions
    return first is second or first.user_keys == second.user_keys


def same_codes(a: Side, b: Side) -> bool:
    """Whether both sides spell every item with the same codes, so that their trees can have nodes in common."""
    first, second = a.run.facets.ids, b.run.facets.ids
    return first is second or np.array_equal(first.codes, second.codes)


def chosen_path(letter: str) -> str:
    """The path that the URL names for a side whose codes are its own."""
    return focus_user.chosen_path() if letter == "A" else st.query_params.get("path_b", "")


def choose_node(path: str) -> None:
    """Follow the path through a node of B, whose codes are its own; only from a callback."""
    st.query_params["path_b"] = path
    focus_user.set_step(path_length(path))


def choose_user(key: str) -> None:
    """Look at another user, from the path of their first recommendation."""
    focus_user.choose_user(key)
    st.query_params.pop("path_b", None)


def stored_search(side: Side, at: str) -> Path | None:
    """The stored search of most users that was asked exactly what the side asks, None where there is none."""
    wanted = (at, side.run.weights, side.decode.beam_width)
    for path in stored_searches.trace_stores(side.run.name).values():
        settings = stored_searches.store_settings(path)
        decode = settings.get("decode", {})
        asked = (settings.get("split"), settings.get("weights"), decode.get("beam_width"))
        kept = stored_limits(decode, step_thetas.count(side.run))
        if asked == wanted and np.allclose(kept, side.limits, rtol=0, atol=1e-6):
            return path
    return None


def where_from(side: Side, at: str) -> str:
    """Where the numbers of a side come from, and how the users of its stored search were drawn."""
    path = stored_search(side, at)
    described = {} if path is None else stored_searches.open_trace_store(path).description
    said = provenance.where_from(side.run.name, side.run.weights, sample=sample(described))
    return f"{side.letter}: {said}."
