"""`reg4rec seeds`"""

from pathlib import Path

import click

from reg4rec_core.cli.options import json_option
from reg4rec_core.cli.output import emit, plain


@click.command("seeds")
@click.option(
    "--run",
    "runs",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="A run with a stored test report; given once for every seed.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File that keeps the comparison, as JSON.")
@json_option
def command(runs: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Compare runs that differ in their seed alone: every run's test results, their mean and deviation."""
    from reg4rec_core.checkpoint import write_json
    from reg4rec_core.experiments.seeds import METRICS, seeds_document

    document = plain(seeds_document(runs))
    if out is not None:
        write_json(out, document)
    lines = [f"{'':24}" + "".join(f"{metric:>20}" for metric in METRICS)]
    for name, mean in document["mean"].items():
        deviation = document["deviation"][name]
        lines.append(f"{name:24}" + "".join(f"{mean[m]:>12.4f} ± {deviation[m]:.4f}" for m in METRICS))
    emit(document, text="\n".join(lines), as_json=as_json)
