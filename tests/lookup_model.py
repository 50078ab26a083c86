"""A reasoning model that looks its answers up: random numbers that depend on the history and the path alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from reg4rec_core.types import SemanticIds

Path = tuple[tuple[int, int], ...]
State = list[list[tuple[tuple[int, ...], Path]]]


@dataclass(frozen=True)
class Answers:
    category_log_probs: Tensor
    head_log_probs: Tensor
    item_logits: Tensor


@dataclass
class LookupModel:
    """Satisfies ReasoningModel. `revises` off: the item logits of the root hold after every code."""

    n_items: int = 13
    n_codebooks: int = 3
    codebook_size: int = 4
    n_categories: int = 5
    revises: bool = True
    belief_spread: float = 0.7
    seed: int = 0
    calls: list[int] = field(default_factory=list)
    """Columns of every `step`."""
    memory: dict = field(default_factory=dict)

    def look_up(self, history: tuple[int, ...], path: Path) -> Answers:
        key = (history, path)
        if key not in self.memory:
            random = np.random.default_rng([self.seed, *history, 1000, *(number for pair in path for number in pair)])
            logits = torch.tensor(2 * random.normal(size=self.n_items), dtype=torch.float32)
            logits[0] = -torch.inf
            if path and not self.revises:
                logits = self.look_up(history, ()).item_logits
            beliefs = torch.tensor(self.belief_spread * random.normal(size=self.n_categories), dtype=torch.float32)
            heads = torch.tensor(random.normal(size=(self.n_codebooks, self.codebook_size)), dtype=torch.float32)
            self.memory[key] = Answers(beliefs.log_softmax(-1), heads.log_softmax(-1), logits)
        return self.memory[key]

    def item_evidence(self, state: State) -> Tensor:
        return torch.zeros(len(state), self.n_items)

    def encode(self, history: Tensor) -> State:
        return [[(tuple(item for item in row if item), ())] for row in history.tolist()]

    def step(self, state: State, parent: Tensor, codebook: Tensor, code: Tensor) -> State:
        self.calls.append(parent.shape[1])
        columns = zip(state, parent.tolist(), codebook.tolist(), code.tolist(), strict=True)
        return [
            [(paths[p][0], (*paths[p][1], (m, k))) for p, m, k in zip(*row, strict=True)] for paths, *row in columns
        ]

    def join(self, states: Sequence[State]) -> State:
        return [[path for paths in rows for path in paths] for rows in zip(*states, strict=True)]

    def category_log_probs(self, state: State) -> Tensor:
        return self._stack(state, "category_log_probs")

    def head_log_probs(self, state: State) -> Tensor:
        return self._stack(state, "head_log_probs")

    def catalog_logits(self, state: State) -> Tensor:
        return self._stack(state, "item_logits")

    def item_logits(self, state: State, items: Tensor) -> Tensor:
        return self.catalog_logits(state).gather(2, items)

    def _stack(self, state: State, name: str) -> Tensor:
        return torch.stack([torch.stack([getattr(self.look_up(*path), name) for path in row]) for row in state])


def random_ids(seed: int, *, n_items: int = 13, n_codebooks: int = 3, codebook_size: int = 4) -> SemanticIds:
    """Random codes; the last item shares all codes of the first, so that there is a collision."""
    codes = np.random.default_rng(seed).integers(0, codebook_size, (n_items, n_codebooks))
    codes[0], codes[-1] = 0, codes[1]
    return SemanticIds(codes, codebook_size)


def random_histories(seed: int, n_users: int, *, n_items: int = 13, length: int = 4) -> np.ndarray:
    """Left-padded histories of 0 to `length` items; the first is empty."""
    random = np.random.default_rng([seed, 7])
    histories = np.zeros((n_users, length), np.int64)
    for row in histories[1:]:
        count = int(random.integers(1, length + 1))
        row[length - count :] = random.choice(np.arange(1, n_items), count, replace=False)
    return histories
