import math

import pytest
import torch
from torch import nn

from reg4rec_core.precision.plan import Decision, LayerCosts, make_plan, predicted_damage


def layer(*, bf16=(1.0, 5.0), fp8=(100.0, 4.0), fp32=10.0):
    """Damage and milliseconds of bf16 and of fp8, milliseconds of fp32."""
    return LayerCosts({"fp32": 0.0, "bf16": bf16[0], "fp8": fp8[0]}, {"fp32": fp32, "bf16": bf16[1], "fp8": fp8[1]})


def formats(costs, *, budget, previous=None):
    plan = make_plan(costs, budget=budget, previous=previous or {})
    return {name: decision.number_format for name, decision in plan.items()}


def test_the_damage_of_a_format_is_mean_curvature_times_squared_rounding_error():
    linear = nn.Linear(2, 2, bias=False)
    linear.weight.data = torch.tensor([[1.0, 1 + 2**-9], [0.0, -448.0]])  # 448, the largest e4m3 number: scale 1
    damage = predicted_damage(linear, kfac_trace=8.0)
    assert damage["fp32"] == 0
    assert damage["bf16"] == pytest.approx(8 / 4 * (2**-9) ** 2)  # bf16 has 8 digits: 1 + 2^-9 becomes 1
    linear.weight.data[0, 1] = 1 + 2**-4  # halfway between the e4m3 numbers 1 and 1 + 2^-3; bf16 has it
    damage = predicted_damage(linear, kfac_trace=8.0)
    assert (damage["bf16"], damage["fp8"]) == (0, pytest.approx(8 / 4 * (2**-4) ** 2))


def test_the_layer_that_saves_most_per_damage_goes_first():
    costs = {
        "cheap": layer(bf16=(1.0, 5.0), fp8=(1e6, 5.0)),  # 5 ms for 1
        "fast": layer(bf16=(2.0, 1.0), fp8=(1e6, 1.0)),  # 9 ms for 2
        "sensitive": layer(bf16=(7.0, 0.1), fp8=(1e6, 0.1)),  # 9.9 ms for 7
    }
    assert formats(costs, budget=0.1) == {"cheap": "bf16", "fast": "fp32", "sensitive": "fp32"}
    assert formats(costs, budget=0.3) == {"cheap": "bf16", "fast": "bf16", "sensitive": "fp32"}
    assert formats(costs, budget=0.7) == {"cheap": "bf16", "fast": "bf16", "sensitive": "fp32"}
    assert formats(costs, budget=1.0) == dict.fromkeys(costs, "bf16")


def test_a_layer_goes_on_to_fp8_where_the_budget_pays_for_it():
    costs = {"robust": layer(bf16=(0.001, 5.0), fp8=(0.5, 1.0)), "sensitive": layer(bf16=(1.0, 5.0), fp8=(500.0, 1.0))}
    # Per damage: robust 5 / .001 for bf16, then 4 / .499 on to fp8, and only then sensitive's 5 / 1.
    assert formats(costs, budget=0.4) == {"robust": "bf16", "sensitive": "fp32"}
    assert formats(costs, budget=1.0) == {"robust": "fp8", "sensitive": "fp32"}
    assert formats(costs, budget=2.0) == {"robust": "fp8", "sensitive": "bf16"}
    assert formats(costs, budget=0.0) == {"robust": "fp32", "sensitive": "fp32"}


def test_a_downgrade_that_saves_no_time_is_never_taken():
    slower = layer(bf16=(0.0, 50.0), fp8=(0.0, 12.0))
    within_noise = layer(bf16=(0.0, 9.6), fp8=(0.0, 9.7))
    skips_bf16 = layer(bf16=(0.1, 50.0), fp8=(1.0, 5.0))
    costs = {"slower": slower, "noise": within_noise, "skips": skips_bf16}
    assert formats(costs, budget=1e9) == {"slower": "fp32", "noise": "fp32", "skips": "fp8"}


@pytest.mark.parametrize("seed", range(20))
def test_the_budget_holds_and_no_affordable_downgrade_is_left(seed):
    draw = torch.Generator().manual_seed(seed)

    def numbers(low, high):
        return (torch.rand(8, generator=draw) * (high - low) + low).tolist()

    costs = {
        str(i): layer(bf16=(damage, bf16), fp8=(damage * 50, fp8), fp32=fp32)
        for i, (damage, bf16, fp8, fp32) in enumerate(
            zip(numbers(0.1, 9), numbers(1, 12), numbers(1, 12), numbers(5, 10), strict=True)
        )
    }
    budget = 0.2 + seed / 5
    chosen = formats(costs, budget=budget)
    allowed = budget * sum(cost.damage["bf16"] for cost in costs.values())
    spent = sum(costs[name].damage[chosen[name]] for name in costs)
    assert spent <= allowed * (1 + 1e-12)
    for name, cost in costs.items():
        assert chosen[name] == "fp32" or cost.milliseconds[chosen[name]] < cost.milliseconds["fp32"]
        for target in ("bf16", "fp8"):
            extra = cost.damage[target] - cost.damage[chosen[name]]
            if extra > 0 and cost.saved(chosen[name], target) > 0:
                assert spent + extra > allowed


def test_a_layer_changes_only_when_its_score_has_moved_by_a_fifth():
    first = {"a": layer(bf16=(1.0, 5.0)), "b": layer(bf16=(1.1, 5.0))}
    plan = make_plan(first, budget=0.5, previous={})
    assert {name: decision.number_format for name, decision in plan.items()} == {"a": "bf16", "b": "fp32"}
    assert plan["a"].score == pytest.approx(1 / 2.1)

    swapped = {"a": layer(bf16=(1.05, 5.0)), "b": layer(bf16=(1.0, 5.0))}  # b would now be the cheaper one
    assert formats(swapped, budget=0.6) == {"a": "fp32", "b": "bf16"}
    kept = make_plan(swapped, budget=0.6, previous=plan)
    assert kept == plan, "scores moved by less than a fifth"

    far = {"a": layer(bf16=(3.0, 5.0)), "b": layer(bf16=(1.0, 5.0))}
    assert formats(far, budget=0.5, previous=plan) == {"a": "fp32", "b": "bf16"}


def test_growth_that_all_layers_share_changes_nothing():
    costs = {"a": layer(bf16=(1.0, 5.0)), "b": layer(bf16=(1.1, 5.0))}
    plan = make_plan(costs, budget=0.5, previous={})
    grown = {"a": layer(bf16=(1000.0, 5.0)), "b": layer(bf16=(1100.0, 5.0))}
    assert make_plan(grown, budget=0.5, previous=plan) == plan


def test_the_budget_comes_before_keeping_formats():
    costs = {"a": layer(bf16=(1.0, 5.0)), "b": layer(bf16=(1.0, 5.0))}
    previous = {"a": Decision("bf16", 0.5), "b": Decision("bf16", 0.5)}
    assert sorted(formats(costs, budget=0.5, previous=previous).values()) == ["bf16", "fp32"]


def test_without_a_usable_sensitivity_everything_stays_in_float32():
    costs = {"a": layer(bf16=(math.nan, 5.0), fp8=(math.nan, 1.0)), "b": layer()}
    assert formats(costs, budget=9.0, previous={"a": Decision("bf16", 0.5)}) == {"a": "fp32", "b": "fp32"}
