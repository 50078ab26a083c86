"""The Rewards page in a real browser: a preview is started, followed, cancelled; another is waited for and compared."""

import re

import pytest
from playwright.sync_api import Page, expect
from visit import Visit, assert_fits_its_window


def opened(visit: Visit, **state: str) -> Page:
    query = "&".join(f"{name}={value}" for name, value in state.items())
    visit.page.goto(f"{visit.server}/rewards?{query}")
    visit.page.get_by_text("made by reg4rec").wait_for()
    visit.page.locator(".r4-paths").wait_for()
    visit.page.get_by_role("button", name="Start a preview").wait_for()
    return visit.page


def test_a_preview_is_followed_and_cancelled_and_another_is_compared(visit: Visit):
    page = opened(visit, steps="400", batch="4", rewards="path%3D1", user="visitor+7")
    page.get_by_role("button", name="Start a preview").click()
    expect(page.get_by_text(re.compile(r"Preview \d+ trains · step \d+ of 400"))).to_be_visible(timeout=200_000)
    first = page.get_by_text(re.compile(r"trains · step \d+ of 400")).inner_text()
    page.wait_for_function(
        "text => !document.body.innerText.includes(text)", arg=first
    )  # it goes on without anybody's doing
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile(r"Preview \d+ trains"))).to_have_count(0, timeout=60_000)
    page = opened(visit, steps="2", batch="4", rewards="path%3D1", user="visitor+7")
    page.get_by_role("button", name="Start a preview").click()
    expect(page.get_by_text(re.compile(r"\d+ validation users, ranked by the exact first state"))).to_be_visible(
        timeout=300_000
    )
    expect(page.get_by_text("before and after").last).to_be_visible()
    expect(page.get_by_role("cell", name="nodes of both trees")).to_be_visible()
    assert_fits_its_window(page, "rewards-preview", "light", height=2300)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("cell", name="nodes of both trees")).to_have_count(0, timeout=60_000)
    assert all(address.startswith((visit.server, "ws", "data:", "blob:")) for address in visit.asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window(new_visit, scheme):
    page = opened(new_visit(color_scheme=scheme))
    assert_fits_its_window(page, "rewards", scheme, height=1500)
