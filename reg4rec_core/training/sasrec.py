"""SASRec beside a run: trained on the run's own split with a full softmax, resumable after every epoch."""

import dataclasses
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from tqdm import tqdm

from reg4rec_core.checkpoint import Run, open_run, provenance, write_weights
from reg4rec_core.config import HISTORY_LENGTH, SasrecConfig
from reg4rec_core.data.batching import training_windows
from reg4rec_core.evaluation.trained_peers import build_sasrec, is_trained, report_name, tensors_name
from reg4rec_core.machine import Meter
from reg4rec_core.metrics import ndcg_at, places_in_scores, recall_at
from reg4rec_core.model import SparseRows
from reg4rec_core.model.sasrec import SASRec
from reg4rec_core.training.losses import catalog_loss
from reg4rec_core.training.pretrain import MAX_GRADIENT_NORM, epoch_batches, learning_rate_factor
from reg4rec_core.training.resume import ResumeState, load_resume, optimizer_tensors, restore_optimizer, save_resume
from reg4rec_core.training.validation import VALIDATION_ROWS, Validation, validation_set
from reg4rec_core.types import InputError


@dataclasses.dataclass
class Progress:
    """Where a training stands; saved with the resume state."""

    epoch: int = 0
    step: int = 0
    best_ndcg: float = -1.0
    best_recall: float = 0.0
    best_epoch: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    """Of the process that trained last."""


def train_sasrec(
    run_path: Path, config: SasrecConfig, *, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Train a SASRec on a run's training interactions; the best epoch by validation NDCG@10 gives the weights.

    Killed and called again with the same settings, it goes on after the last finished epoch. Nothing but the resume
    file is written before the end.
    """
    torch.set_flush_denormal(True)
    run = open_run_without(run_path, "sasrec")
    dataset = run.load_dataset()
    windows, validation = training_windows(dataset.interactions, HISTORY_LENGTH), validation_set(dataset)
    if not len(windows):
        raise InputError("SASRec needs users with at least 2 training items, this data set has none; lower --k-core")
    torch.manual_seed(config.seed)
    network = build_sasrec(config, n_items=dataset.catalog.n_items)
    optimizer = make_optimizer(network, config)
    resume_file, settings = run.path / "baselines" / "sasrec.resume", resume_settings(run, config)
    resume_file.parent.mkdir(exist_ok=True)
    saved = load_resume(resume_file, settings=settings)
    done, best = Progress(), network.state_dict()
    if not saved.is_empty:
        done, best = Progress(**saved.metadata["progress"]), saved.groups["best"]
        network.load_state_dict(saved.groups["network"])
        restore_optimizer(optimizer, saved.groups["optimizer"])
        progress(f"resumed after epoch {done.epoch}")
    meter = Meter(seconds=done.seconds, cpu_seconds=done.cpu_seconds)
    while done.epoch < config.epochs and done.epoch - done.best_epoch < config.patience:
        loss = train_epoch(network, optimizer, windows, config, done)
        places = validation_places(network, validation)
        done = dataclasses.replace(done, epoch=done.epoch + 1, **meter.read())
        ndcg, recall = ndcg_at(places, 10), recall_at(places, 10)
        if ndcg > done.best_ndcg:
            done.best_ndcg, done.best_recall, done.best_epoch = ndcg, recall, done.epoch
            best = {name: value.clone() for name, value in network.state_dict().items()}
        groups = {"network": network.state_dict(), "optimizer": optimizer_tensors(optimizer), "best": best}
        save_resume(resume_file, ResumeState(groups, {"progress": dataclasses.asdict(done)}), settings=settings)
        progress(
            f"epoch {done.epoch}: loss {loss:.3f}, validation ndcg@10 {ndcg:.4f}, recall@10 {recall:.4f} "
            f"(best {done.best_ndcg:.4f} at epoch {done.best_epoch}), {done.seconds / 60:.1f} min"
        )
    return close_training(run, network, best, config, done)


def open_run_without(run_path: Path, model: str) -> Run:
    """A run whose files are intact and that has no such peer yet; InputError otherwise."""
    run = open_run(run_path)
    if is_trained(run, model):
        raise InputError(
            f"{run.path} has a trained {model} already; delete {run.path / report_name(model)} to train it again"
        )
    run.verify_inputs(tensors_name(model), report_name(model))
    return run


def make_optimizer(network: SASRec, config: SasrecConfig) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices only."""
    matrices = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def resume_settings(run: Run, config: SasrecConfig) -> dict[str, Any]:
    """What must not change between a stop and a resume."""
    return {"sasrec": config.to_dict(), "data_checksum": run.load_dataset().info.get("checksum")}


def train_epoch(
    network: SASRec, optimizer: torch.optim.Optimizer, windows: Int[np.ndarray, "windows size"],
    config: SasrecConfig, done: Progress,
) -> float:  # fmt: skip
    """One pass over all windows, the next item asked for at every position; returns the mean loss.

    Seeded by seed and epoch alone.
    """
    seed = config.seed * 100_003 + done.epoch
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network.train()
    n_batches, total = math.ceil(len(windows) / config.batch_size), 0.0
    batches = epoch_batches(windows, batch_size=config.batch_size, generator=generator)
    bar = tqdm(batches, total=n_batches, desc=f"epoch {done.epoch + 1}", leave=False, disable=not sys.stderr.isatty())
    for index, batch in enumerate(bar):
        share_done = (done.epoch + index / n_batches) / config.epochs
        rate = config.learning_rate * learning_rate_factor(done.step, share_done, warmup_steps=config.warmup_steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = next_item_loss(network, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        total += loss.item()
        done.step += 1
    return total / n_batches


def next_item_loss(network: SASRec, windows: Int[Tensor, "B size"]) -> Tensor:
    """Mean full-softmax cross-entropy of the item after every real position."""
    history, targets = windows[:, :-1], windows[:, 1:]
    real = history > 0
    queries, table = network(history)[real], network.item_embedding.weight
    return catalog_loss(queries, table, targets[real], SparseRows.empty(len(queries), table))


@torch.inference_mode()
def validation_places(network: SASRec, validation: Validation) -> Int[np.ndarray, "U"]:
    """Place of every validation target, items of the history left out."""
    network.eval()
    parts = []
    for start in range(0, len(validation.targets), VALIDATION_ROWS):
        rows = slice(start, start + VALIDATION_ROWS)
        histories = validation.histories[rows]
        scores = network.item_scores(histories).scatter_(1, histories, -torch.inf)
        parts.append(places_in_scores(scores, validation.targets[rows]))
    return np.concatenate(parts)


def close_training(
    run: Run, network: SASRec, best: dict[str, Tensor], config: SasrecConfig, done: Progress
) -> dict[str, Any]:
    """Store the best weights, then the report that says they are whole, and take both into the manifest."""
    write_weights(run.path / tensors_name("sasrec"), best)
    report = {
        "model": "sasrec",
        "settings": config.to_dict(),
        "epochs": done.epoch,
        "best_epoch": done.best_epoch,
        "valid_ndcg@10": done.best_ndcg,
        "valid_recall@10": done.best_recall,
        "seconds": done.seconds,
        "cpu_seconds": done.cpu_seconds,
        "peak_memory_mb": done.peak_memory_mb,
        "parameters": sum(p.numel() for p in network.parameters()),
        "provenance": provenance(),
    }
    run.write_json(report_name("sasrec"), report)
    run.write_manifest()
    (run.path / "baselines" / "sasrec.resume").unlink(missing_ok=True)
    return report
