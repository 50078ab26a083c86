"""`reg4rec results`"""

import os
from pathlib import Path

import click

from reg4rec_core.cli.options import json_option
from reg4rec_core.cli.output import emit
from reg4rec_core.types import InputError


@click.command("results")
@click.option(
    "--write",
    "document",
    type=click.Path(path_type=Path),
    required=True,
    help="Markdown file whose tables to fill; the results lie in assets/results beside it.",
)
@json_option
def command(document: Path, as_json: bool) -> None:
    """Fill a document's tables from the stored results and draw its charts."""
    from reg4rec_core.experiments.result_charts import CHARTS
    from reg4rec_core.experiments.result_tables import fill_tables

    if not document.exists():
        raise InputError(f"--write must name a file with tables, there is no {document}")
    root = document.resolve().parent
    new = {document: fill_tables(document.read_text(encoding="utf-8"), root)}
    new |= {root / name: chart(root) for name, chart in CHARTS.items()}
    changed = [path for path, text in new.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        partial = path.with_name(path.name + ".partial")
        partial.write_text(new[path], encoding="utf-8")
        os.replace(partial, path)
    names = [path.name for path in changed]
    emit({"written": names}, text=f"written: {', '.join(names) or 'nothing, all is up to date'}", as_json=as_json)
