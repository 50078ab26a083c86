"""The Codebooks page in a real browser: a code's card from the URL, and a lasso that outlives other colours."""

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


def draw_box(page: Page, chart: str) -> None:
    """Choose the box among the chart's tools, then drag it over the whole map."""
    canvas = page.locator(f".{chart} canvas").first
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    page.mouse.click(place["x"] + 45, place["y"] + 17)
    page.mouse.move(place["x"] + 8, place["y"] + 45)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 200, steps=4)
    page.mouse.move(place["x"] + place["width"] - 8, place["y"] + place["height"] - 65, steps=4)
    page.mouse.up()


def test_a_code_in_the_url_opens_its_card(visit: Visit):
    page = opened(visit, code="5")
    expect(page.get_by_text(re.compile(r"code 5 · \d+ items carry it"))).to_be_visible()


def test_what_a_box_holds_is_listed_and_stays_when_the_colours_change(visit: Visit):
    page = opened(visit, points="items")
    expect(page.get_by_text("Draw a lasso or a box")).to_be_visible()
    draw_box(page, "st-key-map-items")
    listed = page.get_by_text(re.compile(r"\d+ of 60 items; "))
    listed.wait_for()
    count = listed.inner_text().split(" ")[0]
    assert int(count) > 30
    page.locator(".st-key-colour").get_by_role("combobox").click()
    page.get_by_role("option", name="brand").click()
    expect(
        page.get_by_text(re.compile(rf"{count} of 60 items; .*“(Avalon|Birch & Co|Corvina|unknown)”"))
    ).to_be_visible()


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
