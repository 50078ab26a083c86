"""A threshold for every step, in a row of number fields; the address bar keeps them."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.view_models.step_thetas import HELP, RULES, summary, with_step
from app.view_models.theta_tree import HIGHEST_THETA

Thetas = tuple[float, ...]


def rule_control(by_step: bool, *, on_choose: Callable[[bool], None], side: str = "") -> None:
    """Whether one threshold holds for all steps or each has its own; `side` ends the keys of a second search."""
    key = f"theta_rule{side}"
    st.session_state[key] = "steps" if by_step else "one"
    st.segmented_control(
        "Threshold",
        list(RULES),
        format_func=RULES.__getitem__,
        key=key,
        required=True,
        on_change=lambda: on_choose(st.session_state[key] == "steps"),
        help=HELP,
        label_visibility="collapsed",
    )


def theta_fields(thetas: Sequence[float], check_from: int, *, on_set: Callable[[Thetas], None], side: str = "") -> None:
    """A field for every step that is compared."""

    def change(step: int) -> None:
        on_set(with_step(thetas, step, float(st.session_state[f"theta_step_{step}{side}"])))

    steps = range(check_from, len(thetas) + 1)
    for step, column in zip(steps, st.columns(max(len(steps), 4), gap="small"), strict=False):
        key = f"theta_step_{step}{side}"
        st.session_state[key] = float(thetas[step - 1])
        column.number_input(
            f"θ, step {step}", 0.0, HIGHEST_THETA, step=0.01, format="%.3f", key=key, on_change=change, args=(step,)
        )


def theta_popover(
    thetas: Sequence[float],
    check_from: int,
    *,
    corp: bool,
    on_set: Callable[[Thetas], None],
    on_one: Callable[[], None],
    side: str = "",
) -> None:
    """The same where there is little room, with the way back to one threshold."""
    with st.popover(summary(thetas, check_from), width="stretch", disabled=not corp, help=HELP):
        theta_fields(thetas, check_from, on_set=on_set, side=side)
        st.button("One θ for all steps", key=f"one_theta{side}", on_click=on_one)
