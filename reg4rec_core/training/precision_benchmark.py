"""How fast a pre-training step is in every precision, at the run's width and at wider ones."""

import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, get_args

import numpy as np
import torch

from reg4rec_core.checkpoint import Run, build_network
from reg4rec_core.config import HISTORY_LENGTH, ModelConfig, Precision, PretrainConfig
from reg4rec_core.data.batching import training_windows
from reg4rec_core.precision import PrecisionController
from reg4rec_core.precision.controller import SAMPLE_BATCHES
from reg4rec_core.training.drawn_labels import drawn_loss
from reg4rec_core.training.learner import make_optimizer
from reg4rec_core.training.objective import BatchShare, CatalogTensors, PretrainStep, draw_prefixes
from reg4rec_core.training.parallel import ALONE
from reg4rec_core.training.pretrain import PREFIXES_PER_WINDOW, epoch_batches, train_step

HIDDEN_PER_WIDTH = 5
"""Feed-forward width over state width, as in the paper (640 / 128)."""


def benchmark_precision(
    run: Run, *, widths: Sequence[int], windows: int, steps: int, budget: float, device: torch.device
) -> dict[str, Any]:
    """Time whole optimisation steps of `windows` windows under every mode; ladq's plan is made once, before.

    The modes take turns step by step, so that whatever else the machine does hits all of them alike.
    """
    torch.set_flush_denormal(True)
    measured = {
        str(width): measure_width(run, width, windows=windows, steps=steps, budget=budget, device=device)
        for width in widths
    }
    return {"device": device.type, "threads": torch.get_num_threads(), "windows": windows, "widths": measured}


def measure_width(
    run: Run, width: int, *, windows: int, steps: int, budget: float, device: torch.device
) -> dict[str, Any]:
    """Examples a second of every mode at one width, and what ladq chose."""
    torch.manual_seed(0)
    dataset, ids, config = run.load_dataset(), run.semantic_ids(), PretrainConfig(batch_size=windows)
    model = ModelConfig(width=width, hidden=HIDDEN_PER_WIDTH * width)
    network = build_network(
        model, ids, dataset, dropout=config.dropout, decoder_dropout=config.decoder_dropout
    ).to(device).train()  # fmt: skip
    catalog = CatalogTensors(torch.as_tensor(ids.codes), torch.as_tensor(dataset.catalog.categories)).to(device)
    step, optimizer = PretrainStep(network, catalog), make_optimizer(network, config)
    shares = batches(run, config, max(steps, SAMPLE_BATCHES) + 1, n_codebooks=ids.n_codebooks)
    controllers = {
        mode: PrecisionController(network, mode=mode, stage="bench", budget=budget) for mode in get_args(Precision)
    }
    shares = [share.to(device) for share in shares]
    for number, share in enumerate(shares[:SAMPLE_BATCHES]):
        controllers["ladq"].sample(number, partial(drawn_loss, network, share, catalog, config))
    plan = controllers["ladq"].plan(0)
    durations: dict[str, list[float]] = {mode: [] for mode in controllers}
    for number, share in enumerate(shares[: steps + 1]):
        turn = number % len(controllers)  # none always follows the same other one
        for mode, controller in [*list(controllers.items())[turn:], *list(controllers.items())[:turn]]:
            began = time.perf_counter()
            with controller.step(SAMPLE_BATCHES + number, partial(drawn_loss, network, share, catalog, config)):
                train_step(step, optimizer, share, config, ALONE).sum().item()  # waits for a GPU
            durations[mode].append(time.perf_counter() - began)
    examples = [int((share.windows[:, :-1] > 0).sum()) for share in shares[1 : steps + 1]]
    reports = {
        mode: mode_report(controllers[mode], durations[mode][1:], durations["fp32"][1:], examples) for mode in durations
    }
    return {"modes": reports, "layer_ms": controllers["ladq"].times, "plan": plan}


def mode_report(
    controller: PrecisionController, seconds: list[float], reference: list[float], examples: list[int]
) -> dict[str, Any]:
    """Speed of one mode; the speed-up is the median over steps of the ratio to fp32 on the same batch."""
    formats = controller.formats
    return {
        "examples_per_second": sum(examples) / sum(seconds),
        "step_ms": float(np.median(seconds)) * 1e3,
        "speed_up": float(np.median(np.divide(reference, seconds))),
        "layers": dict(Counter(formats.values())),
        "coarse_layers": [name for name, chosen in formats.items() if chosen != "fp32"],
    }


def batches(run: Run, config: PretrainConfig, count: int, *, n_codebooks: int) -> list[BatchShare]:
    """Whole training batches with their prefixes; an epoch that is too short is repeated."""
    generator = torch.Generator().manual_seed(0)
    windows = training_windows(run.load_dataset().interactions, HISTORY_LENGTH)
    epoch = list(epoch_batches(windows, batch_size=config.batch_size, generator=generator))
    return [
        BatchShare(
            batch,
            draw_prefixes(
                batch[:, :-1] > 0, per_window=PREFIXES_PER_WINDOW, n_codebooks=n_codebooks, generator=generator
            ),
            of_positions=1.0,
            of_prefixes=1.0,
        )
        for batch in (epoch[index % len(epoch)] for index in range(count))
    ]
