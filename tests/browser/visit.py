"""What a visitor of the application does and sees."""

import os
import time
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Locator, Page

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
"""Where pages are kept as pictures when the environment variable SCREENSHOTS is set."""
GROUND = """
wanted => {
  const app = document.querySelector('[data-testid="stApp"]')
  const [red] = getComputedStyle(app).backgroundColor.match(/[0-9]+/g)
  return (red < 128 ? "dark" : "light") === wanted
}
"""


def assert_fits_its_window(page: Page, name: str, *, height: int) -> None:
    """No sideways scrolling at two widths, on a light and on a dark ground; the window is then as it was before.

    The pictures are `height` high, because pages scroll inside.
    """
    window = page.viewport_size
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(GROUND, arg=scheme)
        for width in (1280, 1920):
            page.set_viewport_size({"width": width, "height": 1080})
            page.wait_for_function(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth", timeout=30_000
            )
            if os.environ.get("SCREENSHOTS"):
                picture(page, f"{name}-{width}-{scheme}", height)
    page.set_viewport_size(window)


def picture(page: Page, name: str, height: int) -> None:
    """The whole page as a picture, once it has been drawn on its ground."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_timeout(500)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


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
        self.page.locator(".st-key-node_panel .r4-gauge").wait_for()  # keys need it
        self.rest()
        return self

    @property
    def tree(self) -> str:
        """The tree in a sentence: how many nodes of each kind, and which is chosen."""
        # for a moment the tree of before may still stand above the new one
        return self.page.locator(".st-key-tree svg[role=group]").last.get_attribute("aria-label") or ""

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

    def heights(self, *parts: str) -> list[float]:
        """Where parts of the page begin, in pixels from its top."""
        return [self.page.locator(part).bounding_box()["y"] for part in parts]

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
