import math

import numpy as np
import pytest
import torch

from reg4rec_core.metrics import (
    MISSED,
    accuracy,
    bootstrap_interval,
    categories_per_list,
    coverage,
    distinctness,
    js_divergence,
    ndcg_at,
    places_in_lists,
    places_in_scores,
    quantiles,
    ranking_metrics,
    recall_at,
)


def test_a_place_in_a_list_counts_from_one():
    items = np.array([[7, 3, 9], [7, 3, 9], [4, 5, 6]])
    assert places_in_lists(items, np.array([7, 9, 1])).tolist() == [1, 3, MISSED]


def test_recall_and_ndcg_match_numbers_by_hand():
    places = np.array([1, 3, 6, MISSED])
    assert recall_at(places, 5) == 0.5
    assert recall_at(places, 10) == 0.75
    assert ndcg_at(places, 5) == pytest.approx((1 + 1 / 2) / 4)
    assert ndcg_at(places, 10) == pytest.approx((1 + 1 / 2 + 1 / math.log2(7)) / 4)


def test_a_place_at_the_cut_counts_and_the_next_does_not():
    assert recall_at(np.array([5]), 5) == 1.0
    assert recall_at(np.array([6]), 5) == 0.0
    assert ndcg_at(np.array([6]), 5) == 0.0


def test_a_report_names_recall_and_ndcg_at_5_and_10():
    expected = {"recall@5": 0.0, "ndcg@5": 0.0, "recall@10": 1.0, "ndcg@10": 1 / 3}
    assert ranking_metrics(np.array([7])) == pytest.approx(expected)


def test_no_users_score_nothing():
    nobody = np.zeros(0, np.int64)
    assert ranking_metrics(nobody) == {"recall@5": 0.0, "ndcg@5": 0.0, "recall@10": 0.0, "ndcg@10": 0.0}
    assert accuracy(nobody, nobody) == 0.0


def test_of_two_equal_scores_the_lower_item_stands_first():
    scores = torch.tensor([[-torch.inf, 1.0, 2.0, 1.0], [-torch.inf, 1.0, 2.0, 1.0]])
    assert places_in_scores(scores, torch.tensor([1, 3])).tolist() == [2, 3]


def test_a_target_that_is_left_out_is_missed():
    scores = torch.tensor([[-torch.inf, -torch.inf, 2.0]])
    assert places_in_scores(scores, torch.tensor([1])).tolist() == [MISSED]


def test_a_model_that_says_nan_scores_no_hit():
    scores = torch.tensor([[torch.nan] * 4, [torch.nan, 1.0, 2.0, torch.nan]])
    assert places_in_scores(scores, torch.tensor([2, 2])).tolist() == [MISSED, MISSED]


def test_places_agree_with_sorting():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 6, (40, 12), generator=generator).double()  # many ties
    targets = torch.randint(0, 12, (40,), generator=generator)
    order = torch.sort(scores, dim=1, descending=True, stable=True).indices
    expected = (order == targets[:, None]).nonzero()[:, 1] + 1
    assert places_in_scores(scores, targets).tolist() == expected.tolist()


def test_coverage_counts_real_items_only():
    assert coverage(np.array([[1, 2, 0], [2, 3, 0]]), n_items=7) == 0.5


def test_quantiles_leave_nan_out():
    values = np.array([np.nan, 1.0, 2.0, 3.0, np.nan])
    assert quantiles(values, (0.0, 0.5, 1.0)) == {"p0": 1.0, "p50": 2.0, "p100": 3.0}
    assert quantiles(np.array([np.nan]), (0.5,)) == {}


def test_a_bootstrap_interval_matches_the_normal_approximation():
    values = np.random.default_rng(1).random(2000) < 0.1
    interval = bootstrap_interval(values.astype(float), generator=np.random.default_rng(0), draws=2000)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert interval.mean == values.mean()
    # The percentile bootstrap of 2,000 draws lies within a few percent of the normal interval.
    assert interval.low == pytest.approx(interval.mean - half, abs=0.1 * half)
    assert interval.high == pytest.approx(interval.mean + half, abs=0.1 * half)


def test_a_bootstrap_interval_is_repeatable():
    values = np.arange(50.0)
    first, second = (bootstrap_interval(values, generator=np.random.default_rng(3), draws=100) for _ in range(2))
    assert first == second


def test_js_divergence_equals_numbers_made_by_hand():
    p = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.9, 0.1]], dtype=torch.float64)
    q = torch.tensor([[0.0, 1.0], [0.5, 0.5], [0.5, 0.5]], dtype=torch.float64)
    kl = [0.9 * math.log(0.9 / 0.7) + 0.1 * math.log(0.1 / 0.3), 0.5 * math.log(0.5 / 0.7) + 0.5 * math.log(0.5 / 0.3)]
    expected = torch.tensor([math.log(2), 0, sum(kl) / 2], dtype=torch.float64)
    torch.testing.assert_close(js_divergence(p, q), expected)
    torch.testing.assert_close(js_divergence(q, p), expected)


def test_js_divergence_of_equal_beliefs_is_exactly_zero():
    beliefs = torch.rand(50, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).softmax(-1)
    assert not js_divergence(beliefs, beliefs).any()


def test_distinctness_is_the_mean_over_pairs_of_users_of_what_they_do_not_share():
    items = np.random.default_rng(0).permuted(np.tile(np.arange(1, 9), (6, 1)), axis=1)[:, :3]
    items[2, 2] = 0  # an empty place is shared with nobody
    pairs = [(a, b) for a in range(6) for b in range(a)]
    shared = [len(set(items[a]) & set(items[b]) - {0}) / 3 for a, b in pairs]
    assert distinctness(items) == pytest.approx(1 - np.mean(shared))
    assert distinctness(np.array([[1, 2], [2, 1]])) == 0
    assert distinctness(np.array([[1, 2]])) == 1


def test_categories_of_a_list_are_counted_without_its_empty_places():
    categories = np.array([7, 0, 0, 1, 2])
    assert categories_per_list(np.array([[1, 2, 3], [3, 4, 0], [0, 0, 0]]), categories) == pytest.approx(
        (2 + 2 + 0) / 3
    )
