"""What a stored search for reward weights found, and taking its choice over."""

import streamlit as st

from app.components.markup import number_cards, table
from app.session import reward_tuning, reward_weights
from app.session.open_runs import OpenRun
from app.view_models import reward_tuning as view
from app.view_models.reasoning import sentence
from app.view_models.rewards import with_locks
from reg4rec_core import InputError, RewardWeights

ROW = 28
"""Height of a row, pixels."""


def tuned_weights(run: OpenRun) -> None:
    """All trials, the chosen one, and what other users say of it; where there is no search, the command."""
    st.markdown(f"##### {view.HEADING}")
    path = str(run.recommender.run.path)
    try:
        tuning = reward_tuning.stored_tuning(run)
    except InputError as error:
        st.error(sentence(str(error)), icon=":material/error:")
        return
    if tuning is None:
        said, command = view.none_stored(path)
        st.info(said, icon=":material/info:")
        st.code(command, language="bash")
        return
    if not tuning.is_of_today:
        st.warning(view.OTHER_WEIGHTS, icon=":material/warning:")
        st.code(view.command(path), language="bash")
    st.markdown(f"**{sentence(tuning.verdict)}**")
    left, right = st.columns([7, 4], gap="large")
    with left:
        rows = view.trial_rows(tuning)
        st.html(table(rows, numbers=view.NUMBERS, height=min(60 + ROW * len(rows), 17 * ROW)))
        st.caption(view.trials_note(tuning))
    with right:
        number_cards(view.confirmed_cards(tuning))
        label = view.take_label(tuning)
        st.button(label, key="take_weights", on_click=take, args=(tuning.weights,), icon=":material/check:")


def take(wanted: RewardWeights) -> None:
    """Set the sliders to these weights, locked ones aside."""
    reward_weights.choose(with_locks(wanted, reward_weights.slider_values(), reward_weights.locked_terms()))
