"""What the checks of the tests let through and what not, the second time and after."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest
import torch
from beartype import beartype
from checked_once import LARGEST, checked_once
from jaxtyping import Float, Int, TypeCheckError
from torch import Tensor, nn


@checked_once(typechecker=beartype)
def scaled(rows: Float[Tensor, "B D"], weights: Float[Tensor, "B"], *, last: int = 0) -> Float[Tensor, "B D"]:
    """The wrong shape where `last` says so."""
    return (rows * weights[:, None])[: len(rows) - last]


@checked_once(typechecker=beartype)
def total(parts: tuple[Int[np.ndarray, "n"], ...], mode: Literal["sum", "mean"] = "sum") -> int | float:
    return getattr(np.concatenate(parts), mode)().item()


@checked_once(typechecker=beartype)
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

    @checked_once(typechecker=beartype)
    def take(value: Anything) -> Anything:
        """Any value."""
        return value

    twice(take, 1)
    looks.clear()
    twice(take, 1)
    assert looks == []
    twice(take, "a")
    after_one = len(looks)
    twice(take, "a")
    assert after_one == len(looks) > 0
    looks.clear()
    take({1: 2})
    each = len(looks)
    twice(take, {1: 2})
    assert len(looks) == 3 * each > 0, "what is inside a collection may have changed"


def test_arguments_are_refused_before_the_function_begins():
    begun = []

    @checked_once(typechecker=beartype)
    def begin(number: int) -> int:
        begun.append(number)
        return number

    with pytest.raises(TypeCheckError, match="checking the parameters"):
        begin("one")
    assert begun == []
    twice(begin, 1)
    twice(begin, 2)
    assert begun == [1, 1, 2, 2], "once a call, also when its result is checked"


def test_functions_that_are_made_anew_share_their_checks_and_run_themselves():
    def adding(number):
        @checked_once(typechecker=beartype)
        def add(value: int) -> int:
            return value + number

        return add

    one, two = adding(1), adding(2)
    assert (one(1), two(1), two(True), one(True)) == (2, 3, 3, 2)
    with pytest.raises(TypeCheckError, match="checking the parameters"):
        two("a")


def test_beside_what_may_be_anything_the_rest_is_looked_at():
    @checked_once(typechecker=beartype)
    def first(state: Any, rows: Float[Tensor, "n"], *more: Any, last: Any = None) -> Any:
        return rows[0]

    twice(first, [1], torch.ones(2), [3], last={4: 5})
    for _ in range(2):
        with pytest.raises(TypeCheckError, match="checking the parameters"):
            first([1], torch.ones(2, 2), [3], last={4: 5})
