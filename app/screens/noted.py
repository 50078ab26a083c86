"""Notes about one search of a user, or about two that stand side by side."""

from collections.abc import Callable, Mapping

import streamlit as st

from app.components.notes import notes
from app.screens.reported import Shown
from app.session import notes as kept
from app.view_models import notes as view
from app.view_models.reasoning import sentence
from reg4rec_core import Facets, InputError, Note, format_edits


@st.fragment
def note_popover(key: str, facets: Mapping[str, Facets], searches: Callable[[], Mapping[str, Shown]]) -> None:
    """Notes about the chosen branch and the recommended items of searches for one user; "" or a letter names each.

    `facets` are those of the runs whose notes are listed; the searches are asked for when the notes are opened.
    """

    def about() -> list[tuple[Shown, view.Subject]]:
        return [
            (shown, view.lettered(subject, letter))
            for letter, shown in searches().items()
            for subject in view.subjects(shown.searched.trace, shown.run.facets, shown.focus)
        ]

    def keep(place: int, label: int, tag: str, text: str) -> None:
        kept.keep(new_note(*about()[place], label=label, tag=tag, text=text))

    def rows() -> list[dict[str, str]]:
        return [row for run in facets for row in view.note_rows(kept.notes_about(run, key), facets[run])]

    try:
        count = sum(len(kept.notes_about(run, key)) for run in facets)
    except InputError as error:
        st.button("Notes", icon=":material/edit_note:", disabled=True, help=sentence(str(error)), width="stretch")
        return
    notes(
        count,
        lambda: [subject.name for _, subject in about()],
        rows=rows,
        on_keep=keep,
        on_drop=kept.drop,
        export=kept.lines,
    )


def new_note(shown: Shown, subject: view.Subject, *, label: int, tag: str, text: str) -> Note:
    """A note with all that is needed to see again what it is about."""
    keys, trace = shown.run.facets.catalog.item_keys, shown.searched.trace
    return Note(
        run=shown.run.name, weights=shown.run.weights, user=shown.key, at=shown.at, theta=trace.theta,
        thetas=trace.thetas, check_from=trace.check_from,
        edits=format_edits(shown.by_hand.edits), history=tuple(keys[item] for item in shown.searched.history),
        path=subject.path, item=subject.item, label=label, tag=tag, text=text, link=shown.link,
    )  # fmt: skip
