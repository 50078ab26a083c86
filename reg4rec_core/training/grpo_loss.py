"""What post-training minimises besides the supervised losses: the clipped policy term of GRPO and its KL (Eq. 9).

The ratio is that of whole paths, as the paper writes it. The KL to the reference is estimated from the sampled codes by
k3, exp(d) - d - 1 with d = log reference - log policy: never negative, and zero where both agree (our choice; the paper
names no estimator). Its value estimates KL(policy || reference); its gradient, the samples being fixed, is that of
KL(reference || policy) over the codes of each step, which pulls back hardest what the policy has nearly given up.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reg4rec_core.rewards import Advantages


@dataclass(frozen=True)
class GrpoLoss:
    """Sums over groups of means over their rollouts, so that several processes add theirs up before they divide.

    `kl` counts all groups, everything else only the groups with signal, of which there are `signal_groups`.
    """

    policy: Float[Tensor, ""]
    """- min(ratio A, clipped ratio A)."""
    kl: Float[Tensor, ""]
    """Divergence of the policy from the reference, nats, summed over the steps of a path."""
    ratio: Float[Tensor, ""]
    """Probability of a path now over its probability when it was sampled; no gradient."""
    clip_low: Float[Tensor, ""]
    """Rollouts that get no gradient as they are worse than their group and unlikely enough already; no gradient."""
    clip_high: Float[Tensor, ""]
    """Rollouts that get no gradient as they are better than their group and likely enough already; no gradient."""
    signal_groups: Int[Tensor, ""]


def grpo_loss(
    log_probs: Float[Tensor, "B G T"],
    old_log_probs: Float[Tensor, "B G T"],
    reference_log_probs: Float[Tensor, "B G T"],
    advantages: Advantages,
    *,
    clip: float,
) -> GrpoLoss:
    """The terms of Eq. 9 for G rollouts a history; ratios move by at most `clip` (paper: 0.15)."""
    signal, values = advantages.has_signal, advantages.values
    # groups without signal are masked before exp: 0 times an infinite ratio would be NaN
    log_ratio = (log_probs.sum(-1) - old_log_probs.sum(-1)).masked_fill(~signal[:, None], 0)
    ratio = log_ratio.exp()  # (B, G)
    gain = torch.minimum(ratio * values, ratio.clamp(1 - clip, 1 + clip) * values)
    log_distance = reference_log_probs - log_probs
    k3 = torch.expm1(log_distance) - log_distance  # (B, G, T)
    moved = ratio.detach()
    return GrpoLoss(
        policy=-gain[signal].mean(1).sum(),
        kl=k3.sum(-1).mean(1).sum(),
        ratio=moved[signal].mean(1).sum(),
        clip_low=((moved < 1 - clip) & (values < 0)).to(moved.dtype)[signal].mean(1).sum(),
        clip_high=((moved > 1 + clip) & (values > 0)).to(moved.dtype)[signal].mean(1).sum(),
        signal_groups=signal.sum(),
    )
