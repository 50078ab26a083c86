"""The losses of one post-training step as a module's forward: GRPO on sampled paths, and the supervised losses."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from reg4rec_core.config import CodeProbabilities
from reg4rec_core.decoding import ItemIndex
from reg4rec_core.model import EncoderDecoder
from reg4rec_core.rewards import Advantages
from reg4rec_core.training.grpo_loss import GrpoLoss, grpo_loss
from reg4rec_core.training.losses import PretrainLosses
from reg4rec_core.training.objective import BatchShare, CatalogTensors, PretrainStep
from reg4rec_core.training.parallel import no_loss
from reg4rec_core.training.policy import encode_histories, path_log_probs
from reg4rec_core.training.rollouts import SampledPaths


@dataclass(frozen=True)
class JudgedRollouts:
    """Rollouts of one worker's histories with everything that the losses compare them with."""

    history: Int[Tensor, "B L"]
    excluded: Bool[Tensor, "B N"]
    future: Int[Tensor, "B S"]
    """The targets of the rewards, the very next item first."""
    share: BatchShare
    """The same histories and targets as pre-training sees them."""
    paths: SampledPaths
    reference_log_probs: Float[Tensor, "B G T"]
    terms: Float[Tensor, "B G Q"]
    advantages: Advantages


@dataclass(frozen=True)
class PolicyLosses:
    """This worker's part of the losses of the global batch."""

    grpo: GrpoLoss
    """Sums over groups."""
    supervised: PretrainLosses
    """Summands of the means over the global batch."""
    log_probs: Float[Tensor, "B G T"]
    """The policy's, without gradient: what later updates on the same rollouts are compared with."""


class PolicyStep(nn.Module):
    """What training with several workers wraps: rollouts in, losses out."""

    def __init__(
        self,
        network: EncoderDecoder,
        index: ItemIndex,
        catalog: CatalogTensors,
        *,
        kind: CodeProbabilities,
        clip: float,
    ) -> None:
        super().__init__()
        self.network, self.index, self.kind, self.clip = network, index, kind, clip
        self.supervised = PretrainStep(network, catalog)

    def forward(self, judged: JudgedRollouts, old_log_probs: Float[Tensor, "B G T"] | None) -> PolicyLosses:
        """Losses of the current policy; without old log-probabilities it is the policy that sampled (ratio 1).

        The supervised losses keep the dropout of pre-training; the policy is what samples, without any.
        """
        self.network.train()
        supervised = self.supervised(judged.share)
        self.network.eval()
        if len(judged.history):
            encoded = encode_histories(self.network, judged.history, judged.excluded, judged.future)
            log_probs = path_log_probs(self.network, self.index, encoded, judged.paths, kind=self.kind)
        else:
            log_probs = judged.reference_log_probs + no_loss(self.network)
        old = log_probs.detach() if old_log_probs is None else old_log_probs
        grpo = grpo_loss(log_probs, old, judged.reference_log_probs, judged.advantages, clip=self.clip)
        return PolicyLosses(grpo, supervised, log_probs.detach())
