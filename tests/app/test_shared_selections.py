"""What pages share: the user, the cohort, the weights and θ by step go along from page to page."""

import pytest
from opened_page import opened, page_of
from streamlit.testing.v1 import AppTest


@pytest.fixture
def app(two_stage_run, monkeypatch, tmp_path) -> AppTest:
    return page_of(two_stage_run, monkeypatch, tmp_path)


def gone_to(app: AppTest, page: str) -> AppTest:
    """As a click in the navigation does: another page, and nothing in its address."""
    for name in list(app.query_params):
        del app.query_params[name]
    return opened(app, f"screens/{page}.py")


def test_whoever_is_looked_at_goes_along_to_the_next_page(app):
    opened(app, "screens/reasoning.py", user="visitor 9", weights="pretrained", cohort="history_5~20")
    gone_to(app, "cohorts")
    assert app.query_params["user"] == "visitor 9"
    assert app.query_params["cohort"] == "history_5~20"
    gone_to(app, "overview")
    assert "user" not in app.query_params, "a user in the address of the first page means their search"
    gone_to(app, "reasoning")
    assert app.segmented_control(key="weights").value == "pretrained"
    assert [button for button in app.get("popover") if "visitor 9" in button.proto.popover.label]
    gone_to(app, "tuning")
    opened(app, "screens/tuning.py", thetas="0.1,0.2,0.3")
    gone_to(app, "reasoning")
    assert app.number_input(key="theta_step_2").value == 0.2
    for name in list(app.query_params):
        del app.query_params[name]
    opened(app, "screens/tuning.py", theta="0.1")
    assert "thetas" not in app.query_params, "one θ in the address means no others"
    opened(app, "screens/reasoning.py", user="visitor 8")
    assert app.query_params["user"] == "visitor 8", "what the address says itself rules"
