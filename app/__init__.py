"""The Streamlit application: thin screens over pure view-models."""
