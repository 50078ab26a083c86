"""The Cohorts page in a real browser: from a cell of a chart to the tree of one of its users."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect
from visit import Visit, assert_fits_its_window

from app.charts.cohorts import HEAT_GRID
from reg4rec_core import Cohort, Leaning, Range, count_users, mass_along_steps, open_store, read_cohort, users_of


@pytest.fixture(scope="module")
def server(stored_server: str) -> str:
    """The application on the run with a stored search."""
    return stored_server


def opened(visit: Visit) -> Page:
    visit.page.goto(f"{visit.server}/cohorts")
    visit.page.locator(".st-key-chart-steps canvas").first.wait_for()
    visit.page.locator(".st-key-listed_users td a").first.wait_for()
    return visit.page


def click_cell(page: Page, chart: str, column: int, row: int, *, columns: int, rows: int) -> None:
    canvas = page.locator(f".st-key-chart-{chart} canvas").first
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    width = place["width"] - HEAT_GRID["left"] - HEAT_GRID["right"]
    height = place["height"] - HEAT_GRID["top"] - HEAT_GRID["bottom"]
    x = place["x"] + HEAT_GRID["left"] + width * (column + 0.5) / columns
    y = place["y"] + HEAT_GRID["top"] + height * (row + 0.5) / rows
    page.mouse.click(x, y)


def test_the_page_fits_and_a_click_on_a_cell_lists_its_users_and_a_name_leads_to_their_tree(
    visit: Visit, stored_run: Path
):
    (path,) = (stored_run / "traces").iterdir()
    store = open_store(path)
    beliefs = mass_along_steps(store, Cohort())
    page = opened(visit)
    assert_fits_its_window(page, "cohorts", height=2900)
    first = int(beliefs.mass.max(0).argmax())
    click_cell(page, "steps", 2, 0, columns=len(beliefs.steps), rows=len(beliefs.names))
    leaning = Cohort(leans=Leaning(2, beliefs.names[first]))
    expect(page.get_by_text(f"{beliefs.leaning[2, first]} users behind the mark")).to_be_visible(timeout=60_000)
    assert read_cohort(dict(parse_qsl(urlsplit(page.url).query))["marked"]) == leaning
    user = users_of(store, leaning, limit=1)[0].key
    page.locator(".st-key-listed_users td a").first.click()
    page.get_by_text("made by reg4rec").wait_for()
    visit.wait_for_tree(other_than="")
    expect(page.get_by_role("button", name=re.compile(f"User {user}"))).to_be_visible(timeout=60_000)


def test_a_name_leads_to_the_tree_of_that_search_without_loading_the_application_anew(visit: Visit, new_visit):
    visit.open(theta="0.05", step="1", beam="3")
    visit.page.get_by_test_id("stTopNavLink").filter(has_text="Cohorts").click()
    name = visit.page.locator(".st-key-listed_users td a").nth(3)
    link = name.get_attribute("href")
    visit.page.evaluate("window.stays = true")
    name.click()
    visit.wait_for_tree(other_than="")
    fresh = new_visit().open(link)
    expect(visit.page.locator(".r4-gauge")).to_have_attribute("aria-label", fresh.numbers()["gauge"], timeout=60_000)
    visit.rest()
    assert visit.numbers() == fresh.numbers(), "what the page showed before is forgotten"
    assert visit.link() == fresh.link()
    assert visit.page.evaluate("window.stays")
    visit.page.go_back()
    visit.page.locator(".st-key-listed_users td a").first.wait_for()


def test_a_cohort_is_built_by_keyboard_and_the_form_closes_over_its_users(visit: Visit, stored_run: Path):
    (path,) = (stored_run / "traces").iterdir()
    wanted = Cohort(history=Range(3, None))
    page = opened(visit)
    page.locator(".st-key-builder button").first.focus()
    page.keyboard.press("Enter")
    field = page.get_by_label("Purchases in the history, from")
    field.fill("3")
    field.press("Tab")
    page.get_by_role("button", name="Look at these users").press("Enter")
    page.get_by_test_id("stPopoverBody").wait_for(state="hidden")
    count = count_users(open_store(path), wanted).users
    expect(page.get_by_text(f"{count} users of this cohort")).to_be_visible(timeout=60_000)
    assert read_cohort(dict(parse_qsl(urlsplit(page.url).query))["cohort"]) == wanted
