"""Readings of a run and of a trace for people: what codes stand for, why an item came first, which users to look at."""
