"""The exact ranking of the whole catalogue before any code is chosen: what a search is measured against."""

import numpy as np
import torch
from jaxtyping import Float

from reg4rec_core.config import HISTORY_LENGTH, CodeProbabilities
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.decoding.code_probabilities import RootView, completions, read_root
from reg4rec_core.decoding.constraints import Candidates
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.evaluation.full_ranking import Places, Progress, full_ranking
from reg4rec_core.evaluation.held_out import HeldOut


@torch.inference_mode()
def first_state_scores(
    model: ReasoningModel, index: ItemIndex, block: HeldOut, *, kind: CodeProbabilities
) -> Float[np.ndarray, "B N"]:
    """Log-probability of every item at the root, nats, read as the search would (`kind`); -inf for padding."""
    state = model.encode(torch.from_numpy(pad_histories(block.histories, HISTORY_LENGTH)))
    logits = model.catalog_logits(state)
    items = torch.arange(index.n_items).expand(len(block), 1, -1)
    used = torch.zeros(len(block), 1, index.n_codebooks, dtype=torch.bool)
    view = RootView(index, Candidates(items, items > 0), read_root(model, state, logits, kind), used)
    return completions(view, kind)[:, 0].numpy()


def first_state_places(
    model: ReasoningModel, index: ItemIndex, questions: HeldOut, *, kind: CodeProbabilities, progress: Progress
) -> Places:
    """Places of the targets in the first state's ranking of all items."""

    def scores(block: HeldOut) -> Float[np.ndarray, "B N"]:
        return first_state_scores(model, index, block, kind=kind)

    return full_ranking(scores, questions, name="first state", progress=progress)
