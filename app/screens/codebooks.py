"""What each expert facet means, how evenly its codes are used, and whether experts specialise or copy each other."""

import streamlit as st

from app.components import controls
from app.components.errors import errors_in_words
from app.components.footer import footer
from app.components.heat_table import heat_table
from app.components.markup import page_heading, paragraph, table
from app.components.share import share
from app.screens.chosen_run import chosen_run
from app.screens.codebook_panels import code_map, flow_and_collisions, one_facet
from app.session import codebooks, open_runs, provenance, theme
from app.view_models import codebooks as view
from app.view_models.reasoning import permalink
from reg4rec_core import CodebookReport


def page() -> None:
    choice = page_heading("What the facets mean", view.INTRODUCTION)
    with errors_in_words():
        with choice:
            run = chosen_run()
        explore(run)


def explore(run: open_runs.OpenRun) -> None:
    report = codebooks.codebook_report(run)
    told, take_away = st.columns([8, 1], vertical_alignment="top")
    with told:
        paragraph(view.verdict(report))
    names = view.facet_names(report)
    facet = experts(report, names)
    one_facet(run, report, facet)
    code_map(run, report, facet)
    flow_and_collisions(run, report, facet)
    with take_away:
        state = {"run": run.name, "facet": names[facet], **view.url_choices(st.query_params.to_dict())}
        link, name = permalink(st.context.url or "", state), f"codebooks-{run.name}.json"
        share(lambda: link, file_name=name, document=lambda: view.report_json(report), what="the report")
    footer(provenance.where_from(run.name, run.weights))


def experts(report: CodebookReport, names: list[str]) -> int:
    """All experts at a glance; returns the facet that is chosen."""
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.markdown("##### What each facet tells, beyond chance")
        told = view.agreement_matrix(report)
        heat_table(told.values, told.details, theme.ground(), alt=told.summary)
        st.caption(view.AGREEMENT_NOTE)
    with right:
        alike = view.chosen_likeness(report, controls.likeness_control(view.likeness_names(report)))
        matrix = view.likeness_matrix(alike)
        heat_table(matrix.values, matrix.details, theme.ground(), alt=matrix.summary)
        st.caption(alike.note)
    facet = names.index(controls.facet_control(names, on_choose=codebooks.leave_code))
    rows = view.experts(report)
    chosen = [place == facet for place in range(len(names))]
    st.html(table(rows, numbers=view.NUMBERS, chosen=chosen, height=min(31 * len(rows) + 34, 290)))
    st.caption(view.experts_note(report))
    return facet


page()
