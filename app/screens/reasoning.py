"""Why this item: one user's search as a tree, followed step by step."""

import streamlit as st

from app import charts, session
from app.components import belief, controls, node_panel
from app.components.history_strip import history_strip
from app.components.markup import page_heading, paragraph
from app.components.recommendation_list import recommendation_list
from app.components.search_tree import legend, search_tree
from app.components.share import share
from app.components.user_picker import user_picker
from app.view_models import reasoning as view
from app.view_models import tree
from reg4rec_core import InputError


def page() -> None:
    choice = page_heading("How the model reasoned", view.INTRODUCTION)
    try:
        with choice:
            run = session.open_run(controls.run_control(list(session.known_runs())))
            controls.weights_control(run.stages, session.chosen_weights(run), on_choose=session.choose_weights)
        explore(run)
    except InputError as error:
        st.error(view.sentence(str(error)), icon=":material/error:")


def explore(latest: session.OpenRun) -> None:
    key, catalog = session.chosen_user_key(latest), latest.facets.catalog
    who, take_away, choice = controls.settings_row(latest.recommender.decode)
    with who:
        user_picker(f"User {key}", find=latest.find_users, total=latest.n_users, on_pick=session.choose_user)
    run = session.with_weights(latest, session.chosen_weights(latest))
    recommender, user, at = run.recommender, run.recommender.user_index(key), choice.at
    decode = session.decode_settings(run, theta=choice.theta, corp=choice.corp, beam=choice.beam)
    searched, target = session.search(run, user, at, decode), recommender.target(user, at)
    trace, whose = searched.trace, view.whose_search(run.weights, run.stages)

    sentence = st.container()
    cards = view.history_cards(catalog, recommender.interactions, user, len(recommender.history(user, at)))
    history_strip(cards, next_title=view.target_title(catalog, target), outcome=view.outcome(trace, target))
    focus = draw_search(run, searched, target)
    with sentence:
        paragraph(whose + view.why(trace, run.facets, focus))
    node_panel.node_details(view.node_details(trace, run.facets, focus.node))
    st.markdown(f"##### The {len(trace.items)} items it recommends")
    listed = view.recommendations(trace, run.facets, focus, target, searched.sources)
    recommendation_list(listed, on_follow=session.follow)
    with take_away:
        what = {"run": run.name, "weights": run.weights, "user": key, "at": at}
        link = view.permalink(st.context.url or "", what | view.link_state(decode, focus, trace))
        share(link, file_name=view.file_name(what), document=lambda: view.trace_json(catalog, trace))
    st.caption(view.footer(run.name, run.weights, recommender.run.settings))


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
