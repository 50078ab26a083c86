"""The Reasoning page in a real browser."""

import json
import re
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from visit import Visit, assert_fits_its_window

USER = "visitor 9"


def test_a_first_visit_shows_the_tree_of_a_real_user_and_the_page_fits_its_window(visit: Visit):
    visit.open()
    assert re.match(r"Search tree of \d+ nodes over 4 steps: \d+ kept", visit.tree)
    assert len(visit.paths()) == int(re.search(r"of (\d+) nodes", visit.tree).group(1))
    assert visit.page.locator(".st-key-recommendations .row").count() == 10
    assert visit.page.get_by_role("heading", name="How the model reasoned").is_visible()
    assert_fits_its_window(visit.page, "reasoning", height=2100)


def test_no_request_leaves_the_machine(visit: Visit):
    visit.open(user=USER)
    visit.press("ArrowRight")
    visit.link()
    elsewhere = [url for url in visit.asked if urlsplit(url).scheme not in ("data", "blob")]
    assert elsewhere
    assert {urlsplit(url).hostname for url in elsewhere} == {"127.0.0.1"}


def test_theta_changes_the_tree_and_the_address_and_without_pruning_nothing_is_pruned(visit: Visit):
    visit.open(user=USER, theta="0.3")
    before = visit.tree
    slider = visit.page.locator(".st-key-theta input[type=range]")
    slider.focus()
    visit.page.keyboard.press("Home")
    after = visit.wait_for_tree(other_than=before)
    pruned = [int(re.search(r"(\d+) pruned", text).group(1)) for text in (before, after)]
    assert pruned[1] > pruned[0]
    visit.page.wait_for_url(re.compile(r"theta=0(\.0)?(&|$)"))
    visit.page.locator(".st-key-corp label").click()
    assert " 0 pruned, 0 regenerated, 0 fallback" in visit.wait_for_tree(other_than=after)


def test_a_link_shows_the_same_numbers_in_a_fresh_browser(visit: Visit, new_visit):
    visit.open(user=USER, at="valid", theta="0.02", beam="6", step="3")
    before = visit.tree
    path = [path for path in visit.paths() if path.count("-") == 1][-1]
    visit.node(path).click()
    visit.wait_for_tree(other_than=before)
    other = new_visit().open(visit.link())
    assert other.numbers() == visit.numbers()
    assert other.page.url.endswith(urlsplit(visit.page.url).query) or "path=" in other.page.url


def test_arrow_keys_move_the_step_every_view_follows_and_nothing_jumps(visit: Visit):
    visit.open(user=USER, step="1")
    assert "Chosen at step 1:" in visit.tree
    parts = (".st-key-tree", ".r4-belief", ".r4-gauge", ".st-key-recommendations")
    gauge, places = visit.numbers()["gauge"], visit.heights(*parts)
    assert "Chosen at step 2:" in visit.press("ArrowRight")
    visit.page.get_by_text("after step 2 and before it").wait_for()
    assert visit.numbers()["gauge"] != gauge
    assert visit.heights(*parts) == pytest.approx(places, abs=1)
    assert visit.page.locator(".st-key-recommendations .chip.now").first.get_attribute("title").count("step 2") == 1
    assert "Chosen at step 1:" in visit.press("ArrowLeft")


def test_a_step_draws_anew_only_what_it_changes(visit: Visit):
    received: list[object] = []
    visit.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    visit.open(user=USER, step="2")
    whole = len(received)
    for outside in (".st-key-theta", ".st-key-user_picker"):
        visit.page.locator(outside).evaluate("element => element.setAttribute('data-kept', 'yes')")
    received.clear()
    visit.press("ArrowRight")
    visit.rest()
    assert 0 < len(received) < 0.75 * whole
    assert visit.page.locator("[data-kept=yes]").count() == 2
    visit.page.wait_for_url(re.compile(r"step=3(&|$)"))
    visit.page.reload()
    visit.page.get_by_text("after step 3 and before it").wait_for()


def test_a_step_after_other_searches_is_made_and_told_once(visit: Visit):
    """What drew the searches of before is gone."""
    visit.open(user=USER, theta="0.7", step="1")
    slider = visit.page.locator(".st-key-theta input[type=range]")
    slider.focus()
    for key in ("Home", "End", "Home"):
        before = visit.tree
        visit.page.keyboard.press(key)
        visit.wait_for_tree(other_than=before)
        visit.rest()
    slider.blur()
    before = visit.page.evaluate("window.reg4recFollowed.get('tree').turn")
    assert "Chosen at step 2:" in visit.press("ArrowRight")
    visit.page.wait_for_url(re.compile(r"step=2(&|$)"))
    visit.rest()
    assert visit.page.evaluate("window.reg4recFollowed.get('tree').turn") == before + 1
    assert "Chosen at step 2:" in visit.tree


def test_an_arrow_key_on_the_slider_moves_one_step_not_two(visit: Visit):
    visit.open(user=USER, step="1")
    visit.page.get_by_role("slider", name="Step").focus()
    assert "Chosen at step 2:" in visit.press("ArrowRight")
    visit.page.wait_for_timeout(500)
    assert "Chosen at step 2:" in visit.tree


def test_a_click_on_a_node_shows_what_it_is(visit: Visit):
    visit.open(user=USER)
    before = visit.tree
    path = [path for path in visit.paths() if path.count("-") == 0 and path][-1]
    name = visit.node(path).get_attribute("aria-label").split(":")[0]
    visit.node(path).click()
    assert visit.wait_for_tree(other_than=before).endswith(f"Chosen at step 1: {name}.")
    expect(visit.page.locator("tr.chosen")).to_have_text(re.compile(f"^{re.escape(name)}"), timeout=30_000)
    visit.page.wait_for_url(re.compile(rf"path={path}(&|$)"))


CLICK = """
path => {
  const find = (within, part) => [...document.querySelectorAll(`${within}, ${within} *`)]
    .map((element) => element.shadowRoot?.querySelectorAll(part)).find(Boolean)
  const nodes = () => [...find(".st-key-tree", "path.node")]
  nodes().find((node) => node.dataset.path === path).dispatchEvent(new MouseEvent("click", { bubbles: true }))
  return {
    chosen: nodes().filter((node) => node.classList.contains("chosen")).map((node) => node.dataset.path),
    strong: [...find(".st-key-tree", "path.link")].filter((link) => link.getAttribute("stroke-width") === "3").length,
    rows: [...find(".st-key-recommendations", ".row")].map((row) => row.classList.contains("followed")),
  }
}
"""
"""Clicks a node and looks at the page before any answer of the server can have come."""


def test_a_click_is_followed_at_once_and_the_server_agrees(visit: Visit):
    visit.open(user=USER, step="1")
    rows = visit.page.locator(".st-key-recommendations .row")
    rows.nth(3).locator(".title").click()
    expect(rows.nth(3)).to_have_class("row followed", timeout=30_000)
    visit.page.wait_for_url(re.compile("path="))
    path = visit.page.url.split("path=")[1].split("&")[0]
    rows.nth(0).locator(".title").click()
    expect(rows.nth(0)).to_have_class("row followed", timeout=30_000)
    visit.rest()
    seen = visit.page.evaluate(CLICK, path)
    assert seen["chosen"] == [path]
    assert seen["strong"] == path.count("-") + 1, "the links of the followed path"
    assert [place for place, followed in enumerate(seen["rows"]) if followed] == [3]
    visit.page.wait_for_url(re.compile(rf"path={path}(&|$)"))
    visit.rest()
    assert visit.page.locator(".st-key-tree path.node.chosen").get_attribute("data-path") == path
    assert visit.tree.split("Chosen at step ")[1].startswith(f"{path.count('-') + 1}:")


def test_a_link_that_lies_open_follows_the_step(visit: Visit):
    visit.open(user=USER, step="1")
    visit.page.get_by_role("button", name="Share").click()
    link = visit.page.get_by_test_id("stCode").locator("code")
    expect(link).to_contain_text("step=1")
    visit.press("ArrowRight")
    expect(link).to_contain_text("step=2", timeout=30_000)


def test_a_chosen_path_survives_a_change_of_theta(visit: Visit):
    visit.open(user=USER, theta="0.7")
    before = visit.tree
    path = [path for path in visit.paths() if path.count("-") == 0 and path][1]
    visit.node(path).click()
    chosen = visit.wait_for_tree(other_than=before)
    visit.page.wait_for_url(re.compile(f"path={path}"))  # the server knows of it, too
    visit.rest()
    visit.page.locator(".st-key-theta input[type=range]").focus()
    visit.page.keyboard.press("Home")
    assert visit.wait_for_tree(other_than=chosen).split("Chosen")[1] == chosen.split("Chosen")[1]


def test_nodes_are_walked_by_keyboard_alone(visit: Visit):
    visit.open(user=USER, step="1")
    before = visit.tree
    visit.page.locator(".st-key-tree path.node.chosen").focus()
    visit.page.keyboard.press("ArrowDown")
    after = visit.wait_for_tree(other_than=before)
    assert "Chosen at step 1:" in after
    visit.page.wait_for_timeout(300)
    assert "Chosen at step 1:" in visit.press("ArrowDown")


def test_hovering_tells_why_a_node_met_its_fate_and_a_click_on_a_recommendation_follows_its_path(visit: Visit):
    visit.open(user=USER)
    visit.page.locator(".st-key-tree path.node").nth(2).hover()
    tip = visit.page.locator(".st-key-tree .tip")
    tip.wait_for()
    assert re.search(r"(Kept|Pruned|Out-scored|Regenerated)", tip.inner_text())
    assert "items" in tip.inner_text()
    before = visit.numbers()
    visit.page.locator(".st-key-recommendations .row").nth(2).locator(".title").click()
    visit.wait_for_tree(other_than=before["tree"])
    expect(visit.page.locator(".st-key-recommendations .row").nth(2)).to_have_class("row followed", timeout=30_000)
    expect(visit.page.locator(".r4-why")).to_contain_text("is number 3", timeout=30_000)


def test_a_user_is_found_by_what_they_bought_and_looked_at(visit: Visit):
    visit.open(user=USER)
    before = visit.numbers()["cards"]
    visit.page.locator(".st-key-user_picker button").first.click()
    search = visit.page.get_by_label("Find a user by id, or by words of a title they bought")
    search.fill("visitor 77")
    visit.page.get_by_text("for “visitor 77”").wait_for()
    visit.page.get_by_test_id("stDataFrame").locator("canvas").first.click(position={"x": 16, "y": 52}, force=True)
    visit.page.get_by_role("button", name="User visitor 77").wait_for()
    deadline = time.monotonic() + 30  # the cards are drawn after the button
    while visit.numbers()["cards"] == before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert visit.numbers()["cards"] != before
    assert "user=visitor+77" in visit.page.url or "user=visitor%2077" in visit.page.url


def test_the_search_comes_away_as_json(visit: Visit, tmp_path):
    visit.open(user=USER)
    visit.page.get_by_role("button", name="Share").click()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download the search (JSON)").click()
    download.value.save_as(tmp_path / "search.json")
    document = json.loads((tmp_path / "search.json").read_text(encoding="utf-8"))
    assert len(document["trace"]["nodes"]) == len(visit.paths())
    assert download.value.suggested_filename.endswith(".json")


def test_an_unknown_user_is_told_in_one_sentence(visit: Visit):
    visit.page.goto(f"{visit.server}/reasoning?user=nobody")
    visit.page.get_by_text("There is no user 'nobody' in this run").wait_for()
    assert visit.page.locator(".st-key-user_picker").is_visible()


def test_a_code_is_forbidden_by_a_click_and_allowed_again(visit: Visit):
    visit.open(user=USER, step="1")
    before = visit.numbers()
    visit.page.get_by_role("button", name="Without this code").click()
    visit.page.get_by_text(re.compile("^Steered: without facet")).wait_for()
    steered = visit.wait_for_tree(other_than=before["tree"])
    visit.page.wait_for_url(re.compile("steer=forbid"))
    visit.page.get_by_text("Against the original list").wait_for()
    visit.page.get_by_role("button", name="Stop steering").click()
    visit.wait_for_tree(other_than=steered)
    expect(visit.page.get_by_text("Against the original list")).to_have_count(0, timeout=30_000)
    assert visit.numbers() == before
    assert "steer=" not in visit.page.url


def test_a_category_is_found_and_steered_by(visit: Visit):
    visit.open(user=USER)
    before = visit.tree
    visit.page.get_by_role("button", name="Steer by category or brand").click()
    visit.page.get_by_label("Find a category or brand").fill("category nails")
    visit.page.get_by_text("for “category nails”").wait_for()
    visit.page.get_by_test_id("stDataFrame").locator("canvas").first.click(position={"x": 16, "y": 52}, force=True)
    visit.page.get_by_text(re.compile("^Steered: only category “.*Nails")).wait_for()
    visit.wait_for_tree(other_than=before)
    assert "require_category" in visit.page.url
