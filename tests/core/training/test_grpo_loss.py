"""The loss of GRPO against one computed number by number, and its clip, ratio, divergence and counts by hand."""

import math

import pytest
import torch

from reg4rec_core.rewards import Advantages
from reg4rec_core.training.grpo_loss import GrpoLoss, grpo_loss

CLIP = 0.15
B, G, T = 5, 6, 3


def draw_case(seed, *, spread=0.4):
    """Log-probabilities now, then and of the reference, and advantages; group 1 has no signal."""
    generator = torch.Generator().manual_seed(seed)
    now, old, reference = (-torch.rand(B, G, T, generator=generator, dtype=torch.float64) * 3 for _ in range(3))
    old = now + spread * (old - now)
    values = torch.randn(B, G, generator=generator, dtype=torch.float64)
    values -= values.mean(1, keepdim=True)
    has_signal = torch.arange(B) != 1
    return now, old, reference, Advantages(values * has_signal[:, None], has_signal)


def slow_loss(now, old, reference, advantages):
    policy = kl = ratio_sum = low = high = 0.0
    for b in range(B):
        for g in range(G):
            for t in range(T):
                distance = float(reference[b, g, t] - now[b, g, t])
                kl += (math.exp(distance) - distance - 1) / G
            if not advantages.has_signal[b]:
                continue
            ratio = math.exp(sum(float(now[b, g, t]) for t in range(T)) - sum(float(old[b, g, t]) for t in range(T)))
            clipped = min(max(ratio, 1 - CLIP), 1 + CLIP)
            advantage = float(advantages.values[b, g])
            policy -= min(ratio * advantage, clipped * advantage) / G
            ratio_sum += ratio / G
            low += (ratio < 1 - CLIP and advantage < 0) / G
            high += (ratio > 1 + CLIP and advantage > 0) / G
    return {"policy": policy, "kl": kl, "ratio": ratio_sum, "clip_low": low, "clip_high": high, "signal_groups": B - 1}


@pytest.mark.parametrize("seed", range(6))
def test_the_loss_equals_one_computed_number_by_number_with_the_clip_acting_on_both_sides(seed):
    case = draw_case(seed)
    expected = slow_loss(*case)
    assert expected["clip_low"] > 0
    assert expected["clip_high"] > 0
    loss = grpo_loss(*case, clip=CLIP)
    assert {name: float(getattr(loss, name)) for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("term", ["policy", "kl"])
def test_the_loss_has_the_gradients_of_its_formula(seed, term):
    now, old, reference, advantages = draw_case(seed)
    assert torch.autograd.gradcheck(
        lambda log_probs: getattr(grpo_loss(log_probs, old, reference, advantages, clip=CLIP), term),
        (now.requires_grad_(),),
    )


def one_path(ratio, advantage):
    """Policy loss and its gradient with respect to the log-probability of a single path."""
    log_prob = torch.tensor([[[math.log(ratio)]]], requires_grad=True)
    advantages = Advantages(torch.tensor([[advantage]]), torch.tensor([True]))
    loss = grpo_loss(log_prob, torch.zeros(1, 1, 1), log_prob.detach(), advantages, clip=CLIP)
    loss.policy.backward()
    return loss.policy.item(), log_prob.grad.item()


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient"),
    [
        (1.5, 2.0, -2.3, 0.0),  # good and likelier by more than the clip: enough
        (0.5, -2.0, 1.7, 0.0),  # bad and rarer by more than the clip: enough
        (0.5, 2.0, -1.0, -1.0),  # good but rarer: the gradient stays
        (1.5, -2.0, 3.0, 3.0),  # bad but likelier: the gradient stays
        (1.1, 2.0, -2.2, -2.2),  # inside the clip
    ],
)
def test_the_clip_stops_only_gradients_that_have_done_enough(ratio, advantage, loss, gradient):
    assert one_path(ratio, advantage) == pytest.approx((loss, gradient), abs=1e-5)


def test_the_ratio_is_that_of_the_whole_path():
    # two steps that move in opposite directions leave the path where it was, though each step's ratio is far out
    now = torch.tensor([[[-1.0, -2.0]]])
    old = torch.tensor([[[-2.0, -1.0]]])
    loss = grpo_loss(now, old, now, Advantages(torch.ones(1, 1), torch.tensor([True])), clip=CLIP)
    assert (loss.ratio.item(), loss.clip_high.item(), loss.policy.item()) == pytest.approx((1, 0, -1))


@pytest.mark.parametrize("seed", range(3))
def test_the_kl_is_never_negative_and_zero_at_the_reference(seed):
    now, old, reference, advantages = draw_case(seed)
    for b in range(B):
        rows = slice(b, b + 1)
        one = Advantages(advantages.values[rows], advantages.has_signal[rows])
        assert grpo_loss(now[rows], old[rows], reference[rows], one, clip=CLIP).kl > 0
    assert grpo_loss(reference, old, reference, advantages, clip=CLIP).kl == 0


def test_groups_without_signal_do_not_dilute_the_policy_term_but_count_in_the_kl():
    now, old, reference, advantages = draw_case(0)
    everything = grpo_loss(now, old, reference, advantages, clip=CLIP)
    keep = advantages.has_signal
    alone = Advantages(advantages.values[keep], advantages.has_signal[keep])
    signal_only = grpo_loss(now[keep], old[keep], reference[keep], alone, clip=CLIP)
    for name in ("policy", "ratio", "clip_low", "clip_high", "signal_groups"):
        torch.testing.assert_close(getattr(everything, name), getattr(signal_only, name))
    assert everything.kl > signal_only.kl


def test_a_group_without_signal_gives_no_policy_gradient_however_far_it_moved():
    now, old, reference, advantages = draw_case(0)
    old[1] = -1e6  # an infinite ratio
    loss = grpo_loss(now.requires_grad_(), old, reference, advantages, clip=CLIP)
    loss.policy.backward()
    assert torch.isfinite(loss.policy)
    assert torch.isfinite(now.grad).all()
    assert not now.grad[1].any()
    assert now.grad[0].any()


def test_a_batch_without_any_signal_has_a_policy_term_of_zero():
    now, old, reference, _ = draw_case(0)
    nothing = Advantages(torch.zeros(B, G, dtype=torch.float64), torch.zeros(B, dtype=torch.bool))
    loss = grpo_loss(now.requires_grad_(), old, reference, nothing, clip=CLIP)
    (loss.policy + loss.kl).backward()
    assert (loss.policy.item(), loss.signal_groups.item(), loss.ratio.item()) == (0, 0, 0)
    assert now.grad.any()


def test_the_parts_of_a_batch_add_up_to_the_whole():
    now, old, reference, advantages = draw_case(3)
    whole = grpo_loss(now, old, reference, advantages, clip=CLIP)
    parts = [
        grpo_loss(
            now[rows],
            old[rows],
            reference[rows],
            Advantages(advantages.values[rows], advantages.has_signal[rows]),
            clip=CLIP,
        )
        for rows in (slice(0, 2), slice(2, B))
    ]
    for name in GrpoLoss.__dataclass_fields__:
        torch.testing.assert_close(getattr(whole, name), getattr(parts[0], name) + getattr(parts[1], name))
