"""The Codebooks page in a real browser: a code's card from the URL, and that the page fits its window."""

import re

import pytest
from playwright.sync_api import Page, expect
from visit import SCREENSHOTS, Visit


def opened(visit: Visit, **state: str) -> Page:
    query = "&".join(f"{name}={value}" for name, value in state.items())
    visit.page.goto(f"{visit.server}/codebooks?{query}")
    visit.page.get_by_text("made by reg4rec").wait_for()
    visit.page.locator(".st-key-map-codes-0 canvas, .st-key-map-items canvas").first.wait_for()
    return visit.page


def test_a_code_in_the_url_opens_its_card(visit: Visit):
    page = opened(visit, code="5")
    expect(page.get_by_text(re.compile(r"code 5 · \d+ items carry it"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window(new_visit, scheme):
    page = opened(new_visit(color_scheme=scheme))
    SCREENSHOTS.mkdir(exist_ok=True)
    for width in (1280, 1920):
        page.set_viewport_size({"width": width, "height": 1080})
        page.wait_for_function(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth", timeout=5000
        )
        page.set_viewport_size({"width": width, "height": 2300})  # the page scrolls inside its window
        page.screenshot(path=SCREENSHOTS / f"codebooks-{width}-{scheme}.png")
