"""Taking a view away: as a link, as a file."""

from collections.abc import Callable

import streamlit as st


def share(
    link: str,
    *,
    file_name: str,
    document: Callable[[], str],
    what: str = "the search",
    report: Callable[[], str] | None = None,
    twin: Callable[[], str] | None = None,
    graph: Callable[[], str] | None = None,
) -> None:
    """A link that restores the view, and what it shows as JSON.

    `report` makes a page to hand on, `twin` its JSON, `graph` the tree as GraphML.
    """
    with st.popover("Share", icon=":material/ios_share:", width="stretch"):
        st.caption("This link restores exactly this view.")
        st.code(link, language=None, wrap_lines=True)
        st.download_button(
            f"Download {what} (JSON)",
            data=document,
            file_name=file_name,
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        if graph is not None:
            st.download_button(
                "Download the tree (GraphML)",
                data=graph,
                file_name=file_name.removesuffix(".json") + ".graphml",
                mime="application/graphml+xml",
                icon=":material/account_tree:",
                on_click="ignore",
            )
        if report is not None:
            st.download_button(
                "Report (HTML)",
                data=report,
                file_name=f"report-{file_name.removesuffix('.json')}.html",
                mime="text/html",
                icon=":material/article:",
                on_click="ignore",
                help="One page that opens without this application and without a network.",
            )
        if twin is not None:
            st.download_button(
                "Report (JSON)",
                data=twin,
                file_name=f"report-{file_name}",
                mime="application/json",
                icon=":material/data_object:",
                on_click="ignore",
                help="The numbers of the report, for programs.",
            )
