"""Why this item: one user's search as a tree, followed step by step."""

import streamlit as st

from app import charts, session
from app.components import belief, controls, node_panel
from app.components.history_strip import history_strip
from app.components.markup import page_style, paragraph
from app.components.recommendation_list import recommendation_list
from app.components.search_tree import legend, search_tree
from app.components.share import share
from app.components.user_picker import user_picker
from app.view_models import reasoning as view
from app.view_models import tree
from reg4rec_core import InputError


def page() -> None:
    page_style()
    heading, choice = st.columns([6, 1], vertical_alignment="bottom")
    heading.markdown(f"### How the model reasoned\n{view.INTRODUCTION}")
    try:
        with choice:
            run = session.open_run(controls.run_control(list(session.known_runs())))
        explore(run)
    except InputError as error:
        st.error(view.sentence(str(error)), icon=":material/error:")


def explore(run: session.OpenRun) -> None:
    key, catalog, recommender = session.chosen_user_key(run), run.facets.catalog, run.recommender
    who, take_away, choice = controls.settings_row(recommender.decode)
    with who:
        user_picker(f"User {key}", find=run.find_users, total=run.n_users, on_pick=session.choose_user)
    user, at = recommender.user_index(key), choice.at
    decode = session.decode_settings(run, theta=choice.theta, corp=choice.corp, beam=choice.beam)
    searched, target = session.search(run, user, at, decode), recommender.target(user, at)
    trace = searched.trace

    sentence = st.container()
    cards = view.history_cards(catalog, recommender.interactions, user, len(recommender.history(user, at)))
    history_strip(cards, next_title=view.target_title(catalog, target), outcome=view.outcome(trace, target))
    focus = draw_search(run, searched, target)
    with sentence:
        paragraph(view.why(trace, run.facets, focus))
    node_panel.node_details(view.node_details(trace, run.facets, focus.node))
    st.markdown(f"##### The {len(trace.items)} items it recommends")
    recommendation_list(view.recommendations(trace, run.facets, focus, target), on_follow=session.follow)
    with take_away:
        choices = {"run": run.name, "user": key, "at": at} | view.link_state(decode, focus, trace)
        link = view.permalink(st.context.url or "", choices)
        share(link, file_name=f"search-{run.name}-{key}-{at}.json", document=lambda: view.trace_json(catalog, trace))
    st.caption(view.footer(run.name, recommender.run.settings))


def draw_search(run: session.OpenRun, searched: session.Searched, target: int) -> tree.Focus:
    """The tree beside the belief at the chosen step; returns the path that is followed."""
    left, right = st.columns([7, 3], gap="medium")
    trace, ground = searched.trace, session.ground()
    with right:
        step = controls.step_scrubber(int(trace.step.max()), default=trace.check_from, set_step=session.set_step)
        focus = tree.find_focus(trace, session.chosen_path(), step)
        title = view.belief_title(trace, focus)
        belief.belief_chart(charts.belief_bars(view.belief_rows(trace, run.facets.catalog, focus), ground), title=title)
        belief.js_gauge(view.belief_shift(trace, focus.node), ground)
        node_panel.node_summary(view.node_reason(trace, focus), view.node_facts(trace, focus.node))
    with left:
        fold_box, legend_box = st.columns([1.6, 6], vertical_alignment="center")
        with legend_box:
            legend(tree.fate_counts(trace), ground)
        with fold_box:
            fold = controls.fold_control()
        nodes = tree.search_tree(searched.nodes, trace, run.facets, focus, target, fold=fold)
        summary = tree.tree_summary(trace, run.facets, focus)
        drawing = charts.search_tree(nodes, tree.tree_columns(trace, fold=fold), ground, alt=summary)
        search_tree(drawing, on_choose=session.choose_node)
    return focus


page()
