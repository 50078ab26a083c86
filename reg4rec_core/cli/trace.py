"""`reg4rec trace`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.decoding_options import decoding_options, with_options
from reg4rec_core.cli.options import json_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit


@click.command("trace")
@reading_run_option
@click.option(
    "--split",
    type=click.Choice(["test", "valid", "now"]),
    default="test",
    show_default=True,
    help="Whose histories: before the test item, before the validation item, or all of them.",
)
@click.option("--users", type=click.IntRange(min=1), help="Search a seeded sample of this many users.  [default: all]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which users a sample draws.")
@click.option("--all-nodes", is_flag=True, help="Keep out-scored nodes (beam_cut), too; the store grows.")
@click.option(
    "--validate",
    type=click.Path(path_type=Path),
    help="Search nothing: check a store, or one table of it, of any model against the schema.",
)
@decoding_options
@weights_option
@json_option
def command(
    run: Path,
    split: Any,
    users: int | None,
    seed: int,
    all_nodes: bool,
    validate: Path | None,
    weights: str,
    as_json: bool,
    **options: Any,
) -> int:
    """Search all users once and keep every trace under RUN/traces/, or check such a store.

    Killed and called again, it goes on after the last finished part.
    """
    if validate is not None:
        return check(validate, as_json=as_json)
    from functools import partial

    from tqdm import tqdm

    from reg4rec_core.evaluation.trace_store import write_store
    from reg4rec_core.recommender import Recommender

    recommender = Recommender.load(run, weights=weights)
    report = write_store(
        recommender,
        recommender.run,
        split,
        with_options(recommender, options),
        weights=recommender.weights,
        users=users,
        seed=seed,
        all_nodes=all_nodes,
        progress=partial(tqdm, leave=False, disable=None),
    )
    document = report.to_json()
    emit(document, text=store_text(document), as_json=as_json)
    return 0


def check(path: Path, *, as_json: bool) -> int:
    """Validate a store; 2 when something in it is wrong."""
    from reg4rec_core.evaluation.trace_validation import validate

    result = validate(path)
    lines = [problem.sentence for problem in result.problems]
    if result.valid:
        rows = ", ".join(f"{count:,} {table}" for table, count in result.rows.items())
        lines.append(f"{path} keeps to the schema: {rows}")
    if result.missing:
        lines.append(f"it does without {', '.join(result.missing)}")
    emit(result.to_json(), text="\n".join(lines), as_json=as_json)
    return 0 if result.valid else 2


def store_text(document: dict[str, Any]) -> str:
    """Where the store lies and how large it is."""
    lines = [f"{document['users']:,} users in {document['store']}"]
    if document["parts_kept"]:
        lines.append(f"{document['parts_kept']:,} of {document['parts']:,} parts were there already")
    if document["discarded"]:
        lines.append("parts of other weights or data lay there and were thrown away")
    sizes = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in document["bytes_of"].items())
    lines.append(f"{document['bytes'] / 1e6:.1f} MB ({document['bytes_per_user']:,.0f} bytes a user): {sizes}")
    return "\n".join(lines)
