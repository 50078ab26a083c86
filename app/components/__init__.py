"""Reusable pieces of pages. They draw what they are given and report what was clicked."""
