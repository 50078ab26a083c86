"""`reg4rec bench`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit, report_text


@click.command("bench")
@click.argument("what", type=click.Choice(["train", "decode"]))
@reading_run_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="decode: how long to measure under each theta.",
)
@weights_option
@json_option
def command(what: str, run: Path, seconds: float, weights: str, as_json: bool) -> None:
    """Measure the speed of training or decoding against this machine's floor.

    The floor is the time that the matrix products alone would take at the rate this machine reaches on one large
    product; the share says how near the whole comes to it. One thread.
    """
    report = measure_training(run) if what == "train" else measure_decoding(run, weights, seconds)
    emit(report, text=report_text(report), as_json=as_json)


def measure_training(run: Path) -> dict[str, Any]:
    from reg4rec_core.checkpoint import open_run
    from reg4rec_core.training.benchmark import benchmark_training

    return benchmark_training(open_run(run))


def measure_decoding(run: Path, weights: str, seconds: float) -> dict[str, Any]:
    from reg4rec_core.cli.decode_speed import decode_speed
    from reg4rec_core.recommender import Recommender

    return decode_speed(Recommender.load(run, weights=weights), seconds=seconds)
