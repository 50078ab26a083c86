"""The Overview page in tables and sentences: what a run is worth, how it was trained, and whom it serves least."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from app.view_models.cohorts import cohort_words
from app.view_models.links import page_link
from app.view_models.reasoning import short_category
from reg4rec_core import HealthCheck, SliceMetrics

INTRODUCTION = (
    "This application shows how a recommender that reasons (REG4Rec) arrives at its suggestions: it describes every "
    "product by a few codes, one for each facet, and for a shopper it chooses code after code until one product is "
    "left, dropping branches that contradict themselves. Here you see how well the run at hand does that, whether its "
    "training was healthy, and whom it serves least."
)
NO_REPORT = "How well this run recommends has not been measured yet. This measures it on the held-out purchases:"
NO_PRECISION = (
    "This run was trained in full precision (fp32) throughout, so there is no plan of number formats to show. "
    "`reg4rec pretrain --precision ladq` plans one by layer and keeps it."
)
NO_COHORTS = (
    "Whom the run serves least takes the searches of all users, made once and kept beside the run. This makes them "
    "(`--users 500` for a quick sample):"
)
HEALTH_NOTE = "Bounds are what a run should not pass without somebody looking at it. `reg4rec check` prints the same."
MARKS = {"passed": ("✓", "pass"), "failed": ("✕", "FAIL"), "unknown": ("?", "unknown")}
"""Sign and word of a verdict."""
LEAST_USERS = 20
LEAST_SHARE = 0.01
"""Users, and share of all, that a slice needs to be listed."""
SHOWN_SLICES = 6
CUTS = ("seen", "history", "active", "main")
"""How users are cut to find those who are served least."""


def metric_cards(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What the run is worth, as name, number, and what to compare it with."""
    cards = [_metric_card(report, name) for name in ("recall@10", "ndcg@10")]
    floor = report.get("baselines", {}).get("transitions", {}).get("recall@10")
    if floor:
        gain = f"{100 * report['recall@10'] / floor - 100:+.0f} %"
        cards.append(("Recall@10 over simple counting", gain, f"counted transitions reach {floor:.3f}"))
    change = report.get("against", {}).get("difference", {}).get("ndcg@10")
    if change:
        interval = f"95 %: {change['low']:+.4f} to {change['high']:+.4f}"
        cards.append(("NDCG@10 gained by post-training", f"{change['mean']:+.4f}", interval))
    if "coverage" in report:
        share = f"{100 * report['coverage']:.0f} %"
        cards.append(("catalogue recommended", share, "products in at least one list of ten"))
    return cards


def _metric_card(report: Mapping[str, Any], name: str) -> tuple[str, str, str]:
    bounds = report.get("intervals_95", {}).get(name)
    beside = f"95 %: {bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "no interval stored"
    popular = report.get("baselines", {}).get("popularity", {}).get(name)
    beside += f"; popularity {popular:.3f}" if popular is not None else ""
    return name.replace("recall", "Recall").replace("ndcg", "NDCG"), f"{report[name]:.3f}", beside


def metrics_note(report: Mapping[str, Any]) -> str:
    """What the numbers were measured on, and what they mean."""
    return (
        f"Measured on the last purchase of {report['users']:,} users, ranking the whole catalogue. Recall@10: the "
        "share of users whose next purchase is among the first ten recommendations; NDCG@10: the same, a place further "
        "down counting less. The range is a 95 % bootstrap interval over users."
    )


def sample_words(report: Mapping[str, Any] | None) -> str:
    """How the users of a report were drawn: stored reports are of a whole split."""
    if report is None:
        return ""
    return f"measured on all {report['users']:,} {report['split']} users, bootstrap seed {report.get('seed', 0)}"


def health_sentence(checks: Sequence[HealthCheck]) -> str:
    """How many checks passed, and which did not."""
    failed = [check for check in checks if check.verdict == "failed"]
    known = [check for check in checks if check.verdict != "unknown"]
    passed = f"{len(known) - len(failed)} of {len(known)} checks pass"
    unknown = len(checks) - len(known)
    said = f"{passed}; {unknown} cannot be made yet." if unknown else f"{passed}."
    return said if not failed else f"{said} To look at: {'; '.join(f'“{check.name}”' for check in failed)}."


def health_rows(checks: Sequence[HealthCheck]) -> list[dict[str, str]]:
    """The checks as the list shows them, in the order of the pipeline."""
    return [
        {
            "verdict": check.verdict,
            "sign": MARKS[check.verdict][0],
            "word": MARKS[check.verdict][1],
            "name": check.name[:1].upper() + check.name[1:],
            "about": check.about,
            "value": check.value_text,
            "bound": check.bound_text,
            "reason": check.reason,
        }
        for check in checks
    ]


@dataclass(frozen=True)
class Panel:
    """One small chart: lines over steps or epochs."""

    title: str
    along: str
    """What the horizontal axis counts."""
    lines: pd.DataFrame
    """Columns line, x, y."""
    smooth: bool
    """Whether single steps are noise and a running mean tells more."""


PRETRAIN_PANELS = {
    "item losses": {"encoder": "encoder_item", "first state": "first_item", "items left": "left_item"},
    "token loss": {"token": "token"},
    "category loss": {"category": "category"},
    "validation NDCG@10": {"NDCG@10": "valid_ndcg@10"},
}
POST_TRAIN_PANELS = {
    "reward, all terms": {"reward": "reward"},
    "step reward": {"step": "rewards/step/mean"},
    "category reward": {"category": "rewards/category/mean"},
    "consistency reward": {"consistency": "rewards/consistency/mean"},
    "path reward": {"path": "rewards/path/mean"},
    "KL from the pre-trained model": {"KL": "kl"},
    "entropy of sampled paths": {"entropy": "entropy"},
    "validation NDCG@10": {"NDCG@10": "valid_ndcg@10"},
}


def pretrain_panels(log: Iterable[Mapping[str, Any]]) -> list[Panel]:
    """The curves of pre-training by epoch; a loss is drawn from the first epoch that has it."""
    rows = [row for row in log if row.get("stage") == "pretrain" and "epoch" in row]
    return _panels(rows, PRETRAIN_PANELS, x="epoch", along="epoch", unused=0.0)


def post_train_panels(log: Iterable[Mapping[str, Any]]) -> list[Panel]:
    """The curves of post-training by step."""
    rows = [row for row in log if row.get("stage") == "post-train"]
    return _panels(rows, POST_TRAIN_PANELS, x="step", along="step", unused=None)


def _panels(
    rows: Sequence[Mapping[str, Any]], panels: Mapping[str, Mapping[str, str]], *, x: str, along: str, unused: Any
) -> list[Panel]:
    drawn = []
    for title, lines in panels.items():
        points = [
            (line, row[x], row[name])
            for line, name in lines.items()
            for row in rows
            if name in row and row[name] != unused and math.isfinite(row[name])
        ]
        if points:
            table = pd.DataFrame(points, columns=["line", "x", "y"])
            drawn.append(Panel(title, along, table, smooth=len(table) > 30 * len(lines)))
    return drawn


def pretrain_sentence(settings: Mapping[str, Any]) -> str:
    """How long pre-training took and what it reached."""
    report = settings.get("pretrain_report", {})
    if not report:
        return "Pre-training has left no report."
    encoder_first = settings.get("pretrain", {}).get("encoder_share", 0) > 0
    order = " The encoder learns first; the other losses begin where the decoder joins in." if encoder_first else ""
    return (
        f"Learning from what shoppers bought next: {report['epochs']} epochs in {_minutes(report['seconds'])}; best on "
        f"validation at epoch {report['best_epoch']}, NDCG@10 {report['valid_ndcg@10']:.4f}. Lower losses are "
        f"better; epochs run across.{order}"
    )


def post_train_sentence(settings: Mapping[str, Any]) -> str:
    """How long post-training took and what it brought on validation."""
    report = settings.get("post_train_report", {})
    if not report:
        return "This run was not post-trained."
    return (
        f"Rewarding the model's own reasoning: {report['steps']} steps in {_minutes(report['seconds'])}. On "
        f"validation, NDCG@10 was {report['valid_ndcg@10_before']:.4f} before and {report['valid_ndcg@10']:.4f} at the "
        f"step that was kept, {report['best_step']}. Steps run across; thin: every step; thick: running "
        "mean."
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def panels_summary(panels: Sequence[Panel]) -> str:
    """First and last value of every curve, for those who cannot see them."""
    parts = []
    for panel in panels:
        for line, points in panel.lines.groupby("line", sort=False):
            name = panel.title if panel.lines["line"].nunique() == 1 else f"{panel.title}, {line}"
            parts.append(f"{name} from {points['y'].iloc[0]:.4g} to {points['y'].iloc[-1]:.4g}")
    return "; ".join(parts) + "."


FORMAT_ORDER = ("fp32", "bf16", "fp8")


def precision_table(plans: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The number format of every layer at every plan: one row a layer and plan."""
    return pd.DataFrame(
        [
            {"layer": plan["layer"], "plan": f"{plan['stage']} {plan['step']}", "format": plan["dtype"]}
            for plan in plans
        ],
        columns=["layer", "plan", "format"],
    )


def precision_sentence(plans: Sequence[Mapping[str, Any]]) -> str:
    """What the latest plan gives the layers."""
    latest = [plan for plan in plans if (plan["stage"], plan["step"]) == (plans[-1]["stage"], plans[-1]["step"])]
    counts = {name: sum(plan["dtype"] == name for plan in latest) for name in FORMAT_ORDER}
    given = ", ".join(f"{count} in {name}" for name, count in counts.items() if count)
    return (
        f"Of {len(latest)} layers, the latest plan ({latest[0]['stage']}, step {latest[0]['step']}) keeps {given}. A "
        "column is a plan, a row a layer; the number in a cell is how many bits the layer computes with."
    )


@dataclass(frozen=True)
class Slice:
    """Users who are served little."""

    who: str
    users: int
    recall: float
    interval: str
    link: str


def worst_slices(slices: Sequence[SliceMetrics], everyone: int) -> list[SliceMetrics]:
    """The slices with the lowest Recall@10 among those with enough users, lowest first."""
    least = max(LEAST_USERS, LEAST_SHARE * everyone)
    known = [part for part in slices if part.users >= least]
    return sorted(known, key=lambda part: (part.metrics["recall@10"].mean, -part.users))[:SHOWN_SLICES]


def slice_rows(slices: Sequence[SliceMetrics], address: str, run: str, store: str) -> list[Slice]:
    """The slices with their links to the Cohorts page."""
    rows = []
    for part in slices:
        metric, cohort = part.metrics["recall@10"], part.cohort.to_text()
        link = page_link(address, "cohorts", {"run": run, "store": store, "cohort": cohort})
        who = "; ".join(cohort_words(part.cohort)) or short_category(part.name)
        rows.append(Slice(who, part.users, metric.mean, f"{metric.low:.3f} to {metric.high:.3f}", link))
    return rows


def frequency_rows(report: Mapping[str, Any] | None) -> list[Slice]:
    """The exact first state by how often training saw the target, lowest Recall@10 first; [] where it was not asked."""
    groups = (report or {}).get("side_by_side", {}).get("by_training_interactions", [])
    rows = []
    for group in groups:
        if group["users"] >= LEAST_USERS and "first_state" in group:
            block = group["first_state"]
            low, high = block["intervals_95"]["recall@10"]
            span = f"{group['from']} or more" if group["to"] is None else f"{group['from']} to {group['to']}"
            who = f"target seen {span if group['from'] != group['to'] else group['from']} times in training"
            rows.append(Slice(who, group["users"], block["recall@10"], f"{low:.3f} to {high:.3f}", ""))
    return sorted(rows, key=lambda row: row.recall)


def slices_note(everyone: float, *, stored: bool) -> str:
    """How to read the list of those served least."""
    whom = "A name opens these users on the Cohorts page. " if stored else "Exact ranking before the first code. "
    return f"Lowest Recall@10 first, with 95 % intervals; everyone: {everyone:.3f}. {whom}".strip()


def overview_json(report: Mapping[str, Any] | None, checks: Sequence[HealthCheck]) -> str:
    """The numbers of the page for a file: the measured report as it is stored, and every check."""
    document = {"report": report, "checks": [asdict(check) for check in checks]}
    return json.dumps(document, ensure_ascii=False, default=float)
