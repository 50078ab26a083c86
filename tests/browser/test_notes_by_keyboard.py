"""A note is made by keyboard alone, also after a choice from a list."""

from pathlib import Path

from playwright.sync_api import Locator, expect
from visit import Visit

from reg4rec_core import read_notes


def tab_to(control: Locator, *, at_most: int) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(at_most):
        control.page.keyboard.press("Tab")
        if control.evaluate("control => control === document.activeElement"):
            return
    raise AssertionError(f"{at_most} times Tab do not lead to {control}")


def test_a_note_is_kept_by_keyboard_alone(visit: Visit, notes_path: Path):
    page = visit.open(user="visitor 9").page
    opener = page.get_by_role("button", name="Notes")
    tab_to(opener, at_most=80)
    page.keyboard.press("Enter")
    about = page.get_by_role("combobox", name="About")
    expect(about).to_be_focused()
    tag, text = page.get_by_label("Tag"), page.get_by_label("Note", exact=True)
    for field in (tag, text):
        field.wait_for()
    branch = about.input_value()
    page.keyboard.press("ArrowDown")  # opens the list
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(about).not_to_have_value(branch)
    chosen = about.input_value()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # from the thumb that points up to the one that points down
    page.keyboard.press("Space")
    tab_to(tag, at_most=1)
    page.keyboard.type("too similar")
    tab_to(text, at_most=1)
    page.keyboard.type("bought this last week")
    tab_to(page.get_by_role("button", name="Keep the note"), at_most=1)
    page.keyboard.press("Enter")
    listed = page.locator(".r4", has_text="bought this last week")
    expect(listed).to_contain_text(chosen.split(" · ")[-1])
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()

    (note,) = read_notes(notes_path)
    assert (note.user, note.label, note.tag, note.text) == ("visitor 9", -1, "too similar", "bought this last week")
    assert note.item is not None
