"""`reg4rec bench`"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit, report_text, say
from reg4rec_core.types import InputError


@click.command("bench")
@click.argument("what", type=click.Choice(["train", "decode", "precision", "app"]))
@reading_run_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="decode: how long to measure under each theta.",
)
@weights_option
@click.option(
    "--width",
    "widths",
    type=click.IntRange(min=4),
    multiple=True,
    default=(128, 1024),
    show_default=True,
    help="precision: width of the network, a multiple of 4; may be given several times.",
)
@click.option(
    "--windows", type=click.IntRange(min=1), default=128, show_default=True, help="precision: sequences a step."
)
@click.option("--steps", type=click.IntRange(min=1), default=5, show_default=True, help="precision: steps a mode.")
@click.option(
    "--precision-budget",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    help="precision: what ladq's plan may do, as in pretrain.",
)
@click.option(
    "--repeats", type=click.IntRange(min=1), default=30, show_default=True, help="app: how often to do every action."
)
@click.option(
    "--interactions",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="app: after how many further interactions to look at the memory again; 0 leaves it out.",
)
@click.option("--only", default="", help="app: names of the actions to measure, with commas.  [default: all]")
@json_option
def command(
    what: str,
    run: Path,
    seconds: float,
    weights: str,
    widths: tuple[int, ...],
    windows: int,
    steps: int,
    precision_budget: float,
    repeats: int,
    interactions: int,
    only: str,
    as_json: bool,
) -> None:
    """Measure the speed of training or decoding against this machine's floor, or of the application.

    The floor is the time that the matrix products alone would take at the rate this machine reaches on one large
    product; the share says how near the whole comes to it. precision times a step in fp32, bf16, fp8 and ladq and says
    which layers ladq made coarser. One thread. app serves the run and drives it in a real browser: milliseconds from an
    input event to the changed page, action by action against its budget, and whether the server's memory grows.
    """
    if what == "app":
        names = [name.strip() for name in only.split(",") if name.strip()]
        measure_pages(run, repeats=repeats, interactions=interactions, only=names, as_json=as_json)
        return
    if what == "train":
        report = measure_training(run)
    elif what == "decode":
        report = measure_decoding(run, weights, seconds)
    else:
        report = measure_precision(run, widths, windows=windows, steps=steps, budget=precision_budget)
    emit(report, text=report_text(report), as_json=as_json)


def measure_training(run: Path) -> dict[str, Any]:
    from reg4rec_core.checkpoint import open_run
    from reg4rec_core.training.benchmark import benchmark_training

    return benchmark_training(open_run(run))


def measure_decoding(run: Path, weights: str, seconds: float) -> dict[str, Any]:
    from reg4rec_core.cli.decode_speed import decode_speed
    from reg4rec_core.recommender import Recommender

    return decode_speed(Recommender.load(run, weights=weights), seconds=seconds)


def measure_precision(run: Path, widths: tuple[int, ...], *, windows: int, steps: int, budget: float) -> dict[str, Any]:
    import torch

    from reg4rec_core.checkpoint import open_run
    from reg4rec_core.training.precision_benchmark import benchmark_precision

    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return benchmark_precision(open_run(run), widths=widths, windows=windows, steps=steps, budget=budget, device=device)


def measure_pages(run: Path, *, repeats: int, interactions: int, only: Sequence[str], as_json: bool) -> None:
    """Time the pages in a browser; InputError where there is none to drive."""
    if importlib.util.find_spec("playwright") is None:
        raise InputError("bench app needs Playwright, which is not installed; install it with: pip install playwright")
    from reg4rec_core.cli.app_speed import measure_app, speed_text
    from reg4rec_core.cli.chromium import chromium_path

    chromium = chromium_path()
    if chromium is None:
        install = "apt-get install -y --no-install-recommends chromium"
        raise InputError(f"bench app needs Chromium, which is not installed; install it with: {install}")
    turns = {"repeats": repeats, "interactions": interactions}
    report = measure_app(run, chromium=chromium, **turns, only=only, say=say)
    emit(report, text=speed_text(report), as_json=as_json)
