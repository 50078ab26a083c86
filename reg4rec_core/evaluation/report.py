"""A run on a split, in numbers: how well it ranks, beside everything it should be compared with."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Int

from reg4rec_core.config import DecodeConfig
from reg4rec_core.evaluation.baselines import baseline_rankings
from reg4rec_core.evaluation.beam_search import (
    LEAST_TOP,
    BeamResult,
    Evaluated,
    category_accuracy,
    consistency,
    illegal_rate,
    list_coverage,
    search_users,
    search_users_under,
)
from reg4rec_core.evaluation.comparison import compare
from reg4rec_core.evaluation.first_state import first_state_places
from reg4rec_core.evaluation.full_ranking import Places, Progress, Ranking
from reg4rec_core.evaluation.held_out import HeldOut, Split, held_out
from reg4rec_core.evaluation.oracle_sample import oracle_sample
from reg4rec_core.evaluation.side_by_side import (
    by_training_frequency,
    peer_rankings,
    random_places,
    ranking_block,
    side_by_side,
    theta_rows,
)
from reg4rec_core.evaluation.trained_peers import Peers
from reg4rec_core.machine import Meter
from reg4rec_core.metrics import bootstrap_interval, gains_at, hits_at
from reg4rec_core.tokenizer.assignment import collision_rate

HistoryItems = Literal["excluded", "included", "both"]
ORACLE_USERS = 200


@dataclass(frozen=True)
class EvalReport:
    """Item-level numbers of one run on one split. Every ranking is over the whole catalogue."""

    split: Split
    users: int
    ranking: dict[str, Any]
    """Beam search: recall and NDCG, and which rule for items of the history they follow."""
    intervals: dict[str, tuple[float, float]]
    """95 % bootstrap intervals over users."""
    first_state: dict[str, Any]
    """The exact ranking before any code, same users."""
    oracle_sample: dict[str, Any]
    """Exhaustive path scores on a seeded sample; empty when none was asked for."""
    baselines: dict[str, Any]
    collision_rate: float
    illegal_rate: float
    coverage: float
    consistency: dict[str, Any]
    category_accuracy: dict[str, float]
    against: dict[str, Any]
    """What other weights give the same users under the same decoding, and the paired differences; {} without any."""
    side_by_side: dict[str, Any]
    """The run beside floors, peers and random paths; {} when no peers were given."""
    thetas: list[dict[str, Any]]
    """The search under other thetas, this report's own first; [] when none were asked for."""
    decode: DecodeConfig
    seed: int
    seconds: dict[str, float]
    cost: dict[str, float]
    """seconds, cpu_seconds and peak_memory_mb of all of it."""

    def to_json(self) -> dict[str, Any]:
        """The document of `reg4rec evaluate --json`; an infinite theta reads null."""
        theta = self.decode.theta if math.isfinite(self.decode.theta) else None
        return {
            "split": self.split,
            "users": self.users,
            **self.ranking,
            "intervals_95": {name: list(bounds) for name, bounds in self.intervals.items()},
            "collision_rate": self.collision_rate,
            "illegal_rate": self.illegal_rate,
            "coverage": self.coverage,
            "first_state": self.first_state,
            "oracle_sample": self.oracle_sample,
            "baselines": self.baselines,
            **self.consistency,
            "category_accuracy": self.category_accuracy,
            **({"against": self.against} if self.against else {}),
            **({"side_by_side": self.side_by_side} if self.side_by_side else {}),
            **({"thetas": self.thetas} if self.thetas else {}),
            "theta": theta,
            "check_from": self.decode.check_from,
            "beam": self.decode.beam_width,
            "decode": asdict(self.decode) | {"theta": theta},
            "seed": self.seed,
            **self.cost,
            "seconds_of": self.seconds,
        }


def unseen_progress(blocks: Any, **_: Any) -> Any:
    """Shows nothing."""
    return blocks


def evaluate(
    run: Evaluated,
    split: Split,
    decode: DecodeConfig,
    *,
    users: int | None = None,
    history_items: HistoryItems = "excluded",
    oracle_users: int = ORACLE_USERS,
    against: Evaluated | None = None,
    peers: Peers | None = None,
    thetas: Sequence[tuple[float, int]] = (),
    seed: int = 0,
    progress: Progress = unseen_progress,
) -> EvalReport:
    """Rank the whole catalogue for every user of the split, or for `users` drawn with `seed`.

    `history_items` says whether the beam may recommend what the user already has ("both" searches twice; the
    top-level numbers then leave it out); the cheap full rankings are always given both ways. `against` is searched
    under the main rule too and compared user by user; `peers` adds the table of everything the run has to beat, and
    `thetas`, pairs of theta and first compared step, the same search under each of them. InputError when the split
    holds out nothing.
    """
    clock, meter = Stopwatch(), Meter()
    questions = held_out(run.interactions, split)
    questions = questions.sample(len(questions) if users is None else users, seed=seed)
    ranked = rank(run, questions, decode, history_items, clock=clock, progress=progress)
    sample = audit_with_oracle(run, ranked, size=oracle_users, seed=seed, progress=progress)
    clock.lap("oracle_sample")
    compared = {} if against is None else compare_with(against, ranked.main, seed=seed, progress=progress)
    clock.lap("against")
    table = {} if peers is None else beside_peers(run, peers, ranked, split, seed=seed, progress=progress)
    clock.lap("side_by_side")
    searches = under_thetas(run, ranked, thetas, seed=seed, progress=progress)
    clock.lap("thetas")
    extras = {"oracle_sample": sample, "against": compared, "side_by_side": table, "thetas": searches}
    times = {"seconds": clock.laps, "cost": meter.read()}
    return EvalReport(split=split, seed=seed, **numbers(run, ranked, seed=seed), **extras, **times)


@dataclass(frozen=True)
class Ranked:
    """The same users ranked in every way that each report has."""

    questions: HeldOut
    beams: dict[str, BeamResult]
    """By the rule for items of the history, the main rule first."""
    first_state: Places
    floors: dict[str, Ranking]
    seconds: dict[str, float]
    """What `search`, all beams together, and `first_state` took."""

    @property
    def main_rule(self) -> str:
        return next(iter(self.beams))

    @property
    def main(self) -> BeamResult:
        """The search that the report is about."""
        return self.beams[self.main_rule]

    @property
    def seconds_a_beam(self) -> float:
        """What one search of all users took."""
        return self.seconds["search"] / len(self.beams)

    @property
    def beam_places(self) -> Places:
        """Where the searches put the targets."""
        return {rule: beam.places for rule, beam in self.beams.items()}


def rank(
    run: Evaluated,
    questions: HeldOut,
    decode: DecodeConfig,
    history_items: HistoryItems,
    *,
    clock: "Stopwatch",
    progress: Progress,
) -> Ranked:
    """Beam search under the rules asked for, the exact first state, and the rankings that learn nothing."""
    beams: dict[str, BeamResult] = {}
    for rule in ("excluded", "included") if history_items == "both" else (history_items,):
        settings = replace(decode, exclude_history=rule == "excluded", top_k=max(decode.top_k, LEAST_TOP))
        beams[rule] = search_users(run, questions, settings, name=f"search, history {rule}", progress=progress)
    clock.lap("search")
    first = first_state_places(run.model, run.index, questions, kind=decode.code_probabilities, progress=progress)
    clock.lap("first_state")
    seconds = dict(clock.laps)
    floors = baseline_rankings(run.interactions, questions, n_items=run.catalog.n_items, progress=progress)
    clock.lap("baselines")
    return Ranked(questions, beams, first, floors, seconds)


def numbers(run: Evaluated, ranked: Ranked, *, seed: int) -> dict[str, Any]:
    """The entries of a report that each of them has."""
    main, rule = ranked.main, ranked.main_rule
    return {
        "users": len(ranked.questions),
        "ranking": ranking_block(ranked.beam_places, rule),
        "intervals": intervals(main.places, seed=seed),
        "first_state": ranking_block(ranked.first_state, rule),
        "baselines": {name: ranking_block(floor.places, rule) for name, floor in ranked.floors.items()},
        "collision_rate": collision_rate(run.semantic_ids),
        "illegal_rate": max(illegal_rate(beam, run.catalog, run.semantic_ids) for beam in ranked.beams.values()),
        "coverage": list_coverage(main, run.catalog),
        "consistency": consistency(main),
        "category_accuracy": category_accuracy(main, run.catalog),
        "decode": main.decode,
    }


def search_split(
    run: Evaluated,
    split: Split,
    decode: DecodeConfig,
    *,
    users: int | None = None,
    seed: int = 0,
    progress: Progress = unseen_progress,
) -> BeamResult:
    """Beam search alone, for all users of a split or for `users` drawn with `seed`: `.places` has one place a user."""
    questions = held_out(run.interactions, split)
    questions = questions.sample(len(questions) if users is None else users, seed=seed)
    settings = replace(decode, top_k=max(decode.top_k, LEAST_TOP))
    return search_users(run, questions, settings, name="search", progress=progress)


def compare_with(run: Evaluated, main: BeamResult, *, seed: int, progress: Progress) -> dict[str, Any]:
    """The questions of a finished search put to another model, as a block of the report."""
    other = search_users(run, main.questions, main.decode, name="search, against", progress=progress)
    return compare(main, other, run.catalog, seed=seed).to_json()


def beside_peers(
    run: Evaluated, peers: Peers, ranked: Ranked, split: Split, *, seed: int, progress: Progress
) -> dict[str, Any]:
    """Floors, peers, the run and random paths in one table, then some of them by how well training knew the target."""
    questions, main, rule = ranked.questions, ranked.main, ranked.main_rule
    floors = {name: ranked.floors[name] for name in ("popularity", "transitions")}
    trained = peer_rankings(peers, questions, split, progress=progress)
    started = time.perf_counter()
    places = random_places(run, questions, main.decode, seed=seed, progress=progress)
    seconds = time.perf_counter() - started
    timed = {
        "first_state": (ranked.first_state, ranked.seconds["first_state"]),
        "beam": (ranked.beam_places, ranked.seconds_a_beam),
        "random_paths": ({rule: places}, seconds),
    }
    ours = {
        name: Ranking(found, len(questions) / spent, peers.training_seconds) for name, (found, spent) in timed.items()
    }
    rows = {**floors, **trained, **ours}
    frequency = by_training_frequency(rows, questions, run.interactions, rule, n_items=run.catalog.n_items, seed=seed)
    return {
        "users": len(questions),
        "history_items": rule,
        "paths": main.decode.beam_width,
        "rows": side_by_side(rows, rule, seed=seed),
        "by_training_interactions": frequency,
    }


def under_thetas(
    run: Evaluated,
    ranked: Ranked,
    thetas: Sequence[tuple[float, int]],
    *,
    seed: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The finished search and the same under other thetas, which share their time equally; [] without others."""
    if not thetas:
        return []
    main = ranked.main
    decodes = [replace(main.decode, theta=theta, check_from=check_from, thetas=()) for theta, check_from in thetas]
    started, name = time.perf_counter(), f"search, {len(decodes)} other thetas together"
    others = search_users_under(run, main.questions, decodes, name=name, progress=progress)
    share = (time.perf_counter() - started) / len(decodes)
    return theta_rows([main, *others], [ranked.seconds_a_beam, *[share] * len(decodes)], seed=seed)


class Stopwatch:
    """Seconds between laps, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self.last = now - self.last, now


def audit_with_oracle(
    run: Evaluated,
    ranked: Ranked,
    *,
    size: int,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """The oracle on a seeded sample of the evaluated users; {} for size 0."""
    if size <= 0:
        return {}
    main, rows = ranked.main, sample_rows(ranked.questions, size, seed=seed)
    return oracle_sample(
        run,
        main.questions.take(rows),
        main.decode,
        beam_items=main.searched.items[rows],
        first_state=ranked.first_state[ranked.main_rule][rows],
        progress=progress,
    )


def sample_rows(questions: HeldOut, size: int, *, seed: int) -> Int[np.ndarray, "n"]:
    """Rows of the users that `questions.sample` draws."""
    return np.flatnonzero(np.isin(questions.users, questions.sample(size, seed=seed).users))


def intervals(places: Int[np.ndarray, "B"], *, seed: int) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals of the two headline numbers."""
    bounds = {}
    for name, values in (("recall@10", hits_at(places, 10)), ("ndcg@10", gains_at(places, 10))):
        interval = bootstrap_interval(values, generator=np.random.default_rng(seed))
        bounds[name] = (interval.low, interval.high)
    return bounds
