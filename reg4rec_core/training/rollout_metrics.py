"""What one post-training step did, under the metric names that users of TRL know, and ours beside them."""

import torch
from jaxtyping import Float
from torch import Tensor

from reg4rec_core.config import RewardWeights
from reg4rec_core.rewards import REWARD_TERMS, SAME, total_reward
from reg4rec_core.training.parallel import Workers
from reg4rec_core.training.policy_step import JudgedRollouts, PolicyLosses


def rollout_sums(judged: JudgedRollouts, weights: RewardWeights) -> dict[str, Float[Tensor, ""]]:
    """Sums over a worker's groups; divided by the number of groups they are the metrics."""
    totals = total_reward(judged.terms, weights)
    deviation = totals.std(1, correction=0)
    items, beliefs = judged.paths.items, judged.paths.beliefs
    ordered = items.sort(1).values
    sums = {
        "reward": totals.mean(1).sum(),
        "reward_std": deviation.sum(),
        "frac_reward_zero_std": (deviation <= SAME).sum(),
        "frac_groups_skipped": (~judged.advantages.has_signal).sum(),
        "entropy": -judged.paths.log_probs.sum(2).mean(1).sum(),
        "belief_entropy": -torch.special.xlogy(beliefs, beliefs).sum(3).mean((1, 2)).sum(),
        "unique_items_in_group": (1 + (ordered[:, 1:] != ordered[:, :-1]).sum(1)).sum(),
        "hit_rate": (items == judged.future[:, :1]).double().mean(1).sum(),
    }
    for place, term in enumerate(REWARD_TERMS):
        values = judged.terms[..., place].double()
        sums[f"rewards/{term}/mean"] = values.mean(1).sum()
        sums[f"rewards/{term}/square"] = values.square().mean(1).sum()
    return sums


def loss_sums(losses: PolicyLosses, *, groups: int) -> dict[str, Float[Tensor, ""]]:
    """The parts of the loss, summed over a worker's groups (the policy's over those with signal)."""
    grpo = losses.grpo
    parts = {"policy": grpo.policy, "kl": grpo.kl, "ratio": grpo.ratio}
    parts |= {"clip_ratio/low_mean": grpo.clip_low, "clip_ratio/high_mean": grpo.clip_high}
    parts |= {f"supervised/{name}": value * groups for name, value in vars(losses.supervised).items()}
    return {name: value.detach() for name, value in parts.items()}


def code_counts(judged: JudgedRollouts, *, codebook_size: int) -> Float[Tensor, "M K"]:
    """How often each code was chosen."""
    codes = judged.paths.codes_by_codebook.flatten(0, 1)  # (E, M)
    counts = torch.zeros(codes.shape[1], codebook_size, dtype=torch.float64, device=codes.device)
    return counts.scatter_add_(1, codes.T, torch.ones_like(codes.T, dtype=torch.float64))


def step_metrics(
    sums: dict[str, Tensor], counts: Float[Tensor, "M K"], *, groups: int, signal_groups: int, workers: Workers
) -> dict[str, float]:
    """The metrics of the global batch from every worker's sums."""
    total = dict(zip(sums, workers.sum(torch.stack([v.double() for v in sums.values()])).tolist(), strict=True))
    of_signal = {"policy", "ratio", "clip_ratio/low_mean", "clip_ratio/high_mean"}
    metrics = {name: value / (max(signal_groups, 1) if name in of_signal else groups) for name, value in total.items()}
    for term in REWARD_TERMS:
        variance = metrics.pop(f"rewards/{term}/square") - metrics[f"rewards/{term}/mean"] ** 2
        metrics[f"rewards/{term}/std"] = max(variance, 0.0) ** 0.5
    shares = workers.sum(counts)
    shares = shares / shares.sum(1, keepdim=True).clamp_min(1)
    metrics["codebook_perplexity"] = float((-torch.special.xlogy(shares, shares).sum(1)).exp().mean())
    return metrics
