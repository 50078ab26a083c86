"""The Rewards page in a real browser: a preview is started, followed, cancelled; another is waited for and compared."""

import re

from playwright.sync_api import Page, expect
from visit import Visit, assert_fits_its_window


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
