"""A trained run, ready to recommend: keys in, whole searches out."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.analysis.evidence import TransitionSource, transition_sources
from reg4rec_core.analysis.steering import Steering, left_out_together, steered_out
from reg4rec_core.checkpoint import Run, open_run
from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import ItemIndex, search
from reg4rec_core.model import Reasoner
from reg4rec_core.retrieval import ItemNeighbours, summed_codewords
from reg4rec_core.types import Catalog, InputError, Interactions, ReasoningTrace, SemanticIds

Moment = Literal["valid", "test", "now"]
"""Before the validation item, before the test item, or after everything the user did."""


@dataclass(frozen=True)
class Recommender:
    """Everything one run knows, in memory."""

    run: Run
    catalog: Catalog
    interactions: Interactions
    semantic_ids: SemanticIds
    decode: DecodeConfig
    """The run's own decoding defaults."""
    index: ItemIndex
    model: Reasoner
    neighbours: ItemNeighbours
    weights: str
    """The stage whose weights are loaded: pretrained or post_trained."""

    @classmethod
    def load(cls, run: Path | str, *, weights: str = "latest") -> "Recommender":
        """Open a run directory; `weights` is latest, pretrained or post_trained. InputError names what is missing."""
        opened = open_run(run)
        dataset, ids = opened.load_dataset(), opened.semantic_ids()
        model = opened.network(weights)
        neighbours = ItemNeighbours(summed_codewords(opened.codewords(), ids))
        return cls(
            opened,
            dataset.catalog,
            dataset.interactions,
            ids,
            opened.decode_config(),
            ItemIndex(ids),
            model,
            neighbours,
            opened.stage_of(weights),
        )

    def with_weights(self, weights: str) -> "Recommender":
        """The same run under other weights of its own; everything else is shared, nothing is read twice."""
        return replace(self, model=self.run.network(weights), weights=self.run.stage_of(weights))

    @cached_property
    def _users(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.interactions.user_keys)}

    @cached_property
    def _items(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.catalog.item_keys) if row}

    def user_index(self, key: str) -> int:
        """The row of a user; an unknown key is an InputError that names near matches."""
        return _row_of(key, self._users, "user")

    def item_index(self, key: str) -> int:
        """The row of an item; an unknown key is an InputError that names near matches."""
        return _row_of(key, self._items, "item")

    def history(self, user: int, at: Moment = "test") -> Int[np.ndarray, "length"]:
        """What the user had bought at that moment, oldest first, uncut."""
        sequence = self.interactions.sequence(user)
        return sequence if at == "now" else sequence[: max(self._position(user, at), 0)]

    def target(self, user: int, at: Moment = "test") -> int:
        """The item that came next, -1 where nothing is held out."""
        position = -1 if at == "now" else self._position(user, at)
        return int(self.interactions.sequence(user)[position]) if position >= 0 else -1

    def _position(self, user: int, at: Moment) -> int:
        positions = {"valid": self.interactions.valid_positions, "test": self.interactions.test_positions}
        return int(positions[at][user])

    def recommend(
        self, histories: Sequence[Int[np.ndarray, "_"]], decode: DecodeConfig, *, steering: Steering | None = None
    ) -> list[ReasoningTrace]:
        """The whole search for each history of item rows (oldest first); the model sees the newest 20 items."""
        if any(len(history) == 0 for history in histories):
            raise InputError("a history needs at least one item; give the items a user has bought, oldest first")
        padded = torch.from_numpy(pad_histories(histories, HISTORY_LENGTH))
        seen = histories
        if steering is not None and steering.rules:
            out = steered_out(steering, self.catalog, self.semantic_ids.codes, self.semantic_ids.codebook_size)
            seen = [left_out_together(history, decode, out, steering) for history in histories]
            decode = replace(decode, exclude_history=True)
        return search(self.model, self.index, padded, decode, neighbours=self.neighbours, seen=seen)

    def transition_sources(self, history: Int[np.ndarray, "length"], item: int) -> tuple[TransitionSource, ...]:
        """The items of a history after which other shoppers bought `item`, the most telling first."""
        transitions = self.model.network.transitions
        return () if transitions is None else transition_sources(transitions, history, item)

    def question(self, history: Int[np.ndarray, "_"], decode: DecodeConfig) -> Question:
        """A history of item rows (oldest first) and its search, to be asked again with less evidence."""
        padded = pad_histories([history], HISTORY_LENGTH)[0]
        return Question(self.model, self.index, padded, history, decode, self.neighbours)


def _row_of(key: str, rows: dict[str, int], kind: str) -> int:
    if key in rows:
        return rows[key]
    near = difflib.get_close_matches(key, rows, n=5, cutoff=0.5)
    hint = f"near matches: {', '.join(near)}" if near else f"keys look like {', '.join(list(rows)[:3])}"
    raise InputError(f"there is no {kind} {key!r} in this run; {hint}")
