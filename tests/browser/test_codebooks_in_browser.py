"""The Codebooks page in a real browser: a code's card from the URL, and a lasso that outlives other colours."""

import re

from playwright.sync_api import Page, expect
from visit import Visit, assert_fits_its_window

TOOLS = {"lasso": (29, 29), "clear": (96, 29)}
"""Where the tools stand on the map, pixels from its corner."""


def opened(visit: Visit, **state: str) -> Page:
    query = "&".join(f"{name}={value}" for name, value in state.items())
    visit.page.goto(f"{visit.server}/codebooks?{query}")
    visit.page.get_by_text("made by reg4rec").wait_for()
    visit.page.locator(".st-key-map-codes-0 canvas, .st-key-map-items canvas").first.wait_for()
    return visit.page


def draw_lasso(page: Page, chart: str) -> None:
    """Choose the lasso among the chart's tools, then drag it around the whole map."""
    place = page.locator(f".{chart} canvas").first.bounding_box()
    left, right = place["x"] + 6, place["x"] + place["width"] - 6
    top, bottom = place["y"] + 46, place["y"] + place["height"] - 62
    page.mouse.click(place["x"] + TOOLS["lasso"][0], place["y"] + TOOLS["lasso"][1])
    page.mouse.move(left, top)
    page.mouse.down()
    for corner in ((right, top), (right, bottom), (left, bottom), (left, top + 4)):
        page.mouse.move(*corner, steps=6)
    page.mouse.up()


def test_a_code_in_the_url_opens_its_card_and_the_page_fits_its_window(visit: Visit):
    page = opened(visit, code="5")
    expect(page.get_by_text(re.compile(r"code 5 · \d+ items carry it"))).to_be_visible()
    assert_fits_its_window(page, "codebooks", height=2300)


def test_what_a_lasso_holds_is_listed_and_stays_when_the_colours_change(visit: Visit):
    page = opened(visit, points="items")
    nothing = page.get_by_text("Choose the lasso or the box at the top left of the map")
    expect(nothing).to_be_visible()
    canvas = page.locator(".st-key-map-items canvas").first
    canvas.scroll_into_view_if_needed()
    draw_lasso(page, "st-key-map-items")
    listed = page.get_by_text(re.compile(r"\d+ of 60 items; "))
    listed.wait_for()
    count = listed.inner_text().split(" ")[0]
    assert int(count) > 30
    page.locator(".st-key-colour").get_by_role("combobox").click()
    page.get_by_role("option", name="brand").click()
    of_brands = rf"{count} of 60 items; .*“(Avalon|Birch & Co|Corvina|unknown)”"
    expect(page.get_by_text(re.compile(of_brands))).to_be_visible(timeout=60_000)
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    page.mouse.click(place["x"] + TOOLS["clear"][0], place["y"] + TOOLS["clear"][1])
    expect(nothing).to_be_visible(timeout=60_000)
