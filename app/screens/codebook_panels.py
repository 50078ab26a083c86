"""One facet at a time: its codes, the map with its lasso, the flow to categories, and collisions."""

import streamlit as st

from app.charts import codebooks as charts
from app.components.code_browser import code_card, code_search
from app.components.code_map import map_controls, point_map, selected_table
from app.components.markup import table
from app.screens.gate_panel import gate_weights
from app.session import codebooks, open_runs, theme
from app.view_models import codebooks as view
from app.view_models.reasoning import card_lines, known
from reg4rec_core import CodebookReport


def one_facet(run: open_runs.OpenRun, report: CodebookReport, facet: int) -> None:
    """How much each expert counts; the codes of the facet, one of them in full."""
    gate_weights(report, facet)
    cards = codebooks.code_cards(run, facet)
    st.markdown(f"##### The codes of facet {view.facet_names(report)[facet]}")
    st.markdown(view.health(report, facet))
    left, right = st.columns(2, gap="large")
    with left:
        code_search(lambda query: view.code_rows(cards, query), total=len(cards), on_choose=codebooks.choose_code)
    with right:
        code = view.chosen_code(report, facet, st.query_params.get("code", ""))
        card, catalog = cards[code], run.facets.catalog
        typical = [(catalog.titles[item], known(catalog.brands[item])) for item in card.typical_items]
        about = card_lines(card) if card.load else []
        link = view.users_link(st.context.url or "", run.name, facet, [code])
        code_card(card, heading=view.card_heading(card, report), about=about, typical=typical, link=link)
    bars = charts.load_bars(view.load_rows(report, run.facets, facet), report.even_load, code, theme.ground())
    st.echarts_chart(bars, height=charts.LOADS_HEIGHT, key="loads", alt=view.health(report, facet))


def code_map(run: open_runs.OpenRun, report: CodebookReport, facet: int) -> None:
    st.markdown("##### Map")
    left, right = st.columns([3, 2], gap="large")
    with left:
        what, colour = map_controls({kind: view.colourings(report, kind) for kind in view.POINTS})
        drawn = view.point_map(report, run.facets, codebooks.maps(run), what=what, codebook=facet, colour=colour)
        option = charts.point_map(drawn.points, drawn.groups, theme.ground(), ordered=drawn.ordered)
        name = what if what == "items" else f"{what}-{facet}"
        selected = point_map(option, alt=drawn.summary, name=name)
        st.caption(drawn.note)
        if not codebooks.has_maps(run) and st.button("Lay out with UMAP", help=view.UMAP_HELP, key="umap"):
            codebooks.compute_maps(run)
            st.rerun()
    with right:
        rows = view.selected_rows(selected, len(drawn.points))
        chosen = view.selection(drawn, report, run.facets, rows, what=what, codebook=facet)
        link = view.users_link(st.context.url or "", run.name, facet, rows) if rows and what == "codes" else None
        selected_table(chosen.summary, chosen.rows, link)


def flow_and_collisions(run: open_runs.OpenRun, report: CodebookReport, facet: int) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("##### From codes to categories")
        flow = view.flow_rows(report, facet)
        st.caption(flow.summary)
        if not flow.rows.empty:
            option = charts.flow(flow.rows, theme.ground())
            st.echarts_chart(option, height=charts.FLOW_HEIGHT, key="flow", alt=flow.summary)
    with right:
        st.markdown("##### Items with the same codes")
        st.caption(view.collision_summary(report))
        if report.collisions:
            rows = view.collision_rows(report, run.facets)
            st.html(table(rows, numbers=("group",), height=min(31 * len(rows) + 34, charts.FLOW_HEIGHT)))
