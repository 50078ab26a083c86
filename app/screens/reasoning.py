"""Why this item: one user's search as a tree, followed step by step, plain or changed by hand."""

import streamlit as st

from app.components import controls, edited_history, node_panel
from app.components.footer import footer
from app.components.markup import page_heading, paragraph
from app.components.recommendation_list import recommendation_list
from app.components.user_picker import user_picker
from app.screens.by_hand_panels import banners, steering_row
from app.screens.chosen_run import chosen_run_with_weights
from app.screens.handed_on import hand_on
from app.screens.history_panel import history_panel
from app.screens.reported import Shown
from app.screens.searched_tree import searched_tree
from app.screens.step_thresholds import by_step, thetas_looked_at
from app.session import address, focus_user, open_runs, provenance, searches
from app.session import by_hand as hand
from app.view_models import by_hand as words
from app.view_models import history
from app.view_models import reasoning as view
from app.view_models.step_thetas import link_text
from reg4rec_core import InputError, compare_traces


def page() -> None:
    choice = page_heading("How the model reasoned", view.INTRODUCTION)
    try:
        with choice:
            run = chosen_run_with_weights()
        explore(run)
    except InputError as error:
        st.error(view.sentence(str(error)), icon=":material/error:")
        if hand.is_by_hand():
            edited_history.back_button("Back to the plain search", key="restore", on_back=hand.restore_all)


def explore(latest: open_runs.OpenRun) -> None:
    key, catalog = focus_user.chosen_user_key(latest), latest.facets.catalog
    thetas, last = thetas_looked_at(latest), latest.facets.ids.n_codebooks
    who, take_away, choice = controls.settings_row(latest.recommender.decode, last, by_step(thetas))
    with who:
        user_picker(f"User {key}", find=latest.find_users, total=latest.n_users, on_pick=focus_user.choose_user)
    run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
    user, at, by_hand = run.recommender.user_index(key), choice.at, hand.chosen_by_hand()
    decode = searches.decode_settings(
        run, theta=choice.theta, corp=choice.corp, beam=choice.beam, check_from=choice.check_from, thetas=thetas
    )
    searched, target = searches.search(run, user, at, decode, by_hand), run.recommender.target(user, at)
    trace, whose = searched.trace, view.whose_search(run.weights, run.stages)
    banners(by_hand, run, searched)
    sentence, strip = st.container(), st.container()
    focus = searched_tree(run, searched, target, given=len(by_hand.branch))
    with strip:
        show_smallest = history_panel(run, user, at, decode, by_hand, trace, history.followed_rank(trace, focus))
    with sentence:
        among = words.allowed_prefix(by_hand.steering, catalog.n_items - 1 - len(searched.barred))
        paragraph(whose + among + view.why(trace, run.facets, focus, by_hand.given_codes))
    steering_row(trace, run, focus)
    barred = searched.barred if by_hand.steering.rules else frozenset()
    node_panel.node_details(view.node_details(trace, run.facets, focus.node, barred))
    st.markdown(f"##### The {len(trace.items)} items it recommends")
    comparison = compare_traces(searches.search(run, user, at, decode).trace, trace)
    beside = edited_history.changes_beside(history.changes(comparison, catalog)) if by_hand else st.container()
    with beside:
        listed = view.recommendations(trace, run.facets, focus, target, searched.sources)
        recommendation_list(listed, on_follow=focus_user.follow)
    with take_away:
        what = {"run": run.name, "weights": run.weights, "user": key, "at": at}
        limits = {"thetas": link_text(thetas, latest.recommender.decode)}
        state = view.link_state(decode, focus, trace) | limits | by_hand.texts
        link = view.permalink(st.context.url or "", what | state | address.choices(view.CHOICES))
        hand_on(Shown(run, key, at, searched, focus, target, by_hand, link), view.file_name(what | by_hand.saved_as))
    show_smallest()
    footer(provenance.where_from(run.name, run.weights))


page()
