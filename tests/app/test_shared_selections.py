"""What pages share: the user, the cohort and the weights go along from page to page."""

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
    opened(app, "screens/reasoning.py", user="visitor 8")
    assert app.query_params["user"] == "visitor 8", "what the address says itself rules"
