"""One user under every theta: the left half of the Tuning page."""

from dataclasses import replace

import streamlit as st

from app.charts import tuning as charts
from app.components.theta_explorer import theta_explorer
from app.session import theme, theta_profiles
from app.session.open_runs import OpenRun
from app.view_models import tuning as view
from app.view_models.cohorts import tree_link
from reg4rec_core import ThetaProfile, compare_traces, theta_changes


def explorer(run: OpenRun, key: str, at: str, theta: float, check_from: int) -> ThetaProfile:
    """The tree and the list of a user, following theta; below, what it changes against the run's own setting."""
    recommender = run.recommender
    user, decode = recommender.user_index(key), recommender.decode
    found = theta_profiles.profiled(run, user, at, check_from)
    drawing = charts.explorer_drawing(
        found.drawing,
        name="|".join(map(str, (run.key, user, at, check_from))),
        theta=view.theta_text(theta),
        own_theta=decode.theta,
        target=view.place_of(recommender.target(user, at), found.drawing["item_rows"]),
        ground=theme.ground(),
    )
    theta_explorer(drawing, on_theta=theta_profiles.choose_theta)
    now = replace(found.profile.at(theta).trace, theta=theta)
    changes = view.change_sentence(found.own, now, compare_traces(found.own, now), decode, run.facets.catalog)
    nearest = view.neighbours_sentence(theta_changes(found.profile), theta)
    st.html(view.under_the_tree(changes, nearest))
    settings = {"weights": run.weights, "split": at, "decode": {"theta": theta, "beam_width": decode.beam_width}}
    link = tree_link(st.context.url or "", run.name, key, settings)
    st.caption(view.reasoning_words(link, check_from, decode.check_from))
    return found.profile
