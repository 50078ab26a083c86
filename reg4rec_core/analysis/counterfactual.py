"""What if the history had been another one: edits that leave the original alone, and two searches side by side.

Edits as text, applied from left to right, each place counted in the history as it then stands (1 is the oldest):
-3 leaves the third out, 2>57 puts item 57 in the second's place, 4@1 moves the fourth to the first place, ~57 appends
item 57 as the newest.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.data.batching import pad_histories
from reg4rec_core.metrics import js_divergence
from reg4rec_core.types import InputError, ReasoningTrace

MAX_EDITS = 40
"""More than anyone clicks together; a link may not ask for unbounded work."""

_NUMBER = "[0-9]{1,9}"
_WRITTEN = re.compile(
    f"-(?P<remove>{_NUMBER})|(?P<replace>{_NUMBER})>(?P<by>{_NUMBER})"
    f"|(?P<move>{_NUMBER})@(?P<to>{_NUMBER})|~(?P<append>{_NUMBER})"
)


@dataclass(frozen=True)
class Edit:
    """One change of a history; places count from 1, the oldest."""

    kind: Literal["remove", "replace", "move", "append"]
    place: int
    """Which item changes; 0 for append."""
    value: int
    """The new item (replace, append) or the new place (move); 0 for remove."""

    def __str__(self) -> str:
        written = {"remove": "-{0}", "replace": "{0}>{1}", "move": "{0}@{1}", "append": "~{1}"}
        return written[self.kind].format(self.place, self.value)


@dataclass(frozen=True)
class EditedHistory:
    """A history with its lineage: the original, and the edits that led from it to `items`."""

    original: Int[np.ndarray, "before"]
    edits: tuple[Edit, ...]
    items: Int[np.ndarray, "after"]

    def apply(self, edit: Edit, *, n_items: int) -> "EditedHistory":
        """One edit more; the original stays. InputError when there is no such place or item, or nothing would be left.

        `n_items` counts the rows of the catalogue, padding included.
        """
        _check(edit, len(self.items), n_items)
        return EditedHistory(self.original, (*self.edits, edit), _applied(self.items, edit))

    def inverse(self, edit: Edit) -> tuple[Edit, ...]:
        """What takes `edit` back once it has been applied to this history."""
        if edit.kind == "remove":
            last = len(self.items)
            put_back = Edit("append", 0, int(self.items[edit.place - 1]))
            return (put_back,) if edit.place == last else (put_back, Edit("move", last, edit.place))
        if edit.kind == "replace":
            return (Edit("replace", edit.place, int(self.items[edit.place - 1])),)
        if edit.kind == "move":
            return (Edit("move", edit.value, edit.place),)
        return (Edit("remove", len(self.items) + 1, 0),)


def edit_history(original: Int[np.ndarray, "before"], edits: Sequence[Edit], *, n_items: int) -> EditedHistory:
    """Apply edits one after the other."""
    edited = EditedHistory(original, (), original)
    for edit in edits:
        edited = edited.apply(edit, n_items=n_items)
    return edited


def format_edits(edits: Sequence[Edit]) -> str:
    """Edits as text for a link; "" for none."""
    return ",".join(map(str, edits))


def parse_edits(text: str) -> tuple[Edit, ...]:
    """Edits from their text; InputError when it says something else."""
    pieces = [piece.strip() for piece in text.split(",")] if text.strip() else []
    if len(pieces) > MAX_EDITS:
        raise InputError(f"a history takes at most {MAX_EDITS} edits, got {len(pieces)}; leave some out")
    return tuple(_parse(piece) for piece in pieces)


def _parse(piece: str) -> Edit:
    found = _WRITTEN.fullmatch(piece)
    if found is None:
        raise InputError(f"an edit reads -PLACE, PLACE>ITEM, PLACE@PLACE or ~ITEM, got {piece[:40]!r}; correct it")
    group = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    if "remove" in group:
        return Edit("remove", group["remove"], 0)
    if "replace" in group:
        return Edit("replace", group["replace"], group["by"])
    if "move" in group:
        return Edit("move", group["move"], group["to"])
    return Edit("append", 0, group["append"])


def _check(edit: Edit, length: int, n_items: int) -> None:
    places = [edit.place] * (edit.kind != "append") + [edit.value] * (edit.kind == "move")
    for place in places:
        if not 1 <= place <= length:
            raise InputError(f"an edit names a place from 1 to {length}, got {place} in {str(edit)!r}; choose another")
    if edit.kind in ("replace", "append") and not 1 <= edit.value < n_items:
        raise InputError(f"an edit names an item from 1 to {n_items - 1}, got {edit.value}; choose another")
    if edit.kind == "remove" and length == 1:
        raise InputError(f"a history needs at least one item, {str(edit)!r} would leave none; keep it or replace it")


def _applied(items: Int[np.ndarray, "before"], edit: Edit) -> Int[np.ndarray, "after"]:
    place = edit.place - 1
    if edit.kind == "append":
        return np.append(items, edit.value)
    if edit.kind == "replace":
        changed = items.copy()
        changed[place] = edit.value
        return changed
    rest = np.delete(items, place)
    return rest if edit.kind == "remove" else np.insert(rest, edit.value - 1, items[place])


def ask_edited(question: Question, edits: Sequence[Edit]) -> Question:
    """The question on edited evidence: edits count what the model sees of the history.

    What the original leaves out stays left out, and so does what was added: what enters the list then enters because
    of the evidence, not because it may be recommended again.
    """
    seen_by_model = question.history[question.positions]
    edited = edit_history(seen_by_model, edits, n_items=question.index.n_items)
    history = pad_histories([edited.items], len(question.history))[0]
    return replace(question, history=history, seen=np.union1d(question.seen, edited.items))


@dataclass(frozen=True)
class Move:
    """Where an item stands in two lists, 1 is first; 0 where it is not in the list."""

    item: int
    before: int
    after: int


@dataclass(frozen=True)
class TraceComparison:
    """Two searches side by side, the first "before", the second "after"."""

    entered: tuple[Move, ...]
    """Items of the second list alone, best first."""
    left: tuple[Move, ...]
    """Items of the first list alone, best first."""
    moved: tuple[Move, ...]
    """Items of both lists in another place, by their new place."""
    shared: Int[np.ndarray, "shared two"]
    """Rows of nodes that both trees have: the same codes chosen in the same order. The root is always one."""
    only_before: Int[np.ndarray, "n"]
    """Rows of the first tree that the second lacks."""
    only_after: Int[np.ndarray, "m"]
    """Rows of the second tree that the first lacks."""
    partings: Int[np.ndarray, "partings two"]
    """Rows of shared nodes below which a tree goes where the other does not."""
    belief_change: Float[np.ndarray, "C"]
    """Of the category belief at the root, after minus before; it sums to 0."""
    belief_js: float
    """Jensen-Shannon divergence of the two root beliefs, nats."""

    @property
    def same_list(self) -> bool:
        return not (self.entered or self.left or self.moved)


def compare_traces(before: ReasoningTrace, after: ReasoningTrace) -> TraceComparison:
    """What differs between two searches over the same catalogue, and where their trees part."""
    first, second = before.items.tolist(), after.items.tolist()
    places = [{item: place for place, item in enumerate(items, 1)} for items in (first, second)]
    old_rows, new_rows = _rows_by_path(before), _rows_by_path(after)
    shared = [(row, new_rows[path]) for path, row in old_rows.items() if path in new_rows]
    only_before = [row for path, row in old_rows.items() if path not in new_rows]
    only_after = [row for path, row in new_rows.items() if path not in old_rows]
    old_partings = {int(before.parent[row]) for row in only_before}
    new_partings = {int(after.parent[row]) for row in only_after}
    beliefs = [torch.from_numpy(trace.beliefs[0]) for trace in (before, after)]
    return TraceComparison(
        entered=tuple(Move(item, 0, places[1][item]) for item in second if item not in places[0]),
        left=tuple(Move(item, places[0][item], 0) for item in first if item not in places[1]),
        moved=tuple(
            Move(item, places[0][item], places[1][item])
            for item in second
            if item in places[0] and places[0][item] != places[1][item]
        ),
        shared=_pairs(shared),
        only_before=np.array(only_before, np.int64),
        only_after=np.array(only_after, np.int64),
        partings=_pairs([pair for pair in shared if pair[0] in old_partings or pair[1] in new_partings]),
        belief_change=after.beliefs[0] - before.beliefs[0],
        belief_js=float(js_divergence(*beliefs)),
    )


def _rows_by_path(trace: ReasoningTrace) -> dict[tuple[tuple[int, int], ...], int]:
    """Every node by the codes on its path; parents stand before their children."""
    paths: list[tuple[tuple[int, int], ...]] = [()]
    codes = zip(trace.parent[1:].tolist(), trace.codebook[1:].tolist(), trace.code[1:].tolist(), strict=True)
    for parent, codebook, code in codes:
        paths.append((*paths[parent], (codebook, code)))
    return {path: row for row, path in enumerate(paths)}


def _pairs(pairs: Sequence[tuple[int, int]]) -> Int[np.ndarray, "n two"]:
    return np.array(pairs, np.int64).reshape(len(pairs), 2)
