"""Reward weights searched by what a short post-training with them does; killed and called again, it goes on.

OUT/trials/NAME.json           a trial: its weights and how the users that choose were ranked
OUT/trials/NAME.safetensors    its places of the targets: of the users that choose, and of those that confirm
OUT/work/                      the copy that is being trained
OUT/tuning.json                all trials, the choice and what confirms it

Weights are drawn evenly over all mixes: training divides every group's rewards by their deviation, so only the mix of
the four weights counts, and the points of a Sobol sequence are laid over the simplex. A search that follows its own
findings would follow noise: a trial's interval is wide beside what weights change. The best of many noisy trials looks
better than it is, therefore other users than those who choose it say what it is worth.
"""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.numpy import load_file
from scipy.stats import qmc

from reg4rec_core.checkpoint import file_checksum, open_run, provenance, write_json, write_tensors
from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.evaluation.comparison import paired_differences
from reg4rec_core.evaluation.held_out import HeldOut
from reg4rec_core.evaluation.weights_effect import places_of, validation_sample
from reg4rec_core.experiments.sweep import metric_intervals
from reg4rec_core.experiments.trial_run import copy_pretrained
from reg4rec_core.recommender import Recommender
from reg4rec_core.rewards import REWARD_TERMS
from reg4rec_core.training.post_train import post_train
from reg4rec_core.types import InputError

BEFORE, EQUAL, OFF = "before", "equal", "off"
"""The pre-trained weights; equal reward weights, as in the paper; no reward at all."""
SUM = 4.0
"""Of the four weights of a trial, as in the paper, so that the floor of the deviation means the same."""


@dataclass(frozen=True)
class Trial:
    """One short post-training."""

    name: str
    weights: RewardWeights
    policy_weight: float


def tune_rewards(
    run_path: Path,
    out: Path,
    config: PostTrainConfig,
    *,
    trials: int,
    users: int,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train and rank every trial, equal weights and the rewards off among them; the content of OUT/tuning.json.

    All trials start from the same weights and draw the same histories and paths. InputError for a run that cannot be
    post-trained, or an `out` that holds another search.
    """
    started = time.perf_counter()
    recommender = Recommender.load(run_path, weights="pretrained")
    halves = choosing_and_confirming(validation_sample(recommender, 2 * users, seed=seed), seed=seed)
    if len(halves[0]) < users:
        say(few_users(halves, users))
    asked = asked_of(run_path, config, halves, seed=seed)
    settle(out, asked)
    planned = plan_trials(trials, config, seed=seed)
    if not (out / "trials" / f"{BEFORE}.safetensors").exists():
        keep_places(out, BEFORE, lambda: [places_of(recommender, half, recommender.decode) for half in halves])
    for number, trial in enumerate(planned, start=1):
        path, kept = out / "trials" / f"{trial.name}.json", True
        if not path.exists() or read(path)["weights"] != trial.weights.to_dict():
            kept = False
            make_trial(trial, run_path, out, config, halves, recommender)
        say(f"{number} of {len(planned)}: {trial_line(read(path))}{' (kept)' if kept else ''}")
    document = {**asked, "git_revision": provenance()["git_revision"], **conclude(out, planned, seed=seed)}
    document["seconds"] = time.perf_counter() - started
    write_json(out / "tuning.json", document)
    return document


def plan_trials(count: int, config: PostTrainConfig, *, seed: int) -> list[Trial]:
    """The two references, then `count` mixes spread evenly over the simplex."""
    references = [Trial(EQUAL, RewardWeights(), config.policy_weight), Trial(OFF, RewardWeights(), 0.0)]
    mixes = spread_mixes(count, seed=seed)
    return references + [
        Trial(f"mix-{number:02d}", RewardWeights(*map(float, mix)), config.policy_weight)
        for number, mix in enumerate(mixes, start=1)
    ]


def spread_mixes(count: int, *, seed: int) -> Float[np.ndarray, "trials Q"]:
    """Weights that sum to `SUM`, uniform over all mixes; the first n are the same however many are asked for.

    Exponential draws divided by their sum are uniform on the simplex. Rounded to thousandths, so that they can be told.
    """
    points = qmc.Sobol(len(REWARD_TERMS), scramble=True, seed=seed).random_base2(max(count - 1, 1).bit_length())[:count]
    draws = -np.log(np.clip(points, 1e-9, 1 - 1e-9))
    return np.round(SUM * draws / draws.sum(1, keepdims=True), 3)


def choosing_and_confirming(questions: HeldOut, *, seed: int) -> tuple[HeldOut, HeldOut]:
    """Two halves that share no user, drawn with the seed."""
    if len(questions) < 4:
        raise InputError(f"tuning needs at least 4 users with a validation target, this run has {len(questions)}")
    order = np.random.default_rng(seed).permutation(len(questions))
    half = len(order) // 2
    return questions.take(np.sort(order[:half])), questions.take(np.sort(order[half:]))


def few_users(halves: tuple[HeldOut, HeldOut], users: int) -> str:
    """That a run has fewer validation users than were asked for."""
    there = sum(map(len, halves))
    return (
        f"the run has {there:,} users with a validation target, {2 * users:,} are asked for: {len(halves[0]):,} choose "
        f"and {len(halves[1]):,} confirm"
    )


def asked_of(run: Path, config: PostTrainConfig, halves: tuple[HeldOut, HeldOut], *, seed: int) -> dict[str, Any]:
    """What all trials share, as it decides whether stored trials belong to this search."""
    opened = open_run(run)
    return {
        "run": run.name,
        "weights_checksum": file_checksum(opened.path / "weights" / "pretrained.safetensors"),
        "data_checksum": opened.settings.get("data_checksum"),
        "post_train": config.to_dict(),
        "users": {"choosing": len(halves[0]), "confirming": len(halves[1])},
        "split": "valid",
        "seed": seed,
    }


def settle(out: Path, asked: dict[str, Any]) -> None:
    """Write down what the directory's trials share, or refuse a directory that holds another search."""
    path = out / "settings.json"
    if not path.exists():
        write_json(path, asked)
    stored = read(path)
    differing = [name for name in asked if stored.get(name) != asked[name]]
    if differing:
        raise InputError(f"{out} holds a search with another {' and '.join(differing)}; choose another --out")


def make_trial(
    trial: Trial,
    run: Path,
    out: Path,
    config: PostTrainConfig,
    halves: tuple[HeldOut, HeldOut],
    recommender: Recommender,
) -> None:
    """Train a copy with a trial's weights, rank with it, store the places, then the trial; the copy goes."""
    work = out / "work"
    shutil.rmtree(work, ignore_errors=True)
    copy_pretrained(run, work)
    started = time.perf_counter()
    trained = post_train(work, replace(config, policy_weight=trial.policy_weight), trial.weights)
    seconds = time.perf_counter() - started
    after = replace(recommender, model=open_run(work).network("post_trained"), weights="post_trained")
    places = keep_places(out, trial.name, lambda: [places_of(after, half, recommender.decode) for half in halves])
    shutil.rmtree(work)
    document = {
        "name": trial.name,
        "weights": trial.weights.to_dict(),
        "policy_weight": trial.policy_weight,
        "valid_ndcg@10_all_users": trained["valid_ndcg@10"],
        "choosing": metric_intervals(places[0], seed=0),
        "seconds": seconds,
    }
    write_json(out / "trials" / f"{trial.name}.json", document)


def keep_places(
    out: Path, name: str, make: Callable[[], list[Int[np.ndarray, "_"]]]
) -> tuple[Int[np.ndarray, "A"], Int[np.ndarray, "B"]]:
    """Store places of the two halves and return them."""
    choosing, confirming = make()
    tensors = {"choosing": torch.from_numpy(choosing), "confirming": torch.from_numpy(confirming)}
    write_tensors(out / "trials" / f"{name}.safetensors", tensors)
    return choosing, confirming


def conclude(out: Path, planned: list[Trial], *, seed: int) -> dict[str, Any]:
    """The trials against the references, the best mix by the users that choose, and what the others say of it."""
    places = {name: load_file(out / "trials" / f"{name}.safetensors") for name in (BEFORE, *(t.name for t in planned))}
    references = (EQUAL, OFF, BEFORE)

    def minus(name: str, half: str) -> dict[str, Any]:
        return {
            f"minus_{other}": {
                metric: asdict(row)
                for metric, row in paired_differences(places[name][half], places[other][half], seed=seed).items()
            }
            for other in references
        }

    rows = [
        read(out / "trials" / f"{trial.name}.json") | {"difference": minus(trial.name, "choosing")} for trial in planned
    ]
    best = max(rows, key=lambda row: row["choosing"]["ndcg@10"]["mean"])["name"]
    mixes = [row for row in rows if row["name"] not in (EQUAL, OFF)]
    mix = max(mixes, key=lambda row: row["choosing"]["ndcg@10"]["mean"])
    confirmed = minus(mix["name"], "confirming")
    change = confirmed["minus_equal"]["ndcg@10"]
    return {
        "before": metric_intervals(places[BEFORE]["choosing"], seed=seed),
        "trials": rows,
        "best": best,
        "best_mix": {"name": mix["name"], "weights": mix["weights"], "confirming": confirmed},
        "beats_equal": bool(change["low"] > 0),
        "verdict": verdict(mix, change, confirmed["minus_off"]["ndcg@10"]),
    }


def verdict(mix: dict[str, Any], equal: dict[str, float], off: dict[str, float]) -> str:
    """What the search found, in a sentence."""
    told = f"{RewardWeights(**mix['weights'])} ({mix['name']})"
    against = "{mean:+.4f} ({low:+.4f} to {high:+.4f})"
    numbers = f"{against.format(**equal)} against equal weights, {against.format(**off)} against no rewards at all"
    if equal["low"] > 0:
        return f"On users who had no part in choosing it, {told} ranks better than equal weights: ndcg@10 {numbers}."
    return (
        f"Nothing beats equal weights beyond noise. The best mix was {told}; "
        f"on users who had no part in choosing it: ndcg@10 {numbers}."
    )


def trial_line(document: dict[str, Any]) -> str:
    """A trial in one line."""
    row = document["choosing"]["ndcg@10"]
    weights = RewardWeights(**document["weights"]) if document["policy_weight"] else "rewards off"
    return f"{document['name']}, {weights}: ndcg@10 {row['mean']:.4f} ({row['low']:.4f} to {row['high']:.4f})"


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
