"""Which settings a sweep tries: `theta=0.02:0.10:0.01,inf` or `beam_width=5,20`, over any field of DecodeConfig."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args, get_origin, get_type_hints

from reg4rec_core.config import DecodeConfig
from reg4rec_core.types import InputError

MOST_CELLS = 1000
"""A grid beyond this is taken for a slip of the pen."""
SWITCH = {"true": True, "on": True, "false": False, "off": False}

Value = float | int | bool | str


@dataclass(frozen=True)
class Axis:
    """One field of DecodeConfig and the values to try."""

    field: str
    values: tuple[Value, ...]

    @classmethod
    def parse(cls, text: str) -> "Axis":
        """Read FIELD=VALUE,VALUE,... where a VALUE may be a range START:STOP:STEP, both ends included."""
        name, sign, listed = (part.strip() for part in text.partition("="))
        kinds = get_type_hints(DecodeConfig)
        names = [field.name for field in fields(DecodeConfig) if is_single(kinds[field.name])]
        if not sign or name not in names:
            raise InputError(f"--over reads FIELD=VALUES with a FIELD of {', '.join(names)}, got {text!r}")
        parts = listed_parts(listed, name)
        values = tuple(read_value(part, kinds[name], name) for part in parts)
        if len(set(values)) < len(values):
            raise InputError(f"--over must name every value of {name} once, got {listed!r}")
        return cls(name, values)


@dataclass(frozen=True)
class Cell:
    """One setting of a sweep."""

    changes: tuple[tuple[str, Value], ...]
    decode: DecodeConfig

    @property
    def name(self) -> str:
        """What differs from the run's own setting: theta=0.06,check_from=2."""
        return ",".join(f"{field}={shown(value)}" for field, value in self.changes)


def is_single(kind: Any) -> bool:
    """Whether a field holds a single value that can be written on a command line."""
    return kind in (float, int, bool) or get_origin(kind) is Literal


def listed_parts(text: str, name: str) -> list[str]:
    """What stands between commas, a range written out."""
    pieces = [piece.strip() for piece in text.split(",")]
    return [part for piece in pieces for part in (stepped(piece, name) if ":" in piece else [piece])]


def stepped(text: str, name: str) -> list[str]:
    """The numbers START, START + STEP, ... up to STOP, in decimal arithmetic."""
    parts = text.split(":")
    try:
        start, stop, step = (Decimal(part.strip()) for part in parts)
        sound = start.is_finite() and stop.is_finite() and step.is_finite() and start <= stop and step > 0
    except (InvalidOperation, ValueError):
        sound = False
    if not sound:
        raise InputError(
            f"a range reads START:STOP:STEP with finite numbers, START <= STOP and STEP > 0, got {name}={text}"
        )
    if (stop - start) / step >= MOST_CELLS:
        raise InputError(f"a sweep tries at most {MOST_CELLS:,} values, {name}={text} has more; widen STEP")
    return [str(start + i * step) for i in range(int((stop - start) / step) + 1)]


def read_value(text: str, kind: Any, name: str) -> Value:
    """A value of a field's type; InputError when it is none."""
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise InputError(f"{name} must be {' or '.join(get_args(kind))}, got {text!r}")
        return text
    if kind is bool:
        if text.lower() not in SWITCH:
            raise InputError(f"{name} must be on or off, got {text!r}")
        return SWITCH[text.lower()]
    try:
        number = Decimal(text)
        return int_of(number) if kind is int else float(number)
    except (InvalidOperation, ValueError):
        raise InputError(f"{name} must be {'a whole' if kind is int else 'a'} number, got {text!r}") from None


def read_numbers(text: str, name: str) -> tuple[float, ...]:
    """Numbers with commas, each once; a range is as good."""
    parts = listed_parts(text, name)
    values = tuple(read_value(part, float, name) for part in parts)
    if len(set(values)) < len(values):
        raise InputError(f"{name} must name every value once, got {text!r}")
    return values


def int_of(number: Decimal) -> int:
    if not number.is_finite() or number != int(number):
        raise ValueError(number)
    return int(number)


def shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def cells_of(axes: Sequence[Axis], decode: DecodeConfig) -> list[Cell]:
    """Every combination of the axes' values put into the run's own settings, the last axis fastest."""
    if not axes:
        return []
    names = [axis.field for axis in axes]
    if len(set(names)) < len(names):
        raise InputError(f"--over must name every field once, got {', '.join(names)}")
    combinations = list(itertools.islice(itertools.product(*(axis.values for axis in axes)), MOST_CELLS + 1))
    if len(combinations) > MOST_CELLS:
        raise InputError(f"a sweep tries at most {MOST_CELLS:,} settings; name fewer values")
    pairs = [tuple(zip(names, values, strict=True)) for values in combinations]
    if "theta" in names:  # one for all steps, in the place of a theta for every step
        decode = replace(decode, thetas=())
    return [Cell(changes, replace(decode, **dict(changes))) for changes in pairs]
