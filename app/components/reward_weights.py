"""The sliders of the reward weights with their locks, and buttons that move several at once."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.view_models.rewards import MAX_WEIGHT, PRESETS, PRESETS_HELP, TERMS, lock_key, slider_key


def weight_sliders(locked: Sequence[str], *, on_slide: Callable[[], None]) -> None:
    """A slider a reward; a locked one does not move, whatever moves it."""
    for place, (term, meaning) in zip(st.columns(len(TERMS), gap="large"), TERMS.items(), strict=True):
        with place:
            st.slider(
                term.capitalize(),
                min_value=0.0,
                max_value=MAX_WEIGHT,
                step=0.01,
                format="%.2f",
                key=slider_key(term),
                on_change=on_slide,
                disabled=term in locked,
                help=f"What counts: {meaning}.",
            )
            st.toggle("lock", key=lock_key(term), bind="query-params", help="Keep this weight whatever moves others.")


def preset_pills(preset: str | None, *, on_choose: Callable[[str], None]) -> None:
    """Mixes one click away; the one that is looked at stands out."""
    st.session_state["preset"] = preset

    def choose() -> None:
        if st.session_state["preset"]:
            on_choose(st.session_state["preset"])

    st.pills("Weights one click away", list(PRESETS), key="preset", on_change=choose, help=PRESETS_HELP)


def several_buttons(*, on_normalise: Callable[[], None], on_reset: Callable[[], None]) -> None:
    """Buttons that move all weights that are not locked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Scale to a sum of 4",
            key="normalise",
            on_click=on_normalise,
            help="The paper's sum. Training only heeds the mix, except in groups whose rewards hardly differ.",
        )
        st.button("Back to the run's own", key="reset", on_click=on_reset, icon=":material/undo:")
