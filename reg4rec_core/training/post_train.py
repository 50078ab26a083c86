"""Stage 3: post-training with GRPO and the PARS rewards (REG4Rec III-D, Alg. 2), resumable at each validation."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from reg4rec_core.checkpoint import ROLLOUTS, Run, append_metrics, file_checksum, open_run, provenance, write_weights
from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig, PostTrainConfig, PretrainConfig, RewardWeights
from reg4rec_core.data import Dataset
from reg4rec_core.data.batching import SequenceBatch, sequence_batch, training_positions
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.decoding.block import exclude
from reg4rec_core.machine import Meter
from reg4rec_core.metrics import ndcg_at, recall_at
from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.rewards import group_advantages, nearest_items, reward_terms
from reg4rec_core.training.drawn_labels import drawn_loss
from reg4rec_core.training.learner import Learner
from reg4rec_core.training.objective import BatchShare, CatalogTensors, Prefixes, share_of_batch
from reg4rec_core.training.parallel import ALONE, Workers, seed_dropout, step_generator
from reg4rec_core.training.policy import encode_histories, path_log_probs
from reg4rec_core.training.policy_step import JudgedRollouts, PolicyLosses, PolicyStep
from reg4rec_core.training.resume import save_resume
from reg4rec_core.training.rollout_metrics import code_counts, loss_sums, rollout_sums, step_metrics
from reg4rec_core.training.rollouts import sample_paths
from reg4rec_core.training.validation import Validation, first_state_places, validation_set
from reg4rec_core.types import InputError, Rollouts

MAX_GRADIENT_NORM = 1.0
SAVED_HISTORIES = 128
"""Histories whose rollouts under the final weights are stored with the run."""
RESUME_FILE, WEIGHTS_FILE = "post_train.resume", "weights/post_trained.safetensors"


@dataclass(frozen=True)
class Task:
    """What post-training works on, read and checked."""

    run: Run
    dataset: Dataset
    decode: DecodeConfig
    index: ItemIndex
    catalog: CatalogTensors
    policy: EncoderDecoder
    reference: EncoderDecoder
    """The pre-trained network, frozen."""
    nearest: Int[Tensor, "N n"]
    """The items nearest to each item's summed codewords, itself among them: every rollout ends at an item."""
    positions: Int[np.ndarray, "positions pair"]
    validation: Validation


@dataclass
class Progress:
    """Where post-training stands, the same on every worker; saved with the resume state."""

    step: int = 0
    start_ndcg: float = -1.0
    """Validation NDCG@10 of the pre-trained weights."""
    best_ndcg: float = -1.0
    best_step: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of the first worker's processor."""


def open_task(run_path: Path, config: PostTrainConfig, workers: Workers) -> Task:
    """Read a pre-trained run; InputError for whatever keeps it from being post-trained."""
    run = open_run(run_path)
    if "pretrained" not in run.weights_available():
        raise InputError(f"{run.path} is not pre-trained yet; do that first with: reg4rec pretrain --run {run.path}")
    stopped = (run.path / RESUME_FILE).exists()
    if workers.is_first and not stopped and (run.path / WEIGHTS_FILE).exists():
        raise InputError(f"{run.path} is post-trained already; delete its {WEIGHTS_FILE} to do it anew")
    if workers.is_first:
        run.verify_inputs(WEIGHTS_FILE, ROLLOUTS)
    dataset, ids, decode = run.load_dataset(), run.semantic_ids(), run.decode_config()
    positions = training_positions(dataset.interactions)
    if not len(positions):
        raise InputError("post-training needs users with at least 2 training items, this data set has none")
    device = workers.device
    index = ItemIndex(ids).to(device)
    vectors = torch.as_tensor(run.codewords(), device=device)[torch.arange(ids.n_codebooks), index.codes].sum(1)
    dropped = {name: run.settings["pretrain"][name] for name in ("dropout", "decoder_dropout")}
    policy, reference = (run.network("pretrained", **dropped).network.to(device) for _ in range(2))
    return Task(
        run,
        dataset,
        decode,
        index,
        CatalogTensors(index.codes, torch.as_tensor(dataset.catalog.categories, device=device)),
        policy,
        reference.requires_grad_(False),
        nearest_items(vectors, vectors, min(config.nearest, ids.n_items - 1)),
        positions,
        validation_set(dataset).to(device),
    )


def post_train(
    run_path: Path,
    config: PostTrainConfig,
    reward_weights: RewardWeights,
    *,
    workers: Workers = ALONE,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Improve a pre-trained run by its own rollouts; the best step by validation NDCG@10 gives the weights.

    Killed and called again with the same settings, it goes on after the last validation. All workers call this and get
    the same report; the first one writes and speaks.
    """
    torch.set_flush_denormal(True)
    say = progress if workers.is_first else lambda text: None
    with workers.together():
        task = open_task(run_path, config, workers)
    run, resume_file = task.run, task.run.path / RESUME_FILE
    settings = resume_settings(task, config, reward_weights)
    workers.agree(json.dumps(settings, sort_keys=True), on="settings and weights")
    learner = Learner.of(task.policy, config, stage="post-train", run_path=run.path, workers=workers)
    done = Progress(**learner.restore(resume_file, settings=settings, workers=workers))
    step = PolicyStep(task.policy, task.index, task.catalog, kind=task.decode.code_probabilities, clip=config.clip)
    parallel_step = workers.parallel(step)
    if workers.is_first:
        drop_records_after(run.path / "metrics.jsonl", step=done.step or -1)
    if done.step:
        say(f"resumed after step {done.step}")
    else:
        if workers.is_first:
            stored = {"post_train": config.to_dict(), "reward_weights": reward_weights.to_dict()}
            run.update_settings(**stored, post_train_provenance=provenance())
        validate(task, done, workers, progress=say)
        if workers.is_first:  # before any weights: a run with weights and nothing to resume from counts as finished
            save_resume(resume_file, learner.state(done), settings=settings)
    quiet = not (workers.is_first and sys.stderr.isatty())
    for number in tqdm(range(done.step, config.steps), desc="post-train", leave=False, disable=quiet):
        meter = Meter()
        metrics = train_on_batch(task, parallel_step, learner, config, reward_weights, number, workers)
        taken = meter.read()
        metrics["step_time"] = workers.of_first(taken["seconds"])
        done.step += 1
        done.seconds += metrics["step_time"]
        done.cpu_seconds += workers.of_first(taken["cpu_seconds"])
        if workers.is_first:
            append_metrics(run.path / "metrics.jsonl", {"stage": "post-train", "step": done.step, **metrics})
        if done.step % config.validate_every == 0 or done.step == config.steps:
            validate(task, done, workers, progress=say)
            if workers.is_first:
                save_resume(resume_file, learner.state(done), settings=settings)
    if done.best_ndcg <= done.start_ndcg:
        say(
            f"no step ranks validation users better than the pre-trained weights (ndcg@10 {done.best_ndcg:.4f} against "
            f"{done.start_ndcg:.4f}); --weights pretrained uses those"
        )
    return workers.from_first(lambda: close_run(task, config, reward_weights, done))


def train_on_batch(
    task: Task,
    step: torch.nn.Module,
    learner: Learner,
    config: PostTrainConfig,
    reward_weights: RewardWeights,
    number: int,
    workers: Workers,
) -> dict[str, float]:
    """Step `number`: draw histories, sample and judge their rollouts, update the policy; returns the metrics.

    Every worker draws the whole global batch and takes its own rows.
    """
    generator = step_generator(config.seed, number)
    chosen = torch.randperm(len(task.positions), generator=generator)[: config.batch_size].numpy()
    draws = torch.rand(len(chosen), config.rollouts, task.index.n_codebooks, generator=generator, dtype=torch.float64)
    orders = torch.rand(len(chosen), task.index.n_codebooks, generator=generator).argsort(1)
    rows = workers.shard(len(chosen))
    batch = sequence_batch(
        task.dataset.interactions, task.positions[chosen], length=HISTORY_LENGTH, window=config.window
    )
    judged = judge(task, batch, rows, draws, orders, config, reward_weights)
    signal_groups = int(workers.sum(judged.advantages.has_signal.sum()))

    learner.set_learning_rate(config.learning_rate * learning_rate_factor(number, config))
    old_log_probs: Float[Tensor, "B G T"] | None = None
    summed: dict[str, Tensor] = {}
    seed_dropout(config.seed * 1_000_003 + number, workers)
    draw = partial(drawn_loss, task.policy, judged.share, task.catalog, PretrainConfig())
    for _ in range(config.inner_updates):
        with learner.precision.step(number, draw):
            losses = step(judged, old_log_probs)
            loss = total_loss(losses, config, groups=len(chosen), signal_groups=signal_groups)
            learner.optimizer.zero_grad()
            (workers.count * loss).backward()  # gradients are averaged over the workers, the loss is a sum over them
        old_log_probs = losses.log_probs if old_log_probs is None else old_log_probs
        norm = torch.nn.utils.clip_grad_norm_(step.parameters(), MAX_GRADIENT_NORM)
        learner.optimizer.step()
        for name, value in loss_sums(losses, groups=len(chosen)).items():
            summed[name] = summed.get(name, torch.zeros_like(value)) + value / config.inner_updates
    summed |= rollout_sums(judged, reward_weights)
    counts = code_counts(judged, codebook_size=task.index.codebook_size)
    metrics = step_metrics(summed, counts, groups=len(chosen), signal_groups=signal_groups, workers=workers)
    return {**metrics, "grad_norm": norm.item(), "learning_rate": learner.optimizer.param_groups[0]["lr"]}


def learning_rate_factor(step: int, config: PostTrainConfig) -> float:
    """Linear warm-up, and a straight fall to 0 at the last step: what sampling jolts about comes to rest."""
    return min(1.0, (step + 1) / max(config.warmup_steps, 1)) * (1 - step / config.steps)


def total_loss(losses: PolicyLosses, config: PostTrainConfig, *, groups: int, signal_groups: int) -> Float[Tensor, ""]:
    """What is minimised: Eq. 9 with its sign turned, and the supervised losses of pre-training."""
    policy = config.policy_weight * losses.grpo.policy / max(signal_groups, 1)
    supervised = losses.supervised
    codes_and_items = supervised.encoder_item + supervised.first_item + supervised.left_item + supervised.token
    return (
        policy
        + config.kl_weight * losses.grpo.kl / groups
        + config.supervised_weight * codes_and_items
        + config.category_weight * supervised.category
    )


def judge(
    task: Task,
    batch: SequenceBatch,
    rows: slice,
    draws: Float[Tensor, "B G T"],
    orders: Int[Tensor, "B M"],
    config: PostTrainConfig,
    reward_weights: RewardWeights,
) -> JudgedRollouts:
    """Sample rollouts for this worker's `rows` of a batch with the current policy, reward them, ask the reference."""
    device = task.index.codes.device
    share = supervised_share(batch, orders, rows).to(device)
    history, future = torch.as_tensor(batch.history[rows]), torch.as_tensor(batch.future[rows]).to(device)
    excluded = exclude(history, batch.seen[rows], task.decode, task.index.n_items).to(device)
    history, kind = history.to(device), task.decode.code_probabilities
    reasoner = Reasoner(task.policy)
    root = reasoner.encode_before(history, future)
    draws, selection = draws[rows].to(device), task.decode.selection
    paths = sample_paths(reasoner, task.index, root, excluded, draws, kind=kind, selection=selection)
    with torch.no_grad():
        encoded = encode_histories(task.reference, history, excluded, future)
        reference = path_log_probs(task.reference, task.index, encoded, paths, kind=kind)
    terms = reward_terms(
        paths.codes_by_codebook,
        paths.beliefs,
        task.nearest[paths.items],
        future,
        item_codes=task.catalog.codes,
        item_categories=task.catalog.categories,
        decay=config.decay,
    )
    advantages = group_advantages(terms, reward_weights, std_floor=config.std_floor)
    return JudgedRollouts(history, excluded, future, share, paths, reference, terms, advantages)


def supervised_share(batch: SequenceBatch, orders: Int[Tensor, "B M"], rows: slice) -> BatchShare:
    """The same histories as windows of pre-training: every transition for the encoder, the last one for the decoder."""
    windows = torch.as_tensor(np.concatenate([batch.history, batch.future[:, :1]], 1))
    every = torch.arange(len(windows))
    last = torch.full_like(every, batch.history.shape[1] - 1)
    return share_of_batch(windows, Prefixes(every, last, orders), rows)


def validate(task: Task, done: Progress, workers: Workers, *, progress: Callable[[str], None]) -> None:
    """Rank by the first state for every validation user; keep the weights when they are the best after a step."""
    places = first_state_places(
        task.policy, task.validation, workers, index=task.index, kind=task.decode.code_probabilities
    )
    task.policy.eval()
    ndcg, recall = ndcg_at(places, 10), recall_at(places, 10)
    if not done.step:
        done.start_ndcg = ndcg
    elif ndcg > done.best_ndcg:
        done.best_ndcg, done.best_step = ndcg, done.step
        if workers.is_first:
            write_weights(task.run.path / WEIGHTS_FILE, task.policy.state_dict())
    if workers.is_first:
        record = {"stage": "post-train", "step": done.step, "valid_ndcg@10": ndcg, "valid_recall@10": recall}
        append_metrics(task.run.path / "metrics.jsonl", {**record, "seconds": round(done.seconds, 2)})
    progress(
        f"step {done.step}: validation ndcg@10 {ndcg:.4f}, recall@10 {recall:.4f}, {done.seconds / 60:.1f} min"
        + (f" (best {done.best_ndcg:.4f} at step {done.best_step})" if done.step else " (before post-training)")
    )


def resume_settings(task: Task, config: PostTrainConfig, reward_weights: RewardWeights) -> dict[str, Any]:
    """What must not change between a stop and a resume: all settings but the number of steps, and the reference."""
    fixed = {name: value for name, value in config.to_dict().items() if name not in ("steps", "validate_every")}
    reference = file_checksum(task.run.path / "weights" / "pretrained.safetensors")
    decode = {name: getattr(task.decode, name) for name in ("code_probabilities", "exclude_history", "selection")}
    return {"post_train": fixed, "reward_weights": reward_weights.to_dict(), "reference": reference, "decode": decode}


def drop_records_after(path: Path, *, step: int) -> None:
    """Remove what an earlier post-training logged after its last saved state: those steps are done again."""
    if not path.exists():
        return
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    kept = [record for record in records if record["stage"] != "post-train" or record["step"] <= step]
    partial = path.with_name(path.name + ".partial")
    partial.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
    partial.replace(path)


def close_run(task: Task, config: PostTrainConfig, reward_weights: RewardWeights, done: Progress) -> dict[str, Any]:
    """Store a sample of rollouts under the chosen weights, the report and the manifest."""
    run = task.run
    task.policy.load_state_dict(run.network("post_trained").network.state_dict())
    run.save_rollouts(sample_rollouts(task, config, reward_weights))
    (run.path / RESUME_FILE).unlink(missing_ok=True)
    report = {"steps": done.step, "best_step": done.best_step, "seconds": done.seconds}
    report |= {"cpu_seconds": done.cpu_seconds, "peak_memory_mb": Meter().read()["peak_memory_mb"]}
    report |= {"valid_ndcg@10": done.best_ndcg, "valid_ndcg@10_before": done.start_ndcg}
    run.update_settings(post_train_report=report)
    run.write_manifest()
    return report


def sample_rollouts(task: Task, config: PostTrainConfig, reward_weights: RewardWeights) -> Rollouts:
    """Rollouts of histories drawn once for all runs of the same seed, under the policy's present weights."""
    generator = step_generator(config.seed, -1)
    chosen = torch.randperm(len(task.positions), generator=generator)[:SAVED_HISTORIES].numpy()
    positions = task.positions[chosen]
    draws = torch.rand(len(chosen), config.rollouts, task.index.n_codebooks, generator=generator, dtype=torch.float64)
    orders = torch.arange(task.index.n_codebooks).expand(len(chosen), -1)
    batch = sequence_batch(task.dataset.interactions, positions, length=HISTORY_LENGTH, window=config.window)
    judged = judge(task, batch, slice(None), draws, orders, config, reward_weights)
    paths = judged.paths
    return Rollouts(
        positions[:, 0],
        positions[:, 1],
        batch.future,
        *(x.numpy(force=True) for x in (paths.codebooks, paths.codes, paths.items, paths.log_probs)),
        judged.reference_log_probs.numpy(force=True),
        judged.terms.numpy(force=True),
    )
