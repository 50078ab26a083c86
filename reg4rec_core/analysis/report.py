"""One view as a document to hand on: whose search, what it recommends and why, the tree, the notes, where it is from.

The document holds plain JSON values only; what is infinite or not a number reads null. `report_page` draws it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from jaxtyping import Int

from reg4rec_core.analysis.counterfactual import TraceComparison
from reg4rec_core.analysis.evidence import TransitionSource, score_parts
from reg4rec_core.analysis.explanation import (
    count_fates,
    explain_item,
    explain_node,
    facet_letter,
    was_checked,
)
from reg4rec_core.analysis.facets import Facets
from reg4rec_core.config import HISTORY_LENGTH
from reg4rec_core.types import UNKNOWN, Catalog, Fate, Interactions, ReasoningTrace

FORMAT = 1
PROVENANCE = ("package_version", "git_revision", "data_checksum")


@dataclass(frozen=True)
class ReportedSearch:
    """One search with what explains it."""

    side: str
    """A or B in a comparison, "" alone."""
    run: str
    weights: str
    settings: Mapping[str, Any]
    """Of the run: package version, revision and data checksum are told."""
    facets: Facets
    trace: ReasoningTrace
    sources: Sequence[Sequence[TransitionSource]]
    """For every recommended item, the history items after which other shoppers bought it."""
    end: int
    """Row of the trace that the followed path ends at."""


@dataclass(frozen=True)
class ReportedUser:
    """Whose search it is, and what they had bought."""

    key: str
    at: str
    """The moment asked about: valid, test or now."""
    history: Int[np.ndarray, "length"]
    """What the model saw, oldest first, edits included."""
    dates: tuple[str, ...]
    """One a history item, in words."""
    target: int
    """What came next, -1 where it is not known."""
    edits: str
    """As a link writes them, "" for the real history."""
    by_hand: str = ""
    """What else was asked for by hand, in sentences."""


def reported_user(interactions: Interactions, user: int, at: str, length: int, target: int) -> ReportedUser:
    """A user with the newest of their first `length` purchases, as many as the model sees."""
    start = max(0, length - HISTORY_LENGTH)
    times = interactions.times(user)[start:length].tolist()
    dates = tuple(datetime.fromtimestamp(stamp, UTC).date().isoformat() if stamp >= 0 else "" for stamp in times)
    return ReportedUser(interactions.user_keys[user], at, interactions.sequence(user)[start:length], dates, target, "")


def followed_end(trace: ReasoningTrace, rank: int = 0) -> int:
    """Row of the leaf that gave the item at `rank`; the deepest likely node where no path gave it."""
    if rank < len(trace.items) and trace.item_nodes[rank] >= 0:
        return int(trace.item_nodes[rank])
    return int(np.lexsort((-trace.log_prob, -trace.step))[0])


def search_report(
    user: ReportedUser, searched: ReportedSearch, *, link: str = "", notes: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The report on one search."""
    return _frame("search", user, (searched,), link, notes)


def comparison_report(
    user: ReportedUser,
    sides: tuple[ReportedSearch, ReportedSearch],
    comparison: TraceComparison,
    sentence: str,
    *,
    link: str = "",
    notes: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The report on two searches of one user; `sentence` says what differs."""
    catalog = sides[0].facets.catalog
    moves = [*comparison.entered, *comparison.left, *comparison.moved]
    return _frame("comparison", user, sides, link, notes) | {
        "difference": sentence,
        "movement": [
            {"key": catalog.item_keys[move.item], "title": catalog.titles[move.item],
             "a": move.before or None, "b": move.after or None}
            for move in moves
        ],
    }  # fmt: skip


def _frame(
    kind: str,
    user: ReportedUser,
    searches: Sequence[ReportedSearch],
    link: str,
    notes: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    catalog = searches[0].facets.catalog
    return {
        "format": FORMAT,
        "kind": kind,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "user": user.key,
        "at": user.at,
        "edits": user.edits,
        "by_hand": user.by_hand,
        "history": [
            _item(catalog, item) | {"date": date} for item, date in zip(user.history.tolist(), user.dates, strict=True)
        ],
        "target": _item(catalog, user.target) if user.target > 0 else None,
        "searches": [_search(searched, user.target) for searched in searches],
        "notes": [dict(note) for note in notes],
        "link": link,
    }


def _item(catalog: Catalog, item: int) -> dict[str, str]:
    return {
        "key": catalog.item_keys[item],
        "title": catalog.titles[item],
        "brand": "" if catalog.brands[item] == UNKNOWN else catalog.brands[item],
        "category": catalog.category_names[catalog.categories[item]],
    }


def _search(searched: ReportedSearch, target: int) -> dict[str, Any]:
    trace, facets = searched.trace, searched.facets
    ranks = np.flatnonzero(trace.item_nodes == searched.end)
    rank = int(ranks[0]) if len(ranks) else 0
    nothing = "Nothing is recommended: no path led to an item outside the history."
    place = np.flatnonzero(trace.items == target) + 1
    return {
        "side": searched.side,
        "run": searched.run,
        "weights": searched.weights,
        "settings": {
            "theta": _number(trace.theta), "check_from": trace.check_from, "beam": trace.beam_width,
            "thetas": [_number(theta) for theta in trace.thetas],
        },
        "provenance": {name: str(searched.settings.get(name, UNKNOWN)) for name in PROVENANCE},
        "sentence": explain_item(trace, facets, rank) if len(trace.items) else nothing,
        "target_place": int(place[0]) if len(place) else None,
        "counts": count_fates(trace),
        "items": [_recommended(searched, rank, target) for rank in range(len(trace.items))],
        "belief": _belief(trace, facets, searched.end),
        "tree": [_node(trace, facets, row, searched.end) for row in range(trace.n_nodes)],
    }  # fmt: skip


def _recommended(searched: ReportedSearch, rank: int, target: int) -> dict[str, Any]:
    trace, facets, catalog = searched.trace, searched.facets, searched.facets.catalog
    item, leaf = int(trace.items[rank]), int(trace.item_nodes[rank])
    sources = searched.sources[rank] if rank < len(searched.sources) else ()
    return {
        "rank": rank + 1,
        **_item(catalog, item),
        "score": _number(trace.item_scores[rank]),
        "parts": {name: _number(value) for name, value in asdict(score_parts(trace, rank)).items()},
        "bought_next": item == target,
        "sources": [{"title": catalog.titles[source.item], "share": _number(source.share)} for source in sources[:3]],
        "node": leaf if leaf >= 0 else None,
        "path": [_code(trace, facets, row) for row in (trace.path(leaf)[1:] if leaf >= 0 else [])],
    }


def _code(trace: ReasoningTrace, facets: Facets, row: int) -> dict[str, Any]:
    codebook, code = int(trace.codebook[row]), int(trace.code[row])
    name = facets.name(codebook, code)
    return {"codebook": codebook, "code": code, "facet": facet_letter(codebook), "name": name}


def _belief(trace: ReasoningTrace, facets: Facets, end: int) -> list[dict[str, Any]]:
    """The belief after every step of the followed path that has one."""
    steps = []
    for row in trace.path(end):
        if np.isnan(trace.beliefs[row]).any():
            continue
        steps.append(
            {
                "step": int(trace.step[row]),
                "code": _code(trace, facets, row) if row else None,
                "js": _number(trace.js[row]),
                "checked": was_checked(trace, row),
                "items_left": int(trace.items_left[row]),
                "categories": [
                    {"name": name, "probability": _number(share)}
                    for name, share in zip(facets.catalog.category_names, trace.beliefs[row], strict=True)
                ],
            }
        )
    return steps


def _node(trace: ReasoningTrace, facets: Facets, row: int, end: int) -> dict[str, Any]:
    ranks = np.flatnonzero(trace.item_nodes == row)
    fate = Fate(int(trace.fate[row]))
    return {
        "id": row,
        "parent": int(trace.parent[row]) if row else None,
        "step": int(trace.step[row]),
        "attempt": int(trace.attempt[row]),
        "code": _code(trace, facets, row) if row else None,
        "fate": fate.label,
        "log_prob": _number(trace.log_prob[row]),
        "score": _number(trace.score[row]),
        "js": _number(trace.js[row]),
        "items_left": int(trace.items_left[row]),
        "ranks": [int(rank) + 1 for rank in ranks],
        "followed": row in trace.path(end),
        "reason": explain_node(trace, row),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
