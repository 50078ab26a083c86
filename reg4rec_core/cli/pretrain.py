"""`reg4rec pretrain`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, settings_from, settings_options
from reg4rec_core.cli.output import emit, report_text, say
from reg4rec_core.config import ModelConfig, PretrainConfig


@click.command("pretrain")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Run directory that `fit-tokenizer` wrote.")
@settings_options(PretrainConfig)
@settings_options(ModelConfig)
@json_option
def command(run: Path, as_json: bool, **settings: Any) -> None:
    """Train the network of a run on its training interactions."""
    from reg4rec_core.training.parallel import workers
    from reg4rec_core.training.pretrain import pretrain

    model, training = settings_from(ModelConfig, settings), settings_from(PretrainConfig, settings)
    with workers() as crew:
        report = pretrain(run, model, training, workers=crew, progress=say)
    if crew.is_first:
        emit(report, text=f"{report_text(report)}\nweights written to {run}", as_json=as_json)
