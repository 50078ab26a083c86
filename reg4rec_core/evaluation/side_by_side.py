"""A run and everything it has to beat, under one evaluator: the same users, the whole catalogue, item by item."""

from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories, training_sequences
from reg4rec_core.decoding import random_paths
from reg4rec_core.evaluation.beam_search import CHUNK, BeamResult, Evaluated, consistency
from reg4rec_core.evaluation.full_ranking import Places, Progress, Ranking
from reg4rec_core.evaluation.held_out import HeldOut, Split
from reg4rec_core.evaluation.trained_peers import Peers, rank_with_sasrec, stored_rankings
from reg4rec_core.metrics import (
    Interval,
    bootstrap_intervals,
    gains_at,
    hits_at,
    places_in_lists,
    ranking_metrics,
)
from reg4rec_core.types import Interactions

HEADLINES = ("recall@10", "ndcg@10")
BOUNDS = (0, 1, 5, 10, 20)
"""Least number of training interactions of each group of target items; the last group has no upper end."""
BY_FREQUENCY = ("first_state", "sasrec", "transitions")
"""Rankings that are told apart by how often training saw the target."""


def ranking_block(places: Places, main_rule: str) -> dict[str, Any]:
    """Metrics under the main rule, then under each rule that was run."""
    blocks = {f"history_{rule}": ranking_metrics(values) for rule, values in places.items()}
    return {**ranking_metrics(places[main_rule]), "history_items": main_rule, **blocks}


def headlines(places: Int[np.ndarray, "B"]) -> Float[np.ndarray, "B headlines"]:
    """What every user contributes to Recall@10 and NDCG@10."""
    return np.stack([hits_at(places, 10), gains_at(places, 10)], 1)


def named(intervals: list[Interval]) -> dict[str, Interval]:
    return dict(zip(HEADLINES, intervals, strict=True))


def bounds(intervals: dict[str, Interval]) -> dict[str, list[float]]:
    return {name: [interval.low, interval.high] for name, interval in intervals.items()}


def side_by_side(rows: dict[str, Ranking], main_rule: str, *, seed: int) -> dict[str, Any]:
    """Metrics, intervals and times by row; every row is compared with the run's exact first state, user by user."""
    values = [headlines(ranking.places[main_rule]) for ranking in rows.values()]
    first = headlines(rows["first_state"].places[main_rule])
    stacked = np.concatenate([*values, *(own - first for own in values)], 1)  # (B, 2 x rows x headlines)
    intervals = bootstrap_intervals(stacked, generator=np.random.default_rng(seed))
    pairs = [named(intervals[start : start + 2]) for start in range(0, len(intervals), 2)]
    blocks = {}
    for (name, ranking), own, minus in zip(rows.items(), pairs[: len(rows)], pairs[len(rows) :], strict=True):
        blocks[name] = {
            **ranking_block(ranking.places, main_rule),
            "intervals_95": bounds(own),
            "minus_first_state": {key: asdict(interval) for key, interval in minus.items()},
            "training_seconds": ranking.training_seconds,
            "users_per_second": ranking.users_per_second,
        }
    return blocks


def peer_rankings(peers: Peers, questions: HeldOut, split: Split, *, progress: Progress) -> dict[str, Ranking]:
    """SASRec, ranked now, and the peers whose places are stored."""
    sasrec = rank_with_sasrec(peers.run, peers.sasrec, questions, progress=progress)
    return {"sasrec": sasrec, **stored_rankings(peers.run, questions, split)}


def by_training_frequency(
    rows: dict[str, Ranking], questions: HeldOut, interactions: Interactions, main_rule: str, *, n_items: int, seed: int
) -> list[dict[str, Any]]:
    """The headline numbers for targets that training saw never, seldom, often; groups without a user have none."""
    counts = np.bincount(np.concatenate(list(training_sequences(interactions))), minlength=n_items)
    group = np.searchsorted(BOUNDS, counts[questions.targets], side="right") - 1
    values = np.concatenate([headlines(rows[name].places[main_rule]) for name in BY_FREQUENCY], 1)
    blocks = []
    for place, least in enumerate(BOUNDS):
        block: dict[str, Any] = {"from": least, "to": BOUNDS[place + 1] - 1 if place + 1 < len(BOUNDS) else None}
        members = values[group == place]
        block["users"] = len(members)
        if len(members):
            intervals = bootstrap_intervals(members, generator=np.random.default_rng(seed))
            for number, name in enumerate(BY_FREQUENCY):
                own = named(intervals[2 * number : 2 * number + 2])
                means = {key: interval.mean for key, interval in own.items()}
                block[name] = means | {"intervals_95": bounds(own)}
        blocks.append(block)
    return blocks


def random_places(
    run: Evaluated, questions: HeldOut, decode: DecodeConfig, *, seed: int, progress: Progress
) -> Int[np.ndarray, "B"]:
    """Where the targets stand among the items of `beam_width` random paths a user, under the search's own scores.

    A user's paths follow from the seed and the user alone.
    """
    shape = (decode.beam_width, run.index.n_codebooks)
    parts = []
    for start in progress(range(0, len(questions), CHUNK), desc="random paths"):
        block = questions.take(np.arange(start, min(start + CHUNK, len(questions))))
        draws = np.stack([np.random.default_rng([seed, user]).random(shape) for user in block.users.tolist()])
        histories = pad_histories(block.histories, HISTORY_LENGTH)
        lists = random_paths(run.model, run.index, histories, draws, decode, seen=block.histories)
        parts.append(places_in_lists(lists.items, block.targets))
    return np.concatenate(parts)


def theta_rows(searched: list[BeamResult], seconds: list[float], *, seed: int) -> list[dict[str, Any]]:
    """The same search under several thetas, the first being the one that the others are compared with."""
    values = [headlines(result.places) for result in searched]
    stacked = np.concatenate([*values, *(own - values[0] for own in values)], 1)
    intervals = bootstrap_intervals(stacked, generator=np.random.default_rng(seed))
    pairs = [named(intervals[start : start + 2]) for start in range(0, len(intervals), 2)]
    rows = []
    for position, result in enumerate(searched):
        rates = consistency(result)
        kept = ("prune_rate", "regeneration_rate", "fallback_rate", "users_with_pruning")
        rows.append(
            {
                "theta": result.decode.theta,
                "check_from": result.decode.check_from,
                **ranking_metrics(result.places),
                "intervals_95": bounds(pairs[position]),
                "minus_first_row": {key: asdict(x) for key, x in pairs[len(searched) + position].items()},
                **{name: rates[name] for name in kept},
                "users_per_second": len(result.questions) / seconds[position],
            }
        )
    return rows
