"""One user under every theta, or under one for every step: the left half of the Tuning page."""

import math
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app.charts import tuning as charts
from app.components.step_thetas import theta_fields
from app.components.theta_explorer import theta_explorer
from app.session import step_thetas, theme, theta_profiles
from app.session.open_runs import OpenRun
from app.session.theta_profiles import Profiled
from app.view_models import tuning as view
from app.view_models.cohorts import tree_link
from reg4rec_core import DecodeConfig, ReasoningTrace, compare_traces


def explorer(run: OpenRun, key: str, at: str, theta: float, check_from: int) -> Callable[[], str]:
    """The tree and the list of a user, following theta; returns what writes every result as JSON."""
    user = run.recommender.user_index(key)
    found = theta_profiles.profiled(run, user, at, check_from)
    draw(run, user, at, found, name=str(check_from), theta=theta)
    now = replace(found.profile.at(theta).trace, theta=theta)
    nearest = view.neighbours_sentence(found.changes, theta)
    decode = replace(theta_profiles.compared_from(run.recommender.decode, check_from), theta=theta)
    below(run, key, at, found.own, now, nearest, decode)
    return lambda: view.profile_json(run.facets.catalog, key, found.profile)


def explorer_by_step(run: OpenRun, key: str, at: str, thetas: tuple[float, ...], check_from: int) -> Callable[[], str]:
    """The same under a threshold for every step, with its one result."""
    theta_fields(thetas, check_from, on_set=step_thetas.choose_thetas)
    user, own = run.recommender.user_index(key), run.recommender.decode
    decode = view.preset_decode(own, own.theta, check_from, thetas)
    found = theta_profiles.searched_by_step(run, user, at, decode)
    draw(run, user, at, found, name=str(decode), theta=0.0, fixed="θ by step")
    now = found.profile.at(0.0).trace
    below(run, key, at, found.own, now, "", decode)
    return lambda: view.step_json(run.facets.catalog, key, now, thetas)


def draw(run: OpenRun, user: int, at: str, found: Profiled, *, name: str, theta: float, fixed: str = "") -> None:
    """The tree beside the list, with the slider unless `fixed` says what stands in its place."""
    own = run.recommender.decode
    drawing = charts.explorer_drawing(
        found.drawing,
        name="|".join(map(str, (run.key, user, at, name))),
        theta=view.theta_text(theta),
        own_theta=math.inf if own.thetas else own.theta,
        target=view.place_of(run.recommender.target(user, at), found.drawing["item_rows"]),
        ground=theme.ground(),
        fixed=fixed,
    )
    theta_explorer(drawing, on_theta=theta_profiles.choose_theta)


def below(
    run: OpenRun, key: str, at: str, own: ReasoningTrace, now: ReasoningTrace, nearest: str, decode: DecodeConfig
) -> None:
    """What the setting changes against the run's own, and the way to every node of its search."""
    changes = view.change_sentence(own, now, compare_traces(own, now), run.recommender.decode, run.facets.catalog)
    st.html(view.under_the_tree(changes, nearest))
    settings = {"weights": run.weights, "split": at, "decode": decode.to_dict()}
    link = tree_link(st.context.url or "", run.name, key, settings)
    st.caption(view.reasoning_words(link, by_step=bool(now.thetas)))
