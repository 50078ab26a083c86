"""What finished sweeps over theta alone say: numbers by theta, whom a change of it moves, and which theta to take."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from reg4rec_core.analysis.slices import metrics_of_places
from reg4rec_core.analysis.trace_queries import TOP
from reg4rec_core.checkpoint import file_checksum, open_run
from reg4rec_core.evaluation.held_out import Split
from reg4rec_core.experiments.sweep_files import FOLDER, OWN, SUMMARY, read_cell, read_columns
from reg4rec_core.metrics import (
    MISSED,
    Interval,
    bootstrap_interval,
    categories_per_list,
    coverage,
    distinctness,
    gains_at,
)
from reg4rec_core.types import Catalog, InputError


@dataclass(frozen=True)
class ThetaSweep:
    """A finished sweep over theta alone, made with weights that the run still has."""

    name: str
    """Its folder under RUN/evaluation/sweeps."""
    split: Split
    users: int
    weights: str
    """The stage: pretrained or post_trained."""
    cohort: str = ""
    """Whom it searched, as `Cohort.to_text` writes it; "" for everybody."""


@dataclass(frozen=True)
class ThetaPoint:
    """What one theta gives. Counts are means over users, intervals 95 % bootstrap over users."""

    theta: float
    metrics: dict[str, Interval]
    """recall@5, recall@10, ndcg@5, ndcg@10."""
    nodes: float
    """States that the network was asked about, the root included."""
    pruned: float
    regenerated: float
    fallback: float
    wrong_prunes: float
    """Pruned candidates that would have led to the target."""
    distinctness: float
    """1 - the mean share of a list that another user's list holds too."""
    coverage: float
    """Share of the catalogue in any list."""
    categories_per_list: float
    """Mean number of different categories in a list."""
    seconds: float
    """Wall-clock time; thetas that were searched together share it equally. NaN for some of the users of a sweep."""


@dataclass(frozen=True)
class UserCounts:
    """What the searches of a sweep took and listed, user by user."""

    nodes: Int[np.ndarray, "thetas U"]
    pruned: Int[np.ndarray, "thetas U"]
    regenerated: Int[np.ndarray, "thetas U"]
    fallback: Int[np.ndarray, "thetas U"]
    wrong_prunes: Int[np.ndarray, "thetas U"]
    lists: Int[np.ndarray, "thetas U R"]

    def of_users(self, columns: Int[np.ndarray, "n"]) -> "UserCounts":
        """The same for some of the users, by their columns."""
        return UserCounts(*(getattr(self, field.name)[:, columns] for field in fields(self)))


@dataclass(frozen=True)
class ThetaCurve:
    """One sweep by theta, the run's own theta among the others."""

    name: str
    split: Split
    users: int
    weights: str
    check_from: int
    """First step whose belief is compared."""
    own_theta: float
    """Of the run's own setting when it was swept; NaN where that had a theta for every step."""
    points: tuple[ThetaPoint, ...]
    """By theta, ascending; inf, which is pruning off, last."""
    user_rows: Int[np.ndarray, "U"]
    """Rows of the searched users in `Interactions`."""
    places: Int[np.ndarray, "thetas U"]
    """Where each user's target stands in the list, 1 is first; 0 where the list lacks it."""
    counts: UserCounts | None = None
    """None for a sweep that was made before these were kept."""
    cohort: str = ""
    """Whom it is about, as `Cohort.to_text` writes it; "" for everybody."""

    @property
    def thetas(self) -> tuple[float, ...]:
        """Ascending, inf last."""
        return tuple(point.theta for point in self.points)

    def line(self, theta: float) -> int:
        """The line of a theta in `points` and `places`; InputError for one that was not searched."""
        if theta not in self.thetas:
            known = ", ".join(f"{one:g}" for one in self.thetas)
            raise InputError(
                f"the sweep {self.name} has not searched theta {theta:g} but {known}; sweep {theta:g}, too"
            )
        return self.thetas.index(theta)

    def places_at(self, theta: float) -> Int[np.ndarray, "U"]:
        """The places under one theta as metrics count them: `MISSED` where the list lacks the target."""
        places = self.places[self.line(theta)]
        return np.where(places == 0, MISSED, places)


@dataclass(frozen=True)
class Flips:
    """Whose target enters or leaves the first k places between two thetas: rows of `Interactions`, ascending."""

    gained: Int[np.ndarray, "G"]
    lost: Int[np.ndarray, "X"]


@dataclass(frozen=True)
class ThetaReading:
    """One theta on one split beside no pruning at all, the same users on both sides."""

    split: Split
    users: int
    theta: float
    ndcg: Interval
    """NDCG@10."""
    difference: Interval
    """NDCG@10 minus that with pruning off, paired over users."""
    standard_error: float
    """Of the mean difference."""

    @property
    def better_than_off(self) -> bool:
        """Whether the gain over no pruning exceeds one standard error."""
        return self.difference.mean > self.standard_error

    @property
    def sentence(self) -> str:
        """The reading in plain words."""
        what = "validation" if self.split == "valid" else "test"
        if math.isinf(self.theta):
            return f"On {self.users:,} {what} users, without pruning: NDCG@10 {self.ndcg.mean:.4f}."
        numbers = f"{self.difference.mean:+.4f} NDCG@10 ({self.difference.low:+.4f} to {self.difference.high:+.4f})"
        told = f"On {self.users:,} {what} users, theta {self.theta:g} differs from no pruning by {numbers}"
        if not self.better_than_off:
            return f"{told}: not more than chance explains."
        if self.difference.low <= 0:
            return f"{told}: more than one standard error, yet chance is not ruled out."
        return f"{told}: the interval leaves 0 out."


@dataclass(frozen=True)
class ThetaSuggestion:
    """The theta that validation users gain most from. The test reading had no part in the choice."""

    theta: float
    check_from: int
    tried: int
    """Thetas that it was chosen from: the best of many looks better than it is."""
    valid: ThetaReading
    test: ThetaReading | None
    """None without a test sweep that has searched this theta and no pruning, too."""

    @property
    def sentence(self) -> str:
        """The verdict in plain words, from validation alone."""
        if math.isinf(self.theta):
            return f"No theta of the sweep ranks the {self.valid.users:,} validation users better than no pruning."
        if not self.valid.better_than_off:
            return self.valid.sentence
        return f"{self.valid.sentence} It is the best of {self.tried} thetas, so part of the gain is luck."


def theta_sweeps(run: Path) -> tuple[ThetaSweep, ...]:
    """The finished sweeps over theta alone that the run's weights and data of today still stand behind, by name."""
    folders = sorted((run / FOLDER).glob(f"*/{SUMMARY}"))
    found = ((path.parent.name, read_cell(path)) for path in folders)
    return tuple(
        ThetaSweep(name, *(summary["asked"].get(key, "") for key in ("split", "users", "weights", "cohort")))
        for name, summary in found
        if is_of_theta(summary) and is_of_today(run, summary) and is_whole(run / FOLDER / name, summary)
    )


def is_of_theta(summary: dict[str, Any]) -> bool:
    """Whether theta alone varies, one for all steps."""
    return set(summary["over"]) == {"theta"} and not summary["theta_quantiles"]


def is_of_today(run: Path, summary: dict[str, Any]) -> bool:
    """Whether the run still has the weights and the data that were searched."""
    asked = summary["asked"]
    weights = run / "weights" / f"{asked['weights']}.safetensors"
    if asked["data_checksum"] != open_run(run).settings.get("data_checksum") or not weights.exists():
        return False
    return file_checksum(weights) == asked["weights_checksum"]


def is_whole(folder: Path, summary: dict[str, Any]) -> bool:
    """Whether every cell is there and answers the question of the sweep: a later sweep may be half-way through it."""
    paths = [folder / f"{name}.json" for name in (OWN, *summary["cells"])]
    if not all(path.exists() and path.with_suffix(".safetensors").exists() for path in paths):
        return False
    return all(read_cell(path)["identity"].items() >= summary["asked"].items() for path in paths)


def read_theta_curve(run: Path, name: str) -> ThetaCurve:
    """A finished sweep over theta alone; InputError when there is none of this name for the weights of today."""
    listed = {sweep.name: sweep for sweep in theta_sweeps(run)}
    if name not in listed:
        raise InputError(
            f"{run} has no finished theta sweep {name!r} of its present weights; it has {', '.join(listed) or 'none'}; "
            "make one with: reg4rec sweep --over theta=0.02:0.10:0.01,inf"
        )
    folder, sweep = run / FOLDER / name, listed[name]
    own = read_cell(folder / f"{OWN}.json")["identity"]["own"]
    names = [*read_cell(folder / SUMMARY)["cells"], *([] if own["thetas"] else [OWN])]
    documents = {cell: read_cell(folder / f"{cell}.json") for cell in names}
    by_theta = {theta_of(document["identity"]["decode"]): cell for cell, document in documents.items()}
    cells = [by_theta[theta] for theta in sorted(by_theta)]
    columns = [read_columns(folder / f"{cell}.safetensors") for cell in cells]
    places = np.stack([column["places"] for column in columns])
    return ThetaCurve(
        **asdict(sweep),
        check_from=own["check_from"],
        own_theta=math.nan if own["thetas"] else theta_of(own),
        points=tuple(point_of(theta, documents[by_theta[theta]]) for theta in sorted(by_theta)),
        user_rows=columns[0]["users"],
        places=np.where(places == MISSED, 0, places),
        counts=counts_of(columns),
    )


def counts_of(columns: Sequence[Mapping[str, np.ndarray]]) -> UserCounts | None:
    """What the cells kept of every user; None where one of them kept less."""
    names = [field.name for field in fields(UserCounts)]
    if not all(name in cell for cell in columns for name in names):
        return None
    return UserCounts(*(np.stack([cell[name] for cell in columns]) for name in names))


def curve_of_users(curve: ThetaCurve, cohort: str, rows: Int[np.ndarray, "n"], catalog: Catalog) -> ThetaCurve:
    """The same curve over the swept users among `rows` alone; `cohort` says who they are.

    What the sweep did not keep user by user is NaN. InputError where it searched none of them.
    """
    columns = np.flatnonzero(np.isin(curve.user_rows, rows))
    if not len(columns):
        raise InputError(f"the sweep {curve.name} searched nobody of the cohort {cohort}; widen one of its conditions")
    some = replace(
        curve,
        cohort=cohort,
        users=len(columns),
        user_rows=curve.user_rows[columns],
        places=curve.places[:, columns],
        counts=None if curve.counts is None else curve.counts.of_users(columns),
    )
    return replace(some, points=tuple(point_of_users(some, line, catalog) for line in range(len(some.points))))


def point_of_users(curve: ThetaCurve, line: int, catalog: Catalog) -> ThetaPoint:
    """The numbers of one theta from the places, counts and lists of its users."""
    places, counts = curve.places[line], curve.counts
    kinds = np.where(places == 0, TOP, np.minimum(places - 1, TOP))
    metrics = metrics_of_places(np.bincount(kinds, minlength=TOP + 1), np.random.default_rng(0))
    names = ("nodes", "pruned", "regenerated", "fallback", "wrong_prunes")
    if counts is None:
        numbers = dict.fromkeys((*names, "distinctness", "coverage", "categories_per_list"), math.nan)
    else:
        lists = counts.lists[line]
        numbers = {name: float(getattr(counts, name)[line].mean()) for name in names}
        numbers |= {"distinctness": distinctness(lists), "coverage": coverage(lists, n_items=catalog.n_items)}
        numbers |= {"categories_per_list": categories_per_list(lists, catalog.categories)}
    return ThetaPoint(curve.thetas[line], metrics, **numbers, seconds=math.nan)


def theta_of(decode: dict[str, Any]) -> float:
    """Theta of stored settings, where null stands for infinity."""
    return math.inf if decode["theta"] is None else float(decode["theta"])


def point_of(theta: float, document: dict[str, Any]) -> ThetaPoint:
    """The numbers of a cell's file."""
    metrics = {name: Interval(**row) for name, row in document["metrics"].items()}
    names = [field.name for field in fields(ThetaPoint) if field.name not in ("theta", "metrics")]
    return ThetaPoint(theta, metrics, **{name: document.get(name, math.nan) for name in names})


def flips(curve: ThetaCurve, first_theta: float, second_theta: float, k: int = 10) -> Flips:
    """Whose target stands among the first k places under the second theta and not under the first, and the reverse."""
    before, after = (curve.places_at(theta) <= k for theta in (first_theta, second_theta))
    return Flips(np.sort(curve.user_rows[after & ~before]), np.sort(curve.user_rows[before & ~after]))


def suggest_theta(valid: ThetaCurve, test: ThetaCurve | None = None) -> ThetaSuggestion:
    """The theta with the highest validation NDCG@10, the largest of equals, beside pruning off.

    With several thetas the best is ahead by chance alone: take it when `valid.better_than_off`. What the test users say
    of the same theta stands apart. InputError for a sweep of the wrong split or without theta inf.
    """
    if valid.split != "valid":
        raise InputError(f"a theta is chosen on validation users, the sweep {valid.name} searched {valid.split} users")
    if test is not None and (test.split, *settings_of(test)) != ("test", *settings_of(valid)):
        raise InputError(
            f"the sweeps {valid.name} and {test.name} must differ in their split alone; sweep the test split"
        )
    best = max(valid.points, key=lambda point: (point.metrics["ndcg@10"].mean, point.theta)).theta
    known = test is not None and {best, math.inf} <= set(test.thetas)
    heard = read_at(test, best) if known else None
    return ThetaSuggestion(best, valid.check_from, len(valid.thetas), read_at(valid, best), heard)


def settings_of(curve: ThetaCurve) -> tuple[str, int, str]:
    """What two curves must share to speak of the same thing."""
    return curve.weights, curve.check_from, curve.cohort


def read_at(curve: ThetaCurve, theta: float) -> ThetaReading:
    """One theta of a curve beside no pruning."""
    gains = [gains_at(curve.places_at(one), 10) for one in (theta, math.inf)]
    difference = gains[0] - gains[1]
    interval = bootstrap_interval(difference, generator=np.random.default_rng(0))
    error = float(difference.std()) / math.sqrt(len(difference))
    ndcg = curve.points[curve.line(theta)].metrics["ndcg@10"]
    return ThetaReading(curve.split, curve.users, theta, ndcg, interval, error)
