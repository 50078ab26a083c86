"""`reg4rec fit-tokenizer`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, settings_from, settings_options
from reg4rec_core.cli.output import emit, report_text, say
from reg4rec_core.config import TokenizerConfig


@click.command("fit-tokenizer")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Data set directory that `prepare` wrote.")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Run directory to write.")
@settings_options(TokenizerConfig)
@json_option
def command(data: Path, run: Path, as_json: bool, **settings: Any) -> None:
    """Learn the semantic codes of every item (MPQ) and start a run directory."""
    from reg4rec_core.training.fit_tokenizer import fit_tokenizer

    report = fit_tokenizer(data, run, settings_from(TokenizerConfig, settings), progress=say)
    emit(report, text=f"{report_text(report)}\ncodes written to {run}", as_json=as_json)
