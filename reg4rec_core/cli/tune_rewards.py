"""`reg4rec tune-rewards`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, reading_run_option
from reg4rec_core.cli.output import emit, plain, say
from reg4rec_core.types import InputError


@click.command("tune-rewards")
@reading_run_option
@click.option("--out", type=click.Path(path_type=Path), help="Directory of the trials.  [default: RUN-rewards]")
@click.option("--trials", type=click.IntRange(min=1), default=12, show_default=True, help="Mixes of weights to try.")
@click.option("--steps", type=click.IntRange(min=1), default=25, show_default=True, help="Post-training of a trial.")
@click.option(
    "--batch-size", type=click.IntRange(min=1), help="Histories a step.  [default: the run's own post-training]"
)
@click.option(
    "--users",
    type=click.IntRange(min=2),
    default=5000,
    show_default=True,
    help="Validation users that choose among the trials; as many others confirm the choice.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws of mixes, users and training."
)
@json_option
def command(
    run: Path, out: Path | None, trials: int, steps: int, batch_size: int | None, users: int, seed: int, as_json: bool
) -> None:
    """Search reward weights by what a short post-training with them does to validation users.

    Equal weights and no rewards at all are trained alike, and other users than those who choose say what the choice is
    worth. Called again, finished trials are kept.
    """
    from dataclasses import replace

    from reg4rec_core.analysis.reward_weighing import reward_settings
    from reg4rec_core.checkpoint import open_run
    from reg4rec_core.experiments.reward_tuning import tune_rewards

    opened = open_run(run)
    if "pretrained" not in opened.weights_available():
        raise InputError(f"{run} is not pre-trained yet; do that first with: reg4rec pretrain --run {run}")
    own, _ = reward_settings(opened.settings)
    training = replace(own, steps=steps, validate_every=steps, seed=seed, batch_size=batch_size or own.batch_size)
    folder = out or run.resolve().with_name(f"{run.resolve().name}-rewards")
    document = plain(tune_rewards(run, folder, training, trials=trials, users=users, seed=seed, say=say))
    emit(document, text=tuning_text(document, folder), as_json=as_json)


def tuning_text(document: dict[str, Any], out: Path) -> str:
    """One line a trial with its paired differences, then the verdict."""
    lines = [f"{'trial':10}{'step':>7}{'categ.':>7}{'consis.':>8}{'path':>7}{'ndcg@10':>9}   minus equal weights"]
    for row in document["trials"]:
        weights = ["–"] * 4 if not row["policy_weight"] else [f"{value:.2f}" for value in row["weights"].values()]
        change = "{mean:+.4f} ({low:+.4f} to {high:+.4f})".format(**row["difference"]["minus_equal"]["ndcg@10"])
        numbers = "".join(text.rjust(width) for text, width in zip(weights, (7, 7, 8, 7), strict=True))
        lines.append(f"{row['name']:10}{numbers}{row['choosing']['ndcg@10']['mean']:9.4f}   {change}")
    before = document["before"]["ndcg@10"]["mean"]
    lines.append(f"{'before':10}{'':29}{before:9.4f}   (the pre-trained weights)")
    return "\n".join([*lines, document["verdict"], f"stored in {out / 'tuning.json'}"])
