"""What a visitor of the application does and sees."""

import time
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Locator, Page

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


def assert_fits_its_window(page: Page, name: str, scheme: str, *, height: int) -> None:
    """No sideways scrolling at two widths; leaves screenshots, `height` high because pages scroll inside."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for width in (1280, 1920):
        page.set_viewport_size({"width": width, "height": 1080})
        page.wait_for_function(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth", timeout=5000
        )
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png")


class Visit:
    """A page of the application in a browser context of its own, and every address it asked for."""

    def __init__(self, browser: Browser, server: str, **look: object) -> None:
        self.server = server
        self.context = browser.new_context(viewport={"width": 1280, "height": 1000}, **look)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(90_000)
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, address: str = "", **state: str) -> "Visit":
        self.page.goto(address or f"{self.server}/reasoning?{urlencode(state)}")
        self.page.get_by_text("made by reg4rec").wait_for()
        self.wait_for_tree(other_than="")
        self.rest()
        return self

    @property
    def tree(self) -> str:
        """The tree in a sentence: how many nodes of each kind, and which is chosen."""
        return self.page.locator(".st-key-tree svg[role=group]").get_attribute("aria-label") or ""

    def wait_for_tree(self, *, other_than: str) -> str:
        deadline = time.monotonic() + 30
        while self.tree == other_than:
            assert time.monotonic() < deadline, f"the tree stayed: {other_than}"
            self.page.wait_for_timeout(25)
        return self.tree

    def rest(self) -> None:
        """Wait until the page has nothing left to do."""
        self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()

    def node(self, path: str) -> Locator:
        return self.page.locator(f'.st-key-tree path[data-path="{path}"]')

    def paths(self) -> list[str]:
        return self.page.locator(".st-key-tree path.node").evaluate_all("nodes => nodes.map(n => n.dataset.path)")

    def numbers(self) -> dict[str, str]:
        """What the page says in numbers: the tree, the list with its scores, and the gauge."""
        return {
            "tree": self.tree,
            "list": self.page.locator(".st-key-recommendations .grid").inner_text(),
            "gauge": self.page.locator(".r4-gauge").get_attribute("aria-label") or "",
            "cards": self.page.locator(".r4-strip").inner_text(),
        }

    def link(self) -> str:
        """The link that the Share button offers."""
        self.page.get_by_role("button", name="Share").click()
        link = self.page.get_by_test_id("stCode").locator("code").inner_text()
        self.page.keyboard.press("Escape")
        return link

    def press(self, key: str) -> str:
        """Press a key and wait until the tree has followed."""
        before = self.tree
        self.page.keyboard.press(key)
        return self.wait_for_tree(other_than=before)
