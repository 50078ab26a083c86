"""Five people at once on five users: each sees that user's numbers and nobody else's, whoever clicks in between."""

from dataclasses import dataclass, replace

import pytest
from visit import Visit

from app.view_models import tree
from reg4rec_core import Recommender, read_facets

USERS = ("visitor 9", "visitor 77", "visitor 33", "visitor 58", "visitor 120")
FIRST_THETA, LAST_THETA, STEPS = "0.3", 0.0, 4


@dataclass(frozen=True)
class Shown:
    """What tells one user's page from another's."""

    tree: str
    titles: list[str]
    scores: list[str]
    bought: list[str]


@pytest.fixture(scope="module")
def alone(tiny_run):
    """What a search of one user alone gives: under a theta, at a step."""
    recommender = Recommender.load(tiny_run)
    facets = read_facets(recommender.catalog, recommender.semantic_ids, recommender.interactions)

    def search(key: str, theta: float, step: int) -> Shown:
        history = recommender.history(recommender.user_index(key))
        (trace,) = recommender.recommend([history], replace(recommender.decode, theta=theta))
        titles, node = recommender.catalog.titles, tree.find_focus(trace, "", step).node
        chosen = f"Chosen at step {trace.step[node]}: {tree.node_name(trace, facets, node)}."
        return Shown(
            f"{tree.tree_summary(trace)} {chosen}",
            [titles[item] for item in trace.items],
            [f"{score:.2f}" for score in trace.item_scores],
            [titles[item] for item in history],
        )

    return search


def shown(visit: Visit) -> Shown:
    rows = visit.page.locator(".st-key-recommendations .row")
    bought = visit.page.locator(".r4-strip .r4-card:not(.next) .name").all_inner_texts()
    scores = rows.locator("> .num:nth-child(4)").evaluate_all("cells => cells.map(cell => cell.firstChild.textContent)")
    return Shown(visit.tree, rows.locator(".title").all_inner_texts(), scores, bought[::-1])


def test_five_people_at_once_see_their_own_users_numbers(new_visit, alone):
    visits = {user: new_visit() for user in USERS}
    for user, visit in visits.items():
        visit.page.goto(f"{visit.server}/?user={user}&theta={FIRST_THETA}&step=1")
    for user, visit in visits.items():
        visit.page.get_by_text("made by reg4rec").wait_for()
        visit.wait_for_tree(other_than="")
        visit.rest()
        assert shown(visit) == alone(user, float(FIRST_THETA), 1), user
    for step in range(2, STEPS + 1):
        press_everywhere(visits, "ArrowRight")
        for user, visit in visits.items():
            assert shown(visit) == alone(user, float(FIRST_THETA), step), user
    for visit in visits.values():
        visit.page.locator(".st-key-theta input[type=range]").focus()
    press_everywhere(visits, "Home")
    for user, visit in visits.items():
        assert shown(visit) == alone(user, LAST_THETA, STEPS), user


def press_everywhere(visits: dict[str, Visit], key: str) -> None:
    """Press a key in every window before any has answered, then wait for all."""
    before = {user: visit.tree for user, visit in visits.items()}
    for visit in visits.values():
        visit.page.keyboard.press(key)
    for user, visit in visits.items():
        visit.wait_for_tree(other_than=before[user])
        visit.rest()
