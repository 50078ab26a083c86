"""Do the explanations hold? Take away the purchases that attribution names, and see whether the recommendation goes.

For the first item of every list: the k purchases that attribution finds most influential are left out, against k at
random, the k least influential and the k newest; and the other way round, nothing but those k is kept. How far does the
path's log-probability fall, how far that of the first state, and how far the item's place in a list searched anew?

The path's log-probability is what attribution ranks by: for k = 1 its fall is the largest there is by construction, and
for more it is close to that. Attribution looks neither at the place in a new search nor at the first state; only they
can say that an explanation holds. The first state is the weaker witness: every path begins in it, so it tends to move
with the path.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from reg4rec_core.analysis.attribution import Attribution, Question, attribute
from reg4rec_core.decoding.path_scores import ItemPaths, paths_of
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.metrics import bootstrap_interval, places_in_lists

SIZES = (1, 2, 3)
"""k: purchases taken away, or kept."""
RANDOM_DRAWS = 4
"""Random sets of k a user, averaged."""
ARMS = ("influential", "random", "least", "newest")
MEASURES = ("path_log_prob", "first_state_log_prob", "place", "dropped")
"""Falls: nats, nats, places (one behind the list at most), 1 where the item left the list."""
INDEPENDENT = ("place", "first_state_log_prob")
"""The measures that attribution does not rank by."""

Kind = Literal["deletion", "sufficiency"]
Order = Callable[[Attribution], Int[np.ndarray, "H"]]
"""Places of the history items, the one that an explanation names first in front."""
Chosen = dict[tuple[str, int], list[tuple[int, ...]]]
"""The sets of k places of each arm."""


@dataclass(frozen=True)
class UserFalls:
    """How far one user's first item falls for each arm; a row an arm, a column a measure."""

    falls: dict[tuple[Kind, int], Float[np.ndarray, "arms measures"]]
    """By kind and k; only k that leave a purchase are there."""


@dataclass(frozen=True)
class DeletionTest:
    """The falls of all users that could be asked, side by side."""

    users: tuple[UserFalls, ...]
    skipped: int
    """Users with a single purchase, or whose first item no path led to."""
    seed: int
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether taking away what attribution names hurts surely more than chance, by every independent measure."""
        blocks = [self.block("deletion", size) for size in SIZES]
        over_random = [block["advantage_over"]["random"][name] for block in blocks if block for name in INDEPENDENT]
        return bool(over_random) and all(interval["low"] > 0 for interval in over_random)

    def block(self, kind: Kind, size: int) -> dict[str, Any]:
        """The means of every arm, and what the influential ones have over the others with 95 % paired intervals.

        An advantage above 0 speaks for the explanation: a larger fall when they are taken away, a smaller one when
        nothing but they is kept. {} where no user has enough purchases.
        """
        rows = [user.falls[kind, size] for user in self.users if (kind, size) in user.falls]
        if not rows:
            return {}
        falls = np.stack(rows)  # (users, arms, measures)
        ours = falls[:, :1] if kind == "deletion" else -falls[:, :1]
        gains = ours - (falls if kind == "deletion" else -falls)
        intervals = {
            arm: {name: asdict(self._interval(gains[:, row, column])) for column, name in enumerate(MEASURES)}
            for row, arm in enumerate(ARMS)
            if row
        }
        means = {arm: dict(zip(MEASURES, falls.mean(0)[row].tolist(), strict=True)) for row, arm in enumerate(ARMS)}
        return {"users": len(rows), "mean_fall": means, "advantage_over": intervals}

    def _interval(self, values: Float[np.ndarray, "users"]) -> Any:
        return bootstrap_interval(values, generator=np.random.default_rng(self.seed))

    def to_json(self) -> dict[str, Any]:
        """The document of `reg4rec evaluate-explanations --json`, without what the command knows."""
        return {
            "users": len(self.users),
            "skipped": self.skipped,
            "random_draws": RANDOM_DRAWS,
            "by_construction": ["path_log_prob"],
            "independent_measures": list(INDEPENDENT),
            "deletion": {str(size): self.block("deletion", size) for size in SIZES},
            "sufficiency": {str(size): self.block("sufficiency", size) for size in SIZES},
            "holds": self.holds,
            "seed": self.seed,
            "seconds": self.seconds,
        }


def by_influence(attribution: Attribution) -> Int[np.ndarray, "H"]:
    """What attribution names for the first item."""
    return attribution.strongest(0)


def shuffled(seed: int) -> Order:
    """The same places in random order: an explanation that means nothing and has to fail the test."""
    generator = np.random.default_rng([seed, 1])
    return lambda attribution: generator.permutation(attribution.positions)


def deletion_test(questions: Iterable[Question], *, order: Order, seed: int, progress: Progress) -> DeletionTest:
    """Ask every question again with less evidence, each with its own random draws from `seed`."""
    started, tested, skipped = time.perf_counter(), [], 0
    for row, question in enumerate(progress(list(questions), desc="deletion test")):
        trace = question.trace()
        if len(question.positions) < 2 or len(trace.items) == 0 or trace.item_nodes[0] < 0:
            skipped += 1
            continue
        first = _first(paths_of(trace))
        generator = np.random.default_rng([seed, 0, row])
        chosen = choose(order(attribute(question, trace)), question.positions, generator)
        tested.append(_falls(question, first, chosen))
    return DeletionTest(tuple(tested), skipped, seed, time.perf_counter() - started)


def choose(named: Int[np.ndarray, "H"], positions: Int[np.ndarray, "H"], generator: np.random.Generator) -> Chosen:
    """The sets of k places of every arm, for each k that leaves a purchase. Positions are oldest first."""
    sets: Chosen = {}
    for size in SIZES:
        if size < len(positions):
            draws = [generator.choice(positions, size, replace=False) for _ in range(RANDOM_DRAWS)]
            of_arm = {
                "influential": [named[:size]],
                "random": draws,
                "least": [named[-size:]],
                "newest": [positions[-size:]],
            }
            sets |= {(arm, size): [tuple(sorted(s.tolist())) for s in drawn] for arm, drawn in of_arm.items()}
    return sets


def _falls(question: Question, first: ItemPaths, chosen: Chosen) -> UserFalls:
    """Every different set is asked once."""
    places = question.positions.tolist()
    removed = {
        (kind, *key): [taken if kind == "deletion" else _others(places, taken) for taken in sets]
        for kind in ("deletion", "sufficiency")
        for key, sets in chosen.items()
    }
    different = sorted({places for sets in removed.values() for places in sets})
    effects = dict(zip(different, _effects(question, first, different), strict=True))
    mean = {key: np.mean([effects[places] for places in sets], axis=0) for key, sets in removed.items()}
    cases = sorted({(kind, size) for kind, _, size in removed})
    return UserFalls({(kind, size): np.stack([mean[kind, arm, size] for arm in ARMS]) for kind, size in cases})


def _effects(
    question: Question, first: ItemPaths, sets: Sequence[tuple[int, ...]]
) -> Float[np.ndarray, "sets measures"]:
    """How far the item falls without each set of places."""
    histories = question.without(sets)
    scores = question.score(np.concatenate([question.history[None], histories]), first)
    lists = question.search(histories).items
    behind = question.config.top_k + 1
    place = np.minimum(places_in_lists(lists, np.repeat(first.items, len(lists))), behind)
    falls = [scores.log_probs[0] - scores.log_probs[1:, 0], scores.first_states[0] - scores.first_states[1:, 0]]
    return np.stack([*falls, place - 1, place == behind], 1)


def _first(paths: ItemPaths) -> ItemPaths:
    return ItemPaths(paths.items[:1], paths.codebooks[:1], paths.codes[:1])


def _others(places: Sequence[int], kept: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(place for place in places if place not in kept)
