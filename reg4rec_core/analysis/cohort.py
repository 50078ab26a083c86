"""A cohort: which users one looks at, as a value that fits into a link."""

import re
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Literal, get_args
from urllib.parse import quote, unquote

from reg4rec_core.types import InputError

Outcome = Literal["any", "hit", "miss", "pruned"]
"""pruned: missed, and on the way a candidate that led to the target was pruned."""
COLD = 4
"""Most training interactions of a cold item."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_USERS = re.compile(r"[0-9a-z]+(-[0-9a-z]+)*")


@dataclass(frozen=True)
class Range:
    """Whole numbers from `low` to `high`, both included; None leaves an end open."""

    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(f"a range must not end before it begins, got {self.low} to {self.high}")

    @property
    def is_open(self) -> bool:
        return self.low is None and self.high is None

    def within(self, other: "Range") -> "Range":
        """What both hold; InputError when they share nothing."""
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Range(max(lows, default=None), min(highs, default=None))


ANY = Range()


@dataclass(frozen=True)
class Leaning:
    """Which category is the likeliest after a step on the way to the first recommendation."""

    step: int
    category: str


@dataclass(frozen=True)
class PathCodes:
    """Codes of one codebook, one of which a path to the first ten recommendations goes through."""

    codebook: int
    codes: tuple[int, ...]
    """Rising."""


@dataclass(frozen=True)
class Cohort:
    """The users that meet every condition; without conditions, all. Categories and brands go by name, "" is any."""

    history: Range = ANY
    """Items in the history."""
    active: Range = ANY
    """Days from the first to the last item of the history."""
    last: Range = ANY
    """Time of the last item of the history, Unix seconds."""
    main: str = ""
    """Category bought most often."""
    bought: str = ""
    """Category of at least one item of the history."""
    brand: str = ""
    """Brand of at least one item of the history."""
    target: str = ""
    """Category of the item to be found."""
    seen: Range = ANY
    """How often training saw the item to be found."""
    recommended: str = ""
    """Category of at least one of the first ten recommendations."""
    outcome: Outcome = "any"
    """Of the search for the target among the first ten."""
    maker: str = ""
    """Brand of the item to be found."""
    codes: PathCodes | None = None
    """Which codes their paths use."""
    leans: Leaning | None = None
    """Where the belief leans after a step."""
    users: tuple[int, ...] | None = None
    """Rows of users, rising; None for any."""

    def __post_init__(self) -> None:
        if self.users is not None and any(a >= b for a, b in zip((-1, *self.users), self.users, strict=False)):
            raise InputError("the users of a cohort must be rows from 0 on, each once, in rising order")

    def narrowed(self, **conditions: Range | str | tuple[int, ...] | Leaning | PathCodes) -> "Cohort":
        """The users that meet these conditions, too; ranges and lists of users are cut, a name takes a name's place."""
        for name, value in conditions.items():
            own = getattr(self, name)
            if isinstance(value, Range):
                conditions[name] = own.within(value)
            elif isinstance(value, tuple) and own is not None:
                conditions[name] = tuple(sorted(set(own) & set(value)))
        return replace(self, **conditions)  # type: ignore[arg-type]

    def to_text(self) -> str:
        """The cohort for a link, "" for all users: `history_5~20.outcome_miss`, letters, digits and -_.~ only."""
        parts = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            if isinstance(value, Range):
                text = "~".join("" if end is None else str(end) for end in (value.low, value.high))
            elif isinstance(value, Leaning):
                text = f"{value.step}~{_escape(value.category)}"
            elif isinstance(value, PathCodes):
                text = f"{value.codebook}~{_pack(value.codes)}"
            else:
                text = _escape(value) if isinstance(value, str) else _pack(value)
            parts.append(f"{field.name}_{text}")
        return ".".join(parts)


COLD_TARGETS = Cohort(seen=Range(0, COLD))
"""Users whose target training saw seldom or never."""


def read_cohort(text: str) -> Cohort:
    """The cohort that `to_text` wrote. InputError names the part that is wrong."""
    defaults = {field.name: field.default for field in fields(Cohort)}
    conditions: dict[str, Range | str | tuple[int, ...] | Leaning | PathCodes] = {}
    for part in text.split(".") if text else ():
        name, _, value = part.partition("_")
        if name not in defaults or name in conditions or not value:
            known = ", ".join(defaults)
            raise InputError(f"a cohort reads NAME_VALUE.NAME_VALUE with each of {known} once at most, got {part!r}")
        default = defaults[name]
        if name == "outcome" and value not in get_args(Outcome):
            raise InputError(f"outcome must be one of {', '.join(get_args(Outcome))}, got {value!r}")
        if isinstance(default, Range):
            conditions[name] = _read_range(value)
        elif name == "leans":
            conditions[name] = _read_leaning(value)
        elif name == "codes":
            conditions[name] = _read_codes(value)
        else:
            conditions[name] = _unescape(value) if isinstance(default, str) else _unpack(value)
    return Cohort(**conditions)  # type: ignore[arg-type]


def _read_range(text: str) -> Range:
    low, middle, high = text.partition("~")
    ends = [low, high] if middle else [low, low]
    if not all(re.fullmatch(r"-?[0-9]{0,12}", end) and end != "-" for end in ends):
        raise InputError(f"a range reads LOW~HIGH with whole numbers, either of which may be left out, got {text!r}")
    return Range(*(int(end) if end else None for end in ends))


def _read_leaning(text: str) -> Leaning:
    step, _, category = text.partition("~")
    if not re.fullmatch(r"[0-9]{1,3}", step) or not category:
        raise InputError(f"a leaning reads STEP~CATEGORY, got {text!r}")
    return Leaning(int(step), _unescape(category))


def _read_codes(text: str) -> PathCodes:
    codebook, _, codes = text.partition("~")
    if not re.fullmatch(r"[0-9]{1,3}", codebook) or not codes:
        raise InputError(f"codes of paths read CODEBOOK~CODES, the codes as distances in base 36, got {text[:40]!r}")
    return PathCodes(int(codebook), _unpack(codes))


def _unescape(text: str) -> str:
    return unquote(text.replace("-", "%"))


@lru_cache(maxsize=4096)  # a page of charts asks for the names of a few hundred categories some thousand times
def _escape(name: str) -> str:
    """Letters and digits as they are, every other byte as - and two hexadecimal digits."""
    escaped = quote(name, safe="")
    for sign in "-_.~":
        escaped = escaped.replace(sign, f"%{ord(sign):02X}")
    return escaped.replace("%", "-")


def _pack(users: tuple[int, ...]) -> str:
    """Distances between rising rows, base 36; "none" for no user."""
    if not users:
        return "none"
    return "-".join(_base36(b - a) for a, b in zip((0, *users), users, strict=False))


def _unpack(text: str) -> tuple[int, ...]:
    if text == "none":
        return ()
    if not _USERS.fullmatch(text) or max(map(len, text.split("-"))) > 6:
        raise InputError(f"users and codes are written as distances in base 36, joined by -, got {text[:40]!r}")
    rows, row = [], 0
    for distance in text.split("-"):
        row += int(distance, 36)
        rows.append(row)
    return tuple(rows)


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
        if not number:
            return digits
