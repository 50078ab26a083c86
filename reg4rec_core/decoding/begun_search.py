"""A search up to its first comparison with theta: what every threshold shares, made once and finished under many."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int
from torch import Tensor

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import (
    Begun,
    Prefix,
    begin_block,
    blocks,
    check_fit,
    finish_block,
    use_one_thread,
)
from reg4rec_core.decoding.constraints import ItemIndex
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.search import Neighbours, check_behind, item_lists
from reg4rec_core.decoding.trace import build_traces
from reg4rec_core.types import ReasoningTrace


@dataclass(frozen=True)
class BegunSearch:
    """The root and the steps before `check_from` of one history's search; shared, so nobody changes it."""

    model: ReasoningModel
    index: ItemIndex
    begun: Begun
    excluded: Bool[Tensor, "block N"]
    config: DecodeConfig
    neighbours: Neighbours
    prefix: Prefix

    def trace(self, theta: float, thetas: tuple[float, ...] = ()) -> ReasoningTrace:
        """The whole search under these thresholds, bit for bit that of `search`; costs the other steps alone.

        `theta` and `thetas` as in `DecodeConfig`, InputError as there.
        """
        use_one_thread()
        config = replace(self.config, theta=theta, thetas=thetas)
        block = finish_block(self.model, self.index, self.begun, self.excluded, config, self.prefix)
        lists = item_lists(block, 1, self.excluded, config, self.neighbours)
        return build_traces(block, lists, self.index.n_items, config)[0]


def begin_search(
    model: ReasoningModel,
    index: ItemIndex,
    history: Int[np.ndarray, "L"],
    config: DecodeConfig,
    *,
    seen: Int[np.ndarray, "_"],
    neighbours: Neighbours,
    prefix: Prefix = (),
) -> BegunSearch:
    """The part of `search` for one history that no threshold changes; the arguments as there."""
    check_fit(model, index)
    use_one_thread()
    config = check_behind(prefix, config)
    ((_, histories, excluded),) = blocks(history[None], [seen], config, index.n_items)
    begun = begin_block(model, index, histories, excluded, config, prefix)
    return BegunSearch(model, index, begun, excluded, config, neighbours, prefix)
