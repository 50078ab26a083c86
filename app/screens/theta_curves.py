"""The curves of a stored sweep: quality and cost by theta, one against the other, and how varied the lists are."""

from app.charts.theta_curves import curves_drawing
from app.components.theta_curves import theta_curves
from app.session import theme
from reg4rec_core import ThetaCurve


def curves(curve: ThetaCurve, *, top: int, theta: float, check_from: int) -> None:
    """All that a sweep measured among the first `top` places.

    `theta` is where the slider stands at first, NaN where every step has its own; then the curves follow the slider.
    """
    theta_curves(curves_drawing(curve, top=top, theta=theta, check_from=check_from, ground=theme.ground()))
