"""`reg4rec report`"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reg4rec_core.cli.decoding_options import decoding_options, with_options
from reg4rec_core.cli.options import json_option, moment_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit
from reg4rec_core.types import InputError

if TYPE_CHECKING:
    from reg4rec_core.config import DecodeConfig
    from reg4rec_core.recommender import Recommender


@click.command("report")
@reading_run_option
@click.option("--user", help="The user of the data set.")
@click.option(
    "--thetas",
    "of_thetas",
    is_flag=True,
    help="Instead of a user's search: what every theta of the stored sweeps does to all users, and which is suggested.",
)
@moment_option
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The HTML file; its JSON twin lies beside.")
@decoding_options
@weights_option
@json_option
def command(
    run: Path, user: str | None, of_thetas: bool, at: Any, out: Path, weights: str, as_json: bool, **options: Any
) -> None:
    """Write the search for one user as a page that opens offline, and its numbers as JSON beside it.

    With --thetas the page is about all users: the curves of the stored sweeps, the theta that validation users choose
    and what test users say of it.
    """
    import json

    from reg4rec_core.recommender import Recommender

    if out.suffix != ".html":
        raise InputError(f"--out names an HTML file, which ends in .html, got {str(out)!r}")
    if of_thetas == (user is not None):
        raise InputError("a report is about one user or about thetas; give either --user KEY or --thetas")
    recommender = Recommender.load(run, weights=weights)
    decode = with_options(recommender, options)
    page, document = report_on_thetas(recommender, decode) if user is None else report_on(recommender, user, at, decode)
    twin = out.with_suffix(".json")
    write_both({out: page, twin: json.dumps(document, ensure_ascii=False)})
    said = {"html": str(out), "json": str(twin), "run": run.resolve().name, "bytes": out.stat().st_size}
    said |= {} if user is None else {"user": user}
    emit(said, text=f"{out} ({said['bytes'] / 1e3:,.0f} kB) and {twin}", as_json=as_json)


def write_both(texts: dict[Path, str]) -> None:
    """Write files so that a reader sees all of each or nothing; InputError where nothing can be written."""
    for file, text in texts.items():
        partial = file.with_name(f"{file.name}.partial")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)
        except OSError as error:
            raise InputError(f"--out needs a file that can be written, got {file} ({error.strerror})") from error


def report_on(recommender: "Recommender", user: str, at: Any, decode: "DecodeConfig") -> tuple[str, dict[str, Any]]:
    """The page and the document about one user's search."""
    from reg4rec_core.analysis.facets import read_facets
    from reg4rec_core.analysis.notes import note_document, notes_file, read_notes
    from reg4rec_core.analysis.report import ReportedSearch, followed_end, reported_user, search_report
    from reg4rec_core.analysis.report_page import report_page
    from reg4rec_core.cli.search_text import history_of_user
    from reg4rec_core.config import HISTORY_LENGTH

    history = history_of_user(recommender, user, at)
    trace = recommender.recommend([history], decode)[0]
    facets = read_facets(recommender.catalog, recommender.semantic_ids, recommender.interactions)
    row, seen = recommender.user_index(user), history[-HISTORY_LENGTH:]
    sources = [recommender.transition_sources(seen, int(item)) for item in trace.items]
    run = recommender.run
    searched = ReportedSearch(
        "", run.path.resolve().name, recommender.weights, run.settings, facets, trace, sources, followed_end(trace)
    )
    whose = reported_user(recommender.interactions, row, at, len(history), recommender.target(row, at))
    notes = [note_document(note) for note in read_notes(notes_file(), run=searched.run, user=user)]
    document = search_report(whose, searched, notes=notes)
    return report_page(document), document


def report_on_thetas(recommender: "Recommender", decode: "DecodeConfig") -> tuple[str, dict[str, Any]]:
    """The page and the document about what theta does to everybody."""
    from reg4rec_core.experiments.reward_choice import read_reward_tuning, reward_tuning_file
    from reg4rec_core.experiments.theta_report import ReportedThetas, largest_curves, suggestion_of, theta_report
    from reg4rec_core.experiments.theta_report_page import theta_report_page

    run, curves = recommender.run, largest_curves(recommender)
    searched = reward_tuning_file(run.path)
    tuning = None if searched is None else read_reward_tuning(searched, run.path)
    reported = ReportedThetas(
        run.path.resolve().name, recommender.weights, run.settings, decode, recommender.decode, curves,
        suggestion_of(curves), tuning,
    )  # fmt: skip
    document = theta_report(reported)
    return theta_report_page(document), document
