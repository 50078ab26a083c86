"""The Rewards page in a real browser: a preview is started, followed, cancelled; another is waited for and compared."""

import os
import re
import time
from pathlib import Path

from playwright.sync_api import Page, expect
from visit import Visit, assert_fits_its_window

PREVIEWS = Path(__file__).parents[2] / "checkpoints" / ".previews"
"""Where the served application copies runs to."""


def opened(visit: Visit, **state: str) -> Page:
    query = "&".join(f"{name}={value}" for name, value in state.items())
    visit.page.goto(f"{visit.server}/rewards?{query}")
    visit.page.get_by_text("made by reg4rec").wait_for()
    visit.page.locator(".r4-paths").wait_for()
    visit.page.get_by_role("button", name="Start a preview").wait_for()
    return visit.page


def test_the_page_fits_its_window_and_a_preview_is_followed_until_it_is_compared(visit: Visit):
    page = opened(visit, steps="200", batch="4", rewards="path%3D1", user="visitor+7")
    assert_fits_its_window(page, "rewards", height=1500)
    page.get_by_role("button", name="Start a preview").click()
    expect(page.get_by_text(re.compile(r"Preview \d+ trains · step \d+ of 200"))).to_be_visible(timeout=280_000)
    # it goes on without anybody's doing
    expect(page.get_by_text(re.compile(r"\d+ validation users, ranked by the exact first state"))).to_be_visible(
        timeout=300_000
    )
    expect(page.get_by_text("before and after").last).to_be_visible()
    expect(page.get_by_role("cell", name="nodes of both trees")).to_be_visible()
    assert_fits_its_window(page, "rewards-preview", height=2300)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("cell", name="nodes of both trees")).to_have_count(0, timeout=60_000)
    assert all(address.startswith((visit.server, "ws", "data:", "blob:")) for address in visit.asked)


def test_a_preview_is_cancelled_the_page_says_so_its_process_ends_and_the_run_is_untouched(
    visit: Visit, tiny_run: Path
):
    before, others = files_of(tiny_run), trainings()
    page = opened(visit, steps="400", batch="4", rewards="path%3D1", user="visitor+7")
    page.get_by_role("button", name="Start a preview").click()
    expect(page.get_by_text(re.compile(r"Preview \d+ (starts|trains)"))).to_be_visible(timeout=280_000)
    ((pid, copy),) = until(lambda: trainings().items() - others.items())
    page.get_by_role("button", name="Cancel").click()
    said = page.get_by_text(re.compile(r"Preview \d+ was cancelled: its training has ended"))
    expect(said).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=60_000)
    assert "preview=" not in page.url
    until(lambda: pid not in trainings())
    until(lambda: not copy.exists())
    assert files_of(tiny_run) == before


def trainings() -> dict[int, Path]:
    """The processes that train previews of the application that these tests serve, and the copies that they train."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if "reg4rec_core.cli.tethered" in said:
            pid, copy = int(file.parent.name), Path(said[said.index("--run") + 1])
            found |= {pid: copy} if PREVIEWS in copy.parents and os.getpid() in ancestors(pid) else {}
    return found


def ancestors(pid: int) -> list[int]:
    """The processes that a process comes from; other tests run beside these."""
    found = []
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            break
        found.append(pid)
    return found


def until(what, *, seconds: float = 60):
    """What is asked for, once it is there."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_weight_is_mixed_by_keyboard_locked_and_mended(visit: Visit):
    visit.page.goto(f"{visit.server}/rewards?rewards=step%3D0%2Ccategory%3D0%2Cconsistency%3D0%2Cpath%3D1")
    paths = visit.page.locator(".r4-paths")
    paths.wait_for()
    visit.rest()
    slider = visit.page.get_by_label("Path", exact=True)
    slider.focus()
    visit.page.keyboard.press("Home")
    visit.page.get_by_text("At least one of the reward weights").wait_for()
    assert visit.page.locator(".r4-mixer output").last.inner_text() == "0.00"
    slider.focus()
    visit.page.keyboard.press("End")
    visit.page.wait_for_url(re.compile("path%3D4(&|$)"))
    paths.wait_for()
    visit.rest()
    visit.page.locator(".r4-mixer .lock").last.click()
    visit.page.wait_for_url(re.compile("lock_path=true"))
    visit.rest()
    expect(slider).to_be_disabled()
    visit.page.get_by_role("radio", name="near misses").or_(
        visit.page.get_by_role("button", name="near misses")
    ).click()
    visit.page.wait_for_url(re.compile("category%3D1.*path%3D4"))
    visit.rest()
    assert visit.page.locator(".r4-mixer output").all_inner_texts() == ["1.00", "1.00", "0.00", "4.00"]
