"""What the parts of the Reasoning page show of a node, each alone in a real browser."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.charts import reasoning as charts
from app.components import belief, followed_path, node_panel
from app.view_models import told_nodes, tree
from reg4rec_core import read_facets

PARTS = {
    "panel": (node_panel.PANEL, f"{node_panel.SCRUBBER}<div class='r4-stack'></div>"),
    "details": (node_panel.DETAILS, "<div class='r4-panels'></div>"),
    "path": (followed_path.SCRIPT, ""),
}
MOUNT = """
async ([code, html, data]) => {
  const part = document.createElement("div")
  part.innerHTML = html
  document.body.append(part)
  const said = (window.said ??= {})
  const { default: draw } = await import(`data:text/javascript;base64,${code}`)
  draw({ data, parentElement: part, setStateValue: (key, value) => { (said[key] ??= []).push(value) } })
}
"""
FACETS = read_facets(small_catalog(), small_ids(), small_interactions())


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def mount(page: Page, trace, *, path: str = "", step: int = 0, facets=FACETS) -> None:
    """All three parts on a search, following a path up to a step."""
    described = tree.describe_nodes(trace, facets)
    told = told_nodes.told_nodes(described, trace, facets.catalog.category_names)
    codes = told_nodes.told_codes(trace, facets, lambda *code: told_nodes.told_card(facets, *code))
    focus = tree.find_focus(trace, path, step)
    followed = charts.followed(tree.search_id(described), focus, path=path) | {"key": "tree", "turn": 0}
    data = followed | {"told": json.dumps(told), "codes": json.dumps(codes), "colours": belief.colours("light")}
    for code, html in PARTS.values():
        page.evaluate(MOUNT, [b64encode(code.encode()).decode(), html, data])


def rows(page: Page) -> dict[str, list[str]]:
    """Every category of the belief with its two shares as they are said."""
    names = page.locator(".r4-belief .name").all_inner_texts()
    said = page.locator(".r4-belief > div:not(.name)").evaluate_all("lines => lines.map((line) => line.title)")
    return {name: [part.split()[-1] for part in line.split(", ")] for name, line in zip(names, said, strict=True)}


def title(page: Page) -> str:
    return page.locator(".r4-belief").get_attribute("aria-label")


def test_the_belief_stands_beside_the_one_before_it(page):
    mount(page, small_trace(), step=2)
    found = rows(page)
    assert list(found)[:2] == ["Makeup › Lips", "Makeup › Eyes"]
    assert list(found.values()) == [["90.0%", "70.0%"], ["4.0%", "10.0%"], ["3.0%", "10.0%"], ["3.0%", "10.0%"]]


def test_categories_keep_their_places_along_a_path(page):
    mount(page, small_trace(), path="0.1", step=0)
    names = [list(rows(page))]
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        names.append(list(rows(page)))
    assert names[0] == names[1] == names[2]
    assert names[0][0] == "Makeup › Eyes"


def test_what_is_not_shown_by_name_is_summed(page, monkeypatch):
    monkeypatch.setattr(told_nodes, "BELIEF_ROWS", 1)
    mount(page, small_trace(), step=2)
    assert rows(page) == {"Makeup › Lips": ["90.0%", "70.0%"], "all others": ["10.0%", "30.0%"]}


def test_a_step_without_a_belief_shows_the_last_one(page):
    mount(page, small_trace(), path="0.2", step=1)
    assert set(map(tuple, rows(page).values())) == {("25.0%", "25.0%")}
    assert title(page) == "Step 1 needs no belief; shown is the last one"


def test_a_search_without_any_belief_shows_no_bars(page):
    mount(page, small_trace(beliefs=np.full((8, 4), np.nan)), step=1)
    assert rows(page) == {}
    assert page.locator(".r4-gauge").count() == 1


def test_the_gauge_says_whether_the_step_was_checked_and_passed(page):
    mount(page, small_trace(), path="0.0-1.2", step=2)
    gauge = page.locator(".r4-gauge")
    assert gauge.get_attribute("aria-label") == "js 0.110, theta 0.060: too far: inconsistent"
    assert gauge.locator(".fill.far").count() == gauge.locator(".mark").count() == 1
    page.keyboard.press("ArrowLeft")
    assert gauge.get_attribute("aria-label").endswith("not checked at this step")
    assert gauge.locator(".fill.far").count() == 0


def test_a_branch_that_ended_early_says_so(page):
    mount(page, small_trace(), path="0.2", step=2)
    assert title(page) == "This branch ended at step 1: beam-cut"
    assert page.locator(".r4-reason").inner_text().startswith("The branch ended at step 1. Out-scored")


def test_the_score_table_holds_the_node_and_what_was_tried_beside_it(page):
    mount(page, small_trace(), path="0.0-1.2", step=2)
    tried = page.locator(".r4-panels section").nth(2).locator("tbody tr")
    cells = [row.locator("td").all_inner_texts() for row in tried.all()]
    assert [row[0] for row in cells] == ["B1 · like “Plum Lipstick”", "B2 · like “Coral Lipstick”"]
    assert [(row[1], row[4], row[5]) for row in cells] == [("80 %", "0.020", "kept"), ("20 %", "0.110", "pruned")]
    assert [row.get_attribute("class") for row in tried.all()] == [None, "chosen"]


def test_the_root_has_no_code(page):
    mount(page, small_trace(), step=0)
    code, allowed, tried = page.locator(".r4-panels section").all()
    assert "No code chosen yet" in code.inner_text()
    assert allowed.locator("h5").inner_text() == "Items it still allows: 8"
    assert tried.locator("tbody tr").count() == 1


def test_keys_and_buttons_stop_at_both_ends_and_say_every_move_once(page):
    mount(page, small_trace(), step=1)
    back, forth = page.locator(".r4-scrubber button").all()
    forth.click()
    forth.click()
    page.keyboard.press("ArrowRight")
    assert page.locator(".r4-scrubber output").inner_text() == "Step 2 of 2"
    back.click()
    page.keyboard.press("ArrowLeft")
    back.click()
    assert page.locator(".r4-scrubber output").inner_text() == "Step 0 of 2"
    moved = page.evaluate("window.said.moved")
    assert moved == [{"path": "", "step": step, "turn": turn} for turn, step in enumerate([2, 1, 0], 1)]


def test_keys_of_fields_and_with_modifiers_are_left_alone(page):
    mount(page, small_trace(), step=1)
    page.evaluate("document.body.append(document.createElement('textarea'))")
    page.locator("textarea").focus()
    page.keyboard.press("ArrowRight")
    page.locator("textarea").blur()
    page.keyboard.press("Control+ArrowRight")
    assert page.locator(".r4-scrubber output").inner_text() == "Step 1 of 2"
    assert page.evaluate("window.said") == {}


def test_an_answer_to_an_earlier_move_leads_nobody_back(page):
    mount(page, small_trace(), step=0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    code, html = PARTS["path"]
    focus = tree.find_focus(small_trace(), "", 1)
    search = tree.search_id(tree.describe_nodes(small_trace(), FACETS))
    late = charts.followed(search, focus, path="") | {"key": "tree", "turn": 1}
    page.evaluate(MOUNT, [b64encode(code.encode()).decode(), html, late])
    assert page.locator(".r4-scrubber output").inner_text() == "Step 2 of 2"
    page.evaluate(MOUNT, [b64encode(code.encode()).decode(), html, late | {"turn": 2, "step": 0}])
    assert page.locator(".r4-scrubber output").inner_text() == "Step 0 of 2"


def test_titles_are_shown_as_they_are_written(page):
    catalog = small_catalog()
    titles = tuple(title and f'<b>{title}</b> & "more"' for title in catalog.titles)
    facets = read_facets(replace(catalog, titles=titles), small_ids(), small_interactions())
    mount(page, small_trace(), step=1, facets=facets)
    listed = page.locator(".r4-panels section").nth(1).locator("td:nth-child(2)").all_inner_texts()
    assert listed[0] == '<b>Plum Lipstick</b> & "more"'
    assert page.locator(".r4-panels td b").count() == 0
