"""`reg4rec evaluate`"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reg4rec_core.cli.decoding_options import decoding_options, with_options
from reg4rec_core.cli.options import json_option, reading_run_option, weights_option
from reg4rec_core.cli.output import emit, plain, say
from reg4rec_core.config import DecodeConfig
from reg4rec_core.types import InputError

if TYPE_CHECKING:
    from reg4rec_core.recommender import Recommender

KEYS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")


@click.command("evaluate")
@reading_run_option
@click.option("--split", type=click.Choice(["valid", "test"]), required=True, help="Which held-out items to find.")
@click.option(
    "--users", type=click.IntRange(min=1), help="Evaluate a seeded sample of this many users.  [default: all]"
)
@click.option(
    "--history-items",
    type=click.Choice(["excluded", "included", "both"]),
    help="Whether beam search may recommend items of the history; both searches twice.  "
    "[default: excluded, with --baselines both]",
)
@click.option(
    "--oracle-users",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="Users whose every item is scored exhaustively beside the beam; 0 leaves it out.",
)
@click.option(
    "--against",
    help="Weights to compare with, user by user: pretrained, post_trained, or another run's directory.",
)
@click.option(
    "--baselines",
    is_flag=True,
    help="Rank the same users with floors, trained peers and random paths, too, in one table.",
)
@click.option(
    "--thetas",
    metavar="THETA[@STEP],...",
    help="Search again under these thetas, each compared from STEP on (the run's own where none is named).",
)
@click.option(
    "--theta-quantile",
    type=click.FloatRange(0, 1),
    help="Give every step a theta of its own: this quantile of the run's own divergences there, on validation users.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which users a sample draws.")
@decoding_options
@weights_option
@json_option
def command(
    run: Path,
    split: Any,
    users: int | None,
    history_items: Any,
    oracle_users: int,
    against: str | None,
    baselines: bool,
    thetas: str | None,
    theta_quantile: float | None,
    seed: int,
    weights: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Rank the whole catalogue for held-out interactions and report how well.

    The report of a whole split under the run's own settings is stored in the run as evaluation/SPLIT.json.
    """
    from functools import partial

    from tqdm import tqdm

    from reg4rec_core.evaluation import evaluate
    from reg4rec_core.evaluation.calibration import calibrate
    from reg4rec_core.evaluation.trained_peers import open_peers
    from reg4rec_core.recommender import Recommender

    recommender = Recommender.load(run, weights=weights)
    other = open_other(recommender, against) if against is not None else None
    peers = open_peers(recommender.run, weights=recommender.weights) if baselines else None
    decode = with_options(recommender, options)
    history_items = history_items or ("both" if baselines else "excluded")
    if theta_quantile is not None:
        [decode] = calibrate(recommender, decode, [theta_quantile])
    report = evaluate(
        recommender,
        split,
        decode,
        users=users,
        history_items=history_items,
        oracle_users=oracle_users,
        against=other,
        peers=peers,
        thetas=parse_thetas(thetas, decode),
        seed=seed,
        progress=partial(tqdm, leave=False, disable=None),
    )
    document = plain(report.to_json() | {"weights": recommender.weights})
    if other is not None:
        document["against"] = {"run": other.run.path.name, "weights": other.weights} | document["against"]
    emit(document, text=evaluation_text(document), as_json=as_json)
    newest = recommender.weights == recommender.run.weights_available()[0]
    if users is None and decode == recommender.decode and history_items != "included" and oracle_users and newest:
        recommender.run.write_json(f"evaluation/{split}.json", document)
        say(f"stored as {recommender.run.path / 'evaluation' / split}.json")


def parse_thetas(text: str | None, decode: DecodeConfig) -> list[tuple[float, int]]:
    """Theta and first compared step of each part of `inf,0.06@2`; InputError says which part is wrong."""
    pairs = []
    for part in text.split(",") if text is not None else ():
        theta, at, step = part.strip().partition("@")
        try:
            pair = float(theta), int(step) if at else decode.check_from
        except ValueError:
            raise InputError(f"--thetas reads THETA or THETA@STEP, separated by commas, got {part.strip()!r}") from None
        replace(decode, theta=pair[0], check_from=pair[1])  # refuses what no search can have
        pairs.append(pair)
    return pairs


def open_other(ours: "Recommender", against: str) -> "Recommender":
    """What `--against` names: other weights of the run, or the newest of another run on the same data."""
    from reg4rec_core.checkpoint import WEIGHTS
    from reg4rec_core.recommender import Recommender

    path = Path(against)
    if against in WEIGHTS:
        other = ours.with_weights(against)
    elif path.exists():
        other = Recommender.load(path)
    else:
        raise InputError(f"--against must be {', '.join(WEIGHTS)} or the directory of a run, got {against!r}")
    if (other.run.path.resolve(), other.weights) == (ours.run.path.resolve(), ours.weights):
        raise InputError(f"--against must name other weights than those evaluated, got the {ours.weights} ones twice")
    mine, theirs = (run.settings.get("data_checksum") for run in (ours.run, other.run))
    if mine is None or mine != theirs:
        raise InputError(
            f"--against must name a run on the same data, the checksum of {other.run.path} is {theirs}, not {mine}"
        )
    return other


def evaluation_text(document: dict[str, Any]) -> str:
    """The numbers that people compare, one ranking a line."""
    low, high = document["intervals_95"]["recall@10"]
    theta = "inf" if document["theta"] is None else document["theta"]
    by_step = document["decode"]["thetas"]
    theta = f"by step {' '.join(f'{one:g}' for one in by_step)}" if by_step else theta
    lines = [
        f"{document['split']} split, {document['users']:,} users, items of the history {document['history_items']}; "
        f"theta {theta}, beam {document['beam']}",
        "",
    ]
    lines.append(f"{'':32}{'R@5':>8}{'N@5':>8}{'R@10':>8}{'N@10':>8}")
    rankings = [("beam search", document)]
    if document["history_items"] == "excluded" and "history_included" in document:
        rankings += [("  history included", document["history_included"])]
    rankings += [("first state, exact", document["first_state"])]
    rankings += [("  history included", document["first_state"]["history_included"])]
    sample = document["oracle_sample"]
    if sample:
        rankings += [(f"oracle, {sample['users']} users", sample), ("  beam, same users", sample["beam"])]
        rankings += [("  first state, same users", sample["first_state"])]
    rankings += [(f"floor: {name}", block) for name, block in document["baselines"].items()]
    lines += [f"{name:32}" + "".join(f"{block[key]:8.4f}" for key in KEYS) for name, block in rankings]
    if "against" in document:
        lines += against_lines(document["against"])
    if "thetas" in document:
        lines += theta_lines(document["thetas"])
    if "side_by_side" in document:
        lines += side_by_side_lines(document["side_by_side"])
    accuracies = " ".join(f"{value:.3f}" for value in document["category_accuracy"].values())
    return "\n".join(
        [
            *lines,
            "",
            f"recall@10 lies between {low:.4f} and {high:.4f} (95 % bootstrap over users)",
            f"collision rate {document['collision_rate']:.4f}, illegal rate {document['illegal_rate']:.4f}, "
            f"catalogue coverage {document['coverage']:.3f}",
            f"of the candidates tried {document['prune_rate']:.2%} were pruned, {document['regeneration_rate']:.2%} "
            f"were regenerations; {document['fallback_rate']:.2%} of the beam are fallbacks",
            f"category accuracy after 0, 1, ... codes: {accuracies}",
            f"{document['seconds']:.1f} s",
        ]
    )


def against_lines(block: dict[str, Any]) -> list[str]:
    """The comparison: the other weights' numbers, the paired differences and what changed along the way."""
    name = f"against: {block['run']}, {block['weights']}"
    rows = [("  " + part, [block["difference"][key][part] for key in KEYS]) for part in ("mean", "low", "high")]
    relative = [block["difference"][key]["relative"] for key in KEYS]
    lines = ["", f"{name:32}" + "".join(f"{block[key]:8.4f}" for key in KEYS)]
    lines += [f"{title.replace('mean', 'difference'):32}" + "".join(f"{x:+8.4f}" for x in row) for title, row in rows]
    lines += [f"{'  relative':32}" + "".join("       -" if x is None else f"{x:+8.1%}" for x in relative)]
    lines += [f"{block['gained@10']:,} users gained a hit among ten, {block['lost@10']:,} lost one"]
    for key, title in (("js_of_first_item", "js to the first item"), ("category_accuracy", "category accuracy")):
        for side in ("evaluated", "against"):
            values = " ".join(f"{value:.3f}" for value in block[key][side].values())
            lines.append(f"{f'{title}, {side}':32} {values}")
    return lines


NAMES = {
    "popularity": "popularity",
    "transitions": "transitions, counted",
    "sasrec": "SASRec, full softmax",
    "rpg": "RPG (cornac)",
    "tiger": "TIGER (cornac)",
    "first_state": "this run, first state, exact",
    "beam": "this run, beam search",
    "random_paths": "this run, random paths",
}
"""What people call the rows of the table."""


def theta_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The search under each theta, and what each changes in Recall@10 against the first."""
    lines = ["", f"{'theta':32}" + "".join(f"{key:>8}" for key in ("R@5", "N@5", "R@10", "N@10", "pruned"))]
    for position, row in enumerate(rows):
        theta = "inf" if row["theta"] is None else f"{row['theta']:g}"
        name = f"{theta} from step {row['check_from']}" + ("" if position else " (this report)")
        change = row["minus_first_row"]["recall@10"]
        tail = f"  R@10 {change['mean']:+.4f} ({change['low']:+.4f} to {change['high']:+.4f})" if position else ""
        lines.append(f"{name:32}" + "".join(f"{row[key]:8.4f}" for key in KEYS) + f"{row['prune_rate']:8.1%}" + tail)
    return lines


def side_by_side_lines(block: dict[str, Any]) -> list[str]:
    """Everything under one evaluator, then by how often training saw the target."""
    title = f"side by side, {block['users']:,} users"
    lines = ["", f"{title:32}"]
    lines[-1] += "".join(f"{key:>8}" for key in ("R@5", "N@5", "R@10", "N@10")) + f"{'train s':>10}{'users/s':>10}"
    for name, row in block["rows"].items():
        times = f"{row['training_seconds']:10.1f}{row['users_per_second']:10.0f}"
        lines.append(f"{NAMES[name]:32}" + "".join(f"{row[key]:8.4f}" for key in KEYS) + times)
        if block["history_items"] == "excluded" and "history_included" in row:
            included = row["history_included"]
            lines.append(f"{'  history included':32}" + "".join(f"{included[key]:8.4f}" for key in KEYS))
    lines += ["", f"{'recall@10 by training count':32}" + f"{'users':>8}"]
    names = [name for name in NAMES if any(name in group for group in block["by_training_interactions"])]
    lines[-1] += "".join(f"{name:>26}" for name in names)
    for group in block["by_training_interactions"]:
        upper = "or more" if group["to"] is None else f"to {group['to']}"
        cells = ""
        for name in names:
            if name in group:
                low, high = group[name]["intervals_95"]["recall@10"]
                cells += f"{group[name]['recall@10']:10.4f} ({low:.4f}-{high:.4f})"
        title = f"  target seen {group['from']} {upper}"
        lines.append(f"{title:32}{group['users']:8,}{cells}")
    return lines
