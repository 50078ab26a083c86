"""The paths of one history, and of all that are stored, under the weights of the Rewards page."""

from dataclasses import dataclass

import streamlit as st

from app.components.markup import number_cards, table
from app.components.reward_paths import path_table
from app.session import rollouts, theme
from app.session.open_runs import OpenRun
from app.view_models import rewards as view
from reg4rec_core import PostTrainConfig, RewardSurvey, RewardWeights, Rollouts, survey_rewards, weigh


@dataclass(frozen=True)
class Look:
    """What the page is about."""

    run: OpenRun
    user: int
    weights: RewardWeights
    own: RewardWeights
    config: PostTrainConfig
    """The run's own post-training, or the defaults."""


def one_group(look: Look) -> view.Group:
    """The paths of one history under the weights."""
    st.markdown("##### Which paths of one history would be reinforced, and why")
    sources = view.SOURCES if rollouts.has_stored_rollouts(look.run) else view.SOURCES[1:]
    which, what = st.columns([3, 7], vertical_alignment="bottom", gap="medium")
    chosen = which.segmented_control("Paths", sources, default=sources[0], required=True, key="rollouts",
                                     bind="query-params", help=view.SOURCE_HELP)  # fmt: skip
    source, catalog = chosen if chosen in sources else sources[0], look.run.facets.catalog
    with what:
        found, place = stored(look) if source == "stored" else fresh(look, source)
    group = view.weigh_group(found, place, look.weights, look.own, catalog, std_floor=look.config.std_floor)
    st.markdown(f"**{group.summary}**")
    st.caption(view.future_words(found, place, catalog))
    path_table(group.rows, group.scale, theme.ground(), alt=group.summary)
    return group


def stored(look: Look) -> tuple[Rollouts, int]:
    """One of the histories whose paths lie with the run."""
    found, run = rollouts.stored_rollouts(look.run), look.run.recommender
    own = weigh(found.terms, look.own, std_floor=look.config.std_floor)
    place = rollouts.chosen_group(len(found.users), view.first_group(found, own))
    names = view.group_names(found, run.catalog, run.interactions)
    st.session_state["group"] = place
    st.selectbox("History", range(len(names)), format_func=names.__getitem__, key="group",
                 on_change=lambda: rollouts.choose_group(st.session_state["group"]))  # fmt: skip
    return found, place


def fresh(look: Look, source: str) -> tuple[Rollouts, int]:
    """The user's paths, sampled with the weights of the model that is looked at."""
    draw = st.number_input("Draw", min_value=0, max_value=999, value=0, key="draw", bind="query-params", width=160,
                           help=view.DRAW_HELP)  # fmt: skip
    position = view.position_of(source, look.run.recommender.interactions, look.user)
    return rollouts.fresh_rollouts(look.run, look.user, position, look.config, int(draw)), 0


def all_stored(look: Look) -> RewardSurvey | None:
    """What the weights do to all stored rollouts; None where the run has none."""
    st.markdown("##### What the weights do to all stored paths")
    if not rollouts.has_stored_rollouts(look.run):
        st.info(view.no_rollouts(str(look.run.recommender.run.path)), icon=":material/info:")
        return None
    found, floor = rollouts.stored_rollouts(look.run), look.config.std_floor
    survey = survey_rewards(found, look.weights, std_floor=floor)
    number_cards(view.glance(survey, view.changed_share(found, look.weights, look.own, std_floor=floor)))
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.caption(view.DIRECTION_NOTE)
        st.html(table(view.direction_rows(survey), numbers=view.DIRECTION_NUMBERS, height=190))
    with right:
        st.caption(view.CORRELATION_NOTE)
        st.html(table(view.correlation_rows(survey), numbers=tuple(view.TERMS), height=160))
    return survey
