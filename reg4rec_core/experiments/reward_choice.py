"""What a finished search for reward weights found, read back.

RUN/evaluation/rewards/tuning.json    where a run carries it along
RUN-rewards/tuning.json               where `reg4rec tune-rewards` leaves it, beside the run
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reg4rec_core.checkpoint import file_checksum, open_run
from reg4rec_core.config import RewardWeights
from reg4rec_core.metrics import Interval
from reg4rec_core.types import InputError

CARRIED = "evaluation/rewards/tuning.json"


@dataclass(frozen=True)
class RewardTrial:
    """One short post-training of the search, by the validation users that choose."""

    name: str
    weights: RewardWeights
    has_rewards: bool
    """False for the trial with no reward at all."""
    ndcg: Interval
    """NDCG@10."""
    minus_equal: Interval
    """NDCG@10 minus that of equal weights, paired over users."""


@dataclass(frozen=True)
class RewardTuning:
    """All trials, the mix that ranks the choosing users best, and what other users say of it."""

    path: Path
    steps: int
    """Training steps of a trial."""
    choosing: int
    """Users that choose among the trials."""
    confirming: int
    """Other users, who had no part in the choice."""
    trials: tuple[RewardTrial, ...]
    chosen: str
    """Name of the best mix."""
    weights: RewardWeights
    """Of the best mix."""
    minus_equal: Interval
    """NDCG@10 of the best mix minus that of equal weights, on the confirming users."""
    minus_off: Interval
    """The same against no reward at all."""
    beats_equal: bool
    """Whether the confirming users rank better with it, beyond chance."""
    verdict: str
    is_of_today: bool
    """Whether the run still has the pre-trained weights and the data that were searched."""


def reward_tuning_file(run: Path) -> Path | None:
    """Where the search for reward weights that lies with a run is written down; None where there is none."""
    resolved = run.resolve()
    places = (resolved / CARRIED, resolved.with_name(f"{resolved.name}-rewards") / "tuning.json")
    return next((place for place in places if place.is_file()), None)


def read_reward_tuning(path: Path, run: Path) -> RewardTuning:
    """The search for reward weights of a run in a file; InputError where that is no such search."""
    try:
        return tuning_of(path, json.loads(path.read_text(encoding="utf-8")), run)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{path} is no result of reg4rec tune-rewards; call it again, finished trials are kept"
        ) from None


def tuning_of(path: Path, document: dict[str, Any], run: Path) -> RewardTuning:
    """The content of a tuning.json."""
    best, users = document["best_mix"], document["users"]
    confirmed = {name: Interval(**row["ndcg@10"]) for name, row in best["confirming"].items()}
    opened = open_run(run)
    theirs = document["weights_checksum"], document["data_checksum"]
    pretrained = opened.path / "weights" / "pretrained.safetensors"
    ours = file_checksum(pretrained) if pretrained.exists() else None, opened.settings.get("data_checksum")
    return RewardTuning(
        path=path,
        steps=int(document["post_train"]["steps"]),
        choosing=int(users["choosing"]),
        confirming=int(users["confirming"]),
        trials=tuple(trial_of(row) for row in document["trials"]),
        chosen=str(best["name"]),
        weights=RewardWeights(**best["weights"]),
        minus_equal=confirmed["minus_equal"],
        minus_off=confirmed["minus_off"],
        beats_equal=bool(document["beats_equal"]),
        verdict=str(document["verdict"]),
        is_of_today=theirs == ours,
    )


def trial_of(row: dict[str, Any]) -> RewardTrial:
    """One trial of the file."""
    return RewardTrial(
        name=str(row["name"]),
        weights=RewardWeights(**row["weights"]),
        has_rewards=bool(row["policy_weight"]),
        ndcg=Interval(**row["choosing"]["ndcg@10"]),
        minus_equal=Interval(**row["difference"]["minus_equal"]["ndcg@10"]),
    )
