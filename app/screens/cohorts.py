"""For whom it works: all users of a stored search, sliced; and where the categories drift."""

from pathlib import Path

import streamlit as st

from app.components import controls
from app.components.errors import errors_in_words
from app.components.footer import footer
from app.components.markup import number_cards, page_heading
from app.components.share import share
from app.screens import cohort_panels as panels
from app.screens.cohort_comparison import beside
from app.screens.cohort_look import Look, answer
from app.screens.cohort_sample import make_one
from app.screens.cohort_users import users, whom
from app.screens.stored_tree import stored_tree
from app.session import address, chosen_cohort, open_runs, provenance, stored_searches, theme
from app.view_models import cohorts as view
from app.view_models.reasoning import permalink
from reg4rec_core import count_users


def page() -> None:
    choice = page_heading("For whom it works", view.INTRODUCTION)
    with errors_in_words():
        with choice:
            run = controls.run_control(list(open_runs.known_runs()))
            own = stored_searches.trace_stores(run)
            stores = own | {n: path for n, path in stored_searches.foreign_stores().items() if n not in own}
            if stores:
                name = controls.choice_control("Stored search", list(stores), key="store", help=view.STORE_HELP)
        if stores:
            explore(run, stores, name, is_own=name in own)
            footer(
                provenance.of_store(run if name in own else "", name, stored_searches.open_trace_store(stores[name]))
            )
        if not own:
            make_one(run, is_open=not stores)
        if not stores:
            footer(provenance.where_from(run, open_runs.open_run(run).weights))


def explore(run: str, stores: dict[str, Path], name: str, *, is_own: bool) -> None:
    store = stored_searches.open_trace_store(stores[name])
    cohort, take_away = whom(store)
    marked = chosen_cohort.marked_cohort()
    st.markdown(f"**{view.cohort_sentence(cohort)}**  \n:gray[{view.store_words(store.description)}]")
    counts = stored_searches.ask(count_users, store, cohort)
    if not counts.users:
        st.info(view.NOBODY)
        return
    if not is_own:
        stored_tree(store, cohort)
    questions = {
        view.GLANCE: lambda look: number_cards(panels.glance(look, counts)),
        "Whom it serves well, and whom it does not": panels.slices,
        "What they bought, against what they are offered": panels.history_drift,
        "How the belief moves along the steps": panels.steps,
        "How the mix changes over time": panels.time,
        "Beside another search": lambda look: beside(look, run, stores),
    }
    drawn, listed = st.columns([7, 4], gap="large")
    with drawn:
        answer(Look(store, cohort, st.query_params.get("marked", ""), theme.ground()), questions)
    with listed, st.container(key="listed_users"):
        users(run if is_own else "", store, cohort, marked)
    with take_away:
        users_of_view = {"cohort": cohort.to_text(), "marked": marked.to_text() if marked else ""}
        link = {"run": run, "store": name, **users_of_view, **address.choices(view.CHOICES)}
        share(lambda: permalink(st.context.url or "", link), file_name=f"cohort-{run}.json",
              document=lambda: panels.document(store, cohort), what="the numbers")  # fmt: skip


page()
