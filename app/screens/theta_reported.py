"""The report on what theta does, as the Tuning page hands it on."""

from typing import Any

from app.session import reward_tuning, theta_sweeps
from app.session.open_runs import OpenRun
from app.view_models import theta_cohort as view
from app.view_models.links import said_by
from app.view_models.reasoning import sentence
from reg4rec_core import DecodeConfig, InputError, ReportedThetas, ThetaCurve, suggestion_of, theta_report


def report_of(run: OpenRun, decode: DecodeConfig, link: str) -> dict[str, Any]:
    """The curves of the chosen sweep and of its other split over the chosen users, the choice and its evidence.

    The page's link says which they are: a file is made when it is asked for, and then there is no page any more.
    """
    asked = said_by(link)
    cohort = asked.get("cohort", "")
    curves, missing = shown_curves(run, asked.get("sweep", ""), cohort)
    reported = ReportedThetas(
        run.name,
        run.weights,
        run.recommender.run.settings,
        decode,
        run.recommender.decode,
        curves,
        suggestion_of(curves),
        reward_tuning.stored_tuning(run),
        cohort=cohort,
        missing=missing,
    )
    return theta_report(reported, link=link)


def shown_curves(run: OpenRun, name: str, cohort: str) -> tuple[tuple[ThetaCurve, ...], tuple[str, ...]]:
    """Those of validation and of test users, as far as they are stored; and why one is missing, in sentences."""
    sweeps = view.sweeps_of(theta_sweeps.stored_sweeps(run), run.weights)
    curves, missing = list[ThetaCurve](), dict[str, None]()
    try:
        chosen = view.chosen_sweep(sweeps, name) if sweeps else None
    except InputError as error:
        return (), (sentence(str(error)),)
    both = [view.of_split(sweeps, chosen, split) for split in view.SPLITS] if chosen else []
    for sweep in (one for one in both if one is not None):
        try:
            curves.append(theta_sweeps.curve_of(run, sweep.name, cohort))
        except InputError as error:
            missing[sentence(str(error))] = None
    return tuple(curves), tuple(missing)
