"""What pruning did to the targets, and how far the category belief that it trusts can be trusted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from reg4rec_core.evaluation.beam_search import BeamResult
from reg4rec_core.metrics import accuracy
from reg4rec_core.types import Catalog

BINS = 10


def pruning_by_step(result: BeamResult) -> dict[str, dict[str, float]]:
    """For every step whose code has a belief, means over users of what was tried and what became of it.

    `wrong_prunes` counts pruned candidates whose items left still held the target: each is a path that would have led
    to it. `target_in_beam` is the share of users whose beam still leads to the target after the step.
    """
    found = result.searched
    tried = found.kept + found.pruned + found.fallback
    columns = {
        "tried": tried,
        "pruned": found.pruned,
        "regenerated": found.regenerated,
        "fallback": found.fallback,
        "wrong_prunes": found.prunes_by[:, :, 1].sum(-1),
        "target_in_beam": found.target_in_beam,
    }
    return {
        str(step + 1): {name: float(column[:, step].mean()) for name, column in columns.items()}
        for step in range(tried.shape[1] - 1)
    }


@dataclass(frozen=True)
class SearchCounts:
    """What each user's search took, over all steps whose code has a belief."""

    nodes: Int[np.ndarray, "B"]
    """States that the network was asked about, the root included; leaves need no state."""
    pruned: Int[np.ndarray, "B"]
    regenerated: Int[np.ndarray, "B"]
    fallback: Int[np.ndarray, "B"]
    wrong_prunes: Int[np.ndarray, "B"]
    """Pruned candidates whose items left still held the target."""


def counts_per_user(result: BeamResult) -> SearchCounts:
    """What each user's search took."""
    found = result.searched
    tried = found.kept + found.pruned + found.fallback
    counts = (tried, found.pruned, found.regenerated, found.fallback, found.prunes_by[:, :, 1].sum(-1))
    nodes, *others = (column[:, :-1].sum(1).astype(np.int64) for column in counts)
    return SearchCounts(1 + nodes, *others)


def prune_table(result: BeamResult) -> dict[str, Any]:
    """Prunes by whether they were right and whether the category head was right at the pruned node, over all users.

    A prune is wrong when the items left still held the target, the head right when its most probable category there
    is the target's. `wrong_share_head_right` and `wrong_share_head_wrong` are null without such prunes.
    """
    counts = result.searched.prunes_by.sum((0, 1))
    (right_wrong_head, right_right_head), (wrong_wrong_head, wrong_right_head) = counts.tolist()

    return {
        "prune_right": {"head_right": right_right_head, "head_wrong": right_wrong_head},
        "prune_wrong": {"head_right": wrong_right_head, "head_wrong": wrong_wrong_head},
        "wrong_share_head_right": ratio(wrong_right_head, wrong_right_head + right_right_head),
        "wrong_share_head_wrong": ratio(wrong_wrong_head, wrong_wrong_head + right_wrong_head),
    }


def prunes_by_belief(result: BeamResult) -> dict[str, dict[str, Any]]:
    """For every step, all candidates tried and what was pruned of them, parted by the belief before their code.

    The belief is right where its most probable category is the target's; `belief_accuracy` is the share of candidates
    tried from such a state. A prune is wrong when the items left still held the target: `wrong_share` is the wrong
    part of all prunes, `lost_share` the pruned part of the candidates that led to the target (`tried_to_target`). Few
    candidates do, and more of them where the belief is right: so read the second beside the first. Null where nothing
    is counted.
    """
    counts = result.searched.tried_by.sum(0)  # (M, right, held the target, pruned)
    steps = {}
    for step, (wrong_belief, right_belief) in enumerate(counts[:-1], start=1):
        tried = wrong_belief.sum() + right_belief.sum()
        steps[str(step)] = {
            "belief_accuracy": ratio(right_belief.sum(), tried),
            **outcome(wrong_belief + right_belief),
            "belief_right": outcome(right_belief),
            "belief_wrong": outcome(wrong_belief),
        }
    return steps


def outcome(counts: Int[np.ndarray, "2 2"]) -> dict[str, int | float | None]:
    """What became of candidates, counted by whether they led to the target, then by whether they were pruned."""
    tried, pruned, wrong = int(counts.sum()), int(counts[:, 1].sum()), int(counts[1, 1])
    return {
        "tried": tried,
        "tried_to_target": int(counts[1].sum()),
        "pruned": pruned,
        "wrong_prunes": wrong,
        "pruned_share": ratio(pruned, tried),
        "wrong_share": ratio(wrong, pruned),
        "lost_share": ratio(wrong, counts[1].sum()),
    }


def ratio(part: Any, whole: Any) -> float | None:
    """A share, None of nothing."""
    return float(part / whole) if whole else None


def reliability(result: BeamResult, catalog: Catalog) -> dict[str, dict[str, Any]]:
    """Confidence and accuracy of the best path's category belief after 0, 1, ... codes, in bins of equal width.

    A bin holds the users whose most probable category has a probability in it; `calibration_error` is the mean over
    users of |accuracy - confidence| of their bins (expected calibration error). Empty bins are left out.
    """
    truth = catalog.categories[result.questions.targets]
    found, steps = result.searched, {}
    for step in range(found.categories.shape[1]):
        confidence, right = found.confidences[:, step], found.categories[:, step] == truth
        place = np.minimum((confidence * BINS).astype(int), BINS - 1)
        bins = [
            {
                "from": index / BINS,
                "users": int((place == index).sum()),
                "confidence": float(confidence[place == index].mean()),
                "accuracy": float(right[place == index].mean()),
            }
            for index in np.unique(place)
        ]
        gaps = [row["users"] * abs(row["accuracy"] - row["confidence"]) for row in bins]
        steps[str(step)] = {
            "confidence": float(confidence.mean()),
            "accuracy": accuracy(found.categories[:, step], truth),
            "calibration_error": sum(gaps) / max(len(truth), 1),
            "bins": bins,
        }
    return steps
