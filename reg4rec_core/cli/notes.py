"""`reg4rec notes`"""

from pathlib import Path
from typing import Any

import click

from reg4rec_core.cli.options import json_option
from reg4rec_core.cli.output import emit

SHOWN = 20
"""Notes that the text shows; the document has all."""


@click.command("notes")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="Notes to read.  [default: REG4REC_NOTES, or checkpoints/notes.sqlite]",
)
@click.option("--run", default="", help="Only notes about the run of this name.  [default: all]")
@click.option("--user", default="", help="Only notes about this user.  [default: all]")
@click.option(
    "--export",
    type=click.Path(path_type=Path),
    help="Write JSON Lines there, one training example a note; - is stdout.",
)
@json_option
def command(file: Path | None, run: str, user: str, export: Path | None, as_json: bool) -> int:
    """List the notes that people made in the application, or export them to train on."""
    from reg4rec_core.analysis.notes import note_document, note_lines, notes_file, read_notes
    from reg4rec_core.types import InputError

    file = file or notes_file()
    if not file.exists():
        raise InputError(f"there are no notes at {file}; make some in the application, or name their file with --file")
    notes = read_notes(file, run=run, user=user)
    if export is not None and str(export) == "-":
        click.echo(note_lines(notes), nl=False)
        return 0
    if export is not None:
        partial = export.with_name(f"{export.name}.partial")
        partial.write_text(note_lines(notes), encoding="utf-8")
        partial.replace(export)
    documents = [note_document(note) for note in notes]
    emit({"file": str(file), "notes": documents}, text=notes_text(documents, str(export or "")), as_json=as_json)
    return 0


def notes_text(notes: list[dict[str, Any]], export: str) -> str:
    """The newest notes, a line each."""
    lines = [f"{len(notes):,} {'note' if len(notes) == 1 else 'notes'}{f' written to {export}' if export else ''}"]
    for note in notes[:SHOWN]:
        about = note["item"] or "-".join(f"{code['codebook']}.{code['code']}" for code in note["path"]) or "start"
        said = " ".join(part for part in (note["tag"] and f"[{note['tag']}]", note["text"]) if part)
        lines.append(f"{note['label']:+d}  {note['run']}, user {note['user']}, {about}  {' '.join(said.split())[:100]}")
    return "\n".join(lines)
