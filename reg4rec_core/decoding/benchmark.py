"""How fast the search is, beside what the machine could do at best."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from jaxtyping import Int

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding.block import BLOCK_USERS
from reg4rec_core.decoding.constraints import ItemIndex
from reg4rec_core.decoding.reasoning_model import ReasoningModel
from reg4rec_core.decoding.search import search
from reg4rec_core.machine import matmul_rate
from reg4rec_core.types import Fate


@dataclass(frozen=True)
class DecodingBenchmark:
    """Speed of searches with full traces on one thread. Times are wall clock."""

    users_per_second_per_thread: float
    """In whole blocks of BLOCK_USERS."""
    single_user_ms_p50: float
    single_user_ms_p95: float
    """One history at a time; it still fills a whole block."""
    nodes_per_user: float
    """Candidates that the network was asked about, the root included."""
    matmul_gflops: float
    """Best float32 matrix product of BLOCK_USERS x W rows by 128 x 640, measured between the searches."""
    floor_share: float
    """(nodes x operations a node / matmul rate) / measured seconds, both for one user."""


def benchmark_decoding(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[np.ndarray, "B L"],
    config: DecodeConfig,
    *,
    flops_per_node: float,
    seconds: float = 10.0,
) -> DecodingBenchmark:
    """Search `histories` over and over for `seconds`, half of it in blocks, half one by one.

    `flops_per_node` counts a multiply-add as two. The number of threads is set to one while it runs.
    """
    if len(histories) == 0:
        raise ValueError("a benchmark needs at least one history, got none")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measure(model, index, histories, config, flops_per_node, seconds)
    finally:
        torch.set_num_threads(threads)


def _measure(
    model: ReasoningModel,
    index: ItemIndex,
    histories: Int[np.ndarray, "B L"],
    config: DecodeConfig,
    flops_per_node: float,
    seconds: float,
) -> DecodingBenchmark:
    start = 0

    def timed(count: int) -> tuple[float, list[int]]:
        nonlocal start
        rows = np.arange(start, start + count) % len(histories)
        start += count
        begin = perf_counter()
        traces = search(model, index, histories[rows], config)
        elapsed = perf_counter() - begin
        return elapsed, [_network_nodes(trace.fate, trace.step, index.n_codebooks) for trace in traces]

    timed(BLOCK_USERS)  # first calls allocate
    rows = BLOCK_USERS * config.beam_width
    rates, in_blocks, alone, nodes = [matmul_rate(rows)], [], [], []
    while sum(in_blocks) < seconds / 2:
        elapsed, counts = timed(BLOCK_USERS)
        in_blocks.append(elapsed)
        nodes += counts
        rates.append(matmul_rate(rows))
    while sum(alone) < seconds / 2:
        alone.append(timed(1)[0])
    per_user, rate = sum(in_blocks) / len(in_blocks) / BLOCK_USERS, max(rates)
    milliseconds = np.array(alone) * 1e3
    return DecodingBenchmark(
        users_per_second_per_thread=1 / per_user,
        single_user_ms_p50=float(np.percentile(milliseconds, 50)),
        single_user_ms_p95=float(np.percentile(milliseconds, 95)),
        nodes_per_user=float(np.mean(nodes)),
        matmul_gflops=rate / 1e9,
        floor_share=float(np.mean(nodes)) * flops_per_node / rate / per_user,
    )


def _network_nodes(fate: Int[np.ndarray, "P"], step: Int[np.ndarray, "P"], n_codebooks: int) -> int:
    return int(((fate != Fate.BEAM_CUT) & (step < n_codebooks)).sum())
