"""`reg4rec baseline`"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reg4rec_core.cli.options import flag_of, json_option, settings_from, settings_options
from reg4rec_core.cli.output import emit, report_text, say
from reg4rec_core.config import PeerConfig, SasrecConfig
from reg4rec_core.types import InputError


@click.command("baseline")
@click.option("--run", type=click.Path(path_type=Path), required=True, help="Run directory that `fit-tokenizer` wrote.")
@click.option(
    "--model",
    type=click.Choice(["sasrec", "rpg", "tiger"]),
    required=True,
    help="sasrec is ours; rpg and tiger are those of the package cornac and take --epochs and --seed alone.",
)
@settings_options(SasrecConfig)
@json_option
@click.pass_context
def command(context: click.Context, run: Path, model: Any, as_json: bool, **settings: Any) -> None:
    """Train a peer beside a run, on the run's own split, for `evaluate --baselines`.

    sasrec is resumable: killed and called again, it goes on after the last finished epoch. rpg and tiger are fitted in
    one go, with the recipe that cornac gives for them and the run's item features, and leave the places of all test
    targets. They are slow on a processor: on one thread an epoch of Amazon Beauty's 22,363 users takes rpg about 20
    minutes and 3 GB, tiger about 2 hours and 5 GB, and their recipes ask for up to 150 and for 50 epochs (--epochs).
    """
    given = {name for name in settings if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if model == "sasrec":
        from reg4rec_core.training.sasrec import train_sasrec

        report = train_sasrec(run, settings_from(SasrecConfig, settings), progress=say)
    else:
        from reg4rec_core.training.peers import train_peer

        known = {field.name for field in fields(PeerConfig)}
        foreign = sorted(given - known)
        if foreign:
            raise InputError(f"{flag_of(foreign[0])} belongs to --model sasrec, got --model {model}; leave it out")
        chosen = PeerConfig(**{name: settings[name] for name in given & known})
        report = train_peer(run, model, chosen, progress=say)
    emit(report, text=f"{report_text(report)}\nwritten to {run / 'baselines'}", as_json=as_json)
