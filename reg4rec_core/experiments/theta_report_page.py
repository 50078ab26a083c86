"""A report on theta as one HTML page that needs nothing else: text, tables and drawings from its document alone."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from reg4rec_core.analysis.report_page import WEIGHTS, made_by, page_of, plain_table, see_live
from reg4rec_core.experiments.line_chart import Line, line_chart

Document = Mapping[str, Any]
SPLITS = {"valid": "validation", "test": "test"}
COUNTS = ("nodes", "pruned", "regenerated", "fallback", "wrong_prunes")
LISTS = ("coverage", "distinctness")
HEADS = ("θ", "R@5", "N@5", "R@10", "N@10", "95 %", "nodes", "pruned", "regen.", "fallback", "wrong", "covered",
         "distinct", "categories")  # fmt: skip


def theta_report_page(document: Document) -> str:
    """The whole page."""
    title = f"What θ does: run {document['run']}"
    whom = f" Users of the cohort {document['cohort']} alone." if document["cohort"] else ""
    made = document["made"].replace("T", " ").split("+")[0]
    whose = f"{WEIGHTS.get(document['weights'], document['weights'])} weights; made {made} UTC.{whom}"
    origin = f"run {document['run']}, {made_by(document['provenance'])}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(whose)}</p>',
        chosen_part(document),
        suggested_part(document["suggestion"]),
        missing_part(document["missing"]),
        *(sweep_part(sweep) for sweep in document["sweeps"]),
        rewards_part(document["reward_search"]),
        f'<h2>Where this comes from</h2><p class="soft">{escape(origin)}</p>{see_live(document["link"])}',
    ]
    return page_of(title, parts)


def chosen_part(document: Document) -> str:
    """The setting that is looked at beside the run's own."""
    chosen, own = (limits(document[name]) for name in ("chosen", "own"))
    beside = "This is the run's own setting." if chosen == own else f"The run's own setting is {own}."
    return f'<h2>The setting</h2><p class="why">{escape(chosen)}. {escape(beside)}</p>'


def limits(setting: Document) -> str:
    """A threshold, or those by step, in words."""
    if setting["thetas"]:
        shown = " · ".join(theta_name(theta) for theta in setting["thetas"])
        return f"θ by step {shown}, compared from step {setting['check_from']}"
    if setting["theta"] is None:
        return "No pruning"
    return f"θ {setting['theta']:g}, compared from step {setting['check_from']}"


def theta_name(theta: float | None) -> str:
    return "off" if theta is None else f"{theta:g}"


def suggested_part(found: Document | None) -> str:
    """What validation chooses, and apart from it what the test users say."""
    head = "<h2>Which θ validation chooses</h2>"
    if found is None:
        return f"{head}<p>There is no curve of validation users with pruning off, so nothing is suggested.</p>"
    rows = [reading_row(found[split]) for split in ("valid", "test") if found[split] is not None]
    heads = ["users", "θ", "NDCG@10", "95 %", "minus no pruning", "95 %"]
    table = plain_table(heads, rows, numbers=range(1, 6))
    unheard = "" if found["test"] else "<p>No test sweep has searched this value, so the test users are not heard.</p>"
    told = f'<p class="why">{escape(found["sentence"])}</p>'
    note = f'<p class="soft">Chosen from {found["tried"]} values on validation users alone; test users had no part.</p>'
    return f"{head}{told}{table}{unheard}{note}"


def missing_part(sentences: Sequence[str]) -> str:
    """Why curves are missing, and what to do; "" where none is."""
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f"<h2>Curves that are missing</h2>{told}" if told else ""


def reading_row(read: Document) -> list[str]:
    ndcg, change = read["ndcg"], read["difference"]
    return [
        f"{read['users']:,} {SPLITS[read['split']]}",
        theta_name(read["theta"]),
        f"{ndcg['mean']:.4f}",
        f"{ndcg['low']:.4f} to {ndcg['high']:.4f}",
        f"{change['mean']:+.4f}",
        f"{change['low']:+.4f} to {change['high']:+.4f}",
    ]


def sweep_part(sweep: Document) -> str:
    """The curves of one sweep and its numbers."""
    title = f"{sweep['users']:,} {SPLITS[sweep['split']]} users ({sweep['name']})"
    drawn = "".join(f"<div>{chart}</div>" for chart in charts_of(sweep["points"]))
    rows = [point_row(point) for point in sweep["points"]]
    return (
        f'<h2>{escape(title)}</h2><p class="soft">Beliefs are compared from step {sweep["check_from"]} on. '
        f"Means over users; intervals are drawn from the users again and again.</p>"
        f'<div class="sides charts">{drawn}</div>{plain_table(HEADS, rows, numbers=range(len(HEADS)))}'
    )


def charts_of(points: Sequence[Document]) -> list[str]:
    """Quality with its band, what it costs and how varied the lists are, by theta; no pruning as a level line."""
    charts = [quality_chart(points, f"{kind}@{k}") for kind in ("recall", "ndcg") for k in (5, 10)]
    groups = (
        ("nodes of a search", COUNTS[:1]),
        ("branches of a search", COUNTS[1:4]),
        ("wrong prunes of a search", COUNTS[4:]),
        ("share of the catalogue in any list", LISTS[:1]),
        ("share of a list in no other", LISTS[1:]),
    )
    for title, names in groups:
        lines = [line for name in names if (line := line_of(points, name, name.replace("_", " "))) is not None]
        if lines:
            charts.append(line_chart(f"{title} by θ", "θ", "", lines))
    return charts


def quality_chart(points: Sequence[Document], metric: str) -> str:
    """One metric with its interval."""
    inside = [point for point in points if point["theta"] is not None]
    lines = [
        Line(name, tuple((point["theta"], point["metrics"][metric][part]) for point in inside))
        for part, name in (("mean", "mean"), ("low", "95 % from"), ("high", "95 % to"))
    ]
    off = [point["metrics"][metric]["mean"] for point in points if point["theta"] is None]
    if off:
        lines.append(Line("no pruning", tuple((point["theta"], off[0]) for point in inside)))
    return line_chart(f"{metric.replace('ndcg', 'NDCG')} by θ", "θ", metric.replace("ndcg", "NDCG"), lines)


def line_of(points: Sequence[Document], name: str, said: str) -> Line | None:
    """A measure by theta; None where the sweep did not keep it."""
    known = [(point["theta"], point[name]) for point in points if None not in (point["theta"], point[name])]
    return Line(said, tuple(known)) if known else None


def point_row(point: Document) -> list[str]:
    metrics = point["metrics"]
    means = [f"{metrics[name]['mean']:.4f}" for name in ("recall@5", "ndcg@5", "recall@10", "ndcg@10")]
    band = f"{metrics['ndcg@10']['low']:.4f} to {metrics['ndcg@10']['high']:.4f}"
    places = dict.fromkeys(COUNTS, 2) | {"wrong_prunes": 4, "coverage": 3, "distinctness": 3, "categories_per_list": 2}
    others = ["–" if point[name] is None else f"{point[name]:.{digits}f}" for name, digits in places.items()]
    return [theta_name(point["theta"]), *means, band, *others]


def rewards_part(found: Document | None) -> str:
    """The search for reward weights; "" without one."""
    if found is None:
        return ""
    rows = [
        [
            f"{'✓ ' if trial['name'] == found['chosen'] else ''}{trial['name']}",
            *(f"{weight:.2f}" if trial["has_rewards"] else "–" for weight in trial["weights"].values()),
            f"{trial['ndcg']['mean']:.4f}",
            "{mean:+.4f} ({low:+.4f} to {high:+.4f})".format(**trial["minus_equal"]),
        ]
        for trial in found["trials"]
    ]
    heads = ["trial", *found["weights"], "NDCG@10", "minus equal weights"]
    table = plain_table(heads, rows, numbers=range(1, len(heads)))
    note = (
        f"{found['choosing']:,} validation users choose; {found['confirming']:,} others, who had no part in it, say "
        "what the choice is worth."
    )
    old = "" if found["is_of_today"] else " It was made from other weights or data than the run has today."
    told = f'<p class="why">{escape(found["verdict"])}{old}</p>'
    return f'<h2>Which reward weights a search found</h2>{told}{table}<p class="soft">{escape(note)}</p>'
