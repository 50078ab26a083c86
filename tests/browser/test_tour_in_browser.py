"""The guided tour in a real browser, by keyboard alone."""

import re

from playwright.sync_api import Page, expect
from visit import Visit, assert_fits_its_window

SEEN = {
    1: ".st-key-recommendations .row",
    2: ".st-key-codes",
    3: ".r4-belief .now",
    4: ".st-key-tree path.node.chosen",
    5: ".st-key-restore",
    6: ".r4-checks",
}
"""What each stop is about."""


def opened(visit: Visit) -> Page:
    visit.page.goto(visit.server)
    visit.page.get_by_text("made by reg4rec").wait_for()
    return visit.page


def test_the_overview_fits_its_window_and_the_tour_is_walked_from_the_first_stop_to_the_last_by_keyboard(visit: Visit):
    page = opened(visit)
    page.locator(".js-plotly-plot").first.wait_for()
    assert_fits_its_window(page, "overview", height=2200)
    page.get_by_role("button", name="Take the tour").focus()
    page.keyboard.press("Enter")
    for number, place in SEEN.items():
        expect(page.get_by_text(f"tour, {number} of 6")).to_be_visible(timeout=60_000)
        page.get_by_text("made by reg4rec").wait_for()
        page.locator(place).first.wait_for()
        assert f"tour={number}" in page.url
        if number == 4:
            expect(page.get_by_text(re.compile("^Pruned: its belief moved by js"))).to_be_visible(timeout=60_000)
        if number < len(SEEN):
            page.keyboard.press("n")
    page.keyboard.press("b")
    expect(page.get_by_text("tour, 5 of 6")).to_be_visible(timeout=60_000)
