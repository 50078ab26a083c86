"""The run at the top of a page, and whose weights search."""

from app.components import controls
from app.session import open_runs


def chosen_run() -> open_runs.OpenRun:
    """The run that is looked at, with its latest weights, and the control to choose another."""
    return open_runs.open_run(controls.run_control(list(open_runs.known_runs())))


def chosen_run_with_weights() -> open_runs.OpenRun:
    """The same, with the control of the weights; `open_runs.with_weights` gives the run with those that are chosen."""
    run = chosen_run()
    controls.weights_control(run.stages, open_runs.chosen_weights(run), on_choose=open_runs.choose_weights)
    return run
