"""README tables made from stored results, so that no number is typed by hand.

A table stands between `<!-- table: NAME -->` and `<!-- end -->`. Every file in assets/results says how it was made:
config, seed, git revision and data checksum.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from reg4rec_core.types import InputError

RESULTS = Path("assets/results")
RANKING = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")
AT_TEN = ("recall@10", "ndcg@10")
MARKED = re.compile(r"(<!-- table: ([^\n]*?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
OPENING = re.compile(r"<!-- table: [^\n]*? -->")


def read_result(root: Path, name: str) -> dict[str, Any]:
    """A results file of the repository at `root`; InputError when it is missing."""
    path = root / name
    if not path.exists():
        raise InputError(f"there is no {path}, which the table is made from; restore it or make it anew")
    return json.loads(path.read_text(encoding="utf-8"))


def short(value: float, digits: int = 4) -> str:
    """.0922 for 0.09216: what lies between -1 and 1 needs no zero before the point."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and text.lstrip("-").startswith("0.") else text


def signed(value: float) -> str:
    """+.0005 or -.0014."""
    return ("+" if value >= 0 else "") + short(value)


def with_interval(row: dict[str, float]) -> str:
    """A difference with its bounds: +.0005 (-.0009 to +.0020)."""
    return f"{signed(row['mean'])} ({signed(row['low'])} to {signed(row['high'])})"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A pipe table, one line a row."""
    lines = ["|" + "".join(f" {cell} |" if cell else " |" for cell in line) for line in (header, *rows)]
    lines.insert(1, "|" + "---|" * len(header))
    return "".join(line + "\n" for line in lines)


DEMO = Path("checkpoints/demo")
FLOORS = {"transitions": "counter of transitions, learns nothing (ours)", "popularity": "popularity (ours)"}
"""Rankings that learn nothing, and what the table calls them."""
BESIDE = {
    "first_state": "reg4rec, first state alone, exact",
    "beam": "reg4rec, beam search",
    "random_paths": "reg4rec, random paths",
    "sasrec": "SASRec, full softmax",
    **FLOORS,
}
"""Rows of the comparison under one evaluator, and what the table calls them."""


def main_table(root: Path) -> str:
    """How good the demo run is: its stored test report beside published numbers."""
    report = read_result(root, f"{DEMO}/evaluation/test.json")
    stage, against = (block["weights"].replace("_", "-") for block in (report, report["against"]))
    rows = [(f"**reg4rec, {stage}, beam {report['beam']}, {theta_text(report)}**", report)]
    rows += [(f"the same, {theta_text(other)}", other) for other in report.get("thetas", [])[1:]]
    rows += [(f"{against}, beam {report['beam']}, {theta_text(report)}", report["against"])]
    rows += [(f"{stage}, first state alone, exact", report["first_state"])]
    rows += [(label, report["baselines"][name]) for name, label in FLOORS.items()]
    published = read_result(root, f"{RESULTS}/published.json")["rows"]
    rows += [(f"{row['label']}, as published", row["metrics"]) for row in published]
    texts = [[label, *(short(metrics[name]) for name in RANKING)] for label, metrics in rows]
    return markdown(("", "Recall@5", "NDCG@5", "Recall@10", "NDCG@10"), texts)


def table_of(root: Path, data: str) -> str:
    """One run on other data: its test report, kept as assets/results/DATA.json, beside published numbers."""
    report = read_result(root, f"{RESULTS}/{data}.json")["report"]
    rows = [(f"**reg4rec, pre-trained, beam {report['beam']}, {theta_text(report)}**", report)]
    rows += [("the same weights, first state alone, exact", report["first_state"])]
    rows += [(label, report["baselines"][name]) for name, label in FLOORS.items()]
    published = read_result(root, f"{RESULTS}/published.json")[data]["rows"]
    rows += [(f"{row['label']}, as published", row["metrics"]) for row in published]
    texts = [[label, *(short(metrics[name]) for name in RANKING)] for label, metrics in rows]
    return markdown(("", "Recall@5", "NDCG@5", "Recall@10", "NDCG@10"), texts)


def beside_table(root: Path) -> str:
    """Everything under one evaluator: what `reg4rec evaluate --baselines --json` says, kept with its settings."""
    block = read_result(root, f"{RESULTS}/side_by_side.json")
    rows = [
        [
            BESIDE[name],
            *(short(row[metric]) for metric in AT_TEN),
            "" if name == "first_state" else with_interval(row["minus_first_state"]["ndcg@10"]),
            f"{row['training_seconds'] / 60:.0f} min" if row["training_seconds"] else "",
            f"{row['users_per_second']:,.0f}",
        ]
        for name, row in sorted(block["rows"].items(), key=lambda item: list(BESIDE).index(item[0]))
    ]
    header = ("Recall@10", "NDCG@10", "NDCG@10 minus the first state's", "training", "users a second")
    return markdown((f"{block['users']:,} test users", *header), rows)


def theta_text(settings: dict[str, Any]) -> str:
    """The theta of a search in words."""
    theta = settings["theta"]
    return "theta off" if theta is None else f"theta {short(theta, 2)} from step {settings['check_from']}"


def ties_table(root: Path) -> str:
    """What the order of purchases of one day is worth: the demo's recipe on the files' order, and on one drawn anew."""
    reports = [read_result(root, f"{DEMO}/evaluation/test.json"), read_result(root, f"{RESULTS}/ties.json")["report"]]
    named = {
        "reg4rec, first state alone, exact": lambda report: report["first_state"],
        "reg4rec, beam search": lambda report: report,
        **{label: lambda report, name=name: report["baselines"][name] for name, label in FLOORS.items()},
    }
    rows = [
        [label, *(short(find(report)[metric]) for report in reports for metric in AT_TEN)]
        for label, find in named.items()
    ]
    header = [f"{metric}, {order}" for order in ("files' order", "drawn anew") for metric in ("Recall@10", "NDCG@10")]
    return markdown(("", *header), rows)


def frequency_table(root: Path) -> str:
    """For whom the demo run works: Recall@10 by how often training saw the target."""
    block = read_result(root, f"{RESULTS}/side_by_side.json")
    names = {"first_state": "reg4rec, first state", "sasrec": "SASRec", "transitions": "counter"}

    def cell(found: dict[str, Any]) -> str:
        low, high = found["intervals_95"]["recall@10"]
        return f"{short(found['recall@10'])} ({short(low)} to {short(high)})"

    rows = [
        [seen_text(group), f"{group['users']:,}", *(cell(group[name]) for name in names)]
        for group in block["by_training_interactions"]
        if group["users"]
    ]
    return markdown(("target seen in training", "users", *names.values()), rows)


def seen_text(group: dict[str, Any]) -> str:
    """0 times, 1 to 4 times, 20 times or more."""
    if group["to"] is None:
        return f"{group['from']} times or more"
    return f"{group['from']} times" if group["from"] == group["to"] else f"{group['from']} to {group['to']} times"


def seeds_table(root: Path) -> str:
    """Runs that differ in their seed alone, and their mean: `reg4rec seeds --out assets/results/seeds.json`."""
    results = read_result(root, f"{RESULTS}/seeds.json")
    names = ("first state, exact", "beam search")
    rows = [
        [f"seed {run['seed']}", *(short(run["rankings"][name][metric]) for name in names for metric in AT_TEN)]
        for run in results["runs"]
    ]
    mean, deviation = results["mean"], results["deviation"]
    spread = [f"**{short(mean[n][m])}** ± {short(deviation[n][m])}" for n in names for m in AT_TEN]
    header = ("first state Recall@10", "NDCG@10", "beam Recall@10", "NDCG@10")
    return markdown((f"{results['runs'][0]['users']:,} test users", *header), [*rows, ["mean ± deviation", *spread]])


def recipe_table(root: Path) -> str:
    """What counted transitions and teaching the encoder first gave, by the exact first state."""
    results = read_result(root, f"{RESULTS}/recipe.json")
    rows = [["neither", *(short(results["demo"]["metrics"][name]) for name in RANKING), "", ""]]
    for run in results["runs"]:
        gains = run["minus_demo"], run["post_trained"]["minus_pretrained"]
        values = [short(run["metrics"][name]) for name in RANKING]
        rows.append([f"both, seed {run['seed']}", *values, *(with_interval(gain["ndcg@10"]) for gain in gains)])
    header = ("Recall@5", "NDCG@5", "Recall@10", "NDCG@10", "NDCG@10 beyond neither", "added by post-training")
    return markdown(("pre-trained", *header), rows)


def seed_gains_table(root: Path) -> str:
    """What post-training adds under beam search, for every pre-trained seed."""
    runs = read_result(root, f"{RESULTS}/seeds.json")["runs"]
    rows = [[f"seed {run['seed']}", *(with_interval(run["minus"][metric]) for metric in AT_TEN)] for run in runs]
    return markdown(("post-trained minus pre-trained", "Recall@10", "NDCG@10"), rows)


def post_training_table(root: Path) -> str:
    """What post-training under its default settings gives beyond the pre-trained weights."""
    results = read_result(root, f"{RESULTS}/post_training.json")
    before = results["pretrained"]["first state, exact"]
    rows = [["pre-trained", short(before["recall@10"]), short(before["ndcg@10"]), "", ""]]
    for entry in experiments_of(results, "post-training"):
        metrics, difference = entry["metrics"], entry["difference"]
        values = [short(metrics[name]) for name in AT_TEN]
        rows.append([entry["label"], *values, *(with_interval(difference[n]) for n in AT_TEN)])
    header = ("Recall@10", "NDCG@10", "difference in Recall@10", "difference in NDCG@10")
    return markdown((f"{results['config']['steps']} steps, default settings", *header), rows)


def rewards_table(root: Path) -> str:
    """Each reward by itself."""
    results = read_result(root, f"{RESULTS}/post_training.json")
    entries = experiments_of(results, "rewards")
    before = entries[0]["validation"][0]["valid_ndcg@10"]
    rows = [
        [
            entry["label"],
            with_interval(entry["difference"]["ndcg@10"]),
            short(max(point["valid_ndcg@10"] for point in entry["validation"][1:])),
        ]
        for entry in entries
    ]
    header = ("reward", "difference in NDCG@10", f"validation NDCG@10 (pre-trained {short(before)})")
    return markdown(header, rows)


def experiments_of(results: dict[str, Any], table: str) -> list[dict[str, Any]]:
    return [entry for entry in results["experiments"] if entry.get("table") == table]


def theta_table(root: Path) -> str:
    """Validation NDCG@10 by theta and by the first compared step, the best in bold."""
    choice = read_result(root, f"{DEMO}/evaluation/theta_choice.json")
    off = next(row["ndcg_at_10"] for row in choice["results"] if row["theta"] is None)
    pruned = {(row["check_from"], row["theta"]): row["ndcg_at_10"] for row in choice["results"] if row["theta"]}
    best = max(off, *pruned.values())
    steps, thetas = (sorted({key[place] for key in pruned}) for place in (0, 1))

    def cell(value: float) -> str:
        return f"**{short(value)}**" if value == best else short(value)

    rows = [
        [f"compared from step {step}", *(cell(pruned[step, theta]) for theta in thetas), "" if line else cell(off)]
        for line, step in enumerate(steps)
    ]
    return markdown(("NDCG@10", *(f"theta {theta:g}".replace("0.", ".") for theta in thetas), "off"), rows)


THETA_DATA = {"beauty": "Beauty", "toys": "Toys", "sports": "Sports"}
"""Data sets whose sweeps over theta stand side by side, and their names."""


def theta_data_table(root: Path) -> str:
    """One grid of thetas on every data set: `reg4rec sweep --json`, kept as assets/results/theta_DATA.json."""
    results = {name: read_result(root, f"{RESULTS}/theta_{data}.json") for data, name in THETA_DATA.items()}
    cells = {name: {cell["changes"]["theta"]: cell for cell in result["cells"]} for name, result in results.items()}
    thetas = list(next(iter(cells.values())))
    off = {name: by_theta[None]["metrics"]["ndcg@10"]["mean"] for name, by_theta in cells.items()}

    def columns(cell: dict[str, Any], beside: float) -> tuple[str, str, str]:
        ndcg, lost = cell["metrics"]["ndcg@10"]["mean"], cell["wrong_prunes"]
        share = f"{ndcg / beside:.0%}".replace("%", " %")
        return f"{short(ndcg)} ({share})", f"{cell['pruned']:.1f}", short(lost, 2)

    rows = [
        [
            "off" if theta is None else short(theta, 2),
            *(text for name in cells for text in columns(cells[name][theta], off[name])),
        ]
        for theta in thetas
    ]
    header = [f"{name}: {what}" for name in cells for what in ("NDCG@10 (of off)", "pruned", "wrongly")]
    first = next(iter(results.values()))
    return markdown((f"theta, {first['users']:,} {first['split']} users each", *header), rows)


def prunes_table(root: Path) -> str:
    """Right and wrong prunes by the belief before them: `reg4rec sweep --json`, kept as prunes_by_belief.json."""
    results = read_result(root, f"{RESULTS}/prunes_by_belief.json")
    rows = []
    for cell in results["cells"]:
        steps = {step: row for step, row in cell["prunes_by_belief"].items() if row["pruned"]}
        rows += [[theta_text(cell["identity"]["decode"]), step, *prunes_row(row)] for step, row in steps.items()]
    header = ["code", "belief right before it", "pruned"]
    for what in ("prunes that were wrong", "paths to the target that were pruned"):
        header += [what, "after a right belief", "after a wrong one"]
    return markdown((f"{results['users']:,} {results['split']} users", *header), rows)


def prunes_row(row: dict[str, Any]) -> list[str]:
    """Shares of one step in percent, those of wrong prunes with what they are shares of."""
    texts = [percent(row["belief_accuracy"]), percent(row["pruned_share"])]
    for share, of in (("wrong_share", "pruned"), ("lost_share", "tried_to_target")):
        for block in (row, row["belief_right"], row["belief_wrong"]):
            texts.append(f"{percent(block[share])} of {block[of]:,}" if block[of] else "none")
    return texts


def percent(share: float) -> str:
    """12.3 %."""
    return f"{100 * share:.1f} %"


def explanations_table(root: Path) -> str:
    """What taking purchases away does to the first recommendation, by who is taken: kept as explanations.json."""
    report = read_result(root, f"{RESULTS}/explanations.json")["report"]
    deletion, sufficiency = report["deletion"], report["sufficiency"]
    taken = {"influential": "the most influential", "random": "as many at random", "least": "the least influential"}
    taken |= {"newest": "the newest"}

    def falls(of: dict[str, Any], name: str) -> list[str]:
        return [
            f"{short(row['mean_fall'][name]['place'], 1)}, {row['mean_fall'][name]['dropped']:.0%}"
            for row in of.values()
        ]

    def beyond(of: dict[str, Any], name: str) -> list[str]:
        rows = [row["advantage_over"][name]["place"] for row in of.values()]
        return [f"{row['mean']:+.1f} ({row['low']:.1f} to {row['high']:.1f})" for row in rows]

    rows = [[f"without {said}: places, left the list", *falls(deletion, name)] for name, said in taken.items()]
    rows += [[f"most influential beyond {name}, places", *beyond(deletion, name)] for name in ("random", "newest")]
    kept = {name: said for name, said in taken.items() if name in ("influential", "newest")}
    rows += [[f"with only {said}: places, left the list", *falls(sufficiency, name)] for name, said in kept.items()]
    rows += [["only the most influential beyond only the newest, places", *beyond(sufficiency, "newest")]]
    return markdown((f"{report['users']} test users", *(f"k = {k}" for k in deletion)), rows)


def ablation_table(root: Path) -> str:
    """The cells of an ablation: the summary that `reg4rec ablate` writes, kept as assets/results/ablation.json."""
    cells = read_result(root, f"{RESULTS}/ablation.json")["cells"]
    rows = [[named(cell), cell["question"], control_of(cell), *beside_control(cell)] for cell in cells]
    return markdown(("cell", "what it is", "control", *AGAINST_CONTROL), rows)


def windows_table(root: Path) -> str:
    """How many future items rewards look at and what each further one weighs: kept as windows.json."""
    cells = read_result(root, f"{RESULTS}/windows.json")["cells"]
    swept = [cell for cell in cells if cell["name"].startswith(("window-", "decay-"))]
    controls = [cell for cell in cells if cell["name"] in {cell["control"] for cell in swept}]
    rows = []
    for control in controls:
        first_state, _, beam, _ = beside_control(control)
        rows.append([control["name"], "", "", first_state, "", beam, ""])
    for cell in swept:
        settings = cell["config"]["post_train"]
        window, decay = str(settings["window"]), short(settings["decay"], 1)
        rows.append([named(cell), window, decay, *beside_control(cell)])
    return markdown(("cell", "h", "w", *AGAINST_CONTROL), rows)


AGAINST_CONTROL = ("first state NDCG@10", "minus its control", "beam NDCG@10", "minus its control")
"""The columns of `beside_control`."""


def beside_control(cell: dict[str, Any]) -> list[str]:
    """NDCG@10 of a cell's two rankings, each with its difference to the cell's control; none to itself."""
    alone, texts = control_of(cell) == "", []
    for ranking in ("first_state", "beam"):
        texts.append(short(cell[ranking]["metrics"]["ndcg@10"]["mean"]))
        texts.append("" if alone else with_interval(cell[ranking]["against_control"]["ndcg@10"]))
    return texts


def control_of(cell: dict[str, Any]) -> str:
    """The cell of equal budget that a cell stands beside; nothing for the base itself."""
    return "" if cell["name"] == cell["control"] else cell["control"]


def named(cell: dict[str, Any]) -> str:
    """A cell's name, with that of the cell that it is the same as."""
    return cell["name"] if cell["same_as"] == cell["name"] else f"{cell['name']} (= {cell['same_as']})"


def ablation_sizes_table(root: Path) -> str:
    """The cells of an ablation beside its base: what `reg4rec ablate --epochs` writes, kept as ablation_sizes.json."""
    results = read_result(root, f"{RESULTS}/ablation_sizes.json")
    rows = []
    for cell in results["cells"]:
        is_base = cell["same_as"] == results["base"]
        values = [
            short(cell[ranking]["metrics"][name]["mean"]) for ranking in ("first_state", "beam") for name in AT_TEN
        ]
        change = "" if is_base else with_interval(cell["beam"]["difference"]["ndcg@10"])
        seconds = sum(cell["training_seconds"].values())
        rows.append([named(cell), cell["question"], *values, change, f"{seconds:,.0f}"])
    header = ("first state Recall@10", "NDCG@10", "beam Recall@10", "NDCG@10", "beam NDCG@10 minus full", "training, s")
    return markdown(("cell", "what it is", *header), rows)


def cost_table(root: Path) -> str:
    """What every stage takes on one machine: `reg4rec cost --out assets/results/cost.json`."""
    results = read_result(root, f"{RESULTS}/cost.json")
    rows = []
    for run in results["runs"]:
        for stage in run["stages"]:
            name = ", ".join(part for part in (f"`{stage['stage']}`", stage["of"]) if part)
            memory = "" if stage["peak_memory_mb"] is None else f"{stage['peak_memory_mb'] / 1000:.1f} GB"
            minutes = (minutes_text(stage[measure]) for measure in ("seconds", "cpu_seconds"))
            rows.append([name, run["data"], *minutes, memory])
    return markdown(("stage", "data set", "minutes", "CPU minutes", "peak memory"), rows)


def minutes_text(seconds: float | None) -> str:
    """Seconds as minutes: 0.3, 12; nothing for none."""
    if seconds is None:
        return ""
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:,.0f}"


TABLES: dict[str, Callable[[Path], str]] = {
    "main": main_table,
    "toys": partial(table_of, data="toys"),
    "sports": partial(table_of, data="sports"),
    "beside": beside_table,
    "ties": ties_table,
    "frequency": frequency_table,
    "recipe": recipe_table,
    "seeds": seeds_table,
    "seed-gains": seed_gains_table,
    "post-training": post_training_table,
    "rewards": rewards_table,
    "theta": theta_table,
    "theta-data": theta_data_table,
    "ablation": ablation_table,
    "ablation-sizes": ablation_sizes_table,
    "windows": windows_table,
    "cost": cost_table,
    "prunes": prunes_table,
    "explanations": explanations_table,
}
"""Every table by the name that its marker gives; a function of the repository's folder."""


def fill_tables(text: str, root: Path) -> str:
    """The text with every marked table made anew from the results under `root`; InputError for a marker left open."""
    if len(OPENING.findall(text)) != len(MARKED.findall(text)):
        raise InputError("every `<!-- table: NAME -->` needs an `<!-- end -->` after it and before the next table")

    def fill(match: re.Match[str]) -> str:
        name = match[2]
        if name not in TABLES:
            raise InputError(f"there is no table {name!r}; the tables are {', '.join(TABLES)}")
        return match[1] + TABLES[name](root) + match[4]

    return MARKED.sub(fill, text)
