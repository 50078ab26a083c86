"""How fast pre-training is, beside what the machine's matrix products would allow."""

import time
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from reg4rec_core.checkpoint import Run, build_network
from reg4rec_core.config import HISTORY_LENGTH, ModelConfig, PretrainConfig
from reg4rec_core.data.batching import training_windows
from reg4rec_core.machine import matmul_rate
from reg4rec_core.training.learner import make_optimizer
from reg4rec_core.training.objective import CatalogTensors, draw_prefixes, pretrain_losses
from reg4rec_core.training.pretrain import PREFIXES_PER_WINDOW, epoch_batches

FLOOR_ROWS = 2048
"""Rows of the matrix product that the floor is measured with: the feed-forward block of a large batch."""


def benchmark_training(run: Run, *, steps: int = 20, threads: int = 1) -> dict[str, Any]:
    """Time whole optimisation steps on the run's data, after a warm-up; the floor is the step's matrix operations.

    An example is one (prefix, next item) pair. The encoder learns from every example of a window, the decoder from a
    sample of them: `decoded_share` says how many.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    dataset, ids = run.load_dataset(), run.semantic_ids()
    settings = run.settings
    model = ModelConfig.from_dict(settings.get("model", {}))
    config = PretrainConfig()
    network = build_network(model, ids, dataset, dropout=config.dropout, decoder_dropout=config.decoder_dropout).train()
    catalog = CatalogTensors(torch.as_tensor(ids.codes), torch.as_tensor(dataset.catalog.categories))
    optimizer = make_optimizer(network, config)
    generator = torch.Generator().manual_seed(0)
    windows = training_windows(dataset.interactions, HISTORY_LENGTH)

    def train_step(batch: torch.Tensor) -> tuple[int, int]:
        prefixes = draw_prefixes(
            batch[:, :-1] > 0, per_window=PREFIXES_PER_WINDOW, n_codebooks=ids.n_codebooks, generator=generator
        )
        losses = pretrain_losses(network, batch, catalog, prefixes)
        loss = losses.encoder_item + losses.first_item + losses.left_item + losses.token + losses.category
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        return int((batch[:, :-1] > 0).sum()), len(prefixes.rows)

    batches = list(epoch_batches(windows, batch_size=config.batch_size, generator=generator))
    batches = [batches[i % len(batches)] for i in range(steps + 3)]
    for batch in batches[:3]:
        train_step(batch)
    rate = matmul_rate(FLOOR_ROWS)
    durations, examples, decoded = [], 0, 0
    for batch in batches[3:]:
        started = time.perf_counter()
        seen, drawn = train_step(batch)
        durations.append(time.perf_counter() - started)
        examples, decoded = examples + seen, decoded + drawn
        rate = max(rate, matmul_rate(FLOOR_ROWS))
    with FlopCounterMode(display=False) as counter:
        for batch in batches[3:]:
            train_step(batch)
    operations = counter.get_total_flops()
    measured = float(np.sum(durations))
    return {
        "examples_per_second": examples / measured,
        "floor_share": operations / rate / measured,
        "operations_per_example": operations / examples,
        "matmul_gflops": rate / 1e9,
        "decoded_share": decoded / examples,
        "step_ms": {"p50": float(np.median(durations)) * 1e3, "p95": float(np.quantile(durations, 0.95)) * 1e3},
        "steps": len(durations),
        "threads": threads,
    }
