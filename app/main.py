"""The pages of the application."""

from pathlib import Path

import streamlit as st

# A drawn icon: named ones would be fetched from another host.
st.set_page_config(page_title="reg4rec", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
PAGES = [
    st.Page("screens/reasoning.py", title="Reasoning"),
    st.Page("screens/codebooks.py", title="Codebooks"),
    st.Page("screens/cohorts.py", title="Cohorts"),
    st.Page("screens/rewards.py", title="Rewards"),
]
st.navigation(PAGES, position="top").run()
