"""What the checks of the tests let through and what not, the second time and after."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
import torch
from checked_once import LARGEST, checked
from jaxtyping import Float, Int, TypeCheckError, jaxtyped
from torch import Tensor, nn


@jaxtyped(typechecker=checked)
def scaled(rows: Float[Tensor, "B D"], weights: Float[Tensor, "B"], *, last: int = 0) -> Float[Tensor, "B D"]:
    """The wrong shape where `last` says so."""
    return (rows * weights[:, None])[: len(rows) - last]


@jaxtyped(typechecker=checked)
def total(parts: tuple[Int[np.ndarray, "n"], ...], mode: Literal["sum", "mean"] = "sum") -> int | float:
    return getattr(np.concatenate(parts), mode)().item()


@jaxtyped(typechecker=checked)
@dataclass(frozen=True)
class Pair:
    left: Float[Tensor, "n"]
    right: Float[Tensor, "n"]


def twice(call, *arguments, **named):
    for _ in range(2):
        call(*arguments, **named)


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        (torch.ones(3, 2), torch.ones(2)),
        (torch.ones(3, 2), torch.ones(3, 1)),
        (torch.ones(3, 2, dtype=torch.int64), torch.ones(3)),
        (np.ones((3, 2), np.float32), torch.ones(3)),
        (torch.ones(4), torch.ones(4)),
    ],
)
def test_arguments_of_another_form_are_refused_each_time(rows, weights):
    twice(scaled, torch.ones(3, 2), torch.ones(3))
    twice(scaled, nn.Parameter(torch.ones(4, 2)), torch.ones(4))
    for _ in range(2):
        with pytest.raises(TypeCheckError, match="checking the parameters"):
            scaled(rows, weights)


def test_a_result_of_another_form_is_refused_each_time():
    twice(scaled, torch.ones(3, 2), torch.ones(3), last=0)
    for _ in range(2):
        with pytest.raises(TypeCheckError, match="checking the return value"):
            scaled(torch.ones(3, 2), torch.ones(3), last=1)


def test_fields_are_compared_with_each_other():
    twice(Pair, torch.ones(3), torch.ones(3))
    for _ in range(2):
        with pytest.raises(TypeCheckError):
            Pair(torch.ones(3), torch.ones(2))


@pytest.mark.parametrize("count", [2, LARGEST + 1])
def test_members_of_a_tuple_are_looked_at(count):
    good = tuple(np.ones(3, np.int64) for _ in range(count))
    twice(total, good)
    twice(total, good, mode="mean")
    for _ in range(2):
        with pytest.raises(TypeCheckError, match="checking the parameters"):
            total(tuple(part.astype(np.float64) for part in good))
        with pytest.raises(TypeCheckError, match="checking the parameters"):
            total(good, mode="prod")


def test_a_form_is_checked_once():
    looks = []

    class Watched(type):
        def __instancecheck__(cls, value):
            looks.append(value)
            return True

    class Anything(metaclass=Watched):
        """Fits whatever there is."""

    def take(value: Anything) -> None:
        """Nothing to do."""

    checked(take)(1)
    looks.clear()
    twice(checked(take), 1)
    assert looks == []
    twice(checked(take), "a")
    twice(checked(take), np.ones(2))
    assert len(looks) == 2
    looks.clear()
    twice(checked(take), {1: 2})
    assert len(looks) == 2, "what is inside a collection may have changed"
