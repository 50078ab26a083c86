"""Thetas that fit a run: quantiles of its own divergences, one for each step.

The paper's single theta means something else at every step: the first codes move the belief by nature, the last hardly.
A quantile prunes the same share of unusual jumps wherever they happen.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from reg4rec_core.config import DecodeConfig
from reg4rec_core.evaluation.beam_search import Evaluated, search_users
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.types import InputError

CALIBRATION_USERS = 1000
"""Validation users whose divergences are measured."""


def calibrate(
    run: Evaluated,
    decode: DecodeConfig,
    quantiles: Sequence[float],
    *,
    users: int = CALIBRATION_USERS,
    progress: Progress = unseen_progress,
) -> list[DecodeConfig]:
    """The settings with `thetas` at each quantile of the js that the beam's paths have at each step, theta off.

    Measured on validation users drawn with a seed of their own; the test split is never looked at.
    """
    wrong = [quantile for quantile in quantiles if not 0 <= quantile <= 1]
    if wrong:
        raise InputError(f"a theta quantile must lie in [0, 1], got {wrong[0]:g}; .95 prunes the largest 5 % of jumps")
    questions = held_out(run.interactions, "valid").sample(users, seed=0)
    unpruned = replace(decode, theta=float("inf"), thetas=())
    searched = search_users(run, questions, unpruned, name="calibrating theta", progress=progress).searched
    js: Float[np.ndarray, "B M W"] = searched.js
    levels = [np.nanquantile(js[:, step], quantiles) for step in range(js.shape[1] - 1)]  # the last code has no belief
    return [replace(decode, thetas=tuple(float(level[place]) for level in levels)) for place in range(len(quantiles))]
