"""What people do in the application, one small function an action; each does it once and says how long it took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reg4rec_core.cli.app_tab import Answer, Tab, Watched
from reg4rec_core.types import InputError

PAGE = '[data-testid="stMain"]'
CHOSEN_NODE = Watched(".st-key-tree", "path.node.chosen", "data-path")
PANEL = Watched(PAGE, ".r4-panels")
"""What is said of the code of the chosen node: the last that follows a click or a step."""
TREE = Watched(".st-key-tree", "svg[role=group]", "aria-label")
GAUGE = Watched(PAGE, ".r4-gauge", "aria-label")
FOUND_USERS = Watched('[data-testid="stPopoverBody"]', '[data-testid="stCaptionContainer"]')
EDITED = Watched(PAGE, '[data-testid="stAlert"]')
HISTORY = Watched(PAGE, ".r4-strip")
HEADING = Watched(PAGE, "h3")
MAP = Watched(PAGE, '[class*="st-key-map-"] canvas', "width")
EXPERTS = Watched(PAGE, ".r4-heat", "aria-label")
COHORT_NUMBERS = Watched(PAGE, ".r4-cards")
CHANGES = Watched(PAGE, ".r4-changes")
CURVES = ".st-key-theta_curves"
CURVE_MARK = Watched(CURVES, ".theta", "style")
"""The upright line in the curves at the theta that is looked at; what is said of it changes with it or not at all."""
PATHS = Watched(PAGE, ".r4-paths")
EXPLORER = ".st-key-theta_explorer"
EXPLORED = Watched(EXPLORER, ".list")
LOOK_AT = """
address => { history.pushState({}, "", address); dispatchEvent(new PopStateEvent("popstate")) }
"""
"""Changes the address as the browser's own buttons do."""

THUMB = 16
"""Width of the thumb of a slider that the browser draws itself, pixels."""
LOW_SHARE, HIGH_SHARE = 0.02, 0.55
"""Shares of the slider from which theta is moved to and fro, so that each time another search is needed."""
MOST_TRIED = 20
"""Users looked at for one whose tree depends on theta."""
MOST_DRAWN = 8
"""Users whose trees are drawn to find a large one."""
STRICT_THETA, DRAG_SHARE = "0.02", 0.3
"""A theta that prunes much, and the part of the slider below which trees are large."""
FREE_NODES = """
tree => [...tree.querySelectorAll('path.node:not(.chosen):not([data-path=""])')].map(node => {
  const box = node.getBoundingClientRect()
  return { node, x: box.x + box.width / 2, y: box.y + box.height / 2 }
}).filter(({ node, x, y }) => node.getRootNode().elementFromPoint(x, y) === node).map(({ x, y }) => [x, y])
"""
"""Where the nodes lie that a click would reach, the root left out."""


NEEDS = {"stored search": "traces/*/store.json", "sweep over theta": "evaluation/sweeps/theta-*/sweep.json"}
"""Where to find in a run what actions need."""


@dataclass(frozen=True)
class Action:
    """Something people do, how soon the page has to answer, and how to do it."""

    name: str
    budget_ms: int
    """p95 on this machine alone, with a warm server."""
    start: Callable[[Tab, Sequence[str]], None]
    """Brings the tab to where the action begins; gets users to choose from."""
    act: Callable[[Tab, Sequence[str], int], Answer]
    """Does it once; the number of the turn lets every turn ask something new."""
    needs: str = ""
    """What the run must hold for it, a key of `NEEDS`; "" for what every run has."""
    own_tab: bool = False
    """Whether it begins in a session of its own: nothing goes along from other actions, nothing stays for them."""
    about: Callable[[Tab], str] | None = None
    """What has to be known of where it was measured, asked after the last turn."""


def on_a_user(tab: Tab, users: Sequence[str]) -> None:
    tab.go("reasoning", user=users[0], corp="true", theta="0.3", step="1")
    tab.there(".st-key-tree svg path.chosen")


def step_by_key(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    key = ("ArrowRight", "ArrowLeft")[turn % 2]
    return tab.time("keydown", [CHOSEN_NODE, PANEL], lambda: tab.page.keyboard.press(key), runs=True)


def click_node(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    places = tab.there(".st-key-tree svg").evaluate(FREE_NODES)
    x, y = places[7 * turn % len(places)]
    return tab.time("click", [CHOSEN_NODE, PANEL], lambda: tab.page.mouse.click(x, y), runs=True)


def step_back(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """From a node that was just clicked there is always a step back."""
    return tab.time("keydown", [CHOSEN_NODE, PANEL], lambda: tab.page.keyboard.press("ArrowLeft"), runs=True)


def on_a_pruned_user(tab: Tab, users: Sequence[str]) -> None:
    """A user whose tree depends on theta."""
    for user in users[:MOST_TRIED]:
        trees = []
        for theta in ("0.02", "0.5"):
            tab.go("reasoning", user=user, corp="true", theta=theta)
            trees.append(tab.there(".st-key-tree svg[role=group]").get_attribute("aria-label"))
        if trees[0] != trees[1]:
            return
    raise InputError(f"bench app needs a user whose tree depends on theta, none of {MOST_TRIED} does; try another run")


def release_theta(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """Drag the thumb and let it go; alternately low, where much is pruned, and high."""
    drag_thumb(tab, "theta", low_or_high(turn))
    return tab.time("pointerup", [TREE, GAUGE], tab.page.mouse.up)


def low_or_high(turn: int) -> float:
    """A share of a slider's width, alternately low and high, another one every turn."""
    return HIGH_SHARE + 0.02 * (turn // 2 % 20) if turn % 2 else LOW_SHARE + 0.01 * (turn // 2 % 20)


def drag_thumb(tab: Tab, key: str, share: float) -> None:
    """Take the thumb of a slider to a share of its width, and hold it there."""
    track = tab.place(f".st-key-{key} [role=group] > div")
    thumb = tab.place(f".st-key-{key} [role=group] > div > div[data-rac]")
    tab.page.mouse.move(*thumb.at(0.5))
    tab.page.mouse.down()
    tab.page.mouse.move(track.at(share)[0], thumb.at(0.5)[1], steps=5)


def on_the_tuning(tab: Tab, users: Sequence[str]) -> None:
    tab.go("tuning", user=users[0])
    tab.there(f"{EXPLORER} canvas")


def jump_to_theta(*watched: Watched) -> Callable[[Tab, Sequence[str], int], Answer]:
    """The action of pressing the mouse on the rail of the Tuning page and letting it go, alternately low and high.

    Measured from the press, since the curves follow it before the release, which asks the server.
    """

    def jump(tab: Tab, users: Sequence[str], turn: int) -> Answer:
        place = tab.place(f"{EXPLORER} .slider").at(low_or_high(turn))
        tab.page.mouse.move(*place)
        return tab.time("pointerdown", watched, lambda: (tab.page.mouse.down(), tab.page.mouse.up()), runs=True)

    return jump


def profile_user(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """Another user's address: every search that theta can give them, drawn."""
    address = f"{tab.url}/tuning?user={users[(turn + 1) % len(users)]}"
    return tab.time("popstate", [EXPLORED], lambda: tab.page.evaluate(LOOK_AT, address))


def on_the_largest_tree(tab: Tab, users: Sequence[str]) -> None:
    """The user of a few whose tree under a strict theta is the largest, theta held with the mouse."""
    sizes = {user: tree_size(tab, user) for user in users[:MOST_DRAWN]}
    tree_size(tab, max(sizes, key=sizes.__getitem__))
    tab.page.mouse.move(*tab.place(f"{EXPLORER} .thumb").at(0.5))
    tab.page.mouse.down()


def tree_size(tab: Tab, user: str) -> int:
    """Nodes of a user's tree under a strict theta, as the Tuning page draws it."""
    tab.go("tuning", user=user, **{"theta": STRICT_THETA, "from": "2"})
    return drawn_nodes(tab)


def drawn_nodes(tab: Tab) -> int:
    said = tab.there(f"{EXPLORER} canvas").get_attribute("aria-label") or ""
    return int(said.split(" nodes")[0].split()[-1])


def drag_frame(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """One move of the mouse that holds theta, low enough for a large tree."""
    share = DRAG_SHARE * (0.2 + 0.618 * turn % 0.8)  # another place every turn
    return tab.time_frame(EXPLORER, ".slider", tab.place(f"{EXPLORER} .slider").at(share)[0])


def on_the_rewards(tab: Tab, users: Sequence[str]) -> None:
    tab.go("rewards", user=users[0])
    tab.there(".r4-paths")


def move_weight(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """Drag the slider of a reward's weight and let it go."""
    slider, half = tab.place("#weight_category"), THUMB / 2
    now = float(tab.there("#weight_category").input_value()) / float(tab.there("#weight_category").get_attribute("max"))
    from_here, to = (slider.left + half + share * (slider.width - THUMB) for share in (now, low_or_high(turn)))
    tab.page.mouse.move(from_here, slider.at(0)[1])
    tab.page.mouse.down()
    tab.page.mouse.move(to, slider.at(0)[1], steps=5)
    return tab.time("pointerup", [PATHS], tab.page.mouse.up)


def in_the_user_search(tab: Tab, users: Sequence[str]) -> None:
    on_a_user(tab, users)
    tab.there(".st-key-user_picker button").click()
    tab.there(".st-key-user_query input").click()


def search_user(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """Replace what is in the search field."""
    tab.there(".st-key-user_query input").select_text()
    return tab.time("input", [FOUND_USERS], lambda: tab.page.keyboard.insert_text(users[turn % len(users)]))


def leave_purchase_out(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """Leave the first of another user's purchases out, which needs a search and the influence of every purchase."""
    tab.go("reasoning", user=users[turn % len(users)])
    tab.there(".st-key-leave_out button").click()
    option = tab.there('[role="option"]')
    return tab.time("click", [EDITED, HISTORY], option.click)


def on_the_codebooks(tab: Tab, users: Sequence[str]) -> None:
    tab.go("codebooks")


def switch_to(title: str, hero: Watched, *, back: str = "Reasoning") -> Callable[[Tab, Sequence[str], int], Answer]:
    """The action of going to a page by its link at the top, and `back`; `hero` is what one sees of the page first."""

    def switch(tab: Tab, users: Sequence[str], turn: int) -> Answer:
        there, back_again = (tab.page.get_by_test_id("stTopNavLink").filter(has_text=name) for name in (title, back))
        answer = tab.time("click", [hero], there.click)
        tab.time("click", [HEADING], back_again.click)
        return answer

    return switch


def on_the_cohorts(tab: Tab, users: Sequence[str]) -> None:
    tab.go("cohorts")
    tab.there(".r4-cards")


def ask_cohort(tab: Tab, users: Sequence[str], turn: int) -> Answer:
    """A cohort that nobody asked about before, by its text."""
    tab.there(".st-key-cohort input").fill(f"history_0~{(6, 9)[turn % 2]}.seen_0~{1000 + turn}")
    return tab.time("keydown", [COHORT_NUMBERS], lambda: tab.page.keyboard.press("Enter"))


OTHER_PAGES = ("Overview", "Tuning", "Rewards", "Compare")
"""Pages that are there once their heading is."""
ACTIONS = (
    Action("step by key", 200, on_a_user, step_by_key),
    Action("node click", 200, on_a_user, click_node),
    Action("tree after theta is released", 250, on_a_pruned_user, release_theta),
    Action("user search", 350, in_the_user_search, search_user, own_tab=True),
    Action("leaving a purchase out", 2000, on_a_user, leave_purchase_out),
    Action("switch to Reasoning", 400, on_the_codebooks, switch_to("Reasoning", TREE, back="Codebooks")),
    *(Action(f"switch to {title}", 400, on_a_user, switch_to(title, HEADING)) for title in OTHER_PAGES),
    Action("switch to Codebooks", 400, on_a_user, switch_to("Codebooks", MAP)),
    Action("switch to Codebooks, its first table", 400, on_a_user, switch_to("Codebooks", EXPERTS)),
    Action(
        "curves when theta is released",
        150,
        on_the_tuning,
        jump_to_theta(CURVE_MARK),
        needs="sweep over theta",
        own_tab=True,
    ),
    Action(
        "all that theta changes on the Tuning page",
        250,
        on_the_tuning,
        jump_to_theta(CURVE_MARK, CHANGES),
        needs="sweep over theta",
        own_tab=True,
    ),
    Action("theta profile of another user", 1000, on_the_tuning, profile_user),
    Action("weight of a reward moved", 250, on_the_rewards, move_weight),
    Action("switch to Cohorts", 400, on_a_user, switch_to("Cohorts", COHORT_NUMBERS), needs="stored search"),
    Action("cohort query", 300, on_the_cohorts, ask_cohort, needs="stored search"),
    Action(
        "frame while theta is dragged",
        16,
        on_the_largest_tree,
        drag_frame,
        own_tab=True,
        about=lambda tab: f"{drawn_nodes(tab)} nodes",
    ),
)
"""Everything that has a budget. A cohort goes along to other pages, so what asks for one comes late."""
