"""Steering a search by hand: which items it may still recommend, said in codes, categories and brands.

What is steered is the allowed set, nothing else: the same search runs with more items left out. So every probability is
renormalised over the items still allowed (item-marginal codes) or the codes that still lead to one (heads); the belief
over categories is the network's own and is not touched. A codebook in which one code is allowed says nothing new: a
fixed code has probability 1 and, like every forced code, waits until no codebook with a choice is left.

Rules as text, separated by commas: fix:2.117 (codebook.code), forbid:2.117, require_category:NAME,
forbid_category:NAME, require_brand:NAME, forbid_brand:NAME; a comma in a name is written %2C, a percent sign %25. A
category holds those below it ("Makeup" holds "Makeup > Lips"). Several rules that require or fix something of the same
kind (of the same codebook) are alternatives; all others hold together.
"""

import difflib
import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Int

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.config import DecodeConfig
from reg4rec_core.types import Catalog, InputError

MAX_RULES = 40
"""More than anyone clicks together; a link may not ask for unbounded work."""

RuleKind = Literal["fix", "forbid", "require_category", "forbid_category", "require_brand", "forbid_brand"]

_CODE = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True)
class SteeringRule:
    """One thing asked of every item that may be recommended."""

    kind: RuleKind
    name: str
    """The category or brand; "codebook.code" for a code."""

    def __post_init__(self) -> None:
        if self.about == "code" and not _CODE.fullmatch(self.name):
            raise InputError(f"{self.kind} needs CODEBOOK.CODE, two numbers, got {self.name[:40]!r}; correct it")

    @property
    def about(self) -> str:
        """code, category or brand."""
        return self.kind.partition("_")[2] or "code"

    @property
    def forbids(self) -> bool:
        return self.kind.startswith("forbid")

    @property
    def code(self) -> tuple[int, int]:
        """Codebook and code; only of rules about a code."""
        codebook, code = self.name.split(".")
        return int(codebook), int(code)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name.replace('%', '%25').replace(',', '%2C')}"


@dataclass(frozen=True)
class Steering:
    """What a search may recommend; without rules, what it always may."""

    rules: tuple[SteeringRule, ...] = ()

    def __post_init__(self) -> None:
        _must_be_few(len(self.rules))

    def with_rule(self, kind: str, name: str) -> "Steering":
        """One rule more; a rule that stands already is not repeated. InputError for no sensible rule."""
        rule = read_rule(kind, name)
        return self if rule in self.rules else Steering((*self.rules, rule))


def format_steering(steering: Steering) -> str:
    """Steering as text for a link; "" for none."""
    return ",".join(map(str, steering.rules))


def parse_steering(text: str) -> Steering:
    """Steering from its text; InputError when it says something else."""
    pieces = [piece.strip() for piece in text.split(",")] if text.strip() else []
    _must_be_few(len(pieces))
    return Steering(tuple(_parse(piece) for piece in pieces))


def _must_be_few(count: int) -> None:
    if count > MAX_RULES:
        raise InputError(f"steering takes at most {MAX_RULES} rules, got {count}; leave some out")


def _parse(piece: str) -> SteeringRule:
    kind, colon, name = piece.partition(":")
    if not colon or not name:
        raise InputError(f"a steering rule reads RULE:VALUE, for example forbid:2.117, got {piece[:40]!r}; correct it")
    return read_rule(kind, name.replace("%2C", ",").replace("%25", "%"))


def read_rule(kind: str, name: str) -> SteeringRule:
    """A rule from its words; InputError when there is none of that kind."""
    for known in get_args(RuleKind):
        if known == kind:
            return SteeringRule(known, name)
    raise InputError(f"a steering rule is one of {', '.join(get_args(RuleKind))}, got {kind[:40]!r}; choose one")


def steered_out(
    steering: Steering, catalog: Catalog, codes: Int[np.ndarray, "N M"], codebook_size: int
) -> Bool[np.ndarray, "N"]:
    """The items that the rules leave out, padding never. InputError for a code, category or brand that is not there."""
    out = np.zeros(len(codes), bool)
    required: dict[int | str, np.ndarray] = {}
    for rule in steering.rules:
        carries = _carriers(rule, catalog, codes, codebook_size)
        if rule.forbids:
            out |= carries
        else:
            alternatives = rule.code[0] if rule.about == "code" else rule.about
            required[alternatives] = required.get(alternatives, False) | carries
    for carries in required.values():
        out |= ~carries
    out[0] = False
    return out


def _carriers(
    rule: SteeringRule, catalog: Catalog, codes: Int[np.ndarray, "N M"], codebook_size: int
) -> Bool[np.ndarray, "N"]:
    if rule.about == "code":
        codebook, code = rule.code
        if codebook >= codes.shape[1] or code >= codebook_size:
            bounds = f"codebook below {codes.shape[1]} and a code below {codebook_size}"
            raise InputError(f"{rule.kind} needs a {bounds}, got {rule.name}; choose another")
        return codes[:, codebook] == code
    if rule.about == "category":
        below = [name == rule.name or name.startswith(f"{rule.name} > ") for name in catalog.category_names]
        if not any(below):
            _must_be_known(rule, catalog.category_names)
        return np.array(below)[catalog.categories]
    _must_be_known(rule, catalog.brands[1:])
    return np.array([brand == rule.name for brand in catalog.brands])


def _must_be_known(rule: SteeringRule, names: tuple[str, ...]) -> None:
    if rule.name in names:
        return
    near = difflib.get_close_matches(rule.name, set(names), n=3, cutoff=0.5)
    hint = f"near matches: {', '.join(near)}" if near else "look it up in the catalogue"
    raise InputError(f"there is no {rule.about} {rule.name[:60]!r} in this run; {hint}")


def ask_steered(question: Question, catalog: Catalog, steering: Steering) -> Question:
    """The question with the steered items left out, too; edit its history first, if at all.

    What the question leaves out stays left out. InputError when nothing would be left to recommend.
    """
    if not steering.rules:
        return question
    index = question.index
    out = steered_out(steering, catalog, index.codes.numpy(), index.codebook_size)
    barred = left_out_together(question.seen, question.config, out, steering)
    return replace(question, seen=barred, config=replace(question.config, exclude_history=True))


def left_out_together(
    seen: Int[np.ndarray, "_"], config: DecodeConfig, out: Bool[np.ndarray, "N"], steering: Steering
) -> Int[np.ndarray, "_"]:
    """All items that a search under `exclude_history` then has to leave out; InputError when no other is left."""
    history = seen if config.exclude_history else seen[:0]
    barred = np.union1d(history, np.flatnonzero(out)).astype(np.int64)
    if len(barred[barred > 0]) == len(out) - 1:
        raise InputError(
            f"steering must leave something to recommend, {format_steering(steering)[:80]!r} leaves none of "
            f"{len(out) - 1:,} items; take a rule back"
        )
    return barred
