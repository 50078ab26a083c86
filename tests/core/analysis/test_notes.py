"""Notes: kept and read back as they were made, whatever they say and whoever writes at the same time."""

import json
import multiprocessing
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from reg4rec_core.analysis.notes import (
    Note,
    drop_note,
    keep_note,
    note_lines,
    notes_file,
    read_notes,
)
from reg4rec_core.types import InputError

HOSTILE = '\'; DROP TABLE notes; --\n"quoted" <script>alert(1)</script> \\ 𝄞 \x00 end'


def note(**changes) -> Note:
    values = {
        "run": "demo", "weights": "post_trained", "user": "42", "at": "test", "theta": 0.06, "edits": "",
        "history": ("p1", "p2"), "path": ((3, 117), (0, 5)), "item": "p9", "label": -1, "tag": "too similar",
        "text": "It has this already.", "link": "?user=42",
    }  # fmt: skip
    return Note(**(values | changes))


def test_a_note_comes_back_as_it_was_kept(tmp_path):
    file = tmp_path / "deep" / "notes.sqlite"
    kept = [keep_note(file, note(label=1, theta=float("inf"), path=(), item="")), keep_note(file, note())]
    assert [entry.number for entry in kept] == [1, 2]
    assert kept[0].time > 1_700_000_000
    assert list(read_notes(file)) == kept[::-1]


def test_notes_are_found_by_run_and_user_and_can_be_dropped(tmp_path):
    file = tmp_path / "notes.sqlite"
    assert read_notes(file) == ()
    assert not file.exists()
    for run, user in (("demo", "1"), ("demo", "2"), ("other", "1")):
        keep_note(file, note(run=run, user=user))
    assert [(found.run, found.user) for found in read_notes(file, run="demo")] == [("demo", "2"), ("demo", "1")]
    assert [(found.run, found.user) for found in read_notes(file, user="1")] == [("other", "1"), ("demo", "1")]
    drop_note(file, 1)
    assert [found.number for found in read_notes(file)] == [3, 2]


def test_hostile_text_is_text(tmp_path):
    file = tmp_path / "notes.sqlite"
    wicked = note(text=HOSTILE, tag=HOSTILE[:20], user=HOSTILE, link=HOSTILE)
    keep_note(file, wicked)
    (found,) = read_notes(file, user=HOSTILE)
    assert replace(found, time=0, number=0) == wicked
    (line,) = note_lines([found]).splitlines()
    assert json.loads(line)["text"] == HOSTILE


def test_a_line_is_a_training_example(tmp_path):
    file = tmp_path / "notes.sqlite"
    kept = keep_note(file, note())
    keep_note(file, note(theta=float("inf"), item="", label=1))
    first, second = map(json.loads, note_lines(read_notes(file)).splitlines())
    assert first == {
        "number": 1, "run": "demo", "weights": "post_trained", "user": "42", "at": "test", "theta": 0.06, "edits": "",
        "history": ["p1", "p2"], "path": [{"codebook": 3, "code": 117}, {"codebook": 0, "code": 5}], "item": "p9",
        "label": -1, "tag": "too similar", "text": "It has this already.", "time": kept.time, "link": "?user=42",
    }  # fmt: skip
    assert (second["theta"], second["item"], second["label"]) == (None, None, 1)


def test_thresholds_by_step_are_kept_and_exported(tmp_path):
    file = tmp_path / "notes.sqlite"
    kept = keep_note(file, note(thetas=(0.7, float("inf"), 0.05)))
    assert read_notes(file) == (kept,)
    (line,) = map(json.loads, note_lines([kept]).splitlines())
    assert (line["theta"], line["thetas"]) == (0.06, [0.7, None, 0.05])


def test_the_first_step_that_was_compared_is_kept_and_exported(tmp_path):
    kept = keep_note(tmp_path / "notes.sqlite", note(check_from=3))
    assert read_notes(tmp_path / "notes.sqlite") == (kept,)
    assert json.loads(note_lines([kept]))["check_from"] == 3


def made_before(file, *unknown: str) -> Note:
    """A file of notes as it was made before they knew some columns, with one note in it."""
    old = keep_note(file, note(text="of before"))
    with closing(sqlite3.connect(file)) as connection, connection:
        for name in unknown:
            connection.execute(f"ALTER TABLE notes DROP COLUMN {name}")
    return old


@pytest.mark.parametrize("unknown", [("thetas", "check_from"), ("check_from",)])
def test_notes_of_before_are_read_and_new_ones_kept_beside_them(tmp_path, unknown):
    file = tmp_path / "notes.sqlite"
    old = made_before(file, *unknown)
    assert read_notes(file) == (old,), "reading changes no file"
    new = keep_note(file, note(thetas=(0.1, 0.2), check_from=3))
    assert read_notes(file) == (new, old)
    drop_note(file, old.number)
    assert read_notes(file) == (new,)


def test_several_writers_widen_a_file_of_before_once(tmp_path):
    file = tmp_path / "notes.sqlite"
    made_before(file, "thetas", "check_from")
    with ThreadPoolExecutor(5) as writers:
        kept = list(writers.map(lambda place: keep_note(file, note(thetas=(place / 10,))), range(5)))
    assert sorted(kept, key=lambda one: -one.number) == list(read_notes(file)[:5])


@pytest.mark.parametrize("wrong", [{"label": 0}, {"tag": "x" * 61}, {"text": "x" * 4001}])
def test_a_note_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError):
        note(**wrong)


def test_several_threads_write_into_a_file_that_none_of_them_finds(tmp_path):
    file, errors = tmp_path / "notes.sqlite", []

    def write(writer: int) -> None:
        try:
            for index in range(20):
                keep_note(file, note(user=str(writer), text=str(index)))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = read_notes(file)
    assert sorted((entry.user, int(entry.text)) for entry in found) == [
        (str(w), i) for w in range(5) for i in range(20)
    ]
    assert sorted(entry.number for entry in found) == list(range(1, 101))
    assert list(tmp_path.glob("*.partial*")) == []


def write_from_a_process(file, writer: int) -> None:
    for index in range(10):
        keep_note(file, note(user=str(writer), text=str(index)))


def test_several_processes_write_too(tmp_path):
    file = tmp_path / "notes.sqlite"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_from_a_process, args=(file, writer)) for writer in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 5
    assert len(read_notes(file)) == 50


def test_a_file_that_holds_something_else_is_an_error_in_one_sentence(tmp_path):
    file = tmp_path / "notes.sqlite"
    file.write_text("no data base " * 100)
    with pytest.raises(InputError, match="REG4REC_NOTES"):
        read_notes(file)
    with pytest.raises(InputError, match="REG4REC_NOTES"):
        keep_note(file, note())


def test_the_environment_names_another_file(monkeypatch, tmp_path):
    monkeypatch.delenv("REG4REC_NOTES", raising=False)
    assert str(notes_file()) == "checkpoints/notes.sqlite"
    monkeypatch.setenv("REG4REC_NOTES", str(tmp_path / "mine.sqlite"))
    assert notes_file() == tmp_path / "mine.sqlite"


def test_the_command_exports_what_people_noted(reg4rec, monkeypatch, tmp_path):
    monkeypatch.setenv("REG4REC_NOTES", str(tmp_path / "mine.sqlite"))
    missing = reg4rec("notes")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "there are no notes" in missing.stderr
    keep_note(notes_file(), note())
    keep_note(notes_file(), note(run="other"))
    out = tmp_path / "notes.jsonl"
    done = reg4rec("notes", "--export", out, "--json")
    assert done.exit_code == 0, done.stderr
    assert out.read_text(encoding="utf-8") == note_lines(read_notes(notes_file()))
    assert len(json.loads(done.stdout)["notes"]) == 2
    assert "2 notes written to" in done.stderr
    piped = reg4rec("notes", "--export", "-", "--run", "other")
    assert [json.loads(line)["run"] for line in piped.stdout.splitlines()] == ["other"]
