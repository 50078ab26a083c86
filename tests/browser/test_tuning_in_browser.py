"""The Tuning page in a real browser: tree and list follow theta while it is dragged, without asking the server."""

import re
import time
from pathlib import Path

from playwright.sync_api import Browser, expect
from visit import Visit, assert_fits_its_window

from app.view_models.theta_cohort import point_sentence, slider_theta, take_label
from reg4rec_core import read_theta_curve, suggest_theta

USER = "visitor 9"


MARKS = """
host => {
  const curves = [...host.querySelectorAll("*")].find(part => part.shadowRoot).shadowRoot
  const marks = [...curves.querySelectorAll(".theta")].map(mark => mark.style.transform)
  const ring = curves.querySelector(".ring").getAttribute("transform")
  return { places: [...marks, ring], said: curves.querySelector(".said .shown").textContent }
}
"""
"""Where the marks of theta and the ring stand in the curves, and what is said of the nearest swept theta."""


class Explorer:
    """The left half of the page, and everything that the page has sent to the server."""

    def __init__(self, visit: Visit, **state: str) -> None:
        self.page, self.sent = visit.page, list[str]()
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append("frame")))
        query = "&".join(f"{name}={value}" for name, value in ({"user": USER, "from": "2"} | state).items())
        self.page.goto(f"{visit.server}/tuning?{query}")
        self.wait()

    def wait(self) -> None:
        self.page.get_by_text("made by reg4rec").wait_for()
        self.part(".list li").first.wait_for()
        self.page.wait_for_function("document.querySelector('[data-stale=true]') === null")

    def part(self, selector: str):
        return self.page.locator(f".st-key-theta_explorer {selector}")

    def numbers(self) -> dict[str, str]:
        parts = {name: self.part(f".{name}").inner_text() for name in ("status", "list", "gone")}
        return parts | {"tree": self.part("canvas").get_attribute("aria-label")}

    def drawn(self) -> str:
        return self.part("canvas").evaluate("canvas => canvas.toDataURL()")

    def point(self, share: float) -> tuple[float, float]:
        box = self.part(".slider").bounding_box()
        return box["x"] + share * box["width"], box["y"] + 32

    def curves(self) -> dict[str, object]:
        self.page.locator(".st-key-theta_curves .ring").wait_for()
        return self.page.locator(".st-key-theta_curves").evaluate(MARKS)

    def settle(self) -> None:
        """Two frames, so that what the pointer did is drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_tree_and_list_follow_the_drag_without_the_server_and_a_reload_restores_them(visit: Visit):
    explorer = Explorer(visit, theta="0.7")
    page = explorer.page
    page.wait_for_timeout(300)
    sent, seen, trees = len(explorer.sent), {explorer.part(".list").inner_text()}, {explorer.drawn()}
    page.mouse.move(*explorer.point(0.99))
    page.mouse.down()
    for share in (0.8, 0.5, 0.3, 0.15, 0.02):
        page.mouse.move(*explorer.point(share))
        explorer.settle()
        seen.add(explorer.part(".list").inner_text())
        trees.add(explorer.drawn())
    assert len(seen) > 1
    assert len(trees) > 2
    assert len(explorer.sent) == sent
    assert page.url.endswith("theta=0.7")
    page.mouse.up()
    page.wait_for_url(re.compile(r"theta=0\.00\d*(&|$)"))
    theta = re.search(r"theta=([0-9.]+)", page.url).group(1)
    expect(page.locator(".r4-changes")).to_contain_text(f"θ = {float(theta):.4g}, compared from step 2")
    numbers = explorer.numbers()
    assert f"θ = {theta}" in numbers["status"]
    page.reload()
    explorer.wait()
    assert explorer.numbers() == numbers


def test_arrow_keys_walk_from_one_result_to_the_next(visit: Visit):
    explorer = Explorer(visit, theta="0")
    page = explorer.page
    explorer.part(".slider").focus()
    trees = [explorer.numbers()["tree"]]
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Shift+ArrowRight"):
        page.keyboard.press(key)
        explorer.settle()
        trees.append(explorer.drawn())
    assert trees[1] != trees[2]
    assert trees[1] == trees[3]
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_url(re.compile(r"theta=0\.001(&|$)"))
    deadline = time.monotonic() + 30
    while "θ = 0.001," not in page.locator(".r4-changes").inner_text():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    assert explorer.part(".status .theta").inner_text() == "θ = 0.001"


def test_the_suggestion_moves_the_slider(browser: Browser, stored_server: str, stored_run: Path):
    visit = Visit(browser, stored_server)
    explorer = Explorer(visit, theta="0.1234")
    curve = read_theta_curve(stored_run, "theta-valid-30")
    found = suggest_theta(curve)
    taken = f"{slider_theta(found.theta):g}"
    explorer.page.get_by_role("button", name=take_label(found)).click()
    expect(explorer.part(".status .theta")).to_have_text(f"θ = {taken}", timeout=60_000)
    explorer.page.wait_for_url(re.compile(rf"theta={re.escape(taken)}(&|$)"))
    assert not visit.errors
    assert explorer.curves()["said"] == point_sentence(curve, found.theta, found.check_from)
    assert_fits_its_window(explorer.page, "tuning", height=1900)
    visit.context.close()


def test_the_curves_of_everybody_follow_the_drag_without_the_server_and_a_link_restores_them(browser, stored_server):
    visit = Visit(browser, stored_server)
    explorer = Explorer(visit, theta="0.2")
    page, at_own = explorer.page, explorer.curves()
    assert at_own["said"].startswith("At θ = 0.2,")
    page.wait_for_timeout(300)
    sent = len(explorer.sent)
    page.mouse.move(*explorer.point(0.5))
    page.mouse.down()
    page.mouse.move(*explorer.point(0.15))
    explorer.settle()
    dragged = explorer.curves()
    assert dragged["said"].startswith("At θ = 0.01,")
    assert all(now != before for now, before in zip(dragged["places"], at_own["places"], strict=True))
    assert len(explorer.sent) == sent
    page.mouse.up()
    page.wait_for_url(re.compile(r"theta=0\.01\d*(&|$)"))
    expect(page.locator(".st-key-who_flips")).to_contain_text("to θ = 0.01")
    assert explorer.curves() == dragged
    assert page.get_by_role("button", name="Share").count() == 1
    page.reload()
    explorer.wait()
    assert explorer.curves() == dragged
    assert not visit.errors
    visit.context.close()
