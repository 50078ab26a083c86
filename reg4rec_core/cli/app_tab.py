"""A tab of a real browser on the application, and a stopwatch inside its page."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Locator, Page

LONGEST = 60_000
"""Milliseconds after which an unanswered action is given up."""
WINDOW = {"width": 1440, "height": 1000}
AT_REST = '[data-testid="stApp"][data-test-script-state="notRunning"]'
GO_TO = """
([address, longest]) => new Promise((resolve) => {
  const app = document.querySelector('[data-testid="stApp"]')
  let ran = false
  const observer = new MutationObserver(() => {
    const rests = app.dataset.testScriptState === "notRunning"
    if (rests && ran) finish()
    ran ||= !rests
  })
  const finish = () => { observer.disconnect(); resolve() }
  setTimeout(finish, longest)
  observer.observe(app, { attributes: true })
  history.pushState({}, "", address)
  dispatchEvent(new PopStateEvent("popstate"))
})
"""
HEADING = '[data-testid="stMain"] h3'
FRAME = """
([within, part, x]) => new Promise((resolve) => {
  const host = document.querySelector(within)
  const shadow = [...host.querySelectorAll("*")].find((element) => element.shadowRoot)?.shadowRoot
  const target = host.querySelector(part) ?? shadow.querySelector(part)
  const painted = new MessageChannel()
  let began, drawn
  requestAnimationFrame(() => { began = performance.now() })
  const before = performance.now()
  target.dispatchEvent(new PointerEvent("pointermove", { clientX: x }))
  const handled = performance.now() - before
  requestAnimationFrame(() => { drawn = performance.now(); painted.port2.postMessage(null) })
  const since = (time) => handled + time - began
  painted.port1.onmessage = () => resolve({ changed: since(drawn), rested: since(performance.now()) })
})
"""
"""What a move of the pointer costs: its handler, what it draws in the next frame, then the browser's own part."""
STOPWATCH = Path(__file__).with_suffix(".js")


@dataclass(frozen=True)
class Watched:
    """A part of the page that an action has to change before it counts as answered."""

    within: str
    """CSS selector of an element of the page."""
    part: str
    """CSS selector below that element, or in the shadow tree of a component below it."""
    attribute: str = ""
    """What of the part has to change; its text when empty."""


@dataclass(frozen=True)
class Answer:
    """How long an action took, in milliseconds from its input event."""

    changed: float
    """Until everything watched had changed."""
    rested: float
    """Until, besides, the page had nothing left to do."""


@dataclass(frozen=True)
class Place:
    """Where something lies in the window, in pixels."""

    left: float
    top: float
    width: float
    height: float

    def at(self, share: float) -> tuple[float, float]:
        """The point at a share of the width, half way down."""
        return self.left + share * self.width, self.top + self.height / 2


class Tab:
    """A page of the application, in a browser context of its own."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.context = browser.new_context(viewport=WINDOW)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(LONGEST)

    def __enter__(self) -> Any:
        self.go()
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()

    def go(self, path: str = "", **state: str) -> None:
        """Look at a page in a given state: the first time by loading it, then inside the session, as Back does."""
        address = f"{self.url}/{path}?{urlencode(state)}"
        if self.page.url.startswith(self.url):
            self.page.evaluate(GO_TO, [address, LONGEST])
        else:
            self.page.goto(address)
            self.there(HEADING)  # before the first run the page rests, too
        self.rest()

    def rest(self) -> None:
        """Wait until the page has nothing left to do."""
        self.page.locator(AT_REST).wait_for()

    def there(self, selector: str) -> Locator:
        """A part of the page, waited for and scrolled into view."""
        found = self.page.locator(selector).first
        found.scroll_into_view_if_needed()
        return found

    def place(self, selector: str) -> Place:
        """Where a part of the page lies, scrolled into view."""
        box = self.there(selector).bounding_box()
        if box is None:
            raise RuntimeError(f"{selector} is not visible")
        return Place(box["x"], box["y"], box["width"], box["height"])

    def time(self, event: str, watched: Sequence[Watched], act: Callable[[], object], *, runs: bool = False) -> Answer:
        """Act, and measure inside the page from the event that this gives to the last change that was asked for.

        `runs` says that the server works on it even where all has changed before: the page rests after that.
        """
        asked = [event, [asdict(part) for part in watched], LONGEST, runs]
        self.page.evaluate(STOPWATCH.read_text(encoding="utf-8"), asked)
        act()
        return _answer(self.page.evaluate("() => window.reg4recAnswer"))

    def time_frame(self, within: str, part: str, x: float) -> Answer:
        """Move the pointer over a part of a component, to x in pixels, and measure the work of that one frame."""
        return _answer(self.page.evaluate(FRAME, [within, part, x]))


def _answer(times: dict[str, Any]) -> Answer:
    return Answer(**{name: float(time) for name, time in times.items()})
