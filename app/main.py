"""The pages of the application."""

from pathlib import Path

import streamlit as st

from app.screens.tour import FIRST_PAGE, guide
from app.session.replaced import told_of_replaced
from app.session.shared import carry_over

# A drawn icon: named ones would be fetched from another host.
st.set_page_config(page_title="reg4rec", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
PAGES = [
    st.Page("screens/overview.py", title="Overview", default=True),
    st.Page("screens/reasoning.py", title="Reasoning"),
    st.Page("screens/tuning.py", title="Tuning"),
    st.Page("screens/rewards.py", title="Rewards"),
    st.Page("screens/codebooks.py", title="Codebooks"),
    st.Page("screens/cohorts.py", title="Cohorts"),
    st.Page("screens/compare.py", title="Compare"),
]
page = st.navigation(PAGES, position="top")
carry_over(page.url_path or FIRST_PAGE, entrance=FIRST_PAGE)
guide(page.url_path)
with told_of_replaced(page.url_path):
    page.run()
