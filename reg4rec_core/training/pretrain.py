"""Stage 2: supervised pre-training (REG4Rec III-C, Algorithm 1), resumable after every epoch."""

import dataclasses
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm import tqdm

from reg4rec_core.checkpoint import WEIGHTS, Run, append_metrics, build_network, open_run, provenance, write_weights
from reg4rec_core.config import HISTORY_LENGTH, ModelConfig, PretrainConfig
from reg4rec_core.data import Dataset
from reg4rec_core.data.batching import training_windows
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.evaluation.held_out import held_out
from reg4rec_core.evaluation.theta_choice import ThetaChoice, choose_theta, finite
from reg4rec_core.machine import Meter
from reg4rec_core.metrics import ndcg_at, recall_at
from reg4rec_core.model import EncoderDecoder
from reg4rec_core.training.drawn_labels import drawn_loss
from reg4rec_core.training.learner import Learner
from reg4rec_core.training.losses import PretrainLosses
from reg4rec_core.training.objective import BatchShare, CatalogTensors, PretrainStep, draw_prefixes, share_of_batch
from reg4rec_core.training.parallel import ALONE, Workers, seed_dropout
from reg4rec_core.training.resume import (
    ResumeState,
    save_resume,
)
from reg4rec_core.training.validation import Validation, first_state_places, places_by_evidence, validation_set
from reg4rec_core.types import InputError

PREFIXES_PER_WINDOW = 1
"""Prefixes a window the decoder learns from in each epoch; the encoder learns from all of them."""
THETA_USERS = 1000
"""Validation users that the run's default theta is chosen on."""
EVIDENCE_SCALES = (1.0, 1.25, 1.5, 1.75, 2.0)
"""Multiples of the transition weight tried at the end: a network leans on what it has learnt by heart in training."""
AS_GOOD = 0.99
"""Share of the best validation NDCG@10 that an epoch of the decoder must reach to give the weights: the first state,
which is what validation ranks by, hardly sees the decoder, and the decoder learns on."""
MAX_GRADIENT_NORM = 5.0
TERMS = ("loss", *(field.name for field in dataclasses.fields(PretrainLosses)))
"""What an epoch logs of the training loss."""


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
    """Linear warm-up, then a cosine from 1 to 0.05; `share_done` in [0, 1] is of the part of training it runs over."""
    cosine = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(share_done, 1.0)))
    return min(1.0, (step + 1) / warmup_steps) * cosine if warmup_steps else cosine


@dataclasses.dataclass
class Progress:
    """Where a training run stands, the same on every worker; saved with the resume state."""

    epoch: int = 0
    joint_epochs: int = 0
    """Epochs that trained the decoder, too."""
    step: int = 0
    highest_ndcg: float = -1.0
    """Of the epochs of the present part."""
    best_ndcg: float = -1.0
    """Of the epoch that gives the weights."""
    best_epoch: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of the first worker's processor."""


@dataclasses.dataclass(frozen=True)
class Task:
    """What pre-training works on, read and checked; the network is untrained."""

    run: Run
    dataset: Dataset
    network: EncoderDecoder
    catalog: CatalogTensors
    windows: Int[np.ndarray, "windows size"]
    validation: Validation

    def fingerprint(self, settings: dict[str, Any]) -> str:
        """One line that differs where workers would not train the same network on the same data."""
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for array in (self.windows, self.catalog.codes.numpy(force=True), self.catalog.categories.numpy(force=True)):
            digest.update(np.ascontiguousarray(array).tobytes())
        return f"torch {torch.__version__}, data {digest.hexdigest()}"


def open_task(run_path: Path, model: ModelConfig, config: PretrainConfig, workers: Workers) -> Task:
    """Read a run whose codes exist; InputError for whatever keeps it from being trained."""
    run = open_run(run_path)
    # The first worker's files count: another machine may hold an older copy of the run.
    if workers.is_first and "pretrained" in run.weights_available() and not (run.path / "pretrain.resume").exists():
        raise InputError(
            f"{run.path} is pre-trained already; fit a new run, or delete its weights folder to train again"
        )
    if workers.is_first:
        run.verify_inputs(*(f"weights/{stage}.safetensors" for stage in WEIGHTS))
    dataset, ids = run.load_dataset(), run.semantic_ids()
    torch.manual_seed(config.seed)
    network = build_network(model, ids, dataset, dropout=config.dropout, decoder_dropout=config.decoder_dropout)
    if config.feature_scale:
        network.read_features(torch.as_tensor(run.features()), scale=config.feature_scale)
    catalog = CatalogTensors(torch.as_tensor(ids.codes), torch.as_tensor(dataset.catalog.categories))
    windows = training_windows(dataset.interactions, HISTORY_LENGTH)
    if not len(windows):
        raise InputError(
            "pre-training needs users with at least 2 training items, this data set has none; lower --k-core"
        )
    device = workers.device
    return Task(run, dataset, network.to(device), catalog.to(device), windows, validation_set(dataset).to(device))


def pretrain(
    run_path: Path,
    model: ModelConfig,
    config: PretrainConfig,
    *,
    workers: Workers = ALONE,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train the network of a run whose codes exist; the best epoch by validation NDCG@10 gives the weights.

    Killed and called again with the same settings, it goes on after the last finished epoch. All workers call this and
    get the same report; the first one writes and speaks. How many they are changes the speed, not what is computed.
    """
    torch.set_flush_denormal(True)
    say = progress if workers.is_first else lambda text: None
    with workers.together():
        task = open_task(run_path, model, config, workers)
    settings = resume_settings(model, config)
    workers.agree(task.fingerprint(settings), on="settings, data and version of PyTorch")
    run, network = task.run, task.network
    learner = Learner.of(network, config, stage="pretrain", run_path=run.path, workers=workers)
    resume_file = run.path / "pretrain.resume"
    done = Progress(**learner.restore(resume_file, settings=settings, workers=workers))
    if done.epoch:
        say(f"resumed after epoch {done.epoch}")
    if workers.is_first:
        stored = {**config.to_dict(), "minutes": None if math.isinf(config.minutes) else config.minutes}
        run.update_settings(model=model.to_dict(), pretrain=stored, pretrain_provenance=provenance())
        # before any weights: a run with weights and nothing to resume from counts as finished
        save_resume(resume_file, learner.state(done), settings=settings)

    step = workers.parallel(PretrainStep(network, task.catalog))
    while not finished(done, config):
        meter, seconds_before = Meter(), done.seconds
        encoder_alone = trains_encoder_alone(done, config)
        terms = train_epoch(task, step, learner, config, done, workers)
        places = first_state_places(network, task.validation, workers)
        done.epoch += 1
        taken = meter.read()
        done.seconds = workers.of_first(seconds_before + taken["seconds"])
        done.cpu_seconds += workers.of_first(taken["cpu_seconds"])
        ndcg, recall = ndcg_at(places, 10), recall_at(places, 10)
        done.joint_epochs += not encoder_alone
        is_best = judge(done, ndcg)
        record = {"stage": "pretrain", "epoch": done.epoch, "step": done.step, **terms}
        record |= {"valid_ndcg@10": ndcg, "valid_recall@10": recall, "seconds": round(done.seconds, 2)}
        workers.from_first(partial(keep_epoch, run, learner.state(done), record, settings=settings, is_best=is_best))
        say(
            f"epoch {done.epoch}: loss {terms['loss']:.3f}, validation ndcg@10 {ndcg:.4f}, recall@10 {recall:.4f} "
            f"(best {done.best_ndcg:.4f} at epoch {done.best_epoch}), {done.seconds / 60:.1f} min"
        )
    return workers.from_first(lambda: close_run(task, config, done, progress=say))


def judge(done: Progress, ndcg: float) -> bool:
    """Whether the epoch just done gives the weights; notes it in `done`."""
    if done.joint_epochs == 1:  # an untrained decoder must not stay the best, whatever its encoder is worth
        done.highest_ndcg = -1.0
    needed = AS_GOOD * done.highest_ndcg if done.joint_epochs else done.highest_ndcg
    is_best = ndcg >= needed
    if is_best:
        done.best_ndcg, done.best_epoch = ndcg, done.epoch
    done.highest_ndcg = max(done.highest_ndcg, ndcg)
    return is_best


def keep_epoch(
    run: Run, state: ResumeState, record: dict[str, Any], *, settings: dict[str, Any], is_best: bool
) -> None:
    """Write what an epoch gave: the weights when they are the best so far, the resume state, a line of the log."""
    if is_best:
        write_weights(run.path / "weights" / "pretrained.safetensors", state.groups["network"])
    save_resume(run.path / "pretrain.resume", state, settings=settings)
    append_metrics(run.path / "metrics.jsonl", record)


def resume_settings(model: ModelConfig, config: PretrainConfig) -> dict[str, Any]:
    """The settings that must not change between a stop and a resume: all but the rules of when to stop."""
    stop_rule = {"epochs", "minutes", "patience"}
    fixed = {name: value for name, value in config.to_dict().items() if name not in stop_rule}
    return {"model": model.to_dict(), "pretrain": fixed}


def close_run(task: Task, config: PretrainConfig, done: Progress, *, progress: Callable[[str], None]) -> dict[str, Any]:
    """Choose the default theta, store the report and the manifest; from here on the run can be used."""
    run = task.run
    choose_transition_weight(task, progress=progress)
    left = config.minutes * 60 - done.seconds
    choice = choose_default_theta(run, task.dataset, seconds=left, progress=progress)
    (run.path / "pretrain.resume").unlink(missing_ok=True)
    report = {"epochs": done.epoch, "best_epoch": done.best_epoch, "valid_ndcg@10": done.best_ndcg}
    report |= {"theta": finite(choice.theta), "seconds": done.seconds, "cpu_seconds": done.cpu_seconds}
    report |= {"peak_memory_mb": Meter().read()["peak_memory_mb"]}
    run.update_settings(pretrain_report=report)
    run.write_manifest()
    return report


def choose_transition_weight(task: Task, *, progress: Callable[[str], None]) -> None:
    """Weigh the evidence of transitions anew for new histories, by validation NDCG@10, and store that with the run."""
    network = task.run.network("pretrained").network.to(task.validation.targets.device)
    if not network.transition_weight:
        return
    places = places_by_evidence(network, task.validation, EVIDENCE_SCALES)
    weights = {network.transition_weight * scale: found for scale, found in places.items()}
    best = max(weights, key=lambda weight: ndcg_at(weights[weight], 10))
    tried = {f"{weight:.3g}": ndcg_at(found, 10) for weight, found in weights.items()}
    task.run.update_settings(transition_weight={"chosen": best, "valid_ndcg@10": tried})
    progress(f"transition weight {best:.3g} is the run's, validation ndcg@10 {tried[f'{best:.3g}']:.4f}")


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
    """Epochs, patience or the minutes are used up: one more epoch would leave no tenth of them for choosing theta.

    Never before the decoder was trained.
    """
    if not done.joint_epochs:
        return False
    if done.epoch >= config.epochs or (done.epoch and done.epoch - done.best_epoch >= config.patience):
        return True
    return done.epoch > 0 and (done.seconds / 60) * (done.epoch + 1) / done.epoch > 0.9 * config.minutes


def trains_encoder_alone(done: Progress, config: PretrainConfig) -> bool:
    """Whether the next epoch belongs to the first part, by epochs and, where they are limited, by minutes."""
    by_time = done.seconds / 60 < config.encoder_share * config.minutes
    return by_time and not done.joint_epochs and done.epoch < int(config.encoder_share * config.epochs)


def share_of_part(done: Progress, config: PretrainConfig, *, epochs: float, minutes: float) -> float:
    """How much of the present part, encoder alone or both together, is over after so many epochs and minutes.

    The step size falls anew in each part: an encoder that ends at a small one ranks better, and is worth keeping.
    """
    first_minutes = config.encoder_share * config.minutes
    if trains_encoder_alone(done, config):
        return max(epochs / int(config.encoder_share * config.epochs), minutes / first_minutes)
    first_epochs = done.epoch - done.joint_epochs
    by_epochs = (epochs - first_epochs) / max(config.epochs - first_epochs, 1)
    by_minutes = (minutes - first_minutes) / (config.minutes - first_minutes) if math.isfinite(config.minutes) else 0.0
    return max(by_epochs, by_minutes)


def train_epoch(
    task: Task,
    step: nn.Module,
    learner: Learner,
    config: PretrainConfig,
    done: Progress,
    workers: Workers,
) -> dict[str, float]:
    """One pass over all windows; returns the mean of every loss term. Seeded by run seed and epoch alone.

    Every worker draws the same global batches, prefixes and codebook orders and takes its own rows of them.
    """
    seed = config.seed * 100_003 + done.epoch
    generator = torch.Generator().manual_seed(seed)
    seed_dropout(seed, workers)
    step.train()
    n_batches = math.ceil(len(task.windows) / config.batch_size)
    totals = torch.zeros(len(TERMS), dtype=torch.float64, device=workers.device)
    started = time.perf_counter()
    batches = epoch_batches(task.windows, batch_size=config.batch_size, generator=generator)
    alone = trains_encoder_alone(done, config)
    per_window, encoder_rate = (0, 1.0) if alone else (PREFIXES_PER_WINDOW, config.encoder_rate)
    steps_before = 0 if alone else (done.epoch - done.joint_epochs) * n_batches  # of the first part: both parts warm up
    quiet = not (workers.is_first and sys.stderr.isatty())
    for index, batch in enumerate(
        tqdm(batches, total=n_batches, desc=f"epoch {done.epoch + 1}", leave=False, disable=quiet)
    ):
        seconds = done.seconds
        if math.isfinite(config.minutes):
            seconds = workers.of_first(done.seconds + time.perf_counter() - started)
        share_done = share_of_part(done, config, epochs=done.epoch + index / n_batches, minutes=seconds / 60)
        factor = learning_rate_factor(done.step - steps_before, share_done, warmup_steps=config.warmup_steps)
        learner.set_learning_rate(config.learning_rate * factor, encoder_rate=encoder_rate)
        prefixes = draw_prefixes(
            batch[:, :-1] > 0, per_window=per_window, n_codebooks=task.network.n_codebooks, generator=generator
        )
        share = share_of_batch(batch, prefixes, workers.shard(len(batch))).to(workers.device)
        with learner.precision.step(done.step, partial(drawn_loss, task.network, share, task.catalog, config)):
            totals += train_step(step, learner.optimizer, share, config, workers)
        done.step += 1
    return dict(zip(TERMS, (workers.sum(totals) / n_batches).tolist(), strict=True))


def train_step(
    step: nn.Module,
    optimizer: torch.optim.Optimizer,
    share: BatchShare,
    config: PretrainConfig,
    workers: Workers,
) -> Float[Tensor, "terms"]:
    """One optimisation step on the workers' shares of a batch; returns this worker's summands of `TERMS`."""
    losses = step(share)
    loss = losses.total(config)
    optimizer.zero_grad()
    (workers.count * loss).backward()  # gradients are averaged over the workers, the loss is a sum over them
    torch.nn.utils.clip_grad_norm_(step.parameters(), MAX_GRADIENT_NORM)
    optimizer.step()
    return torch.stack([loss, *vars(losses).values()]).detach().double()
