"""How fast decoding is on one thread, beside what the machine's matrix products would allow."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int
from torch.utils.flop_counter import FlopCounterMode

from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.decoding import BLOCK_USERS, benchmark_decoding, search
from reg4rec_core.recommender import Recommender
from reg4rec_core.types import Fate, InputError, ReasoningTrace

BEAM = 20
USERS = 2000


def decode_speed(recommender: Recommender, *, seconds: float) -> dict[str, Any]:
    """Users a second with full traces, latency of one user, and the share of the floor; one thread, beam 20.

    The top-level numbers are those of the run's own theta, `theta_inf` those without CORP; each is measured for
    `seconds`. The floor is the time that the matrix operations of the search would take at the measured rate.
    """
    histories = histories_to_time(recommender)
    decode = replace(recommender.decode, beam_width=BEAM)
    own = timed(recommender, histories, decode, seconds=seconds)
    plain = timed(recommender, histories, replace(decode, theta=math.inf), seconds=seconds)
    return {**own, "theta_inf": plain, "theta": decode.theta, "beam": BEAM, "threads": 1, "decode": decode.to_dict()}


def histories_to_time(recommender: Recommender) -> Int[np.ndarray, "B L"]:
    """Histories before the test item of users drawn with a fixed seed."""
    users = np.flatnonzero(recommender.interactions.test_positions >= 1)
    if not len(users):
        raise InputError("bench decode needs users with a test item, this data set has none; prepare another split")
    chosen = np.random.default_rng(0).permutation(users)[:USERS]
    return pad_histories([recommender.history(int(user)) for user in chosen], HISTORY_LENGTH)


def timed(
    recommender: Recommender, histories: Int[np.ndarray, "B L"], decode: DecodeConfig, *, seconds: float
) -> dict[str, Any]:
    """One benchmark as the contract names its numbers."""
    operations = operations_per_node(recommender, histories, decode)
    speed = benchmark_decoding(
        recommender.model, recommender.index, histories, decode, flops_per_node=operations, seconds=seconds
    )
    return {
        "users_per_second_per_thread": speed.users_per_second_per_thread,
        "single_user_ms": {"p50": speed.single_user_ms_p50, "p95": speed.single_user_ms_p95},
        "floor_share": speed.floor_share,
        "nodes_per_user": speed.nodes_per_user,
        "operations_per_user": operations * speed.nodes_per_user,
        "matmul_gflops": speed.matmul_gflops,
    }


def operations_per_node(recommender: Recommender, histories: Int[np.ndarray, "B L"], decode: DecodeConfig) -> float:
    """Matrix operations that whole searches ask of PyTorch, shared out over the nodes the network was asked about."""
    sample = histories[: 4 * BLOCK_USERS]
    with FlopCounterMode(display=False) as counter:
        traces = search(recommender.model, recommender.index, sample, decode)
    return counter.get_total_flops() / sum(map(nodes_asked, traces))


def nodes_asked(trace: ReasoningTrace) -> int:
    """Nodes whose state the network computed: the root and every candidate tried, leaves left out."""
    return int(((trace.fate != Fate.BEAM_CUT) & (trace.step < trace.step.max())).sum())
