"""A lookup model whose evidence is known: chosen history items make chosen items likelier by a known amount."""

from dataclasses import dataclass, field

import torch
from lookup_model import Answers, LookupModel, Path


@dataclass
class PlantedModel(LookupModel):
    """Answers are those of an empty history; item logits rise by `gains[history item, item]`."""

    gains: dict[tuple[int, int], float] = field(default_factory=dict)
    revises: bool = False

    def look_up(self, history: tuple[int, ...], path: Path) -> Answers:
        plain = super().look_up((), path)
        gain = torch.zeros(self.n_items)
        for (cause, item), amount in self.gains.items():
            gain[item] += amount * (cause in history)
        return Answers(plain.category_log_probs, plain.head_log_probs, plain.item_logits + gain)
