"""The caption of a stop on the guided tour, with the way on, back and out."""

from collections.abc import Callable

import streamlit as st

from app.charts.palette import Ground

KEY = "tour_card"
NEXT_KEY, BACK_KEY = "N", "B"
COLOURS: dict[Ground, tuple[str, str]] = {"light": ("#EAF3F9", "#0072B2"), "dark": ("#182733", "#2F8FCB")}
"""Of the card, which pages scroll beneath, and of its edge."""


def tour_card(
    heading: str,
    caption: str,
    *,
    ground: Ground,
    progress: str,
    on_back: Callable[[], None] | None,
    on_next: Callable[[], None] | None,
    on_close: Callable[[], None],
    changed: str,
    on_restore: Callable[[], None],
) -> None:
    """The card at the top of the page; at the ends of the tour there is no way back, or none on.

    `changed` says what has been changed since, so that the caption is not true any more of what is seen.
    """
    st.html(_style(*COLOURS[ground]))
    with st.container(key=KEY):
        said, ways = st.columns([5, 1.7], vertical_alignment="center", gap="medium")
        said.markdown(f"**{heading}** :gray[· tour, {progress}]  \n{_plain(caption)}")
        if changed:
            with said.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f":material/warning: **{_plain(changed)}**", width="content")
                st.button(
                    "Back to this stop", key="tour_restore", on_click=on_restore, icon=":material/undo:", wrap=False
                )
        with ways.container(horizontal=True, horizontal_alignment="right", gap="small", vertical_alignment="center"):
            st.button(
                "Back", key="tour_back", on_click=on_back, disabled=on_back is None, shortcut=BACK_KEY, wrap=False
            )
            if on_next is None:
                st.button("Finish", key="tour_next", on_click=on_close, shortcut=NEXT_KEY, type="primary", wrap=False)
            else:
                st.button("Next", key="tour_next", on_click=on_next, shortcut=NEXT_KEY, type="primary", wrap=False)
            st.button("", key="tour_close", icon=":material/close:", on_click=on_close, help="End the tour here")


def _style(surface: str, edge: str) -> str:
    """The card stays below the navigation while the page scrolls."""
    return f"""
<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-{KEY}) {{ position: sticky; top: 3.4rem; z-index: 90; }}
.st-key-{KEY} {{ background: {surface}; border: 1px solid {edge}; border-left-width: 5px; border-radius: 6px;
                 padding: 10px 14px; }}
</style>
"""


def _plain(text: str) -> str:
    """Text in which nothing is Markdown: titles come from the catalogue."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|$~:" else letter for letter in text)
