"""Peers that a run was trained beside, as they lie in its folder `baselines`, asked the run's own questions.

baselines/NAME.json          how it was trained: settings, seconds, the package it comes from
baselines/sasrec.safetensors weights (float16); it ranks anew whenever it is asked
baselines/rpg.safetensors, baselines/tiger.safetensors
                             users and places of their test targets: their networks belong to another package
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file

from reg4rec_core.checkpoint import Run, write_tensors
from reg4rec_core.config import HISTORY_LENGTH, SasrecConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.evaluation.full_ranking import Progress, Ranking, timed_ranking
from reg4rec_core.evaluation.held_out import HeldOut, Split
from reg4rec_core.model.sasrec import SASRec
from reg4rec_core.types import InputError

PEERS = ("rpg", "tiger")
"""Models of another package, of which only the places are stored."""


def tensors_name(model: str) -> str:
    """Where a run keeps the numbers of a peer."""
    return f"baselines/{model}.safetensors"


def report_name(model: str) -> str:
    """Where a run keeps how a peer was trained."""
    return f"baselines/{model}.json"


def is_trained(run: Run, model: str) -> bool:
    """Whether a peer's training has finished: its report is written last."""
    return (run.path / report_name(model)).exists()


def build_sasrec(config: SasrecConfig, *, n_items: int) -> SASRec:
    """An untrained SASRec of these sizes."""
    return SASRec(
        n_items,
        history_length=HISTORY_LENGTH,
        width=config.width,
        hidden=config.hidden,
        n_layers=config.layers,
        n_heads=config.n_heads,
        dropout=config.dropout,
    )


def load_sasrec(run: Run) -> SASRec:
    """The run's trained SASRec; InputError names the command that trains one."""
    if not is_trained(run, "sasrec"):
        raise InputError(
            f"{run.path} has no trained SASRec to compare with; "
            f"train it with: reg4rec baseline --run {run.path} --model sasrec"
        )
    config = SasrecConfig.from_dict(run.read_json(report_name("sasrec"))["settings"])
    network = build_sasrec(config, n_items=run.load_dataset().catalog.n_items)
    path = run.path / tensors_name("sasrec")
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise InputError(
            f"{path} does not fit this run ({str(error).splitlines()[0]}); delete {path.parent} and train it again"
        ) from error
    return network.eval()


@torch.inference_mode()
def sasrec_scores(network: SASRec, block: HeldOut) -> Float[np.ndarray, "B N"]:
    """Unnormalised log-probability of every item; -inf for padding."""
    return network.item_scores(torch.from_numpy(pad_histories(block.histories, HISTORY_LENGTH))).numpy()


def rank_with_sasrec(run: Run, network: SASRec, questions: HeldOut, *, progress: Progress) -> Ranking:
    """Places of the targets under a trained SASRec."""

    def scores(block: HeldOut) -> Float[np.ndarray, "B N"]:
        return sasrec_scores(network, block)

    seconds = run.read_json(report_name("sasrec"))["seconds"]
    return timed_ranking(scores, questions, name="sasrec", training_seconds=seconds, progress=progress)


@dataclass(frozen=True)
class StoredPlaces:
    """Places of all test targets under a peer, by user."""

    users: Int[np.ndarray, "B"]
    """Rows in `Interactions`, ascending."""
    excluded: Int[np.ndarray, "B"]
    included: Int[np.ndarray, "B"]

    def save(self, run: Run, model: str) -> None:
        columns = {field.name: torch.from_numpy(getattr(self, field.name)) for field in fields(self)}
        write_tensors(run.path / tensors_name(model), columns)


def load_places(run: Run, model: str) -> StoredPlaces:
    """What a peer's training stored; InputError when it is damaged."""
    path = run.path / tensors_name(model)
    try:
        return StoredPlaces(**{name: tensor.numpy() for name, tensor in load_file(path).items()})
    except (OSError, SafetensorError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read ({str(error).splitlines()[0]}); delete {path.parent} and train it again"
        ) from error


def stored_rankings(run: Run, questions: HeldOut, split: Split) -> dict[str, Ranking]:
    """The peers whose places are stored, for these users; none on validation, which is not stored."""
    found = {}
    for model in PEERS if split == "test" else ():
        if not is_trained(run, model):
            continue
        stored, report = load_places(run, model), run.read_json(report_name(model))
        rows = np.searchsorted(stored.users, questions.users)
        if not np.isin(questions.users, stored.users).all():
            raise InputError(f"{run.path / tensors_name(model)} lacks users of the test split; train {model} again")
        places = {"excluded": stored.excluded[rows], "included": stored.included[rows]}
        found[model] = Ranking(places, report["users_per_second"], report["seconds"])
    return found


@dataclass(frozen=True)
class Peers:
    """What stands beside a run, read before anything long begins."""

    run: Run
    sasrec: SASRec
    training_seconds: float
    """Of the run's own stages up to the evaluated weights."""


def open_peers(run: Run, *, weights: str) -> Peers:
    """The peers of a run whose stage `weights` is evaluated; InputError names the command that trains what is missing.

    The peers that need another package are optional.
    """
    stages = ("pretrain_report",) if weights == "pretrained" else ("pretrain_report", "post_train_report")
    seconds = sum(run.settings.get(stage, {}).get("seconds", 0.0) for stage in stages)
    return Peers(run, load_sasrec(run), seconds)
