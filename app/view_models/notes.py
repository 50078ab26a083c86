"""Notes in words: what one can make a note about, and the notes there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from app.view_models.tree import Focus, cut, node_name, percent
from reg4rec_core import Facets, Note, ReasoningTrace, facet_letter

TITLE_LENGTH = 60
LABELS = {1: "thumb up", -1: "thumb down"}
INTRODUCTION = (
    "Notes are kept for everybody who opens this application, and can be taken away to train on. A thumb up says that "
    "a branch or an item makes sense for this shopper, a thumb down that it does not."
)


@dataclass(frozen=True)
class Subject:
    """What a note is about."""

    name: str
    path: tuple[tuple[int, int], ...]
    """Codebook and code of every step."""
    item: str
    """Its key, "" for a branch."""


def subjects(trace: ReasoningTrace, facets: Facets, focus: Focus) -> list[Subject]:
    """The chosen branch first, then every recommended item."""
    node, catalog = focus.node, facets.catalog
    chance = percent(float(np.exp(trace.log_prob[node])))
    name = f"step {trace.step[node]}: {node_name(trace, facets, node)}, path {chance}"
    found = [Subject(f"Branch, {name}", codes(trace, node), "")]
    for rank, item in enumerate(trace.items.tolist()):
        leaf = int(trace.item_nodes[rank])
        title = f"Item {rank + 1} · {cut(catalog.titles[item], TITLE_LENGTH)}"
        found.append(Subject(title, codes(trace, leaf), catalog.item_keys[item]))
    return found


def lettered(subject: Subject, letter: str) -> Subject:
    """The subject under the letter of its search, where two stand side by side."""
    return replace(subject, name=f"{letter} · {subject.name}") if letter else subject


def codes(trace: ReasoningTrace, node: int) -> tuple[tuple[int, int], ...]:
    """Codebook and code of every step on the way to a node; none for -1, where no path led."""
    return tuple((int(trace.codebook[row]), int(trace.code[row])) for row in trace.path(node)[1:])


def note_rows(notes: Sequence[Note], facets: Facets) -> list[dict[str, str]]:
    """Notes for people: the thumb, what it is about, what is said, when, and the way back to the view."""
    titles = dict(zip(facets.catalog.item_keys, facets.catalog.titles, strict=True))
    return [
        {
            "number": str(note.number),
            "label": LABELS[note.label],
            "about": _about(note, facets, titles),
            "tag": note.tag,
            "text": note.text,
            "when": datetime.fromtimestamp(note.time, UTC).strftime("%-d %b %Y, %H:%M UTC"),
            "link": note.link,
        }
        for note in notes
    ]


def _about(note: Note, facets: Facets, titles: dict[str, str]) -> str:
    """The item's title, or the branch by its last code; codes that the run lacks stay numbers."""
    if note.item:
        return f"“{titles.get(note.item, note.item)}”"
    if not note.path:
        return "the start of the search"
    codebook, code = note.path[-1]
    known = codebook < len(facets.names) and code < len(facets.names[codebook])
    name = f" · {facets.name(codebook, code)}" if known else ""
    return f"the branch at step {len(note.path)}: {facet_letter(codebook)}{code}{name}"
