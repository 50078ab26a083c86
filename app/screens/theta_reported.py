"""The report on what theta does, as the Tuning page hands it on."""

from typing import Any

from app.session import reward_tuning, theta_sweeps
from app.session.open_runs import OpenRun
from app.view_models import theta_cohort as view
from reg4rec_core import DecodeConfig, ReportedThetas, ThetaCurve, suggestion_of, theta_report


def report_of(run: OpenRun, decode: DecodeConfig, link: str) -> dict[str, Any]:
    """The curves of the chosen sweep and of its other split over the chosen users, the choice and its evidence."""
    curves, recommender = shown_curves(run), run.recommender
    tuning = reward_tuning.stored_tuning(run)
    reported = ReportedThetas(
        run.name,
        run.weights,
        recommender.run.settings,
        decode,
        recommender.decode,
        curves,
        suggestion_of(curves),
        tuning,
    )
    return theta_report(reported, link=link)


def shown_curves(run: OpenRun) -> tuple[ThetaCurve, ...]:
    """Those of validation and of test users, as far as they are stored."""
    sweeps = view.sweeps_of(theta_sweeps.stored_sweeps(run), run.weights)
    if not sweeps:
        return ()
    asked = theta_sweeps.chosen()
    chosen = view.chosen_sweep(sweeps, asked["sweep"])
    both = [view.of_split(sweeps, chosen, split) for split in view.SPLITS]
    return tuple(theta_sweeps.curve_of(run, one.name, asked["cohort"]) for one in both if one is not None)
