"""Beam search over held-out users: where the targets stand, and how the searches went."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import ItemIndex, ReasoningModel, SearchedItems, Truth, search_items
from reg4rec_core.decoding.search import Neighbours, join_searched
from reg4rec_core.decoding.shared_search import search_items_under
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.metrics import accuracy, coverage, places_in_lists, quantiles
from reg4rec_core.types import Catalog, Interactions, SemanticIds

CHUNK = 64
"""Users searched between two moves of the progress bar."""
LEAST_TOP = 10
"""Recall@10 needs ten places, whatever length of list a run shows."""
LEVELS = (0.1, 0.5, 0.9, 0.99)


@runtime_checkable
class Evaluated(Protocol):
    """What an evaluation needs of a loaded run; a `Recommender` has it."""

    catalog: Catalog
    interactions: Interactions
    semantic_ids: SemanticIds
    index: ItemIndex
    model: ReasoningModel
    neighbours: Neighbours


@dataclass(frozen=True)
class BeamResult:
    """The searches of all users, one row a user; step t stands in column t - 1."""

    questions: HeldOut
    decode: DecodeConfig
    searched: SearchedItems

    @property
    def places(self) -> Int[np.ndarray, "B"]:
        """Where the targets stand in the lists."""
        return places_in_lists(self.searched.items, self.questions.targets)


def blocks_of(
    run: Evaluated, questions: HeldOut, *, name: str, progress: Progress
) -> Iterator[tuple[Int[np.ndarray, "B L"], dict[str, Any]]]:
    """The questions in blocks of `CHUNK`: padded histories, and what else a search of them needs by name."""
    for start in progress(range(0, len(questions), CHUNK), desc=name):
        block = questions.take(np.arange(start, min(start + CHUNK, len(questions))))
        truth = Truth(block.targets, run.catalog.categories)
        named = {"seen": block.histories, "neighbours": run.neighbours, "truth": truth}
        yield pad_histories(block.histories, HISTORY_LENGTH), named


def search_users(
    run: Evaluated, questions: HeldOut, decode: DecodeConfig, *, name: str, progress: Progress
) -> BeamResult:
    """Search every user; lists have ten places at least."""
    parts = [
        search_items(run.model, run.index, histories, decode, **of_block)
        for histories, of_block in blocks_of(run, questions, name=name, progress=progress)
    ]
    return BeamResult(questions, decode, join_searched(parts))


def search_users_under(
    run: Evaluated, questions: HeldOut, decodes: Sequence[DecodeConfig], *, name: str, progress: Progress
) -> list[BeamResult]:
    """`search_users` under settings that differ in theta and check_from alone, at a fraction of the time."""
    parts = [
        search_items_under(run.model, run.index, histories, decodes, **of_block)
        for histories, of_block in blocks_of(run, questions, name=name, progress=progress)
    ]
    return [
        BeamResult(questions, decode, join_searched([part[number] for part in parts]))
        for number, decode in enumerate(decodes)
    ]


def illegal_rate(result: BeamResult, catalog: Catalog, ids: SemanticIds) -> float:
    """Share of recommended items that do not exist, that the settings leave out, or whose codes differ from their path.

    Counted, not assumed: a decoder that is legal by construction must come out at 0.
    """
    found, exists = result.searched, (result.searched.items >= 0) & (result.searched.items < catalog.n_items)
    items = np.where(exists, found.items, 0)
    wrong = ~exists | (found.from_path & (ids.codes[items] != found.leaf_codes).any(axis=2))
    if result.decode.exclude_history:
        barred = [np.isin(row, seen) for row, seen in zip(items, result.questions.histories, strict=True)]
        wrong |= np.stack(barred)
    listed = found.items != 0
    return float((wrong & listed).sum() / max(listed.sum(), 1))


def consistency(result: BeamResult) -> dict[str, Any]:
    """What CORP did at the steps that it checked.

    `prune_rate`: share of the candidates tried whose belief moved by more than theta; `regeneration_rate`: share of
    them that were tried in another's place; `fallback_rate`: share of the beam that is kept although inconsistent.
    js quantiles are given per step: `beam` for the paths that held a place, `tried` for every candidate compared.
    """
    found, decode = result.searched, result.decode
    last_checked = found.kept.shape[1] - 1  # the last code has no belief
    checked = slice(decode.check_from - 1, last_checked)
    kept, pruned, regenerated, fallback = (
        getattr(found, name)[:, checked].sum() for name in ("kept", "pruned", "regenerated", "fallback")
    )
    tried = max(kept + pruned + fallback, 1)
    return {
        "prune_rate": float((pruned + fallback) / tried),
        "regeneration_rate": float(regenerated / tried),
        "fallback_rate": float(fallback / max(kept + fallback, 1)),
        "users_with_pruning": float((found.pruned.sum(1) > 0).mean()),
        "js": {
            str(step + 1): {
                "beam": quantiles(found.js[:, step].ravel(), LEVELS),
                "tried": quantiles(found.tried_js[:, step].ravel(), LEVELS),
                "tried_above_theta": share_above(found.tried_js[:, step].ravel(), decode.theta_at(step + 1)),
            }
            for step in range(last_checked)
        },
    }


def share_above(js: Float[np.ndarray, "n"], theta: float) -> float:
    """Share of the known divergences that exceed theta; 0 when none is known."""
    known = js[~np.isnan(js)]
    return float((known > theta).mean()) if len(known) else 0.0


def category_accuracy(result: BeamResult, catalog: Catalog) -> dict[str, float]:
    """How often the best path's likeliest category is the target's, after 0, 1, ... codes."""
    truth = catalog.categories[result.questions.targets]
    believed = result.searched.categories
    return {str(step): accuracy(believed[:, step], truth) for step in range(believed.shape[1])}


def list_coverage(result: BeamResult, catalog: Catalog) -> float:
    """Share of the catalogue that stands in at least one list."""
    return coverage(result.searched.items, n_items=catalog.n_items)
