"""`reg4rec prepare`"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option, settings_from, settings_options
from reg4rec_core.cli.output import emit, say
from reg4rec_core.config import HISTORY_LENGTH, PrepareConfig
from reg4rec_core.types import InputError

FILE = click.Path(path_type=Path)
SOURCE_FORMATS = ("parquet", "amazon", "recbole", "movielens", "table")
NEXT_ROLE = re.compile(r",(?=\s*\w+\s*=)")
"""A comma that ends a column's name: the next role and its = follow, so that names may hold commas."""


@click.command("prepare")
@click.option("--source", type=FILE, help="Directory to read; all formats but table.")
@click.option("--format", "source_format", type=click.Choice(SOURCE_FORMATS), required=True, help="What the source is.")
@click.option("--out", type=FILE, required=True, help="Data set directory to write; it must not exist.")
@click.option("--interactions", type=FILE, help="table: CSV or Parquet file, one interaction a row.")
@click.option("--items", type=FILE, help="table: CSV or Parquet file, one item a row.")
@click.option("--columns", help="table: user=NAME,item=NAME[,time=..,title=..,brand=..,category=..,key=..].")
@click.option("--category-separator", help="table: what stands between the names of a category path.  [default: >]")
@click.option("--features", type=FILE, help="Parquet file of item keys and vectors: one more modality of the items.")
@settings_options(PrepareConfig)
@json_option
def command(
    source: Path | None, source_format: str, out: Path, features: Path | None, as_json: bool, **options: Any
) -> None:
    """Turn raw files into a data set directory and print its audit.

    table: user and item are required; time falls back to the order of rows, title to the item key, category to one
    class. `key` names the item column of the items file where it differs; without an items file the descriptions are
    read from the interactions.
    """
    from reg4rec_core.data import prepare_dataset, save_dataset
    from reg4rec_core.data.dataset import require_absent
    from reg4rec_core.machine import Meter

    config = settings_from(PrepareConfig, options)
    require_absent(out)
    meter = Meter()
    tables = read_tables(source, source_format, options)
    say(f"read {len(tables.interactions):,} interactions ({tables.description})")
    dataset = prepare_dataset(tables, config, features=features)
    dataset = replace(dataset, info={**dataset.info, **meter.read()})
    save_dataset(out, dataset, text_features=tables.text_features)
    document = {
        "data": str(out),
        "files": {path.name: str(path) for path in sorted(out.iterdir())},
        **{name: value for name, value in dataset.info.items() if name != "category_names"},
    }
    emit(document, text=f"{audit_text(dataset.info)}\ndata set written to {out}", as_json=as_json)


def read_tables(source: Path | None, source_format: str, options: dict[str, Any]) -> Any:
    """The source's tables; InputError where options and format do not go together."""
    from reg4rec_core.data import read_source, read_table_source
    from reg4rec_core.data.readers.table import TableColumns

    given = [name for name in ("interactions", "items", "columns", "category_separator") if options[name] is not None]
    if source_format != "table":
        if given:
            flag = given[0].replace("_", "-")
            raise InputError(f"--{flag} belongs to --format table, got --format {source_format}; leave it out")
        if source is None:
            raise InputError(f"--format {source_format} needs --source DIR; name the directory that holds the files")
        return read_source(source, source_format)
    if source is not None:
        raise InputError("--format table reads --interactions and --items, not --source; name the files")
    if options["interactions"] is None or options["columns"] is None:
        raise InputError("--format table needs --interactions FILE and --columns user=NAME,item=NAME; add them")
    columns = TableColumns.from_mapping(parse_columns(options["columns"]))
    separator = ">" if options["category_separator"] is None else options["category_separator"]
    return read_table_source(options["interactions"], options["items"], columns, category_separator=separator)


def parse_columns(text: str) -> dict[str, str]:
    """Role -> column name of "user=..,item=..": a name reaches up to the next ",role="."""
    mapping: dict[str, str] = {}
    for part in NEXT_ROLE.split(text):
        role, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise InputError(f"--columns must read role=column,role=column, got {part.strip()!r}; mend it")
        if role in mapping:
            raise InputError(f"--columns names the role {role} twice; name it once")
        mapping[role] = name
    return mapping


def audit_text(info: dict[str, Any]) -> str:
    """The audit for people, in two aligned columns."""
    rows = audit_rows(info)
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def audit_rows(info: dict[str, Any]) -> list[tuple[str, str]]:
    """The audit for people: one line a fact."""
    audit = info["audit"]
    lengths, time, missing = audit["history_lengths"], audit["time"], audit["missing"]
    classes, targets = audit["categories"], audit["targets"]
    removed = {name: count for name, count in audit["removed"].items() if count}
    rows = [
        ("source", info["source"]),
        ("read", counts(audit["read"])),
        ("removed", counts(removed) or "nothing"),
        ("kept", f"{audit['users']:,} users, {audit['items']:,} items, {audit['interactions']:,} interactions"),
        ("density", f"{audit['density']:.3%}"),
        (
            "history lengths",
            f"{lengths['min']} to {lengths['max']}, median {lengths['median']:g}, mean {lengths['mean']:.1f}, "
            f"95 % have at most {lengths['p95']:g}; {lengths['share_cut']:.1%} are cut to the newest {HISTORY_LENGTH}",
        ),
        ("time", f"{day(time['first'])} to {day(time['last'])}"),
        (
            "same-day ties",
            f"{time['users_whose_last_two_share_a_day']:.1%} of users made their last two interactions on one day, "
            f"{time['transitions_within_a_day']:.1%} of all steps stay within a day; {ties_line(info['ties'])}",
        ),
        ("unknown", counts(missing) if any(missing.values()) else "nothing"),
        ("without metadata", f"{audit['items_without_metadata']:,} items"),
        ("category levels", ", ".join(f"{level['level']}: {level['paths']:,}" for level in classes["levels"])),
        (
            "category classes",
            f"{classes['classes']:,} ({info['category_level']}) of {classes['smallest_class']:,} to "
            f"{classes['largest_class']:,} items; the largest holds {classes['largest_share']:.1%}, "
            f"as balanced as {classes['effective_classes']:.1f} equal ones",
        ),
        ("split", split_line(info["split"])),
        ("training", f"{targets['training_interactions']:,} interactions"),
        ("never trained", f"{targets['items_never_trained']:,} items"),
    ]
    for name in ("valid", "test"):
        held_out = targets[name]
        rows.append(
            (
                f"{name} targets",
                f"{held_out['targets']:,}; {held_out['never_trained']:,} never occur in training, "
                f"{held_out['repeat_an_item_of_the_history']:,} repeat an item of the history",
            )
        )
    for name in ("titles_taken_from_keys", "extra_features"):
        if audit.get(name):
            value = audit[name]
            rows.append((name.replace("_", " "), counts(value) if isinstance(value, dict) else f"{value:,}"))
    return rows


def counts(values: dict[str, int]) -> str:
    """ "interactions 12, users 3" """
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in values.items())


def day(seconds: int | None) -> str:
    return "unknown" if seconds is None else datetime.fromtimestamp(seconds, UTC).date().isoformat()


def ties_line(ties: dict[str, Any]) -> str:
    if ties["order"] == "standard":
        return "they stand in the source's order"
    return f"their order is drawn anew (seed {ties['seed']})"


def split_line(split: dict[str, Any]) -> str:
    if split["kind"] != "global-time":
        return split["kind"]
    first, second = (datetime.fromtimestamp(cut, UTC).isoformat(" ") for cut in split["cuts"])
    return f"global-time: training before {first}, validation before {second}, test from then on"
