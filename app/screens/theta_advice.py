"""Which theta a sweep suggests, and whose next item enters or leaves the list between two of its thetas."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components import sweep_controls
from app.components.user_table import user_table
from app.session import theta_profiles, theta_sweeps
from app.session.open_runs import OpenRun
from app.view_models import theta_cohort as view
from app.view_models.tuning import theta_text
from reg4rec_core import ThetaCurve, ThetaSweep, flips


def suggestion(run: OpenRun, valid: ThetaSweep | None, test: ThetaSweep | None, cohort: str) -> None:
    """The theta that validation users gain most from, apart from what the test users say."""
    st.markdown("##### Which θ to take")
    if valid is None:
        st.caption(view.NO_VALID)
        return
    found = theta_sweeps.suggestion(run, valid.name, test.name if test else "", cohort)
    chosen, heard = view.suggestion_words(found)
    st.markdown(chosen)
    st.caption(heard)

    def take() -> None:
        theta_profiles.choose_theta(theta_text(view.slider_theta(found.theta)))
        theta_profiles.choose_check_from(found.check_from)

    st.button(view.take_label(found), key="take", on_click=take, type="primary", icon=":material/check:")


@dataclass(frozen=True)
class Swept:
    """A stored sweep over the users of a cohort, and where it is told who flips."""

    split: str
    name: str
    cohort: str
    curve: ThetaCurve
    flips: DeltaGenerator


def who_flips(run: OpenRun, swept: Swept, theta: float, state: dict[str, str]) -> None:
    """Whose next item enters or leaves the list between a theta of the sweep and that of the slider."""
    curve = swept.curve
    st.markdown("##### Who flips")
    names = {view.theta_label(one): one for one in reversed(curve.thetas)}
    first, second = names[sweep_controls.against_control(list(names))], view.nearest_theta(curve, theta)
    found = flips(curve, first, second)
    st.caption(view.flip_sentence(found, first, second))
    keys, listed = run.recommender.interactions.user_keys, view.shown_flips(found)
    state = state | {"sweep": swept.name, "cohort": swept.cohort, "at": swept.split, "from": str(curve.check_from)}
    state["theta"] = theta_text(view.slider_theta(second))
    links = view.user_links(st.context.url or "", state, listed, keys)
    rows = view.flip_rows(curve, listed, first, second, keys, links)
    if rows:
        user_table(rows)
