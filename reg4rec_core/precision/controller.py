"""LADQ, the layer-adaptive precision controller (REG4Rec VI-A): measure, plan, apply, every so many steps.

Only `nn.Linear` layers change their format, and only inside `step`: products with the item table, attention scores,
normalisations and the optimizer stay in float32, and so do validation and inference.
"""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from reg4rec_core.config import Precision
from reg4rec_core.precision.formats import FORMATS, Format, computing_in
from reg4rec_core.precision.plan import Decision, LayerCosts, make_plan, predicted_damage
from reg4rec_core.precision.sensitivity import LayerNorms, SampledLoss, layer_norms, linear_layers
from reg4rec_core.precision.timing import LayerClock, LinearShape, linear_milliseconds

SAMPLE_BATCHES = 8
"""Training batches whose drawn labels a plan is made from: the first ones of every period."""

Draw = Callable[[torch.Generator], SampledLoss]
"""Makes a loss from labels drawn out of the network's own predictions."""


def alone(values: Tensor) -> Tensor:
    """The sum over all workers where there is one."""
    return values


class PrecisionController:
    """Runs the linear layers of a network in the formats that a mode asks for.

    fp32 leaves everything alone; bf16 and fp8 put every linear layer into that format; ladq plans.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        mode: Precision,
        stage: str,
        period: int = 500,
        budget: float = 0.5,
        seed: int = 0,
        log: Path | None = None,
        total: Callable[[Tensor], Tensor] = alone,
    ) -> None:
        """`total` sums a tensor over all workers, so that they plan alike; plans go to `log`, with the stage."""
        self.mode, self.stage, self.period, self.budget, self.seed = mode, stage, period, budget, seed
        self.log, self.total = log, total
        self.last_step = -1
        self.layers = linear_layers(network)
        start = mode if mode in FORMATS else "fp32"
        self.decisions = {name: Decision(start, math.nan) for name in self.layers}
        self.norms = {name: LayerNorms() for name in self.layers}
        self.times: dict[str, dict[Format, float]] = {}

    @property
    def formats(self) -> dict[str, Format]:
        """The format of every layer."""
        return {name: decision.number_format for name, decision in self.decisions.items()}

    def step(self, step: int, draw: Draw) -> AbstractContextManager[None]:
        """Inside, forward and backward run in the planned formats; `draw` is called on a plan's sample batches.

        Several updates on one batch may share a step number: the first one samples.
        """
        return nullcontext() if self.mode == "fp32" else self._step(step, draw)

    @contextmanager
    def _step(self, step: int, draw: Draw) -> Iterator[None]:
        place, samples = step % self.period, min(SAMPLE_BATCHES, self.period)
        planned: list[dict[str, Any]] = []
        is_new, self.last_step = step != self.last_step, step
        if self.mode == "ladq" and is_new and place < samples:
            self.sample(step, draw)
            if place == samples - 1:
                planned = self.plan(step)
        with ExitStack() as stack:
            stack.enter_context(computing_in(self.layers, self.formats))
            clock = stack.enter_context(LayerClock(self.layers)) if planned else None
            yield
        if clock and self.log:
            with self.log.open("a", encoding="utf-8") as file:
                for record in planned:
                    measured = {"measured_ms": clock.milliseconds[record["layer"]]}
                    file.write(json.dumps({key: plain(value) for key, value in (record | measured).items()}) + "\n")

    def sample(self, step: int, draw: Draw) -> None:
        """Add one batch to the squared norms, in float32; the run's own random numbers are left alone."""
        device = next(iter(self.layers.values())).weight.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(self.seed * 1_000_003 + step)  # dropout
            generator = torch.Generator(device).manual_seed(self.seed * 1_000_003 + step)  # labels
            fresh = layer_norms(self.layers, lambda: draw(generator))
        self.norms = {name: norms + fresh[name] for name, norms in self.norms.items()}

    def plan(self, step: int) -> list[dict[str, Any]]:
        """Decide all formats from the batches sampled since the last plan; returns one log record a layer."""
        norms = self._over_workers()
        shapes = {name: LinearShape.of(layer, norms[name].rows_per_batch) for name, layer in self.layers.items()}
        self._time(sorted({shape for shape in shapes.values() if str(shape) not in self.times}, key=str))
        costs = {
            name: LayerCosts(predicted_damage(layer, norms[name].kfac_trace), self.times[str(shapes[name])])
            for name, layer in self.layers.items()
        }
        self.decisions = make_plan(costs, budget=self.budget, previous=self.decisions)
        self.norms = {name: LayerNorms() for name in self.layers}
        return [
            {
                "stage": self.stage,
                "step": step,
                "layer": name,
                "sensitivity": norms[name].kfac_trace,
                "fisher_trace": norms[name].fisher_trace,
                "dtype": number_format,
                "damage": costs[name].damage[number_format],
                "predicted_ms": costs[name].milliseconds[number_format],
                "fp32_ms": costs[name].milliseconds["fp32"],
            }
            for name, number_format in self.formats.items()
        ]

    def _over_workers(self) -> dict[str, LayerNorms]:
        device = next(iter(self.layers.values())).weight.device
        table = torch.tensor([astuple(norms) for norms in self.norms.values()], dtype=torch.float64)
        summed = self.total(table.to(device)).tolist()
        return {name: LayerNorms(*row) for name, row in zip(self.norms, summed, strict=True)}

    def _time(self, shapes: list[LinearShape]) -> None:
        """Time new shapes; the mean over all workers counts, so that they plan alike."""
        device = next(iter(self.layers.values())).weight.device
        for shape in shapes:
            times = [linear_milliseconds(shape, p, device) for p in FORMATS]
            summed = self.total(torch.tensor([*times, 1.0], dtype=torch.float64, device=device))
            self.times[str(shape)] = dict(zip(FORMATS, (summed[:-1] / summed[-1]).tolist(), strict=True))

    def state_dict(self) -> dict[str, Any]:
        """What the next plan depends on, as JSON knows it."""
        return {
            "decisions": {name: [d.number_format, plain(d.score)] for name, d in self.decisions.items()},
            "norms": {name: asdict(norms) for name, norms in self.norms.items()},
            "times": self.times,
        }

    def load_state_dict(self, state: dict[str, Any], *, step: int) -> None:
        """Go on from a stored state; what this stage logged at `step` or later, before it was stopped, is dropped."""
        self.decisions = {
            name: Decision(number_format, math.nan if score is None else score)
            for name, (number_format, score) in state["decisions"].items()
        }
        self.norms = {name: LayerNorms(**norms) for name, norms in state["norms"].items()}
        self.times = state["times"]
        if self.log and self.log.exists():
            lines = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
            partial = self.log.with_name(self.log.name + ".partial")
            partial.write_text("".join(line for line in lines if self._stays(json.loads(line), step)), encoding="utf-8")
            partial.replace(self.log)

    def _stays(self, record: dict[str, Any], step: int) -> bool:
        return record["stage"] != self.stage or record["step"] < step


def plain(value: Any) -> Any:
    """JSON has no NaN and no infinity; null stands for both."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
