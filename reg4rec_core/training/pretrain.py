"""Stage 2: supervised pre-training (REG4Rec III-C, Algorithm 1), resumable after every epoch."""

import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from reg4rec_core.checkpoint import Run, append_metrics, build_network, open_run, provenance, write_tensors
from reg4rec_core.config import HISTORY_LENGTH, ModelConfig, PretrainConfig
from reg4rec_core.data import Dataset
from reg4rec_core.data.batching import held_out_histories, held_out_users, pad_histories, training_windows
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.evaluation.theta_choice import ThetaChoice, choose_theta, finite
from reg4rec_core.metrics import ndcg_at, places_in_scores, recall_at
from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.training.objective import CatalogTensors, draw_prefixes, pretrain_losses
from reg4rec_core.types import InputError

PREFIXES_PER_WINDOW = 2
"""Prefixes a window the decoder learns from in each epoch; the encoder learns from all of them."""
VALIDATION_ROWS = 256
THETA_USERS = 1000
"""Validation users that the run's default theta is chosen on."""


@dataclasses.dataclass(frozen=True)
class Validation:
    """Held-out histories, ready for the network."""

    histories: Int[Tensor, "U L"]
    targets: Int[Tensor, "U"]


def validation_set(dataset: Dataset) -> Validation:
    """Every user with a validation target."""
    users = held_out_users(dataset.interactions, "valid")
    if not len(users):
        raise InputError(
            "pre-training needs validation targets, this data set has none; prepare it with a split that has"
        )
    sequences, targets = held_out_histories(dataset.interactions, users, "valid")
    return Validation(torch.as_tensor(pad_histories(sequences, HISTORY_LENGTH)), torch.as_tensor(targets))


def first_state_places(network: EncoderDecoder, validation: Validation) -> Int[np.ndarray, "U"]:
    """Place (1 = best) of every target in the exact ranking by the first state, items of the history left out."""
    reasoner, places = Reasoner(network), []
    for histories, targets in zip(
        validation.histories.split(VALIDATION_ROWS), validation.targets.split(VALIDATION_ROWS), strict=True
    ):
        with torch.inference_mode():
            logits = reasoner.catalog_logits(reasoner.encode(histories))[:, 0]
            places.append(places_in_scores(logits.scatter_(1, histories, -torch.inf), targets))
    network.train()
    return np.concatenate(places)


def epoch_batches(
    windows: np.ndarray, *, batch_size: int, generator: torch.Generator
) -> Iterator[Int[Tensor, "B length"]]:
    """Every window once, in random batches of similar length, cut to their longest (padding changes no result)."""
    order = torch.randperm(len(windows), generator=generator).numpy()
    lengths = (windows > 0).sum(1)
    pool = 16 * batch_size
    batches = []
    for start in range(0, len(order), pool):
        group = order[start : start + pool]
        group = group[np.argsort(lengths[group], kind="stable")]
        batches += [group[i : i + batch_size] for i in range(0, len(group), batch_size)]
    for index in torch.randperm(len(batches), generator=generator).tolist():
        batch = windows[batches[index]]
        yield torch.as_tensor(batch[:, windows.shape[1] - lengths[batches[index]].max() :])


def learning_rate_factor(step: int, share_done: float, *, warmup_steps: int) -> float:
    """Linear warm-up, then a cosine from 1 to 0.05 over the run; `share_done` in [0, 1] counts epochs or minutes."""
    cosine = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(share_done, 1.0)))
    return min(1.0, (step + 1) / warmup_steps) * cosine if warmup_steps else cosine


@dataclasses.dataclass
class Progress:
    """Where a training run stands; saved with the resume state."""

    epoch: int = 0
    step: int = 0
    best_ndcg: float = -1.0
    best_epoch: int = 0
    seconds: float = 0.0


def save_resume(
    path: Path, network: EncoderDecoder, optimizer: torch.optim.Optimizer, progress: Progress, settings: str
) -> None:
    """Weights, optimizer moments and counters in one safetensors file, written atomically."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    partial = path.with_suffix(".partial")
    metadata = {"progress": json.dumps(dataclasses.asdict(progress)), "settings": settings}
    save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata=metadata)
    partial.replace(path)


def load_resume(path: Path, network: EncoderDecoder, optimizer: torch.optim.Optimizer, settings: str) -> Progress:
    """Continue where `save_resume` stopped; a fresh Progress when there is nothing to continue."""
    if not path.exists():
        return Progress()
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        if metadata["settings"] != settings:
            raise InputError(
                f"{path} was left by a pre-training with other settings; "
                "repeat those settings to go on, or delete it to start anew"
            )
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    network.load_state_dict({name[8:]: value for name, value in tensors.items() if name.startswith("network.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, field = name.split(".")
            state.setdefault(int(index), {})[field] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    return Progress(**json.loads(metadata["progress"]))


def make_optimizer(network: EncoderDecoder, config: PretrainConfig) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices only."""
    matrices = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def pretrain(
    run_path: Path, model: ModelConfig, config: PretrainConfig, *, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Train the network of a run whose codes exist; the best epoch by validation NDCG@10 gives the weights.

    Killed and called again with the same settings, it goes on after the last finished epoch.
    """
    torch.set_flush_denormal(True)
    run = open_run(run_path)
    dataset, ids = run.load_dataset(), run.semantic_ids()
    if "pretrained" in run.weights_available() and not (run.path / "pretrain.resume").exists():
        raise InputError(
            f"{run.path} is pre-trained already; fit a new run, or delete its weights folder to train again"
        )
    torch.manual_seed(config.seed)
    network = build_network(
        model,
        ids,
        n_categories=dataset.catalog.n_categories,
        dropout=config.dropout,
        decoder_dropout=config.decoder_dropout,
    )
    catalog = CatalogTensors(torch.as_tensor(ids.codes), torch.as_tensor(dataset.catalog.categories))
    windows = training_windows(dataset.interactions, HISTORY_LENGTH)
    if not len(windows):
        raise InputError(
            "pre-training needs users with at least 2 training items, this data set has none; lower --k-core"
        )
    validation = validation_set(dataset)
    optimizer = make_optimizer(network, config)
    stop_rule = {"epochs", "minutes", "patience"}  # these may change between a stop and a resume
    fixed = {name: value for name, value in config.to_dict().items() if name not in stop_rule}
    settings = json.dumps({"model": model.to_dict(), "pretrain": fixed}, sort_keys=True)
    done = load_resume(run.path / "pretrain.resume", network, optimizer, settings)
    if done.epoch:
        progress(f"resumed after epoch {done.epoch}")
    stored = {**config.to_dict(), "minutes": None if math.isinf(config.minutes) else config.minutes}
    run.update_settings(model=model.to_dict(), pretrain=stored, pretrain_provenance=provenance())

    while not finished(done, config):
        started = time.perf_counter()
        terms = train_epoch(network, optimizer, windows, catalog, config, done)
        places = first_state_places(network, validation)
        done.epoch += 1
        done.seconds += time.perf_counter() - started
        ndcg, recall = ndcg_at(places, 10), recall_at(places, 10)
        if ndcg > done.best_ndcg:
            done.best_ndcg, done.best_epoch = ndcg, done.epoch
            write_tensors(run.path / "weights" / "pretrained.safetensors", network.state_dict())
        save_resume(run.path / "pretrain.resume", network, optimizer, done, settings)
        record = {"stage": "pretrain", "epoch": done.epoch, "step": done.step, **terms}
        record |= {"valid_ndcg@10": ndcg, "valid_recall@10": recall, "seconds": round(done.seconds, 2)}
        append_metrics(run.path / "metrics.jsonl", record)
        progress(
            f"epoch {done.epoch}: loss {terms['loss']:.3f}, validation ndcg@10 {ndcg:.4f}, recall@10 {recall:.4f} "
            f"(best {done.best_ndcg:.4f} at epoch {done.best_epoch}), {done.seconds / 60:.1f} min"
        )
    left = config.minutes * 60 - done.seconds
    choice = choose_default_theta(run, dataset, seconds=left, progress=progress)
    (run.path / "pretrain.resume").unlink(missing_ok=True)
    report = {"epochs": done.epoch, "best_epoch": done.best_epoch, "valid_ndcg@10": done.best_ndcg}
    report |= {"theta": finite(choice.theta), "seconds": done.seconds}
    run.update_settings(pretrain_report=report)
    run.write_manifest()
    return report


def choose_default_theta(run: Run, dataset: Dataset, *, seconds: float, progress: Callable[[str], None]) -> ThetaChoice:
    """Search a sample of validation users under several thetas and store the choice as the run's default."""
    questions = held_out(dataset.interactions, "valid").sample(THETA_USERS, seed=0)
    decode = run.decode_config()
    choice = choose_theta(
        run.network("pretrained"), ItemIndex(run.semantic_ids()), questions, decode, seconds=seconds, progress=progress
    )
    run.set_decode_config(dataclasses.replace(decode, theta=choice.theta, check_from=choice.check_from))
    run.write_json("evaluation/theta_choice.json", choice.to_json())
    progress(
        f"theta {choice.theta} from step {choice.check_from} on is the run's default, "
        f"chosen on {choice.users:,} validation users"
    )
    return choice


def finished(done: Progress, config: PretrainConfig) -> bool:
    """Epochs, patience or the minutes are used up: one more epoch would leave no tenth of them for choosing theta."""
    if done.epoch >= config.epochs or (done.epoch and done.epoch - done.best_epoch >= config.patience):
        return True
    return done.epoch > 0 and (done.seconds / 60) * (done.epoch + 1) / done.epoch > 0.9 * config.minutes


def train_epoch(
    network: EncoderDecoder,
    optimizer: torch.optim.Optimizer,
    windows: np.ndarray,
    catalog: CatalogTensors,
    config: PretrainConfig,
    done: Progress,
) -> dict[str, float]:
    """One pass over all windows; returns the mean of every loss term. Seeded by run seed and epoch alone."""
    generator = torch.Generator().manual_seed(config.seed * 100_003 + done.epoch)
    torch.manual_seed(config.seed * 100_003 + done.epoch)
    network.train()
    n_batches = math.ceil(len(windows) / config.batch_size)
    totals: dict[str, float] = {}
    started = time.perf_counter()
    batches = epoch_batches(windows, batch_size=config.batch_size, generator=generator)
    for index, batch in enumerate(
        tqdm(batches, total=n_batches, desc=f"epoch {done.epoch + 1}", leave=False, disable=not sys.stderr.isatty())
    ):
        share = max(
            (done.epoch + index / n_batches) / config.epochs,
            (done.seconds + time.perf_counter() - started) / 60 / config.minutes,
        )
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(
                done.step, share, warmup_steps=config.warmup_steps
            )
        prefixes = draw_prefixes(
            batch[:, :-1] > 0, per_window=PREFIXES_PER_WINDOW, n_codebooks=network.n_codebooks, generator=generator
        )
        losses = pretrain_losses(network, batch, catalog, prefixes)
        item = losses.encoder_item + losses.first_item + losses.left_item
        loss = config.item_weight * item + config.token_weight * losses.token + config.category_weight * losses.category
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        done.step += 1
        for name, value in {"loss": loss, **vars(losses)}.items():
            totals[name] = totals.get(name, 0.0) + value.item()
    return {name: total / max(1, index + 1) for name, total in totals.items()}
