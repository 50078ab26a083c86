"""The parts of a score add up to it, and the sources of its counted part are named."""

import numpy as np
import pytest

from reg4rec_core import Recommender
from reg4rec_core.analysis.evidence import score_parts, transition_sources
from reg4rec_core.model import Transitions
from reg4rec_core.model.transitions import SMALLEST


def test_the_parts_of_every_score_add_up_and_the_counted_part_is_that_of_the_counts(tiny_run):
    recommender = Recommender.load(tiny_run)
    histories = [recommender.history(user) for user in range(6)]
    transitions = recommender.model.network.transitions
    told = 0
    for history, trace in zip(histories, recommender.recommend(histories, recommender.decode), strict=True):
        row = transitions.evidence(history[None], np.array([len(history) - 1])).toarray()[0]
        for rank, item in enumerate(trace.items):
            parts = score_parts(trace, rank)
            assert parts.learnt + parts.transitions + parts.reasoning == pytest.approx(trace.item_scores[rank])
            weight = recommender.model.network.transition_weight
            assert parts.transitions == pytest.approx(weight * row[item], rel=1e-5, abs=1e-6)
            told += parts.transitions > 0
    assert told


def test_the_sources_are_the_history_items_that_the_item_followed():
    sequences = [np.array([1, 9]), np.array([1, 9]), np.array([2, 9]), np.array([2, 8]), np.array([3, 7])]
    transitions = Transitions.count(sequences, n_items=10)
    first, second = transition_sources(transitions, np.array([3, 2, 1]), 9)
    assert (first.item, first.count, second.item, second.count) == (1, 2, 2, 1)
    # 2 / (2 + 1) beside .6 x 1 / (2 + 1)
    assert first.share == pytest.approx(2 / 2.6)
    row = transitions.evidence(np.array([[3, 2, 1]]), np.array([2])).toarray()[0]
    assert row[9] == pytest.approx(np.log1p((2 / 3 + 0.6 / 3) / SMALLEST))
    assert transition_sources(transitions, np.array([3]), 9) == ()
