import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from reg4rec_core.precision import PrecisionController, SampledLoss, linear_layers
from reg4rec_core.precision import controller as module
from reg4rec_core.precision.timing import LayerClock, LinearShape, linear_milliseconds


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))  # so that gradients go on below the first layer
        self.first, self.dropout, self.second = nn.Linear(6, 16), nn.Dropout(0.2), nn.Linear(16, 4, bias=False)

    def forward(self, inputs):
        return self.second(self.dropout(torch.tanh(self.first(self.scale * inputs))))


INPUTS = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
LABELS = (INPUTS @ torch.randn(6, 4, generator=torch.Generator().manual_seed(1))).argmax(1)


@pytest.fixture(autouse=True)
def coarse_formats_save_time(monkeypatch):
    """Plans depend on the clock; here a coarser format halves a layer's time."""
    share = {"fp32": 1.0, "bf16": 0.5, "fp8": 0.25}
    monkeypatch.setattr(
        module, "linear_milliseconds", lambda shape, p, device: shape.n_in * shape.n_out * shape.rows * 1e-3 * share[p]
    )


def make_network():
    torch.manual_seed(0)
    return Toy()


def train(network, controller, steps):
    """A loop as the training stages have it; returns losses and the formats of every step."""

    def draw(generator):
        logits = network(INPUTS)
        labels = torch.multinomial(logits.detach().softmax(1), 1, generator=generator)[:, 0]
        return SampledLoss(nn.functional.cross_entropy(logits, labels), len(INPUTS))

    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    losses, formats = [], []
    for step in steps:
        torch.manual_seed(step)
        with controller.step(step, draw):
            loss = nn.functional.cross_entropy(network(INPUTS), LABELS)
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        losses.append(loss.item())
        formats.append(controller.formats)
    return losses, formats


def plain_training(steps):
    network, losses = make_network(), []
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in steps:
        torch.manual_seed(step)
        loss = nn.functional.cross_entropy(network(INPUTS), LABELS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_float32_changes_nothing_bit_for_bit():
    network = make_network()
    losses, formats = train(network, PrecisionController(network, mode="fp32", stage="toy"), range(20))
    assert losses == plain_training(range(20))
    assert set(formats[-1].values()) == {"fp32"}


def test_a_plan_that_keeps_float32_changes_nothing_bit_for_bit():
    """Sampling, timing and planning leave the run's random numbers, its gradients and its weights alone."""
    network = make_network()
    controller = PrecisionController(network, mode="ladq", stage="toy", period=10, budget=0.0)
    losses, formats = train(network, controller, range(20))
    assert losses == plain_training(range(20))
    assert set(formats[-1].values()) == {"fp32"}


@pytest.mark.parametrize("mode", ["bf16", "fp8"])
def test_one_format_for_all_layers_learns_and_ends_with_the_step(mode):
    network = make_network()
    names = list(network.state_dict())
    losses, formats = train(network, PrecisionController(network, mode=mode, stage="toy"), range(60))
    assert set(formats[0].values()) == {mode}
    assert losses != plain_training(range(60))
    assert losses[-1] < losses[0] * 0.8
    assert list(network.state_dict()) == names
    assert not any("forward" in vars(layer) for layer in linear_layers(network).values())


def test_plans_are_made_every_period_from_its_first_batches_and_logged(tmp_path):
    network, log = make_network(), tmp_path / "precision.jsonl"
    controller = PrecisionController(network, mode="ladq", stage="toy", period=20, budget=1.0, log=log)
    losses, formats = train(network, controller, range(40))
    assert all(set(chosen.values()) == {"fp32"} for chosen in formats[:7]), "float32 until eight batches were sampled"
    assert set(formats[7].values()) == {"bf16"}
    assert losses[:7] == plain_training(range(7))
    assert losses[-1] < losses[0] * 0.9
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(record["step"], record["layer"]) for record in records] == [
        (7, "first"), (7, "second"), (27, "first"), (27, "second"),
    ]  # fmt: skip
    for record in records:
        assert record["dtype"] == "bf16"
        assert record["sensitivity"] > 0
        assert 0.2 < record["sensitivity"] / record["fisher_trace"] < 5
        assert record["predicted_ms"] == record["fp32_ms"] / 2
        assert record["measured_ms"] > 0


def test_the_less_sensitive_layer_is_downgraded_under_a_small_budget():
    network = make_network()
    controller = PrecisionController(network, mode="ladq", stage="toy", period=20, budget=0.5)
    train(network, controller, range(10))
    assert sorted(controller.formats.values()) == ["bf16", "fp32"]


@pytest.mark.parametrize("stop", [4, 8, 15, 25])
def test_a_resumed_controller_plans_as_if_it_had_never_stopped(tmp_path, stop):
    whole, log = make_network(), tmp_path / "whole.jsonl"
    expected, planned = train(
        whole, PrecisionController(whole, mode="ladq", stage="toy", period=20, budget=0.5, log=log), range(40)
    )

    network, killed_log = make_network(), tmp_path / "killed.jsonl"
    controller = PrecisionController(network, mode="ladq", stage="toy", period=20, budget=0.5, log=killed_log)
    losses, formats = train(network, controller, range(stop))
    weights, state = {k: v.clone() for k, v in network.state_dict().items()}, json.dumps(controller.state_dict())
    train(network, controller, range(stop, 30))  # lost: it was killed before it saved again

    resumed = make_network()
    resumed.load_state_dict(weights)
    controller = PrecisionController(resumed, mode="ladq", stage="toy", period=20, budget=0.5, log=killed_log)
    controller.load_state_dict(json.loads(state), step=stop)
    more_losses, more_formats = train(resumed, controller, range(stop, 40))
    assert losses + more_losses == expected
    assert formats + more_formats == planned

    def without_clock(path):
        return [{**json.loads(line), "measured_ms": 0} for line in path.read_text().splitlines()]

    assert without_clock(killed_log) == without_clock(log)


def test_workers_that_see_different_batches_and_clocks_make_the_same_plan(monkeypatch):
    """Two threads in the place of two processes: `total` adds what both bring."""
    barrier, brought = threading.Barrier(2), [torch.zeros(0)] * 2

    def total_of(rank):
        def total(values):
            brought[rank] = values
            barrier.wait()
            both = brought[0] + brought[1]
            barrier.wait()
            return both

        return total

    clock = iter(torch.rand(1000, generator=torch.Generator().manual_seed(0)).tolist())
    monkeypatch.setattr(module, "linear_milliseconds", lambda shape, p, device: next(clock))
    network = make_network()
    controllers = [
        PrecisionController(network, mode="ladq", stage="toy", budget=0.6, total=total_of(rank)) for rank in range(2)
    ]
    for rank, controller in enumerate(controllers):
        inputs = torch.randn(8, 6, generator=torch.Generator().manual_seed(rank)) * (rank + 1)
        controller.sample(0, lambda generator: SampledLoss(network(inputs).square().mean(), 8))  # noqa: B023
    assert controllers[0].norms != controllers[1].norms
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda controller: controller.plan(0), controllers))
    assert controllers[0].decisions == controllers[1].decisions
    assert controllers[0].times == controllers[1].times


def test_updates_that_share_a_step_are_sampled_once():
    network, calls = make_network(), []
    controller = PrecisionController(network, mode="ladq", stage="toy", period=20)

    def draw(generator):
        calls.append(1)
        return SampledLoss(network(INPUTS).square().mean(), len(INPUTS))

    for step in (0, 0, 1, 1, 2):
        with controller.step(step, draw):
            network(INPUTS).sum().backward()
    assert len(calls) == 3


def test_resuming_one_stage_leaves_the_log_of_another_alone(tmp_path):
    network, log = make_network(), tmp_path / "precision.jsonl"
    train(network, PrecisionController(network, mode="ladq", stage="earlier", period=10, log=log), range(20))
    later = PrecisionController(network, mode="ladq", stage="later", period=10, log=log)
    train(network, later, range(8))
    later.load_state_dict(later.state_dict(), step=5)
    stages = [json.loads(line)["stage"] for line in log.read_text().splitlines()]
    assert stages == ["earlier"] * 4


def test_an_interrupted_step_leaves_the_network_as_it_was():
    network = make_network()
    with (
        pytest.raises(KeyboardInterrupt),
        PrecisionController(network, mode="fp8", stage="toy").step(0, lambda generator: None),
    ):
        raise KeyboardInterrupt
    assert "forward" not in vars(network.first)


def test_a_layer_shape_is_timed_at_the_next_power_of_two():
    assert str(LinearShape.of(nn.Linear(3, 5), 1000.4)) == "1024x3x5"
    assert LinearShape.of(nn.Linear(3, 5), 1024.0).rows == 1024
    assert LinearShape.of(nn.Linear(3, 5), 0.0).rows == 1


def test_clocks_see_forward_and_backward_of_every_layer_and_leave_random_numbers_alone():
    torch.manual_seed(3)
    times = [linear_milliseconds(LinearShape(n, 64, 64), "fp32", torch.device("cpu")) for n in (8, 8192)]
    assert 0 < times[0] < times[1]
    first = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(first, torch.rand(1))
    network = make_network()
    with LayerClock(linear_layers(network)) as clock:
        network(INPUTS.clone().requires_grad_()).sum().backward()
    assert all(value > 0 for value in clock.milliseconds.values())
    assert not any(layer._backward_hooks or layer._forward_hooks for layer in linear_layers(network).values())
