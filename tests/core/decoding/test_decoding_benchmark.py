"""The speed report says what it measured."""

import numpy as np
import pytest
import torch
from lookup_model import LookupModel, random_histories, random_ids

from reg4rec_core.config import DecodeConfig
from reg4rec_core.decoding import ItemIndex, benchmark_decoding


def test_the_benchmark_counts_nodes_and_restores_the_threads() -> None:
    ids, model = random_ids(0), LookupModel()
    torch.set_num_threads(2)
    try:
        report = benchmark_decoding(
            model,
            ItemIndex(ids),
            random_histories(0, 5),
            DecodeConfig(beam_width=3, theta=np.inf),
            flops_per_node=1e6,
            seconds=0.2,
        )
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert report.nodes_per_user == 1 + 2 * 3  # root, two steps with beliefs
    assert 0 < report.single_user_ms_p50 <= report.single_user_ms_p95
    expected = report.nodes_per_user * 1e6 / (report.matmul_gflops * 1e9) * report.users_per_second_per_thread
    assert report.floor_share == pytest.approx(expected)


def test_the_benchmark_needs_a_history() -> None:
    with pytest.raises(ValueError, match="at least one history"):
        benchmark_decoding(
            LookupModel(), ItemIndex(random_ids(0)), np.zeros((0, 4), np.int64), DecodeConfig(), flops_per_node=1.0
        )
