"""The Compare page in a real browser: two trees that follow one path, and a report that opens without a network."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from served import serve
from visit import Visit, assert_fits_its_window

USER = "visitor 9"


@pytest.fixture(scope="module")
def server(two_stage_run: Path, tmp_path_factory, reg4rec):
    """The application on a run with two stages and the stored searches of both."""
    copied = shutil.copytree(two_stage_run, tmp_path_factory.mktemp("runs") / "two-stage")
    for weights in ("pretrained", "post_trained"):
        done = reg4rec("trace", "--run", copied, "--weights", weights, "--users", "60")
        assert done.exit_code == 0, done.stderr
    with serve(copied) as address:
        yield address


def opened(visit: Visit) -> Page:
    visit.page.goto(f"{visit.server}/compare?user={USER}&step=1")
    visit.page.get_by_text("made by reg4rec").wait_for()
    for side in ("a", "b"):
        visit.page.locator(f".st-key-tree_{side} path.node").first.wait_for()
    return visit.page


def chosen(page: Page, side: str) -> str:
    return page.locator(f".st-key-tree_{side} path.node.chosen").get_attribute("data-path") or ""


def test_a_node_chosen_in_one_tree_is_followed_in_both_differences_wear_rings_and_the_page_fits(visit: Visit):
    page = opened(visit)
    rings = page.locator(".st-key-tree_a path.ring.only").count()
    said = page.locator(".st-key-tree_a").locator("xpath=ancestor::*[@data-testid='stColumn'][1]")
    counted = int(re.search(r"only in this tree\s*(\d+)", said.inner_text()).group(1))
    assert 0 < rings <= counted
    paths = [
        set(page.locator(f".st-key-tree_{side} path.node").evaluate_all("nodes => nodes.map(n => n.dataset.path)"))
        for side in ("a", "b")
    ]
    now = chosen(page, "a")
    other = sorted(path for path in paths[0] & paths[1] if path and "-" not in path and path != now)[0]
    page.locator(f'.st-key-tree_b path[data-path="{other}"]').click()
    for side in ("a", "b"):
        expect(page.locator(f'.st-key-tree_{side} path[data-path="{other}"]')).to_have_class(
            re.compile("chosen"), timeout=60_000
        )
    assert f"path={other}" in page.url
    assert_fits_its_window(page, "compare", height=3100)


def test_a_report_opens_from_a_file_without_request_or_error(visit: Visit, browser: Browser, tmp_path):
    page = opened(visit)
    page.get_by_role("button", name="Share", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    assert file.stat().st_size < 5_000_000
    reader = browser.new_context(offline=True).new_page()
    asked: list[str] = []
    errors: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.on("pageerror", lambda error: errors.append(str(error)))
    reader.on("console", lambda message: errors.append(message.text))
    reader.goto(file.as_uri())
    expect(reader.get_by_role("heading", name=f"Two searches for user {USER}")).to_be_visible()
    assert reader.locator("svg.tree").count() == 2
    assert reader.locator("svg.tree g.node").count() > 100
    assert (asked, errors) == ([file.as_uri()], [])
    reader.context.close()
