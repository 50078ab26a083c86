"""`reg4rec report`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.decoding_options import decoding_options, with_options
from reg4rec_core.cli.options import json_option, moment_option, reading_run_option, user_option, weights_option
from reg4rec_core.cli.output import emit
from reg4rec_core.types import InputError


@click.command("report")
@reading_run_option
@user_option
@moment_option
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The HTML file; its JSON twin lies beside.")
@decoding_options
@weights_option
@json_option
def command(run: Path, user: str, at: Any, out: Path, weights: str, as_json: bool, **options: Any) -> None:
    """Write the search for one user as a page that opens offline, and its numbers as JSON beside it."""
    import json

    from reg4rec_core.analysis.facets import read_facets
    from reg4rec_core.analysis.notes import note_document, notes_file, read_notes
    from reg4rec_core.analysis.report import ReportedSearch, followed_end, reported_user, search_report
    from reg4rec_core.analysis.report_page import report_page
    from reg4rec_core.cli.search_text import history_of_user
    from reg4rec_core.config import HISTORY_LENGTH
    from reg4rec_core.recommender import Recommender

    if out.suffix != ".html":
        raise InputError(f"--out names an HTML file, which ends in .html, got {str(out)!r}")
    recommender = Recommender.load(run, weights=weights)
    history = history_of_user(recommender, user, at)
    trace = recommender.recommend([history], with_options(recommender, options))[0]
    facets = read_facets(recommender.catalog, recommender.semantic_ids, recommender.interactions)
    row, seen = recommender.user_index(user), history[-HISTORY_LENGTH:]
    sources = [recommender.transition_sources(seen, int(item)) for item in trace.items]
    searched = ReportedSearch(
        "", run.resolve().name, recommender.weights, recommender.run.settings, facets, trace, sources,
        followed_end(trace),
    )  # fmt: skip
    whose = reported_user(recommender.interactions, row, at, len(history), recommender.target(row, at))
    notes = [note_document(note) for note in read_notes(notes_file(), run=searched.run, user=user)]
    document = search_report(whose, searched, notes=notes)
    twin = out.with_suffix(".json")
    for file, text in ((out, report_page(document)), (twin, json.dumps(document, ensure_ascii=False))):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"{file.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    said = {"html": str(out), "json": str(twin), "user": user, "run": searched.run, "bytes": out.stat().st_size}
    emit(said, text=f"{out} ({said['bytes'] / 1e3:,.0f} kB) and {twin}", as_json=as_json)
