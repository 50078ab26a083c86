"""`reg4rec cohorts`"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option
from reg4rec_core.cli.output import emit, plain

METRICS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")
SHOWN = 10
"""Categories and users that the text shows; the document has more."""


@click.command("cohorts")
@click.option(
    "--store", type=click.Path(path_type=Path), required=True, help="Store of traces: RUN/traces/NAME, or another's."
)
@click.option(
    "--cohort",
    default="",
    help="Which users, as NAME_VALUE.NAME_VALUE: history_5~20, seen_0~4, outcome_miss, ...  [default: all]",
)
@click.option(
    "--by",
    type=click.Choice(["history", "active", "seen", "last", "target", "main", "maker"]),
    default="seen",
    show_default=True,
    help="What the slices differ in: length or days of the history, how often training saw the target, the quarter of "
    "the last purchase, the category of the target or the one bought most often.",
)
@click.option(
    "--period",
    type=click.Choice(["month", "quarter", "year"]),
    default="year",
    show_default=True,
    help="Steps of the drift over time.",
)
@click.option("--against", type=click.Path(path_type=Path), help="A second store to compare with, user by user.")
@click.option("--list", "listed", type=click.IntRange(min=0), default=20, show_default=True, help="Users listed.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws of the bootstrap.")
@json_option
def command(
    store: Path, cohort: str, by: Any, period: Any, against: Path | None, listed: int, seed: int, as_json: bool
) -> None:
    """Say for whom a model works, and how categories drift, from a store of traces.

    What the store lacks is left out and named.
    """
    from reg4rec_core.analysis.category_drift import drift_over_time, history_drift, mass_along_steps
    from reg4rec_core.analysis.cohort import read_cohort
    from reg4rec_core.analysis.slices import cohort_metrics, metrics_by
    from reg4rec_core.analysis.store_comparison import compare_stores
    from reg4rec_core.analysis.trace_queries import count_users, open_store, users_of

    opened, users = open_store(store), read_cohort(cohort)
    document: dict[str, Any] = {"store": str(store), "cohort": users.to_text()}
    document["counts"] = asdict(count_users(opened, users))
    questions = {
        "metrics": lambda: cohort_metrics(opened, users, seed=seed).to_json(),
        "slices": lambda: [part.to_json() for part in metrics_by(opened, users, by, seed=seed)],
        "history_drift": lambda: history_drift(opened, users).to_json(),
        "drift_over_time": lambda: time_document(drift_over_time(opened, users, "histories", period)),
        "steps": lambda: steps_document(mass_along_steps(opened, users)),
    }
    document["by"], document["left_out"] = by, {}
    answer_all(document, questions)
    document["users"] = [asdict(row) for row in users_of(opened, users, limit=listed)]
    if against is not None:
        compared = compare_stores(opened, open_store(against), users, seed=seed)
        differences = {name: asdict(interval) for name, interval in compared.differences.items()}
        counts = {"users": compared.users, "gained@10": compared.gained, "lost@10": compared.lost}
        document["against"] = {"store": str(against), **counts, "difference": differences}
        document["against"]["drift"] = compared.drift.to_json()
    document = plain(document)
    emit(document, text=cohorts_text(document), as_json=as_json)


def answer_all(document: dict[str, Any], questions: dict[str, Any]) -> None:
    """Put every answer into the document; what the store cannot answer goes to `left_out` with the reason."""
    from reg4rec_core.types import InputError

    for name, question in questions.items():
        try:
            document[name] = question()
        except InputError as error:
            document["left_out"][name] = str(error)


def time_document(drift: Any) -> list[dict[str, Any]]:
    """One row a period; categories that occur in it by name."""
    return [
        {
            "start": start,
            "items": int(counts.sum()),
            "js": js,
            "psi": psi,
            "counts": {drift.names[c]: int(counts[c]) for c in counts.nonzero()[0].tolist()},
        }
        for start, counts, js, psi in zip(drift.starts.tolist(), drift.counts, drift.js, drift.psi, strict=True)
    ]


def steps_document(beliefs: Any) -> list[dict[str, Any]]:
    """One row a step; categories with at least .001 of the mean belief by name."""
    return [
        {
            "step": int(step),
            "users": int(beliefs.users[row]),
            "js_mean": beliefs.js_mean[row],
            "js_median": beliefs.js_median[row],
            "js_p90": beliefs.js_p90[row],
            "left_out": beliefs.left_out[row],
            "mass": {name: mass for name, mass in zip(beliefs.names, beliefs.mass[row], strict=True) if mass >= 0.001},
        }
        for row, step in enumerate(beliefs.steps.tolist())
    ]


def cohorts_text(document: dict[str, Any]) -> str:
    """The numbers that people compare."""
    counts = document["counts"]
    lines = [
        f"{document['cohort'] or 'all users'}: {counts['users']:,} users, {counts['asked']:,} with a target, "
        f"{counts['hits']:,} found among ten, {counts['pruned_targets']:,} missed after pruning towards the target"
    ]
    if "metrics" in document:
        slices = [document["metrics"], *document.get("slices", [])]
        lines += ["", f"{document['by']:24}{'users':>8}" + "".join(f"{name:>26}" for name in METRICS)]
        lines += [slice_line(part) for part in slices]
    if "history_drift" in document:
        drift = document["history_drift"]
        lines += ["", f"histories to recommendations: js {drift['js']:.4f} nats, PSI {drift['psi']:.4f}"]
        lines += [
            f"  {row['category'][:50]:50}{row['reference']:8.1%} to {row['current']:6.1%}"
            for row in drift["categories"][:SHOWN]
        ]
    for row in document.get("drift_over_time", []):
        change = "" if row["psi"] is None else f"  js {row['js']:.4f}, PSI {row['psi']:.4f} from the period before"
        lines.append(f"  from {day_of(row['start'])}: {row['items']:,} purchases{change}")
    for row in document.get("steps", []):
        mass = sorted(row["mass"].items(), key=lambda pair: -pair[1])[:3]
        moved = "" if row["js_mean"] is None else f"  js {row['js_mean']:.4f}"
        lines.append(f"  step {row['step']}{moved}: " + ", ".join(f"{name} {value:.1%}" for name, value in mass))
    if "against" in document:
        block = document["against"]
        change = block["difference"]["recall@10"]
        interval = f"{change['mean']:+.4f} ({change['low']:+.4f} to {change['high']:+.4f})"
        lines += ["", f"against {block['store']}, {block['users']:,} users: recall@10 {interval}"]
        gained = f"{block['gained@10']:,} gained a hit, {block['lost@10']:,} lost one"
        lines.append(f"{gained}; categories recommended: PSI {block['drift']['psi']:.4f}")
    lines += [f"left out, {name}: {reason}" for name, reason in document["left_out"].items()]
    return "\n".join(lines)


def slice_line(part: dict[str, Any]) -> str:
    cells = "".join(
        f"{row['mean']:10.4f} ({row['low']:.4f}-{row['high']:.4f})"[-26:].rjust(26) for row in map(part.get, METRICS)
    )
    return f"{part['slice'][:23]:24}{part['users']:8,}{cells}"


def day_of(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
