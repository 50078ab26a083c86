"""`reg4rec post-train`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, settings_from, settings_options
from reg4rec_core.cli.output import emit, report_text, say
from reg4rec_core.config import PostTrainConfig, RewardWeights


@click.command("post-train")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Run directory that `pretrain` completed.")
@click.option(
    "--reward-weights",
    default=str(RewardWeights()),
    show_default=True,
    help="NAME=WEIGHT of the rewards step, category, consistency and path; one that is not named counts nothing.",
)
@settings_options(PostTrainConfig)
@json_option
def command(run: Path, reward_weights: str, as_json: bool, **settings: Any) -> None:
    """Improve a pre-trained run by rewarding its own reasoning (GRPO)."""
    from reg4rec_core.training.parallel import workers
    from reg4rec_core.training.post_train import post_train

    weights, training = RewardWeights.parse(reward_weights), settings_from(PostTrainConfig, settings)
    with workers() as crew:
        report = post_train(run, training, weights, workers=crew, progress=say)
    if crew.is_first:
        emit(report, text=f"{report_text(report)}\nweights written to {run}", as_json=as_json)
