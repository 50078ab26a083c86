"""Every reward by hand numbers, then what must hold of any rewards and groups."""

import math

import pytest
import torch

from reg4rec_core.config import RewardWeights
from reg4rec_core.rewards import (
    REWARD_TERMS,
    category_hits,
    consistency,
    group_advantages,
    nearest_items,
    path_hits,
    reward_terms,
    step_hits,
    total_reward,
    window_weights,
    windowed,
)

FLOOR = 0.05
ALL = RewardWeights()


def test_the_terms_stand_in_the_order_of_the_weights():
    assert tuple(RewardWeights().to_dict()) == REWARD_TERMS


def test_step_hits_count_shared_codes_of_every_window_item():
    codes = torch.tensor([[[5, 2, 7, 0], [1, 1, 1, 1]]])
    window_codes = torch.tensor([[[5, 2, 3, 0], [1, 2, 7, 1], [5, 2, 7, 0]]])
    torch.testing.assert_close(step_hits(codes, window_codes), torch.tensor([[[0.75, 0.5, 1.0], [0.0, 0.5, 0.0]]]))


def test_a_code_of_another_codebook_is_no_step_hit():
    assert step_hits(torch.tensor([[[1, 2]]]), torch.tensor([[[2, 1]]])).item() == 0


def test_step_hits_compare_a_history_with_its_own_window():
    codes = torch.tensor([[[1, 2]], [[3, 4]]])
    window_codes = torch.tensor([[[1, 2]], [[1, 2]]])
    assert step_hits(codes, window_codes).tolist() == [[[1.0]], [[0.0]]]


def test_category_hits_count_the_steps_that_believe_in_an_items_category():
    believed = torch.tensor([[[4, 1, 4, 4], [2, 2, 0, 1]]])
    window_categories = torch.tensor([[4, 1, 3]])
    torch.testing.assert_close(
        category_hits(believed, window_categories), torch.tensor([[[0.75, 0.25, 0.0], [0.0, 0.25, 0.0]]])
    )


def test_consistency_is_one_minus_the_mean_divergence_of_successive_beliefs():
    beliefs = torch.tensor(
        [[[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5]] * 3, [[0.9, 0.1], [0.5, 0.5], [0.9, 0.1]]]]
    )
    js = (0.9 * math.log(0.9 / 0.7) + 0.1 * math.log(0.1 / 0.3)) / 2
    js += (0.5 * math.log(0.5 / 0.7) + 0.5 * math.log(0.5 / 0.3)) / 2
    torch.testing.assert_close(consistency(beliefs), torch.tensor([[1 - math.log(2) / 2, 1.0, 1 - js]]))


def test_consistency_compares_neighbours_in_time_only():
    there_and_back = torch.tensor([[[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]]])
    assert consistency(there_and_back).item() == pytest.approx(1 - math.log(2))


def test_consistency_of_a_single_belief_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        consistency(torch.ones(1, 1, 1, 3))


def test_path_hits_are_one_for_window_items_among_the_nearest():
    nearest = torch.tensor([[[3, 9, 4], [5, 6, 7]]])
    assert path_hits(nearest, torch.tensor([[9, 5, 1]])).tolist() == [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]


def test_item_0_of_a_window_is_never_a_path_hit():
    assert path_hits(torch.tensor([[[0, 3]]]), torch.tensor([[3, 0]])).tolist() == [[[1.0, 0.0]]]


def test_nearest_items_stand_by_cosine_whatever_the_lengths():
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 9.0], [5.0, 5.0]])
    assert nearest_items(torch.tensor([[2.0, 1.0], [-0.1, 3.0]]), vectors, 2).tolist() == [[3, 1], [2, 3]]


def test_equally_near_items_go_by_item_at_the_cut_too():
    vectors = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [3.0, 3.0], [1.0, 1.0]])
    assert nearest_items(torch.tensor([[1.0, 1.0]]), vectors, 2).tolist() == [[2, 3]]


def test_padding_is_never_near_even_if_everything_else_is_opposite():
    vectors = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [-1.0, 0.1]])
    assert nearest_items(torch.tensor([[1.0, 0.0]]), vectors, 2).tolist() == [[2, 1]]


@pytest.mark.parametrize("seed", range(3))
def test_nearest_items_equal_a_full_sort_over_several_chunks(seed):
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(40, 3, generator=generator)
    vectors[20:] = vectors[:20]  # collided items: every similarity occurs twice
    sums = torch.randn(600, 3, generator=generator)
    found = nearest_items(sums, vectors, 7)
    for row in range(0, 600, 7):
        cosine = torch.nn.functional.cosine_similarity(sums[row].double(), vectors.double(), dim=1)
        by_cosine = sorted(range(1, 40), key=lambda item: (-round(cosine[item].item(), 6), item))
        assert found[row].tolist() == by_cosine[:7]


@pytest.mark.parametrize("n", [0, 3])
def test_more_neighbours_than_items_are_refused(n):
    with pytest.raises(ValueError, match="n must lie in"):
        nearest_items(torch.zeros(1, 2), torch.zeros(3, 2), n)


def test_window_weights_fall_by_the_decay_and_sum_to_one():
    weights = window_weights(torch.tensor([[6, 2, 9]]), decay=0.8)
    torch.testing.assert_close(weights, torch.tensor([[1 / 2.44, 0.8 / 2.44, 0.64 / 2.44]]))


def test_a_cut_window_is_renormalised():
    weights = window_weights(torch.tensor([[6, 2, 0], [6, 0, 0]]), decay=0.8)
    torch.testing.assert_close(weights, torch.tensor([[1 / 1.8, 0.8 / 1.8, 0], [1.0, 0, 0]]))


def test_without_decay_all_items_of_a_window_count_alike():
    torch.testing.assert_close(window_weights(torch.tensor([[6, 2]]), decay=1.0), torch.tensor([[0.5, 0.5]]))


def test_a_window_without_items_is_refused():
    with pytest.raises(ValueError, match="at least one item"):
        window_weights(torch.tensor([[6, 2], [0, 0]]), decay=0.8)


def test_windowed_hits_are_their_weighted_mean():
    hits = torch.tensor([[[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]])
    weights = window_weights(torch.tensor([[6, 2, 9]]), decay=0.8)
    torch.testing.assert_close(windowed(hits, weights), torch.tensor([[1.4 / 2.44, 0.64 / 2.44]]))


ITEM_CODES = torch.tensor([[0, 0], [1, 0], [1, 2], [2, 2]])
ITEM_CATEGORIES = torch.tensor([0, 1, 1, 0])


def terms_of(window, codes, *, nearest=((1,),), beliefs=(((0.2, 0.8), (0.4, 0.6)),)):
    return reward_terms(
        torch.tensor([codes]),
        torch.tensor([beliefs]),
        torch.tensor([nearest]),
        torch.tensor([window]),
        item_codes=ITEM_CODES,
        item_categories=ITEM_CATEGORIES,
        decay=0.8,
    )


def test_all_four_terms_of_a_path_by_hand():
    # codes (1, 2): item 2 shares both, item 3 one; both beliefs favour category 1, that of item 2; near is item 3
    middle = [0.3, 0.7]
    js = sum(p * math.log(p / m) + q * math.log(q / m) for p, q, m in zip([0.2, 0.8], [0.4, 0.6], middle, strict=True))
    terms = terms_of([2, 3, 0], [[1, 2]], nearest=[[3]])
    expected = [(1 + 0.8 * 0.5) / 1.8, 1 / 1.8, 1 - js / 2, 0.8 / 1.8]
    torch.testing.assert_close(terms, torch.tensor([[expected]]))
    assert terms.dtype == torch.float32


def test_empty_places_of_a_window_change_no_term():
    # the codes and category of row 0 equal those of the path: nothing of it may leak into the mean
    beliefs = (((0.8, 0.2), (0.6, 0.4)),)
    short = terms_of([2], [[0, 0]], nearest=[[0]], beliefs=beliefs)
    torch.testing.assert_close(terms_of([2, 0, 0], [[0, 0]], nearest=[[0]], beliefs=beliefs), short)
    assert short[0, 0, [0, 1, 3]].tolist() == [0, 0, 0]


def test_an_item_that_stands_in_the_window_twice_counts_at_both_places():
    torch.testing.assert_close(terms_of([2, 2, 1], [[1, 2]])[0, 0, 0], torch.tensor((1 + 0.8 + 0.64 * 0.5) / 2.44))


def test_consistency_is_not_windowed():
    assert terms_of([2], [[1, 2]])[0, 0, 2] == terms_of([3, 1, 1], [[0, 0]])[0, 0, 2]


def test_the_total_is_the_weighted_sum_and_a_term_without_weight_counts_nothing():
    terms = torch.tensor([[[0.5, 0.25, 0.9, 1.0]]])
    assert total_reward(terms, ALL).item() == pytest.approx(2.65)
    assert total_reward(terms, RewardWeights.parse("step=1,path=2")).item() == pytest.approx(2.5)


def group(*rows):
    """Terms of one group, a rollout per row."""
    return torch.tensor([rows])


def test_advantages_are_deviations_from_the_group_in_units_of_its_spread():
    terms = group((1, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 1), (1, 1, 1, 0)).float()
    advantages = group_advantages(terms, ALL, std_floor=FLOOR)
    torch.testing.assert_close(advantages.values, torch.tensor([[-1.0, -1.0, 1.0, 1.0]]))
    assert advantages.has_signal.tolist() == [True]


def test_equal_rewards_give_zero_advantage_and_no_signal():
    terms = torch.rand(5, 1, 4, generator=torch.Generator().manual_seed(0)).expand(-1, 8, -1)
    advantages = group_advantages(terms, ALL, std_floor=FLOOR)
    assert not advantages.values.any()
    assert not advantages.has_signal.any()


@pytest.mark.parametrize("seed", range(5))
def test_advantages_of_a_group_sum_to_zero_and_have_at_most_unit_spread(seed):
    terms = torch.rand(6, 16, 4, generator=torch.Generator().manual_seed(seed))
    values = group_advantages(terms, ALL, std_floor=FLOOR).values
    torch.testing.assert_close(values.sum(1), torch.zeros(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.std(1, correction=0), torch.ones(6))


def test_a_constant_added_to_all_rewards_changes_no_advantage():
    terms = torch.rand(3, 8, 4, generator=torch.Generator().manual_seed(1))
    before = group_advantages(terms, ALL, std_floor=FLOOR).values
    torch.testing.assert_close(group_advantages(terms + 0.5, ALL, std_floor=FLOOR).values, before, atol=1e-4, rtol=0)


def test_a_spread_below_the_floor_is_not_blown_up():
    terms = group((0.50, 0, 0, 0), (0.52, 0, 0, 0))
    values = group_advantages(terms, ALL, std_floor=FLOOR).values
    torch.testing.assert_close(values, torch.tensor([[-0.01 / 0.05, 0.01 / 0.05]]))


def test_a_floor_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="std_floor"):
        group_advantages(torch.zeros(1, 2, 4), ALL, std_floor=0.0)


def test_a_group_that_differs_in_consistency_alone_has_no_signal():
    terms = torch.tensor([[[0.5, 0.5, 0.1, 0], [0.5, 0.5, 0.9, 0]], [[0.5, 0.5, 0.1, 0], [0.5, 0.5, 0.1, 1]]])
    advantages = group_advantages(terms, ALL, std_floor=FLOOR)
    assert advantages.has_signal.tolist() == [False, True]
    assert advantages.values[0].tolist() == [0, 0]
    torch.testing.assert_close(advantages.values[1], torch.tensor([-1.0, 1.0]))


@pytest.mark.parametrize("term", ["step", "category", "path"])
def test_a_difference_in_any_one_target_term_is_signal(term):
    terms = torch.full((1, 4, 4), 0.5)
    terms[0, 0, REWARD_TERMS.index(term)] = 0.75
    advantages = group_advantages(terms, ALL, std_floor=FLOOR)
    assert advantages.has_signal.tolist() == [True]
    assert advantages.values.argmax().item() == 0


def test_consistency_alone_gives_signal_where_nothing_else_has_a_weight():
    terms = group((0.5, 0.5, 0.1, 0), (0.5, 0.5, 0.9, 1))
    advantages = group_advantages(terms, RewardWeights.parse("consistency=2"), std_floor=FLOOR)
    assert advantages.has_signal.tolist() == [True]
    torch.testing.assert_close(advantages.values, torch.tensor([[-1.0, 1.0]]))


def test_a_difference_in_a_term_without_weight_is_no_signal():
    terms = group((0, 0, 0.1, 0), (1, 0, 0.9, 0))
    for weights in ("path=1", "path=1,consistency=1", "category=1,path=1"):
        assert not group_advantages(terms, RewardWeights.parse(weights), std_floor=FLOOR).has_signal.any()
    assert group_advantages(terms, RewardWeights.parse("step=1"), std_floor=FLOOR).has_signal.all()


def test_a_group_does_not_see_other_groups():
    terms = torch.rand(4, 8, 4, generator=torch.Generator().manual_seed(2))
    together = group_advantages(terms, ALL, std_floor=FLOOR)
    alone = group_advantages(terms[2:3], ALL, std_floor=FLOOR)
    assert torch.equal(together.values[2:3], alone.values)
