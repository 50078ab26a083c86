"""Everything on the Tuning page for which the server is asked when theta is let go."""

import json
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.errors import errors_in_words
from app.components.share import share
from app.components.step_thetas import rule_control
from app.components.sweep_controls import preset_button
from app.screens.step_thresholds import looked_at
from app.screens.theta_advice import Swept, who_flips
from app.screens.theta_explorer import explorer, explorer_by_step
from app.screens.theta_reported import report_of
from app.session import address, step_thetas, theta_sweeps
from app.session.open_runs import OpenRun
from app.view_models import tuning as view
from app.view_models.reasoning import permalink
from app.view_models.step_thetas import link_text, text_of
from reg4rec_core import preset_json, theta_report_page


@dataclass(frozen=True)
class Tuned:
    """Whose search is tuned."""

    latest: OpenRun
    run: OpenRun
    """The same with the weights that are looked at."""
    key: str
    at: str
    check_from: int


@dataclass(frozen=True)
class TunedPlaces:
    """Where it is drawn."""

    keep: DeltaGenerator
    take_away: DeltaGenerator
    explorer: DeltaGenerator
    swept: Swept | None
    """None where no stored sweep can be shown."""


@st.fragment
def followed_theta(tuned: Tuned, places: TunedPlaces) -> None:
    """What letting go of theta changes, and nothing else: it alone is drawn anew then."""
    with errors_in_words():
        follow(tuned, places)


def follow(tuned: Tuned, places: TunedPlaces) -> None:
    """Draw it, where it can be drawn."""
    run, check_from, own = tuned.run, tuned.check_from, tuned.latest.recommender.decode
    theta, thetas = looked_at(tuned.latest)
    limit = {"thetas": text_of(thetas)} if thetas else {"theta": view.theta_text(theta)}
    state = {"run": run.name, "weights": run.weights, "user": tuned.key, "at": tuned.at, **limit}
    state |= {"from": str(check_from)}
    name, decode = "-".join(state.values()), view.preset_decode(own, theta, check_from, thetas)
    with places.explorer:
        rule_control(bool(thetas), on_choose=lambda by_step: step_thetas.choose_rule(tuned.latest, by_step, theta))
        limit_of, show = (thetas, explorer_by_step) if thetas else (theta, explorer)
        results = show(run, tuned.key, tuned.at, limit_of, check_from)
    if places.swept is not None and not thetas:
        with places.swept.flips:
            who_flips(run, places.swept, theta, state)
    with places.keep:
        file = f"preset-{name}.json"
        preset_button(file, document=lambda: preset_json(run.recommender.run.path, decode, weights=run.weights))
    with places.take_away.container():  # of this run: what Share draws of its own would outlive it otherwise
        chosen = state | theta_sweeps.chosen() | address.choices(("against", "top"))
        link = permalink(st.context.url or "", chosen | {"thetas": link_text(thetas, own)})
        share(
            lambda: link, file_name=f"thetas-{name}.json", document=results, what="every result",
            report=lambda: theta_report_page(report_of(run, decode, link)),
            twin=lambda: json.dumps(report_of(run, decode, link), ensure_ascii=False),
        )  # fmt: skip
