"""The cells of an ablation, trained, searched and compared; killed and called again, it goes on.

OUT/settings.json            what the cells are changes of: the base recipe, the budget, the data
OUT/runs/NAME                the pre-trained run that the cell NAME was the first to need
OUT/runs/NAME+post           the same after the post-training that the cell NAME was the first to need
OUT/cells/NAME.json          a cell's numbers; OUT/cells/NAME.safetensors its places of the targets
OUT/ablation.json            all cells made by then, a results file
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from safetensors.numpy import load_file

from reg4rec_core.checkpoint import ROLLOUTS, open_run, provenance, write_json, write_tensors
from reg4rec_core.data import load_dataset
from reg4rec_core.evaluation.beam_search import LEAST_TOP, category_accuracy, consistency, search_users
from reg4rec_core.evaluation.comparison import paired_differences
from reg4rec_core.evaluation.first_state import first_state_places
from reg4rec_core.evaluation.full_ranking import Progress
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.experiments.ablation_plan import BASE, PlannedCell, Recipe, chosen_cells, plan
from reg4rec_core.experiments.sweep import finite, metric_intervals
from reg4rec_core.recommender import Recommender
from reg4rec_core.training.fit_tokenizer import fit_tokenizer
from reg4rec_core.training.post_train import WEIGHTS_FILE, post_train
from reg4rec_core.training.pretrain import pretrain
from reg4rec_core.types import InputError

USERS_SEED = 0
"""Draws the test users that are searched: the same whatever seed the training has."""
RANKINGS = ("first_state", "beam")


@dataclass(frozen=True)
class Places:
    """Where one system placed the targets of the test split."""

    first_state: Int[np.ndarray, "U"]
    """Exact, before any code, all users."""
    beam: Int[np.ndarray, "B"]
    """Of the sampled users."""


def ablate(
    base: Recipe,
    *,
    data: Path,
    out: Path,
    names: Sequence[str] = (),
    users: int = 2000,
    pretrained: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Progress = unseen_progress,
) -> dict[str, Any]:
    """Train, search and compare the named cells (all without names); returns the content of OUT/ablation.json.

    Cells that earlier calls made stay in it. `pretrained` is a run of the base recipe whose codes and pre-trained
    weights stand for the base's.
    """
    cells = chosen_cells(plan(base), names)
    checksum = load_dataset(data).info.get("checksum")
    if pretrained is not None:
        adopt(pretrained, out / "runs" / BASE, data_checksum=checksum)
    settle(out, {"base": base.to_json(), "users": users, "data_checksum": checksum})
    by_name = {cell.name: cell for cell in plan(base)}
    for number, cell in enumerate(cells, start=1):
        place = f"{number} of {len(cells)}: {cell.name}"
        if cell.same_as != cell.name:
            say(f"{place} is {cell.same_as}")
        elif (out / "cells" / f"{cell.name}.json").exists():
            say(f"{place} (kept)")
        else:
            say(f"{place}, {cell.question}")
            run = make_run(by_name, cell, data=data, out=out, say=say)
            measure(cell, run, out=out, users=users, data_checksum=checksum, progress=progress)
            say(cell_line(read_cell(out, cell.name)))
    names = {cell.name for cell in cells} | told_before(out)
    kept = [cell for cell in plan(base) if cell.name in names and (out / "cells" / f"{cell.same_as}.json").exists()]
    documents = [told(cell, out) for cell in kept]
    summary = {
        "base": BASE,
        "config": base.to_json(),
        "seed": base.pretrain.seed,
        "git_revision": provenance()["git_revision"],
        "data_checksum": checksum,
        "difference": "minus the base and minus the control of equal budget, paired over users, 95 % bootstrap",
        "cells": documents,
    }
    summary = finite(summary)
    write_json(out / "ablation.json", summary)
    return summary


def settle(out: Path, settings: dict[str, Any]) -> None:
    """Write down what the directory's cells are changes of, or refuse a directory that holds another ablation."""
    path, settings = out / "settings.json", json.loads(json.dumps(finite(settings)))
    if not path.exists():
        write_json(path, settings)
    stored = json.loads(path.read_text(encoding="utf-8"))
    differing = [name for name in settings if stored.get(name) != settings[name]]
    if differing:
        raise InputError(f"{out} holds an ablation with another {' and '.join(differing)}; choose another --out")


def told(cell: PlannedCell, out: Path) -> dict[str, Any]:
    """A cell's numbers; those of a twin are the other cell's, beside the control of its own."""
    document = read_cell(out, cell.same_as)
    if cell.control != document["control"]:
        places = Places(**load_file(out / "cells" / f"{cell.same_as}.safetensors"))
        document |= {name: document[name] | compared(cell, name, places, out) for name in RANKINGS}
    own = {"name": cell.name, "question": cell.question, "config": cell.recipe.to_json(), "control": cell.control}
    return document | own | {"same_as": cell.same_as}


def told_before(out: Path) -> set[str]:
    """Names of the cells that the directory's ablation.json holds; none before the first call has ended."""
    path = out / "ablation.json"
    return {cell["name"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]} if path.exists() else set()


def adopt(run: Path, copy: Path, *, data_checksum: str | None) -> None:
    """Copy a run as far as its pre-training goes; InputError when it was trained on other data."""
    opened = open_run(run)
    opened.verify_inputs()
    if opened.settings.get("data_checksum") != data_checksum:
        raise InputError(f"{run} was trained on other data than --data; name the data set that it was trained on")
    if not copy.exists():
        later = shutil.ignore_patterns(WEIGHTS_FILE.rpartition("/")[2], ROLLOUTS, "evaluation", "traces")
        partial = copy.with_name(copy.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(run, partial, ignore=later)
        open_run(partial).write_manifest()
        partial.rename(copy)


def make_run(
    cells: dict[str, PlannedCell], cell: PlannedCell, *, data: Path, out: Path, say: Callable[[str], None]
) -> Path:
    """The run directory that a cell is read from, trained as far as it is not yet."""
    recipe, pretrained = cell.recipe, out / "runs" / cell.pretrained_by
    if not (pretrained / "run.json").exists():
        fit_tokenizer(data, pretrained, recipe.tokenizer, progress=say)
    if not is_trained(pretrained, "pretrained", "pretrain.resume"):
        fitted = open_run(pretrained)
        fitted.set_decode_config(replace(recipe.decode, selection=fitted.decode_config().selection))
        pretrain(pretrained, recipe.model, recipe.pretrain, progress=say)
    if recipe.weights == "pretrained":
        return pretrained
    run = out / "runs" / f"{cell.post_trained_by}+post"
    if not run.exists():
        partial = run.with_name(run.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(pretrained, partial)
        copied = open_run(partial)
        copied.set_decode_config(replace(copied.decode_config(), selection=recipe.selection))
        partial.rename(run)
    if not is_trained(run, "post_trained", "post_train.resume"):
        post_train(run, recipe.post_train, recipe.rewards, progress=say)
    return run


def is_trained(run: Path, weights: str, resume: str) -> bool:
    """Whether a stage has finished: it has left weights and nothing to resume from."""
    return (run / "weights" / f"{weights}.safetensors").exists() and not (run / resume).exists()


def measure(
    cell: PlannedCell, run: Path, *, out: Path, users: int, data_checksum: str | None, progress: Progress
) -> None:
    """Rank the test split with a cell's run and store its numbers beside those of the base and of its control."""
    recipe = cell.recipe
    recommender = Recommender.load(run, weights=recipe.weights)
    decode = replace(recommender.decode, selection=recipe.selection, top_k=max(recommender.decode.top_k, LEAST_TOP))
    decode = decode if recipe.prunes else replace(decode, theta=float("inf"))
    questions = held_out(recommender.interactions, "test")
    sample = questions.sample(users, seed=USERS_SEED)
    first_state = first_state_places(
        recommender.model, recommender.index, questions, kind=decode.code_probabilities, progress=progress
    )["excluded"]
    searched = search_users(recommender, sample, decode, name=cell.name, progress=progress)
    places = Places(first_state, searched.places)
    tensors = {name: torch.from_numpy(getattr(places, name)) for name in RANKINGS}
    write_tensors(out / "cells" / f"{cell.name}.safetensors", tensors)
    rankings = {name: compared(cell, name, places, out) for name in RANKINGS}
    rankings["first_state"]["users"], rankings["beam"]["users"] = len(questions), len(sample)
    went = consistency(searched)
    document = {
        "name": cell.name,
        "question": cell.question,
        "config": recipe.to_json(),
        "decode": asdict(decode),
        "seed": recipe.pretrain.seed,
        "git_revision": provenance()["git_revision"],
        "data_checksum": data_checksum,
        "control": cell.control,
        "run": run.name,
        **rankings,
        "prune_rate": went["prune_rate"],
        "fallback_rate": went["fallback_rate"],
        "category_accuracy": category_accuracy(searched, recommender.catalog),
        "training_seconds": training_seconds(run, recipe),
    }
    write_json(out / "cells" / f"{cell.name}.json", finite(document))


def compared(cell: PlannedCell, ranking: str, places: Places, out: Path) -> dict[str, Any]:
    """A ranking's metrics and their paired differences to the base and to the control."""
    ours = getattr(places, ranking)

    def minus(other: str) -> dict[str, Any]:
        theirs = load_file(out / "cells" / f"{other}.safetensors")[ranking]
        return {name: asdict(row) for name, row in paired_differences(ours, theirs, seed=0).items()}

    return {
        "metrics": metric_intervals(ours, seed=0),
        "difference": minus(BASE),
        "against_control": minus(cell.control),
    }


def training_seconds(run: Path, recipe: Recipe) -> dict[str, float]:
    """Wall clock of each stage of a cell, shared runs counted in full."""
    opened = open_run(run)
    seconds = {
        "tokenizer": opened.read_json("tokenizer_report.json")["seconds"],
        "pretrain": opened.settings["pretrain_report"]["seconds"],
    }
    if recipe.weights == "post_trained":
        seconds["post_train"] = opened.settings["post_train_report"]["seconds"]
    return seconds


def read_cell(out: Path, name: str) -> dict[str, Any]:
    return json.loads((out / "cells" / f"{name}.json").read_text(encoding="utf-8"))


def cell_line(document: dict[str, Any]) -> str:
    """A cell in one line."""
    parts = []
    for ranking, title in zip(RANKINGS, ("first state", "beam"), strict=True):
        block = document[ranking]
        mean, row = block["metrics"]["ndcg@10"]["mean"], block["difference"]["ndcg@10"]
        parts.append(f"{title} ndcg@10 {mean:.4f} ({row['mean']:+.4f}, {row['low']:+.4f} to {row['high']:+.4f})")
    return f"{document['name']}: {'; '.join(parts)}"
