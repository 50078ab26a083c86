"""`reg4rec sweep`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit, plain, say

COLUMNS = (
    ("R@5", 8, lambda cell: f"{cell['metrics']['recall@5']['mean']:.4f}"),
    ("N@5", 8, lambda cell: f"{cell['metrics']['ndcg@5']['mean']:.4f}"),
    ("R@10", 8, lambda cell: f"{cell['metrics']['recall@10']['mean']:.4f}"),
    ("N@10", 8, lambda cell: f"{cell['metrics']['ndcg@10']['mean']:.4f}"),
    (
        "difference in N@10",
        29,
        lambda cell: "{mean:+.4f} ({low:+.4f} to {high:+.4f})".format(**cell["difference"]["ndcg@10"]),
    ),
    ("nodes", 8, lambda cell: f"{cell['nodes']:.1f}"),
    ("pruned", 8, lambda cell: f"{cell['pruned']:.2f}"),
    ("wrongly", 9, lambda cell: f"{cell['wrong_prunes']:.4f}"),
    ("fallback", 10, lambda cell: f"{cell['fallback']:.2f}"),
    ("coverage", 10, lambda cell: f"{cell['coverage']:.3f}"),
    ("distinct", 10, lambda cell: f"{cell['distinctness']:.3f}"),
    ("users/s", 9, lambda cell: f"{cell['users_per_second']:.0f}"),
)
"""Title, width and text of every column; counts are means over users."""


@click.command("sweep")
@reading_run_option
@click.option(
    "--over",
    "over",
    multiple=True,
    help="FIELD=VALUE,VALUE,... of the decoding settings, a VALUE may be START:STOP:STEP; several make a grid.",
)
@click.option(
    "--theta-quantile",
    help="VALUE,VALUE,...: thetas of their own for every step, at this quantile of the run's own divergences there.",
)
@click.option(
    "--split",
    type=click.Choice(["valid", "test"]),
    default="valid",
    show_default=True,
    help="Which held-out items to find.",
)
@click.option("--users", type=click.IntRange(min=1), help="Search a seeded sample of this many users.  [default: all]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which users a sample draws.")
@click.option(
    "--cohort", default="", help="Search these users alone, as reg4rec cohorts reads them: history_5~20.seen_0~4"
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="Store of traces (reg4rec trace) that knows a cohort's outcome, recommended or leans.",
)
@click.option("--name", help="Folder of the cells under evaluation/sweeps.  [default: fields, split, users, cohort]")
@weights_option
@json_option
def command(
    run: Path,
    over: tuple[str, ...],
    theta_quantile: str | None,
    split: Any,
    users: int | None,
    seed: int,
    cohort: str,
    store: Path | None,
    name: str | None,
    weights: str,
    as_json: bool,
) -> None:
    """Search the same users under many decoding settings and compare each with the run's own.

    Every setting's numbers are stored in the run under evaluation/sweeps; killed and called again, it goes on. Settings
    that differ in theta alone are searched together, which takes a fraction of the time.
    """
    from functools import partial

    from tqdm import tqdm

    from reg4rec_core.analysis.cohort import read_cohort
    from reg4rec_core.analysis.trace_queries import open_store
    from reg4rec_core.experiments.grid import Axis, read_numbers
    from reg4rec_core.experiments.sweep import sweep
    from reg4rec_core.recommender import Recommender

    axes = [Axis.parse(text) for text in over]
    quantiles = read_numbers(theta_quantile, "--theta-quantile") if theta_quantile is not None else ()
    whom, opened = read_cohort(cohort), open_store(store) if store is not None else None
    recommender = Recommender.load(run, weights=weights)
    show = partial(tqdm, leave=False, disable=None)
    options = {"split": split, "users": users, "seed": seed, "cohort": whom, "store": opened, "name": name}
    document = plain(sweep(recommender, axes, quantiles=quantiles, **options, say=say, progress=show))
    emit(document, text=sweep_text(document), as_json=as_json)


def sweep_text(document: dict[str, Any]) -> str:
    """One line a setting, the run's own first."""
    rows = [document["own"], *document["cells"]]
    width = max(len(row["name"]) for row in rows) + 2
    whom = f" of the cohort {document['cohort']}" if document["cohort"] else ""
    users = f"{document['users']:,} users{whom}"
    lines = [f"{document['split']} split, {users}; differences are to the run's own setting", ""]
    lines.append(f"{'':{width}}" + "".join(f"{title:>{size}}" for title, size, _ in COLUMNS))
    lines += [f"{row['name']:{width}}" + "".join(f"{text(row):>{size}}" for _, size, text in COLUMNS) for row in rows]
    lines += ["", f"{document['seconds']:.1f} s; cells stored in {document['folder']}"]
    if any(row["searched_together"] > 1 for row in rows):
        lines.append("settings that differ in theta alone were searched together and share that time equally")
    return "\n".join(lines)
