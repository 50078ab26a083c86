"""The stored search for reward weights in tables and sentences."""

import pandas as pd

from app.view_models.rewards import TERMS
from reg4rec_core import Interval, RewardTuning

HEADING = "Which weights a search found"
NUMBERS = (*TERMS, "NDCG@10", "against equal weights")
TRIALS = {"equal": "equal weights, as in the paper", "off": "no reward at all"}
OTHER_WEIGHTS = (
    "This search was made from other weights or other data than the run has today, so it may not hold for it; make it "
    "anew with the command below."
)


def none_stored(run: str) -> tuple[str, str]:
    """That there is no search, and the command that makes it."""
    said = (
        "No search for reward weights lies with this run yet. The command below trains a few steps with each of twelve "
        "mixes, with equal weights and with no reward, and lets other users than those who choose say what it is worth."
    )
    return said, command(run)


def command(run: str) -> str:
    return f"reg4rec tune-rewards --run {run}"


def trial_rows(tuning: RewardTuning) -> pd.DataFrame:
    """One row a trial, the chosen one marked."""
    rows = []
    for trial in tuning.trials:
        shares = trial.weights.to_dict()
        weights = {name: f"{shares[name]:.2f}" if trial.has_rewards else "–" for name in TERMS}
        mark = "✓ " if trial.name == tuning.chosen else ""
        name = {"trial": mark + TRIALS.get(trial.name, trial.name)}
        rows.append(name | weights | {"NDCG@10": f"{trial.ndcg.mean:.4f}", NUMBERS[-1]: interval(trial.minus_equal)})
    return pd.DataFrame(rows)


def interval(row: Interval) -> str:
    return f"{row.mean:+.4f} ({row.low:+.4f} to {row.high:+.4f})"


def trials_note(tuning: RewardTuning) -> str:
    """How to read the table."""
    return (
        f"{len(tuning.trials)} short trainings of {tuning.steps} steps from the same weights, ranked by the "
        f"{tuning.choosing:,} validation users that choose; differences are paired by user, with 95 % intervals. The "
        "best of many looks better than it is."
    )


def confirmed_cards(tuning: RewardTuning) -> list[tuple[str, str, str]]:
    """What the users say who had no part in the choice: name, number, what it means."""
    against = (("against equal weights", tuning.minus_equal), ("against no reward at all", tuning.minus_off))
    users = f"{tuning.confirming:,} other users"
    return [
        (f"NDCG@10 {name}", f"{row.mean:+.4f}", f"95 %: {row.low:+.4f} to {row.high:+.4f}; {users}")
        for name, row in against
    ]


def take_label(tuning: RewardTuning) -> str:
    """The button that takes the chosen mix over."""
    weights = tuning.weights.to_dict()
    return f"Take {', '.join(f'{name} {weights[name]:.2f}' for name in TERMS)}"
