"""A cohort under two stored searches: pre-trained beside post-trained weights, one theta beside another."""

from pathlib import Path

import streamlit as st

from app.charts import cohorts as charts
from app.components.controls import choice_control
from app.screens.cohort_look import Look, chart
from app.session import chosen_cohort, open_runs, stored_searches
from app.view_models import cohorts as view
from reg4rec_core import StoreComparison


def beside(look: Look, run: str, stores: dict[str, Path]) -> None:
    """The same users under another stored search: pre-trained beside post-trained weights, one theta beside another."""
    others = {name: path for name, path in stores.items() if path != look.store.path}
    if not others:
        weights = look.store.description.get("settings", {}).get("weights")
        st.info(view.NO_OTHER, icon=":material/database:")
        st.code(view.make_command(str(open_runs.run_path(run)), view.other_weights(weights)), language="bash")
        return
    other = stored_searches.open_trace_store(others[choice_control("Second search", list(others), key="against")])
    compared = stored_searches.ask_both(look.store, other, look.cohort)
    words = [view.store_words(store.description) for store in (look.store, other)]
    st.markdown(view.comparison_sentence(compared, *words))
    gained, lost = st.columns(2, gap="medium")
    for place, name, users in ((gained, "gained", compared.gained_users), (lost, "lost", compared.lost_users)):
        said = f"List the {len(users.users or ()):,} whose target is {name}"
        place.button(said, key=name, on_click=chosen_cohort.mark, args=(users.to_text(),), disabled=not users.users)
    differences(compared, look)


def differences(compared: StoreComparison, look: Look) -> None:
    """How much better the second search is, and where its categories drift from the first's."""
    st.caption(view.COMPARE_NOTE)
    table = view.differences_table(compared)
    chart(charts.interval_chart(table, 0.0, "", look.ground), key="beside", alt=view.COMPARE_NOTE, rows=len(table))
    st.markdown(view.drift_sentence(compared.drift, "recommendations of the first", "of the second"))
    moved = view.drift_table(compared.drift)
    option = charts.drift_chart(moved, ("first search", "second search"), "", look.ground)
    chart(option, key="beside-drift", alt=view.drift_sentence(compared.drift), rows=len(moved))
