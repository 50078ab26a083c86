"""`reg4rec recommend`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.decoding_options import decoding_options, with_options
from reg4rec_core.cli.options import json_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit
from reg4rec_core.types import InputError


@click.command("recommend")
@reading_run_option
@click.option("--user", help="Recommend for this user of the data set.")
@click.option(
    "--at",
    type=click.Choice(["test", "valid", "now"]),
    default="test",
    show_default=True,
    help="With --user: the history before the test item, before the validation item, or all of it.",
)
@click.option(
    "--history", help="Recommend for these item keys, oldest first: KEY,KEY,... (quote a key that has a comma)."
)
@click.option("--top", "top_k", type=int, help="Items in the list.  [default: the run's own]")
@decoding_options
@weights_option
@json_option
def command(
    run: Path, user: str | None, at: str, history: str | None, weights: str, as_json: bool, **options: Any
) -> None:
    """Recommend for one history and print the whole search behind the list."""
    if (user is None) == (history is None):
        raise InputError("recommend takes a user or a history, exactly one; give --user KEY or --history KEY,KEY")
    from reg4rec_core.analysis.document import search_document
    from reg4rec_core.cli.search_text import history_of_keys, history_of_user, to_text
    from reg4rec_core.recommender import Recommender

    recommender = Recommender.load(run, weights=weights)
    items = history_of_user(recommender, user, at) if user is not None else history_of_keys(recommender, history or "")
    decode = with_options(recommender, options)
    trace = recommender.recommend([items], decode)[0]
    emit(search_document(recommender.catalog, trace), text=to_text(recommender, trace), as_json=as_json)
