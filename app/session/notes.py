"""The notes that people make, read and written where all visitors share them."""

from reg4rec_core import Note, drop_note, keep_note, note_lines, notes_file, read_notes


def notes_about(run: str, user: str) -> tuple[Note, ...]:
    """The notes about a user's searches with a run, the newest first; InputError when they cannot be read."""
    return read_notes(notes_file(), run=run, user=user)


def keep(note: Note) -> None:
    """Keep a note for everybody."""
    keep_note(notes_file(), note)


def drop(number: int) -> None:
    """Forget a note."""
    drop_note(notes_file(), number)


def lines() -> str:
    """All notes as JSON Lines to train on."""
    return note_lines(read_notes(notes_file()))
