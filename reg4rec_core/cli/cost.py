"""`reg4rec cost`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option
from reg4rec_core.cli.output import emit, plain
from reg4rec_core.types import InputError


@click.command("cost")
@click.option(
    "--run",
    "runs",
    metavar="[NAME=]DIR",
    multiple=True,
    required=True,
    help="A run and what its data set is called; given several times for several runs.  [default name: the folder's]",
)
@click.option("--out", type=click.Path(path_type=Path), help="File that keeps the numbers, as JSON.")
@json_option
def command(runs: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Say what every stage of some runs took: time, processor time and peak memory.

    The numbers are those that the stages reported when they ran; nothing is run again.
    """
    from reg4rec_core.checkpoint import write_json
    from reg4rec_core.experiments.cost import cost_document

    document = plain(cost_document(named_runs(runs)))
    if out is not None:
        write_json(out, document)
    emit(document, text=cost_text(document), as_json=as_json)


def named_runs(texts: tuple[str, ...]) -> dict[str, Path]:
    """Names and directories of `Beauty=checkpoints/demo`; InputError when a name is given twice."""
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        path = Path(path if equals else text)
        name = name if equals else path.resolve().name
        if not name or name in found:
            raise InputError(f"--run must name every run differently, got {name!r} twice or empty; write NAME=DIR")
        found[name] = path
    return found


def cost_text(document: dict[str, Any]) -> str:
    """One line a stage."""
    lines = [f"{'':44}{'minutes':>10}{'CPU minutes':>13}{'peak MB':>10}"]
    for run in document["runs"]:
        lines.append(f"{run['data']}: {run['users']:,} users, {run['items']:,} items")
        for stage in run["stages"]:
            minutes = (None if stage[name] is None else stage[name] / 60 for name in ("seconds", "cpu_seconds"))
            wall, cpu = ("-" if value is None else f"{value:.1f}" for value in minutes)
            memory = "-" if stage["peak_memory_mb"] is None else f"{stage['peak_memory_mb']:,.0f}"
            name = "  " + ", ".join(part for part in (stage["stage"], stage["of"]) if part)
            lines.append(f"{name:44}{wall:>10}{cpu:>13}{memory:>10}")
    return "\n".join(lines)
