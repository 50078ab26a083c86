"""What is told of every node of a search, so that the browser walks through them without asking.

Columns of plain values, entry i is node i of the trace.
"""

from base64 import b64encode
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.view_models.reasoning import (
    OTHERS,
    belief_shift,
    branch_ended,
    card_lines,
    known,
    shift_document,
    short_category,
)
from app.view_models.tree import KINDS, percent
from reg4rec_core import Facets, ReasoningTrace, code_card, items_left_of_nodes

BELIEF_ROWS = 7
"""Categories shown by name; the others are summed."""
LISTED_ITEMS = 100
"""Titles listed of the items a node still allows."""
FINEST = 65535
"""Beliefs travel as whole numbers of 16 bits, of which this is 1."""


def told_nodes(described: pd.DataFrame, trace: ReasoningTrace, categories: Sequence[str]) -> dict[str, Any]:
    """Name, fate, numbers and belief of every node; `described` is what `describe_nodes` made of the trace."""
    steps, kinds = trace.step.tolist(), [KINDS[kind] for kind in described["kind"].tolist()]
    return {
        "parents": trace.parent.tolist(),
        "steps": steps,
        "last": max(steps),
        "headings": described["heading"].tolist(),
        "titles": belief_titles(trace),
        "ended_titles": [f"This branch ended at step {step}: {kind}" for step, kind in zip(steps, kinds, strict=True)],
        "reasons": described["reason"].tolist(),
        "ended": [branch_ended(step) for step in steps],
        "kinds": kinds,
        "left": [f"{left:,}" for left in trace.items_left.tolist()],
        "scores": [f"{score:.2f}" for score in trace.score.tolist()],
        "chances": [percent(share) for share in trace.confidence.tolist()],
        "path_chances": [percent(share) for share in np.exp(trace.log_prob).tolist()],
        "shifts": [shift_document(belief_shift(trace, row)) for row in range(trace.n_nodes)],
        "beliefs": _beliefs(trace, categories),
    }


def belief_titles(trace: ReasoningTrace) -> list[str]:
    """What the belief after each node shows, in words."""
    lacking = np.isnan(trace.beliefs).any(axis=1).tolist()
    return [
        "What kind of item comes next, before any code" if step == 0
        else f"Step {step} needs no belief; shown is the last one" if lacks
        else f"What kind of item comes next, after step {step} and before it"
        for step, lacks in zip(trace.step.tolist(), lacking, strict=True)
    ]  # fmt: skip


def _beliefs(trace: ReasoningTrace, categories: Sequence[str]) -> dict[str, Any]:
    """The belief of every node that has one; `row` says which of the `shares` it is, -1 for none."""
    believed = ~np.isnan(trace.beliefs).any(axis=1)
    shares = np.rint(trace.beliefs[believed] * FINEST).astype("<u2")
    return {
        "categories": [short_category(name) for name in categories],
        "row": np.where(believed, np.cumsum(believed) - 1, -1).tolist(),
        "shares": b64encode(shares.tobytes()).decode(),
        "finest": FINEST,
        "shown": BELIEF_ROWS,
        "others": OTHERS,
    }


def told_card(facets: Facets, codebook: int, code: int) -> dict[str, Any]:
    """What a code stands for; `typical` are item numbers."""
    card = code_card(facets, codebook, code)
    return {"code": code, "load": card.load, "about": card_lines(card), "typical": card.typical_items.tolist()}


def told_codes(
    trace: ReasoningTrace,
    facets: Facets,
    card_of: Callable[[int, int], dict[str, Any]],
    barred: Collection[int] = frozenset(),
) -> dict[str, Any]:
    """What the code of every node stands for, the items it still allows, and in which order codes were tried.

    `card_of` gives the `told_card` of a codebook's code; `barred` items are not listed.
    """
    catalog, places = facets.catalog, _Places()
    chosen = list(zip(trace.codebook[1:].tolist(), trace.code[1:].tolist(), strict=True))
    cards = {f"{codebook}.{code}": card_of(codebook, code) for codebook, code in dict.fromkeys(chosen)}
    left = items_left_of_nodes(facets.ids, trace, by_interest(trace, facets))
    open_items = np.ones(catalog.n_items, dtype=bool)
    open_items[list(barred)] = False
    allowed = [items[open_items[items]] for items in left] if barred else left
    return {
        "codes": ["", *(f"{codebook}.{code}" for codebook, code in chosen)],
        "cards": {key: card | {"typical": places.of(card["typical"])} for key, card in cards.items()},
        "allowed": [places.of(items[:LISTED_ITEMS].tolist()) for items in allowed],
        "counts": [_count(len(some), len(whole)) for some, whole in zip(allowed, left, strict=True)],
        "order": np.lexsort((np.arange(trace.n_nodes), -trace.log_prob)).tolist(),
        "items": [(catalog.titles[item], known(catalog.brands[item])) for item in places.items],
        "ranks": _ranks(trace, places),
    }


class _Places:
    """Items by the place where each is first named, so that what is told of an item is sent once."""

    def __init__(self) -> None:
        self.items: dict[int, int] = {}

    def of(self, items: list[int]) -> list[int]:
        return [self.items.setdefault(item, len(self.items)) for item in items]


def by_interest(trace: ReasoningTrace, facets: Facets) -> np.ndarray:
    """All items: the recommended ones in their order, then the most bought."""
    rank = np.full(facets.catalog.n_items, len(trace.items))
    rank[trace.items] = np.arange(len(trace.items))
    return 1 + np.lexsort((-facets.popularity[1:], rank[1:]))


def _ranks(trace: ReasoningTrace, places: _Places) -> dict[str, int]:
    """The ranks, from 1, of what is recommended, by the item's place."""
    return {str(places.items[item]): rank for rank, item in enumerate(trace.items.tolist(), 1) if item in places.items}


def _count(allowed: int, whole: int) -> str:
    """How many items, and of how many where steering takes some away."""
    return f"{allowed:,}" + (f" of {whole:,}" if allowed < whole else "")
