"""The sliders of the reward weights with their locks, and buttons that move several at once."""

from collections.abc import Callable, Collection, Mapping

import streamlit as st

from app.components.scripts import script
from app.view_models.rewards import MAX_WEIGHT, PRESETS, PRESETS_HELP, TERMS

MIXER, TURN = "weight_mixer", "mixes that the page knows of"


_mixer = st.components.v2.component(
    "reg4rec.weight_mixer",
    html='<div class="r4 r4-mixer"></div>',
    js=script("escaped.js", "weight_mixer.js"),
    isolate_styles=False,
)


def weight_mixer(
    weights: Mapping[str, float], locked: Collection[str], *, on_mix: Callable[[dict[str, float], list[str]], None]
) -> None:
    """A slider and a lock a reward; `on_mix` gets what they say when one is let go.

    One component, since the page pays for each of the eight controls whenever a weight moves.
    """
    turn = st.session_state.setdefault(TURN, 0)

    def mixed() -> None:
        mix = st.session_state[MIXER].mix
        said = mix if isinstance(mix, dict) else {}
        told, held, number = said.get("weights"), said.get("locked"), said.get("turn")
        if isinstance(told, dict) and isinstance(held, list) and isinstance(number, int) and number > turn:
            st.session_state[TURN] = number
            on_mix({term: bounded(told.get(term)) for term in TERMS}, [term for term in TERMS if term in held])

    lines = [
        {"term": term, "meaning": meaning, "weight": weights[term], "locked": term in locked}
        for term, meaning in TERMS.items()
    ]
    _mixer(key=MIXER, data={"weights": lines, "most": MAX_WEIGHT, "turn": turn}, on_mix_change=mixed)


def bounded(weight: object) -> float:
    """A weight as a slider may hold it; 0 for what is no number."""
    return min(max(float(weight), 0.0), MAX_WEIGHT) if isinstance(weight, int | float) else 0.0


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
