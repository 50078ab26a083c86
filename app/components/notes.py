"""Making notes and reading them: a thumb, a tag and a text on what the page shows."""

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from app.view_models.notes import INTRODUCTION, LABELS
from app.view_models.reasoning import sentence
from reg4rec_core import InputError

KEY = "notes"
SHOWN = 20
MAX_TAG, MAX_TEXT = 60, 4000
_ICONS = {1: ":material/thumb_up:", -1: ":material/thumb_down:"}
Keep = Callable[[int, int, str, str], None]
"""Gets the place of the subject, the label, the tag and the text."""
Rows = list[dict[str, str]]


def notes(
    count: int,
    subjects: Callable[[], Sequence[str]],
    *,
    rows: Callable[[], Rows],
    on_keep: Keep,
    on_drop: Callable[[int], None],
    export: Callable[[], str],
) -> None:
    """A button that opens the notes; `rows` reads them anew, `subjects` names what a note can be about then."""
    name = f"Notes ({count})" if count else "Notes"
    opened = st.popover(name, icon=":material/edit_note:", key=KEY, on_change="rerun", width="stretch")
    if opened.open:
        with opened:
            _notes(subjects(), rows, on_keep, on_drop, export)


def _notes(
    subjects: Sequence[str],
    rows: Callable[[], Rows],
    on_keep: Keep,
    on_drop: Callable[[int], None],
    export: Callable[[], str],
) -> None:
    st.caption(INTRODUCTION)
    try:
        _form(subjects, on_keep)
        kept = rows()
        for row in kept[:SHOWN]:
            _note(row, on_drop)
        if not kept:
            st.caption("There are no notes about this user yet.")
        elif len(kept) > SHOWN:
            st.caption(f"The newest {SHOWN} of {len(kept)} notes about this user are shown; the export has all.")
    except InputError as error:
        st.error(sentence(str(error)), icon=":material/error:")
    st.download_button(
        "All notes (JSON Lines)", data=export, file_name="notes.jsonl", mime="application/jsonl",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _form(subjects: Sequence[str], on_keep: Keep) -> None:
    with st.form("note", clear_on_submit=True, border=False):
        about = st.selectbox("About", range(len(subjects)), format_func=lambda place: subjects[place], key="note_about")
        label = st.segmented_control(
            "It", list(LABELS), format_func=lambda value: f"{_ICONS[value]} {LABELS[value]}", default=1, required=True,
            key="note_label", label_visibility="collapsed",
        )  # fmt: skip
        tag = st.text_input("Tag", max_chars=MAX_TAG, placeholder="for example: too similar", key="note_tag")
        text = st.text_area("Note", max_chars=MAX_TEXT, height=80, key="note_text")
        if st.form_submit_button("Keep the note", type="primary"):
            on_keep(int(about), int(label or 1), tag.strip(), text.strip())


def _note(row: dict[str, str], on_drop: Callable[[int], None]) -> None:
    """A note as text, whatever it says, with the way back to its view and the way out."""
    tag = f" · <b>{escape(row['tag'])}</b>" if row["tag"] else ""
    link = (
        f'<a href="{escape(row["link"])}">see it</a> · ' if row["link"].startswith(("http://", "https://", "?")) else ""
    )
    said, drop = st.columns([6, 1], vertical_alignment="center")
    said.html(
        f'<div class="r4"><div>{escape(row["label"])}{tag} · {escape(row["about"])}</div>'
        f'<div style="white-space:pre-wrap">{escape(row["text"])}</div>'
        f'<div class="soft">{link}{escape(row["when"])}</div></div>'
    )
    drop.button("", icon=":material/delete:", key=f"drop {row['number']}", help="Delete this note for everybody",
                on_click=on_drop, args=(int(row["number"]),), type="tertiary")  # fmt: skip
