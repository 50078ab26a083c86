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
@click.option(
    "--steer",
    default="",
    help="Recommend only what keeps to these rules: RULE,RULE,... of fix:CODEBOOK.CODE, forbid:CODEBOOK.CODE, "
    "require_category:NAME, forbid_category:NAME, require_brand:NAME, forbid_brand:NAME (a comma in a name is %2C).",
)
@click.option(
    "--from",
    "branch",
    default="",
    help="Search from this branch on, pruned or not: CODEBOOK.CODE-CODEBOOK.CODE-... in the order of its codes.",
)
@click.option("--graphml", type=click.Path(path_type=Path), help="Write the search tree to this GraphML file, too.")
@decoding_options
@weights_option
@json_option
def command(
    run: Path,
    user: str | None,
    at: str,
    history: str | None,
    steer: str,
    branch: str,
    graphml: Path | None,
    weights: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Recommend for one history and print the whole search behind the list."""
    if (user is None) == (history is None):
        raise InputError("recommend takes a user or a history, exactly one; give --user KEY or --history KEY,KEY")
    from reg4rec_core.analysis.branch import ask_from, parse_branch
    from reg4rec_core.analysis.document import search_document
    from reg4rec_core.analysis.steering import ask_steered, parse_steering
    from reg4rec_core.cli.search_text import history_of_keys, history_of_user, to_text
    from reg4rec_core.recommender import Recommender

    steering, start = parse_steering(steer), parse_branch(branch)
    recommender = Recommender.load(run, weights=weights)
    items = history_of_user(recommender, user, at) if user is not None else history_of_keys(recommender, history or "")
    question = recommender.question(items, with_options(recommender, options))
    trace = ask_from(ask_steered(question, recommender.catalog, steering), start).trace()
    if graphml is not None:
        write_graphml(graphml, recommender, trace)
    document = search_document(recommender.catalog, trace, asked={"steer": steer, "from": branch})
    emit(document, text=to_text(recommender, trace), as_json=as_json)


def write_graphml(path: Path, recommender: Any, trace: Any) -> None:
    """Write the tree so that a reader sees all of it or nothing; InputError where nothing can be written."""
    from reg4rec_core.analysis.facets import read_facets
    from reg4rec_core.analysis.graph_file import search_graphml
    from reg4rec_core.cli.output import say

    facets = read_facets(recommender.catalog, recommender.semantic_ids, recommender.interactions)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(search_graphml(trace, facets), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"--graphml needs a file that can be written, got {path} ({error.strerror})") from error
    say(f"the tree of {trace.n_nodes} nodes is in {path}")
