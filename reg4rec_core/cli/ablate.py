"""`reg4rec ablate`"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reg4rec_core.cli.options import json_option, reading_run_option
from reg4rec_core.cli.output import emit, plain, say
from reg4rec_core.types import InputError

if TYPE_CHECKING:
    from reg4rec_core.experiments.ablation_plan import Cost, PlannedCell

USERS_PER_SECOND = 100.0
"""For the estimate alone: users that one thread searches in a second."""
SECONDS_PER_STEP = 2.5
"""For the estimate alone, where the run was never post-trained."""
SECONDS_PER_EPOCH = 120.0
"""For the estimate alone, where the run was never pre-trained."""
MINUTES = 15.0
"""Pre-training of every cell where nothing else is asked for."""


@click.command("ablate")
@reading_run_option
@click.option("--data", type=click.Path(path_type=Path), help="Data set directory that `prepare` wrote.")
@click.option("--out", type=click.Path(path_type=Path), help="Directory of the cells and their runs.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    show_default=f"{MINUTES:g}",
    help="Pre-training of every cell.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    help="Pre-training of every cell in passes over the data, in the place of --minutes: the same on every machine.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Post-training steps of every cell; 0 compares pre-trained weights.",
)
@click.option("--cells", help="Names of the cells to make, with commas; the base always is.  [default: all]")
@click.option(
    "--users", type=click.IntRange(min=1), default=2000, show_default=True, help="Test users whose beam is searched."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all training.")
@click.option(
    "--reuse",
    is_flag=True,
    help="Start from the run's own codes and pre-trained weights; --minutes then counts for nothing, and cells with "
    "other codes are pre-trained as the run was.",
)
@click.option("--list", "only_list", is_flag=True, help="Print the plan with its estimated cost and do nothing.")
@json_option
def command(
    run: Path,
    data: Path | None,
    out: Path | None,
    minutes: float | None,
    epochs: int | None,
    steps: int,
    cells: str | None,
    users: int,
    seed: int,
    reuse: bool,
    only_list: bool,
    as_json: bool,
) -> None:
    """Train and compare systems that differ from a run's settings in one point each, under an equal budget.

    The run lends its settings alone, with --reuse its pre-training, too: every cell is trained anew on the data. Called
    again, finished cells are kept.
    """
    from functools import partial

    from tqdm import tqdm

    from reg4rec_core.checkpoint import open_run
    from reg4rec_core.experiments.ablation import ablate
    from reg4rec_core.experiments.ablation_plan import BASE, base_recipe, chosen_cells, plan

    if epochs is not None and (minutes is not None or reuse):
        raise InputError(
            "--epochs goes with neither --minutes nor --reuse; give one of them, each says how long to train"
        )
    budget = {"minutes": math.inf if reuse else minutes or MINUTES, "epochs": epochs}
    base = base_recipe(open_run(run).settings, **budget, steps=steps, seed=seed)
    names = [name.strip() for name in cells.split(",")] if cells else []
    if only_list:
        chosen = chosen_cells(plan(base), names)
        cost = cost_of(run, **budget, steps=steps, users=users)
        document = plan_document(chosen, cost, made=(BASE,) if reuse else ())
        emit(document, text=plan_text(document), as_json=as_json)
        return
    if data is None or out is None:
        raise InputError("ablate needs --data and --out unless it only lists the plan (--list)")
    show = partial(tqdm, leave=False, disable=None)
    settings = {"names": names, "users": users, "pretrained": run if reuse else None}
    document = plain(ablate(base, data=data, out=out, **settings, say=say, progress=show))
    emit(document, text=ablation_text(document, out), as_json=as_json)


def cost_of(run: Path, *, minutes: float, epochs: int | None, steps: int, users: int) -> "Cost":
    """Seconds of the pieces of work as the run itself took them, for the epochs or within the minutes asked for."""
    from reg4rec_core.checkpoint import open_run
    from reg4rec_core.experiments.ablation_plan import Cost

    opened = open_run(run)
    report = opened.settings.get("post_train_report", {})
    per_step = report["seconds"] / report["steps"] if report else SECONDS_PER_STEP
    tokenizer = opened.read_json("tokenizer_report.json").get("seconds", 0.0)
    trained = opened.settings.get("pretrain_report", {})
    pretrain = min(60 * minutes, trained.get("seconds", math.inf))
    if epochs is not None:
        pretrain = epochs * (trained["seconds"] / trained["epochs"] if trained else SECONDS_PER_EPOCH)
    return Cost(tokenizer, pretrain, per_step * steps, users / USERS_PER_SECOND)


def plan_document(cells: "list[PlannedCell]", cost: "Cost", *, made: Sequence[str]) -> dict[str, Any]:
    """The plan as data; the minutes of a cell are what it adds to those before it."""
    from reg4rec_core.experiments.ablation_plan import estimated_seconds

    rows = [
        {
            "name": cell.name,
            "question": cell.question,
            "same_as": cell.same_as,
            "pretrained_by": cell.pretrained_by,
            "control": cell.control,
            "minutes": seconds / 60,
        }
        for cell, seconds in zip(cells, estimated_seconds(cells, cost, made=made), strict=True)
    ]
    return {"cells": rows, "minutes": sum(row["minutes"] for row in rows)}


def plan_text(document: dict[str, Any]) -> str:
    """One line a cell."""
    lines = [f"{'cell':34}{'minutes':>8}  {'starts from':18}{'beside':18}what it asks"]
    for row in document["cells"]:
        twin = row["same_as"] if row["same_as"] != row["name"] else ""
        start = (
            f"= {twin}" if twin else "its own codes" if row["pretrained_by"] == row["name"] else row["pretrained_by"]
        )
        lines.append(f"{row['name']:34}{row['minutes']:8.1f}  {start:18}{row['control']:18}{row['question']}")
    return "\n".join([*lines, f"{'together':34}{document['minutes']:8.1f}  (an estimate for one thread)"])


def ablation_text(document: dict[str, Any], out: Path) -> str:
    """One line a cell: NDCG@10 of both rankings and the paired difference of the beam."""
    lines = [f"{'cell':34}{'first state N@10':>18}{'beam N@10':>11}   difference to {document['base']}, beam N@10"]
    for cell in document["cells"]:
        values = [cell[name]["metrics"]["ndcg@10"]["mean"] for name in ("first_state", "beam")]
        change = "{mean:+.4f} ({low:+.4f} to {high:+.4f})".format(**cell["beam"]["difference"]["ndcg@10"])
        lines.append(f"{cell['name']:34}{values[0]:18.4f}{values[1]:11.4f}   {change}")
    return "\n".join([*lines, f"stored in {out / 'ablation.json'}"])
