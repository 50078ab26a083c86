"""Beam search against exhaustive scoring of the same model: does the search find what the scores rank first?"""

import time
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import item_path_scores
from reg4rec_core.evaluation.beam_search import Evaluated
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.metrics import places_in_lists, places_in_scores, ranking_metrics


def oracle_sample(
    run: Evaluated,
    questions: HeldOut,
    decode: DecodeConfig,
    *,
    beam_items: Int[np.ndarray, "B R"],
    first_state: Int[np.ndarray, "B"],
    progress: Progress,
) -> dict[str, Any]:
    """Every item's own path scored without beam or CORP, for the same users as `beam_items` and `first_state` (places).

    The top-level numbers are the oracle's. `overlap@10` is the mean share of its first ten that the beam lists among
    its own first ten, `missed_by_beam` and `gained_by_beam` the users whose target only one of the two has there.
    """
    started = time.perf_counter()
    places, overlaps = [], []
    for row in progress(range(len(questions)), desc="oracle sample"):
        block = questions.take(np.array([row]))
        scores = item_path_scores(
            run.model, run.index, pad_histories(block.histories, HISTORY_LENGTH)[0], decode, seen=block.histories[0]
        )
        places.append(places_in_scores(torch.from_numpy(scores)[None], torch.from_numpy(block.targets)))
        overlaps.append(np.isin(best_items(scores, 10), beam_items[row, :10]).mean())
    exact, beam = np.concatenate(places), places_in_lists(beam_items, questions.targets)
    return {
        "users": len(questions),
        **ranking_metrics(exact),
        "beam": ranking_metrics(beam),
        "first_state": ranking_metrics(first_state),
        "overlap@10": float(np.mean(overlaps)),
        "missed_by_beam": int(((exact <= 10) & (beam > 10)).sum()),
        "gained_by_beam": int(((beam <= 10) & (exact > 10)).sum()),
        "seconds": time.perf_counter() - started,
    }


def best_items(scores: Float[np.ndarray, "N"], count: int) -> Int[np.ndarray, "_"]:
    """The `count` best-scored items, best first, equals by item; fewer where fewer are allowed."""
    order = np.argsort(-scores, kind="stable")[:count]
    return order[np.isfinite(scores[order])]
