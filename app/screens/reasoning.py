"""Why this item: one user's search as a tree, followed step by step, plain or changed by hand."""

import streamlit as st

from app.components import controls
from app.components.errors import errors_in_words
from app.components.footer import footer
from app.components.markup import page_heading
from app.components.user_picker import user_picker
from app.screens.asked import Asked
from app.screens.by_hand_panels import way_back
from app.screens.chosen_run import chosen_run_with_weights
from app.screens.followed_search import followed_search
from app.screens.step_thresholds import by_step, thetas_looked_at
from app.session import focus_user, open_runs, provenance, searches
from app.view_models import reasoning as view
from app.view_models.step_thetas import link_text


def page() -> None:
    choice = page_heading("How the model reasoned", view.INTRODUCTION)
    with errors_in_words(way_back=way_back):
        with choice:
            run = chosen_run_with_weights()
        explore(run)


@st.fragment
def explore(latest: open_runs.OpenRun) -> None:
    """Whose search, how strict, and what it found; what stands above is drawn once."""
    with errors_in_words(way_back=way_back):
        key, thetas, own = focus_user.chosen_user_key(latest), thetas_looked_at(latest), latest.recommender.decode
        who, take_away, choice = controls.settings_row(own, latest.facets.ids.n_codebooks, by_step(thetas))
        with who:
            user_picker(f"User {key}", find=latest.find_users, total=latest.n_users, on_pick=focus_user.choose_user)
        run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
        decode = searches.decode_settings(
            run, theta=choice.theta, corp=choice.corp, beam=choice.beam, check_from=choice.check_from, thetas=thetas
        )
        asked = Asked(run, key, run.recommender.user_index(key), choice.at, decode, link_text(thetas, own))
        followed_search(asked, take_away)
        footer(provenance.where_from(run.name, run.weights))


page()
