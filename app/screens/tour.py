"""The guided tour above every page: which stop it is, what is to be seen, and the way on."""

from functools import partial
from typing import NoReturn

import streamlit as st

from app.components.tour_card import tour_card
from app.session import theme, tour
from app.view_models.tour import INVITATION, NO_TOUR, Stop, progress
from reg4rec_core import InputError

FIRST_PAGE = "overview"


def guide(url_path: str) -> None:
    """Draw the card of the stop that the address asks for, and go where that stop is."""
    if not tour.is_touring():
        return
    try:
        stops = tour.stops(tour.chosen_run())
    except InputError:  # the page itself says what is wrong with the run
        return
    number = tour.asked_stop(len(stops))
    if number is None:
        if not stops:
            st.info(NO_TOUR)
        return
    stop, page = stops[number - 1], url_path or FIRST_PAGE
    if not tour.is_at(stop, page):
        arrive(stop, number, page)
    back, onward = number - 1, number + 1
    tour_card(
        stop.heading,
        stop.caption,
        ground=theme.ground(),
        progress=progress(number, len(stops)),
        on_back=partial(tour.go, stops[back - 1], back) if back else None,
        on_next=partial(tour.go, stops[onward - 1], onward) if onward <= len(stops) else None,
        on_close=tour.leave,
        changed=tour.changed_since(stop),
        on_restore=partial(tour.go, stop, number),
    )


def arrive(stop: Stop, number: int, page: str) -> NoReturn:
    """Go to the page of a stop; from that page itself by way of the first one: only a new page reads its address."""
    if page == stop.page:
        st.switch_page(f"screens/{FIRST_PAGE}.py", query_params={"tour": str(number)})
    tour.go(stop, number)
    st.switch_page(f"screens/{stop.page}.py", query_params=tour.address_of(stop, number))


def entrance() -> None:
    """The button that begins the tour."""
    with st.container(border=True, key="tour_entrance"):
        said, way_in = st.columns([5, 1], vertical_alignment="center")
        said.markdown(INVITATION)
        way_in.button(
            "Take the tour", key="tour_start", type="primary", icon=":material/tour:", on_click=tour.begin,
            width="stretch",
        )  # fmt: skip
