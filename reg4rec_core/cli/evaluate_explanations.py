"""`reg4rec evaluate-explanations`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.decoding_options import decoding_options, with_options
from reg4rec_core.cli.options import json_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit, plain, say

STORED = "evaluation/explanations.json"
TITLES = {
    "path_log_prob": "path, nats",
    "first_state_log_prob": "first state, nats",
    "place": "places, new search",
    "dropped": "left the list",
}


@click.command("evaluate-explanations")
@reading_run_option
@click.option(
    "--split",
    type=click.Choice(["valid", "test"]),
    default="test",
    show_default=True,
    help="Whose histories: those before the validation item or before the test item.",
)
@click.option(
    "--users", type=click.IntRange(min=1), default=200, show_default=True, help="Size of the seeded sample of users."
)
@click.option(
    "--order",
    type=click.Choice(["influence", "shuffled"]),
    default="influence",
    show_default=True,
    help="What is put to the test: attribution, or a random order, which has to fail.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Which users and which random purchases are drawn.",
)
@decoding_options
@weights_option
@json_option
def command(
    run: Path, split: Any, users: int, order: str, seed: int, weights: str, as_json: bool, **options: Any
) -> None:
    """Take away the purchases that attribution names and see whether a recommendation goes.

    The report of attribution under the run's own settings is stored in the run as evaluation/explanations.json.
    """
    from functools import partial

    from tqdm import tqdm

    from reg4rec_core.analysis.deletion import by_influence, deletion_test, shuffled
    from reg4rec_core.evaluation.held_out import held_out
    from reg4rec_core.recommender import Recommender

    recommender = Recommender.load(run, weights=weights)
    decode = with_options(recommender, options)
    asked = held_out(recommender.interactions, split).sample(users, seed=seed)
    report = deletion_test(
        [recommender.question(history, decode) for history in asked.histories],
        order=by_influence if order == "influence" else shuffled(seed),
        seed=seed,
        progress=partial(tqdm, leave=False, disable=None),
    )
    settings = {"theta": decode.theta, "beam": decode.beam_width, "weights": recommender.weights, "order": order}
    document = plain({"split": split, **settings, **report.to_json()})
    emit(document, text=explanations_text(document), as_json=as_json)
    newest = recommender.weights == recommender.run.weights_available()[0]
    if order == "influence" and decode == recommender.decode and newest:
        recommender.run.write_json(STORED, document)
        say(f"stored as {recommender.run.path / STORED}")


def explanations_text(document: dict[str, Any]) -> str:
    """The falls of every arm, and what the influential purchases have over chance."""
    theta = "inf" if document["theta"] is None else document["theta"]
    lines = [
        f"{document['split']} split, {document['users']:,} users, {document['skipped']:,} skipped, "
        f"order by {document['order']}; theta {theta}, beam {document['beam']}, {document['weights']} weights",
    ]
    for kind, title in (("deletion", "without the"), ("sufficiency", "with only the")):
        for size, block in document[kind].items():
            if block:
                lines += ["", *block_lines(f"{title} k = {size}", block)]
    return "\n".join(
        [
            *lines,
            "",
            "The path's log-probability is what attribution ranks by, so its fall is largely by construction;",
            "the place in a new search and the first state (which the path begins in) are not what it looks at.",
            f"{verdict(document)}; {document['seconds']:.1f} s",
        ]
    )


def verdict(document: dict[str, Any]) -> str:
    """Yes or no, and by which rule."""
    rule = "at every k the item's place and its first state fall more than without as many at random (95 % intervals)"
    return (
        f"The explanations hold: {rule}" if document["holds"] else f"The explanations do NOT hold; they would if {rule}"
    )


def block_lines(title: str, block: dict[str, Any]) -> list[str]:
    """One kind and k: mean falls by arm, then the advantages over the other arms."""
    lines = [f"{title}, {block['users']:,} users".ljust(30) + "".join(f"{name:>26}" for name in TITLES.values())]
    for arm, falls in block["mean_fall"].items():
        lines.append(f"  {arm}".ljust(30) + "".join(f"{falls[name]:26.2f}" for name in TITLES))
    for arm, intervals in block["advantage_over"].items():
        cells = [f"{row['mean']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})" for row in map(intervals.get, TITLES)]
        lines.append(f"  advantage over {arm}".ljust(30) + "".join(f"{cell:>26}" for cell in cells))
    return lines
