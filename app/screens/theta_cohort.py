"""All users under stored thetas: the right half of the Tuning page."""

import streamlit as st

from app.charts import tuning as charts
from app.components import sweep_controls
from app.components.figure import figure
from app.components.sample_maker import sample_maker
from app.components.user_table import user_table
from app.session import theme, theta_profiles, theta_sweeps
from app.session.open_runs import OpenRun
from app.view_models import theta_cohort as view
from app.view_models.tuning import theta_text
from reg4rec_core import ThetaCurve, ThetaSweep, flips


def cohort(run: OpenRun, theta: float, check_from: int, state: dict[str, str]) -> None:
    """Quality and cost by theta, a suggestion, and who flips; where nothing is stored, how to make it."""
    sweeps = view.sweeps_of(theta_sweeps.stored_sweeps(run), run.weights)
    if not sweeps:
        st.info(view.NO_SWEEP, icon=":material/database:")
        st.code(view.sweep_commands(str(run.recommender.run.path), run.weights), language="bash")
    else:
        chosen = view.chosen_sweep(sweeps, theta_sweeps.chosen()["sweep"])
        labels = {name: view.sweep_label(sweep) for name, sweep in sweeps.items()}
        sweep_controls.sweep_control(labels, chosen.name, on_choose=theta_sweeps.choose_sweep)
        curve = theta_sweeps.curve(run, chosen.name)
        curves(curve, theta, check_from)
        suggestion(run, *(view.of_split(sweeps, chosen, split) for split in view.SPLITS))
        who_flips(run, curve, theta, state | {"sweep": chosen.name, "at": chosen.split})
    sample_maker(
        "Sweep a sample of users here", view.QUICK_USERS, whom="Users of each split", note=view.SAMPLE_NOTE,
        button="Sweep them", is_open=not sweeps, on_make=lambda users: theta_sweeps.make_sweeps(run, users),
    )  # fmt: skip


def curves(curve: ThetaCurve, theta: float, check_from: int) -> None:
    """Quality, cost, and one against the other."""
    table, ground, near = view.curve_table(curve), theme.ground(), view.nearest_theta(curve, theta)
    said = view.point_sentence(curve, near, check_from)
    st.markdown(said)
    figure(charts.quality_chart(table, theta, curve.own_theta, ground), key="quality", alt=said)
    st.caption(view.CURVE_NOTE)
    figure(charts.cost_chart(table, theta, curve.own_theta, ground), key="cost", alt=said)
    st.caption(view.COST_NOTE)
    figure(charts.front_chart(table, view.theta_label(near), ground), key="front", alt=view.FRONT_NOTE)
    st.caption(view.FRONT_NOTE)


def suggestion(run: OpenRun, valid: ThetaSweep | None, test: ThetaSweep | None) -> None:
    """The theta that validation users gain most from, apart from what the test users say."""
    st.markdown("##### Which θ to take")
    if valid is None:
        st.caption(view.NO_VALID)
        return
    found = theta_sweeps.suggestion(run, valid.name, test.name if test else "")
    chosen, heard = view.suggestion_words(found)
    st.markdown(chosen)
    st.caption(heard)

    def take() -> None:
        theta_profiles.choose_theta(theta_text(view.slider_theta(found.theta)))
        theta_profiles.choose_check_from(found.check_from)

    st.button(view.take_label(found), key="take", on_click=take, type="primary", icon=":material/check:")


def who_flips(run: OpenRun, curve: ThetaCurve, theta: float, state: dict[str, str]) -> None:
    """Whose next item enters or leaves the list between a theta of the sweep and that of the slider."""
    st.markdown("##### Who flips")
    names = {view.theta_label(one): one for one in reversed(curve.thetas)}
    first, second = names[sweep_controls.against_control(list(names))], view.nearest_theta(curve, theta)
    found = flips(curve, first, second)
    st.caption(view.flip_sentence(found, first, second))
    keys, listed = run.recommender.interactions.user_keys, view.shown_flips(found)
    state = state | {"theta": theta_text(view.slider_theta(second)), "from": str(curve.check_from)}
    links = view.user_links(st.context.url or "", state, listed, keys)
    rows = view.flip_rows(curve, listed, first, second, keys, links)
    if rows:
        user_table(rows)
