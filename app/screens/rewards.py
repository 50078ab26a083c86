"""What the rewards teach: sampled paths weighed as the sliders move, and real training steps to look at."""

import streamlit as st

from app.components.errors import errors_in_words
from app.components.footer import footer
from app.components.markup import page_heading
from app.components.share import share
from app.components.user_picker import user_picker
from app.screens.chosen_run import chosen_run_with_weights
from app.screens.preview_panels import previews_panel
from app.screens.reward_panels import Look, all_stored, one_group
from app.screens.reward_sliders import chosen_weights
from app.screens.tuned_rewards import tuned_weights
from app.session import address, focus_user, open_runs, provenance, reward_weights, rollouts
from app.view_models import rewards as view
from app.view_models.reasoning import permalink
from reg4rec_core import reward_settings


def page() -> None:
    choice = page_heading("What the rewards teach", view.INTRODUCTION)
    with errors_in_words():
        with choice:
            latest = chosen_run_with_weights()
        run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
        explore(latest)
        tuned_weights(run)
        stored = len(rollouts.stored_rollouts(run).users) if rollouts.has_stored_rollouts(run) else 0
        drawn = view.sample_words(stored, reward_settings(run.recommender.run.settings)[0].seed)
        footer(provenance.where_from(run.name, run.weights, sample=drawn))


@st.fragment
def explore(latest: open_runs.OpenRun) -> None:
    """Whose paths, under which weights; moving a weight draws this anew and nothing around it."""
    with errors_in_words():
        weigh_paths(latest)


def weigh_paths(latest: open_runs.OpenRun) -> None:
    """All that depends on the weights."""
    key = focus_user.chosen_user_key(latest)
    config, own = reward_settings(latest.recommender.run.settings)
    who, presets, several, take_away = st.columns([1.7, 4.6, 3.0, 1.0], vertical_alignment="bottom", gap="medium")
    with who:
        user_picker(f"User {key}", find=latest.find_users, total=latest.n_users, on_pick=focus_user.choose_user)
    weights = chosen_weights(own, presets, several)
    run = open_runs.with_weights(latest, open_runs.chosen_weights(latest))
    look = Look(run, run.recommender.user_index(key), weights, own, config)
    st.caption(view.CAUTION)
    group = one_group(look)
    survey = all_stored(look)
    previews_panel(look)
    with take_away:
        names = {"run": run.name, "weights": run.weights, "user": key, "rewards": str(weights)}
        names |= {name: st.query_params.get(name, "") for name in ("group", "preview")}
        names |= address.choices(("rollouts", "draw", "steps", "batch"))
        names |= {view.lock_key(term): "true" for term in reward_weights.locked_terms()}
        link, file = permalink(st.context.url or "", names), f"rewards-{run.name}.json"
        share(
            lambda: link, file_name=file, document=lambda: view.rewards_json(weights, group, survey), what="the numbers"
        )


page()
