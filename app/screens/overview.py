"""Is this run healthy, what is it good and bad at, and where does one start?"""

import streamlit as st

from app.components.check_list import check_list
from app.components.errors import errors_in_words
from app.components.footer import footer
from app.components.markup import number_cards, page_heading
from app.components.share import share
from app.screens.chosen_run import chosen_run
from app.screens.overview_panels import curves, least_served, missing, number_formats
from app.screens.tour import entrance
from app.session import open_runs, overview, provenance, theme, tour
from app.view_models import overview as view
from app.view_models.reasoning import permalink


def page() -> None:
    if "user" in st.query_params:  # a link to a user's search, from before it had an address of its own
        st.switch_page("screens/reasoning.py", query_params=overview.link_of_search())
    choice = page_heading("What this is, and how well it works", view.INTRODUCTION)
    with errors_in_words():
        with choice:
            run = chosen_run()
        record = overview.run_record(run)
        with choice:
            take_away(run, record)
        if not tour.is_touring():
            entrance()
        explore(run, record)


def take_away(run: open_runs.OpenRun, record: overview.RunRecord) -> None:
    """The link to the page, and its numbers."""
    link = permalink(st.context.url or "", {"run": run.name})
    share(lambda: link, file_name=f"overview-{run.name}.json", what="the numbers",
          document=lambda: view.overview_json(record.report, record.checks))  # fmt: skip


def explore(run: open_runs.OpenRun, record: overview.RunRecord) -> None:
    st.markdown("##### How well it recommends")
    if record.report is None:
        missing(view.NO_REPORT, f"reg4rec evaluate --run {run.recommender.run.path} --split test")
    else:
        number_cards(view.metric_cards(record.report))
        st.caption(view.metrics_note(record.report))
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.markdown(f"##### Is it healthy?\n{view.health_sentence(record.checks)}")
        check_list(view.health_rows(record.checks), theme.ground())
        st.caption(view.HEALTH_NOTE)
        st.markdown("##### Number formats by layer")
        number_formats(record.plans)
    settings = run.recommender.run.settings
    with right:
        st.markdown("##### Whom it serves least")
        least_served(run, record)
        curves("How it was pre-trained", view.pretrain_sentence(settings), view.pretrain_panels(record.log), columns=2)
        post_trained = view.post_train_panels(record.log)
        curves("How it was post-trained", view.post_train_sentence(settings), post_trained, columns=2)
    footer(provenance.where_from(run.name, run.weights, sample=view.sample_words(record.report)))


page()
