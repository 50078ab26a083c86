"""What a training stage changes step by step, and therefore saves and restores together."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from reg4rec_core.config import PostTrainConfig, PretrainConfig
from reg4rec_core.model import EncoderDecoder
from reg4rec_core.precision import PrecisionController
from reg4rec_core.training.parallel import Workers
from reg4rec_core.training.resume import ResumeState, load_resume, optimizer_tensors, restore_optimizer


def make_optimizer(network: EncoderDecoder, config: PretrainConfig | PostTrainConfig) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices only. Each group says whether it belongs to the encoder or the decoder."""
    encoder = network.encoder_parameters()
    decoder = [p for p in network.parameters() if not any(p is other for other in encoder)]
    groups = [
        {"params": [p for p in part if (p.dim() > 1) == is_matrix], "weight_decay": decay, "part": name}
        for name, part in (("encoder", encoder), ("decoder", decoder))
        for is_matrix, decay in ((True, config.weight_decay), (False, 0.0))
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


@dataclass(frozen=True)
class Learner:
    """The network in training, its optimizer and the number formats of its layers."""

    network: EncoderDecoder
    optimizer: torch.optim.Optimizer
    precision: PrecisionController

    @classmethod
    def of(
        cls,
        network: EncoderDecoder,
        config: PretrainConfig | PostTrainConfig,
        *,
        stage: str,
        run_path: Path,
        workers: Workers,
    ) -> "Learner":
        """A learner at its start; precision plans go to the run's precision.jsonl."""
        precision = PrecisionController(
            network,
            mode=config.precision,
            stage=stage,
            period=config.precision_period,
            budget=config.precision_budget,
            seed=config.seed,
            log=run_path / "precision.jsonl" if workers.is_first else None,
            total=workers.sum,
        )
        return cls(network, make_optimizer(network, config), precision)

    def set_learning_rate(self, rate: float, *, encoder_rate: float = 1.0) -> None:
        """The step size of the decoder; the encoder's and the item vectors' is `encoder_rate` times that."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * (encoder_rate if group["part"] == "encoder" else 1.0)

    def state(self, progress: Any) -> ResumeState:
        """Everything the next step follows from; `progress` is a dataclass of counters."""
        groups = {"network": self.network.state_dict(), "optimizer": optimizer_tensors(self.optimizer)}
        return ResumeState(groups, {"progress": dataclasses.asdict(progress), "precision": self.precision.state_dict()})

    def restore(self, path: Path, *, settings: dict[str, Any], workers: Workers) -> dict[str, Any]:
        """Put everything where `state` saw it and return the counters; {} when there is nothing to continue."""
        state = load_resume(path, settings=settings, workers=workers)
        if state.is_empty:
            return {}
        self.network.load_state_dict(state.groups["network"])
        restore_optimizer(self.optimizer, state.groups["optimizer"])
        progress: dict[str, Any] = state.metadata["progress"]
        self.precision.load_state_dict(state.metadata["precision"], step=progress["step"])
        return progress
