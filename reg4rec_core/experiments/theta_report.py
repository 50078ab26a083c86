"""What theta does to everybody as a document to hand on: the curves, the choice with its evidence, where it is from.

The document holds plain JSON values only; what is infinite or not a number reads null. `theta_report_page` draws it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from reg4rec_core.analysis.cohort import Cohort
from reg4rec_core.analysis.report import FORMAT, PROVENANCE
from reg4rec_core.config import DecodeConfig
from reg4rec_core.experiments.reward_choice import RewardTuning
from reg4rec_core.experiments.theta_curve import (
    ThetaCurve,
    ThetaReading,
    ThetaSuggestion,
    read_theta_curve,
    settings_of,
    suggest_theta,
    theta_sweeps,
)
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import UNKNOWN, InputError

SPLITS = ("valid", "test")


@dataclass(frozen=True)
class ReportedThetas:
    """What a report on theta is about."""

    run: str
    weights: str
    settings: Mapping[str, Any]
    """Of the run: package version, revision, data checksum, reward weights are told."""
    chosen: DecodeConfig
    """The setting that is looked at, or the run's own."""
    own: DecodeConfig
    curves: tuple[ThetaCurve, ...]
    """Of validation and of test users."""
    suggestion: ThetaSuggestion | None
    """None without a sweep of validation users."""
    tuning: RewardTuning | None
    """The search for reward weights that lies with the run."""
    cohort: str = ""
    """Whom it is about, as `Cohort.to_text` writes it; "" for everybody."""
    missing: tuple[str, ...] = ()
    """Why curves that were asked for are not there: sentences that say what to do."""


def theta_report(reported: ReportedThetas, *, link: str = "") -> dict[str, Any]:
    """The report as JSON values."""
    settings = reported.settings
    return plain(
        {
            "format": FORMAT,
            "kind": "thetas",
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "run": reported.run,
            "weights": reported.weights,
            "provenance": {name: str(settings.get(name, UNKNOWN)) for name in PROVENANCE},
            "cohort": reported.cohort,
            "chosen": setting(reported.chosen),
            "own": setting(reported.own),
            "suggestion": None if reported.suggestion is None else suggestion_document(reported.suggestion),
            "missing": list(reported.missing),
            "sweeps": [curve_document(curve) for curve in reported.curves],
            "reward_weights": settings.get("reward_weights"),
            "reward_search": None if reported.tuning is None else tuning_document(reported.tuning),
            "link": link,
        }
    )


def setting(decode: DecodeConfig) -> dict[str, Any]:
    """The threshold of a setting; `thetas` by step go before `theta` where there are any."""
    return {"theta": decode.theta, "thetas": list(decode.thetas), "check_from": decode.check_from}


def suggestion_document(found: ThetaSuggestion) -> dict[str, Any]:
    """What validation users choose, apart from what the test users say of it."""
    heard = None if found.test is None else reading(found.test)
    return {
        "theta": found.theta,
        "check_from": found.check_from,
        "tried": found.tried,
        "sentence": found.sentence,
        "valid": reading(found.valid),
        "test": heard,
    }


def reading(read: ThetaReading) -> dict[str, Any]:
    """One theta on one split beside no pruning."""
    return asdict(read) | {"sentence": read.sentence}


def curve_document(curve: ThetaCurve) -> dict[str, Any]:
    """One sweep, a row a theta; null stands for no pruning and for what the sweep did not keep."""
    names = ("name", "split", "users", "weights", "check_from", "own_theta", "cohort")
    return {name: getattr(curve, name) for name in names} | {"points": [asdict(point) for point in curve.points]}


def tuning_document(tuning: RewardTuning) -> dict[str, Any]:
    """The search for reward weights: its choice, what other users say of it, and every trial."""
    kept = asdict(tuning) | {"weights": tuning.weights.to_dict()}
    kept["trials"] = [asdict(trial) | {"weights": trial.weights.to_dict()} for trial in tuning.trials]
    return {name: value for name, value in kept.items() if name != "path"}


def plain(value: Any) -> Any:
    """The same values with null for what is no finite number."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def largest_curves(recommender: Recommender) -> tuple[ThetaCurve, ...]:
    """The sweeps of most users of the recommender's weights, of validation and test users; InputError without any."""
    path = recommender.run.path
    found = [
        one for one in theta_sweeps(path) if one.weights == recommender.weights and one.cohort == Cohort().to_text()
    ]
    curves = []
    for split in SPLITS:
        mine = [one for one in found if one.split == split]
        if mine:
            curves.append(read_theta_curve(path, max(mine, key=lambda one: one.users).name))
    if not curves:
        raise InputError(
            f"{path} has no finished theta sweep of its {recommender.weights} weights; make one with: reg4rec sweep "
            f"--run {path} --weights {recommender.weights} --over theta=0.02:0.10:0.01,inf"
        )
    return tuple(curves)


def suggestion_of(curves: Sequence[ThetaCurve]) -> ThetaSuggestion | None:
    """What curves suggest; None where validation users or pruning off were not swept."""
    valid = next((curve for curve in curves if curve.split == "valid" and math.inf in curve.thetas), None)
    if valid is None:
        return None
    same = (curve for curve in curves if curve.split == "test" and settings_of(curve) == settings_of(valid))
    return suggest_theta(valid, next(same, None))
