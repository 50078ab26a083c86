"""The Cohorts page in plain tables and sentences: for whom the model works, and where the categories drift."""

import math

import pandas as pd

from reg4rec_core import CategoryDrift, Cohort, Range, SliceMetrics, StepBeliefs, TimeDrift, UserRow

INTRODUCTION = (
    "Every user of a stored search, by who they are: for whom it works, and where the mix of categories drifts."
)
NO_STORE = "There is no stored search of all users yet. Make one, then reload this page:"
SLICES = {
    "seen": "how often training saw the target",
    "history": "length of the history",
    "active": "days from first to last purchase",
    "last": "quarter of the last purchase",
    "target": "category of the target",
    "main": "category bought most often",
}
OUTCOMES = {
    "any": "any outcome",
    "hit": "target among ten",
    "miss": "target missed",
    "pruned": "missed, pruned on the way",
}
SHOWN_CATEGORIES = 12
SHOWN_USERS = 200


def make_command(run: str) -> str:
    """The command that makes a store for this page."""
    return f"reg4rec trace --run {run}"


def chosen_cohort(
    base: Cohort, *, longest: tuple[int, int], bounds: tuple[int, int], outcome: str, cold: bool
) -> Cohort:
    """The cohort that the page's controls say, on top of what the link says."""
    low, high = longest
    conditions: dict[str, object] = {}
    if (low, high) != bounds:
        conditions["history"] = Range(low, None if high == bounds[1] else high)
    if cold:
        conditions["seen"] = Range(0, 4)
    if outcome != "any":
        conditions["outcome"] = outcome
    return base.narrowed(**conditions)  # type: ignore[arg-type]


def slices_table(whole: SliceMetrics, slices: tuple[SliceMetrics, ...]) -> pd.DataFrame:
    """One row a slice, the whole cohort first: users, Recall@10 and NDCG@10 with their intervals."""
    rows = []
    for part in (whole, *slices):
        row: dict[str, object] = {"slice": part.name, "users": part.users}
        for name in ("recall@10", "ndcg@10"):
            interval = part.metrics[name]
            row |= {name: interval.mean, f"{name} low": interval.low, f"{name} high": interval.high}
        rows.append(row)
    return pd.DataFrame(rows)


def drift_table(drift: CategoryDrift) -> pd.DataFrame:
    """The categories that drift most, strongest first."""
    table = pd.DataFrame(
        {"category": drift.names, "history": drift.reference, "recommended": drift.current,
         "js": drift.js, "psi": drift.psi}
    )  # fmt: skip
    return table.sort_values("psi", ascending=False, kind="stable").head(SHOWN_CATEGORIES).reset_index(drop=True)


def drift_sentence(drift: CategoryDrift) -> str:
    """How far the lists lie from the histories, in words that say what the number means."""
    psi = float(drift.psi.sum())
    word = "little" if psi < 0.1 else "some" if psi < 0.25 else "much"
    return (
        f"From {drift.counted[0]:,} purchases to {drift.counted[1]:,} recommendations there is {word} drift: "
        f"PSI {psi:.3f}, Jensen-Shannon divergence {float(drift.js.sum()):.3f} nats."
    )


def time_table(drift: TimeDrift) -> pd.DataFrame:
    """One row a period: when it begins, purchases, divergence from the period before."""
    start = pd.to_datetime(drift.starts, unit="s")
    return pd.DataFrame({"start": start, "items": drift.counts.sum(1), "js": drift.js, "psi": drift.psi})


def steps_table(beliefs: StepBeliefs) -> pd.DataFrame:
    """Mean belief, steps in columns; the categories that hold most of it at any step, the rest in one row."""
    order = (-beliefs.mass.max(0)).argsort(kind="stable")[:SHOWN_CATEGORIES] if len(beliefs.steps) else []
    table = pd.DataFrame(
        beliefs.mass[:, order].T, index=[beliefs.names[c] for c in order], columns=beliefs.steps.tolist()
    )
    table.loc["all others"] = 1 - table.sum()
    return table


def users_table(rows: tuple[UserRow, ...]) -> pd.DataFrame:
    """Users to look at, as the table shows them."""
    place = [row.place if row.place is not None else math.nan for row in rows]
    return pd.DataFrame(
        {
            "user": [row.key if row.key is not None else str(row.user) for row in rows],
            "purchases": [row.history_length for row in rows],
            "place of the target": place,
            "pruned": [row.pruned for row in rows],
            "fallback": [row.fallback for row in rows],
        }
    )
