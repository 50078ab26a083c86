"""Why this item: one user's search as a tree, followed step by step, on the real history or an edited one."""

import streamlit as st

from app.components import controls, edited_history, node_panel
from app.components.footer import footer
from app.components.history_strip import history_strip
from app.components.markup import page_heading, paragraph
from app.components.recommendation_list import recommendation_list
from app.components.share import share
from app.components.user_picker import user_picker
from app.screens.searched_tree import searched_tree
from app.session import focus_user, open_runs, provenance, searches, theme
from app.view_models import history
from app.view_models import reasoning as view
from reg4rec_core import HISTORY_LENGTH, InputError, compare_traces


def page() -> None:
    choice = page_heading("How the model reasoned", view.INTRODUCTION)
    try:
        with choice:
            run = open_runs.open_run(controls.run_control(list(open_runs.known_runs())))
            controls.weights_control(run.stages, open_runs.chosen_weights(run), on_choose=open_runs.choose_weights)
        explore(run)
    except InputError as error:
        st.error(view.sentence(str(error)), icon=":material/error:")
        if searches.is_edited():
            edited_history.restore_button(searches.restore_history)


def explore(latest: open_runs.OpenRun) -> None:
    key, catalog = focus_user.chosen_user_key(latest), latest.facets.catalog
    who, take_away, choice = controls.settings_row(latest.recommender.decode)
    with who:
        user_picker(f"User {key}", find=latest.find_users, total=latest.n_users, on_pick=focus_user.choose_user)
    run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
    recommender, user, at = run.recommender, run.recommender.user_index(key), choice.at
    decode = searches.decode_settings(run, theta=choice.theta, corp=choice.corp, beam=choice.beam)
    edits = searches.chosen_edits()
    searched, target = searches.search(run, user, at, decode, edits), recommender.target(user, at)
    trace, whose = searched.trace, view.whose_search(run.weights, run.stages)
    if edits:
        edited_history.banner(history.edit_banner(edits), on_restore=searches.restore_history)
    sentence, strip = st.container(), st.container()
    focus = searched_tree(run, searched, target)
    rank = history.followed_rank(trace, focus)
    bought = view.history_cards(catalog, recommender.interactions, user, len(recommender.history(user, at)))
    cards = history.edited_cards(bought, edits, catalog, length=HISTORY_LENGTH)
    cards = history.with_influence(cards, searches.influence(run, user, at, decode, edits), rank)
    with strip:
        title, outcome = view.target_title(catalog, target), view.outcome(trace, target)
        note = history.influence_note(trace, catalog, rank)
        history_strip(cards, theme.ground(), next_title=title, outcome=outcome, note=note)
        edited_history.leave_out_control(history.purchase_names(cards), on_leave_out=searches.leave_out)
    with sentence:
        paragraph(whose + view.why(trace, run.facets, focus))
    node_panel.node_details(view.node_details(trace, run.facets, focus.node))
    st.markdown(f"##### The {len(trace.items)} items it recommends")
    comparison = compare_traces(searches.search(run, user, at, decode).trace, trace)
    beside = edited_history.changes_beside(history.changes(comparison, catalog)) if edits else st.container()
    with beside:
        listed = view.recommendations(trace, run.facets, focus, target, searched.sources)
        recommendation_list(listed, on_follow=focus_user.follow)
    with take_away:
        what = {"run": run.name, "weights": run.weights, "user": key, "at": at}
        link = view.permalink(st.context.url or "", what | view.link_state(decode, focus, trace, edits))
        name = view.file_name(what | ({"edit": "edited"} if edits else {}))
        share(link, file_name=name, document=lambda: view.trace_json(catalog, trace))
    footer(provenance.where_from(run.name, run.weights))


page()
