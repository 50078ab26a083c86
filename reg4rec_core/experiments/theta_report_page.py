"""A report on theta as one HTML page that needs nothing else: text, tables and drawings from its document alone."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from reg4rec_core.analysis.report_page import WEIGHTS, made_by, page_of, plain_table, see_live
from reg4rec_core.experiments.line_chart import Band, Line, line_chart

Document = Mapping[str, Any]
SPLITS = {"valid": "validation", "test": "test"}
COUNTS = ("nodes", "pruned", "regenerated", "fallback", "wrong_prunes")
LISTS = ("coverage", "distinctness")
HEADS = (
    "θ", "recall @5", "NDCG @5", "recall @10", "NDCG @10", "95 % of NDCG @10", "nodes", "pruned", "regen\u00aderated",
    "fall\u00adback", "wrong prunes", "catalogue covered", "lists distinct", "categories a list",
)  # fmt: skip
LEAST_USERS = 30
"""Of fewer, curves show little but luck."""
INTRODUCTION = (
    "The model spells a recommendation out code by code. After each code its belief about what kind of item comes next "
    "moves; θ says how far one code may move it (Jensen-Shannon divergence, 0 to 0.693) before the branch is pruned "
    "and another is tried in its place. A small θ prunes much, “off” prunes nothing."
)
WORDS = (
    ("recall @k", "share of users whose next purchase is among the first k of their list"),
    ("NDCG @k", "the same, but a higher place counts more: 1 for the first, 0 for none of the k"),
    ("95 %", "where the mean would lie in 95 of 100 samples of as many users"),
    ("nodes", "states that the network is asked about in one search: what the search costs"),
    ("pruned", "branches of a search that moved the belief by more than θ"),
    ("regenerated", "branches that were tried in the place of pruned ones"),
    ("fallback", "branches that were kept although they moved the belief too far, as nothing else was left"),
    ("wrong prunes", "pruned branches that would have led to the item that was really bought"),
    ("catalogue covered", "share of all items that is in anybody's list"),
    ("lists distinct", "how much of a list is in no other user's list, over all pairs of users"),
    ("categories a list", "different categories in one list of ten"),
)
"""What the heads of the tables mean."""


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
        f"<p>{escape(INTRODUCTION)}</p>",
        chosen_part(document),
        suggested_part(document["suggestion"]),
        missing_part(document["missing"]),
        *(sweep_part(sweep, document["chosen"], document["own"]) for sweep in document["sweeps"]),
        words_part() if document["sweeps"] else "",
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
    heads = ["users", "θ", "NDCG @10", "95 %", "change against no pruning", "95 % of the change"]
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


def sweep_part(sweep: Document, chosen: Document, own: Document) -> str:
    """The curves of one sweep and its numbers, with the settings that are looked at and the run's own marked."""
    title = f"{sweep['users']:,} {SPLITS[sweep['split']]} users ({sweep['name']})"
    mark = theta_within(chosen, sweep)
    drawn = "".join(f"<div>{chart}</div>" for chart in charts_of(sweep["points"], mark))
    rows = [[marked(point["theta"], sweep, chosen, own), *point_row(point)] for point in sweep["points"]]
    few = " Of so few users, curves show little but luck." if sweep["users"] < LEAST_USERS else ""
    dashed = "" if mark is None else f" The upright line is the chosen setting, θ {mark:g}."
    told = (
        f"Beliefs are compared from step {sweep['check_from']} on. Points are means over users; bands hold 95 % of "
        f"such means, drawn from the users again and again.{dashed}{few}"
    )
    table = plain_table(HEADS, rows, numbers=range(1, len(HEADS)))
    return f'<h2>{escape(title)}</h2><p class="soft">{escape(told)}</p><div class="sides charts">{drawn}</div>{table}'


def theta_within(setting: Document, sweep: Document) -> float | None:
    """The one theta of a setting, where a sweep's curves are about such settings; else None."""
    same = not setting["thetas"] and setting["check_from"] == sweep["check_from"]
    return setting["theta"] if same else None


def marked(theta: float | None, sweep: Document, chosen: Document, own: Document) -> str:
    """A theta of a sweep, and whether it is the setting above or the run's own."""
    settings = {"own": own, "chosen": chosen}
    said = [
        name
        for name, setting in settings.items()
        if setting["theta"] == theta and not setting["thetas"]
        and (theta is None or setting["check_from"] == sweep["check_from"])
    ]  # fmt: skip
    return f"{theta_name(theta)}\u00a0({said[0]})" if said else theta_name(theta)


def words_part() -> str:
    """What the numbers mean, a line each."""
    return f"<h2>What the numbers mean</h2>{plain_table(['number', 'meaning'], WORDS)}"


def charts_of(points: Sequence[Document], mark: float | None) -> list[str]:
    """Quality with its band, what it costs and how varied the lists are, by theta; no pruning as a level line."""
    charts = [quality_chart(points, f"{kind}@{k}", mark) for kind in ("recall", "ndcg") for k in (5, 10)]
    groups = (
        ("Cost: nodes of a search", COUNTS[:1]),
        ("Branches of a search", COUNTS[1:4]),
        ("Wrong prunes of a search", COUNTS[4:]),
        ("Share of the catalogue in any list", LISTS[:1]),
        ("Share of a list in no other", LISTS[1:]),
    )
    for title, names in groups:
        lines = [line for name in names if (line := line_of(points, name, name.replace("_", " "))) is not None]
        if lines:
            charts.append(line_chart(f"{title}, by θ", "θ", "", lines, mark=mark))
    return charts


def quality_chart(points: Sequence[Document], metric: str, mark: float | None) -> str:
    """One metric with its interval."""
    inside = [point for point in points if point["theta"] is not None]
    lines = [Line("mean", tuple((point["theta"], point["metrics"][metric]["mean"]) for point in inside))]
    ends = ((point["theta"], *(point["metrics"][metric][part] for part in ("low", "high"))) for point in inside)
    off = [point["metrics"][metric]["mean"] for point in points if point["theta"] is None]
    if off:
        lines.append(Line("no pruning", tuple((point["theta"], off[0]) for point in inside)))
    kind, k = metric.split("@")
    share = f"share of users who find their next purchase among the first {k}"
    title = (
        f"Recall@{k}: {share}, by θ"
        if kind == "recall"
        else f"NDCG@{k}: like recall, but higher places count more, by θ"
    )
    return line_chart(title, "θ", metric.replace("ndcg", "NDCG"), lines, band=Band("95 %", tuple(ends)), mark=mark)


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
    return [*means, band, *others]


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
