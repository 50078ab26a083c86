"""Taking a view away: as a link, as a file."""

from collections.abc import Callable

import streamlit as st

KEY = "share"
PAGE_HELP = "One page that opens without this application and without a network."
TWIN_HELP = "The numbers of the report, for programs."


@st.fragment
def share(
    link: Callable[[], str],
    *,
    file_name: str,
    document: Callable[[], str],
    what: str = "the search",
    report: Callable[[], str] | None = None,
    twin: Callable[[], str] | None = None,
    graph: Callable[[], str] | None = None,
) -> None:
    """A link that restores the view, asked for when it is opened, and what it shows as JSON.

    `report` makes a page to hand on, `twin` its JSON, `graph` the tree as GraphML.
    """
    opened = st.popover("Share", icon=":material/ios_share:", key=KEY, on_change="rerun", width="stretch")
    if not opened.open:
        return
    with opened:
        st.caption("This link restores exactly this view.")
        st.code(link(), language=None, wrap_lines=True)
        stem = file_name.removesuffix(".json")
        _file(f"Download {what} (JSON)", document, file_name, "application/json", "download")
        if graph is not None:
            _file("Download the tree (GraphML)", graph, f"{stem}.graphml", "application/graphml+xml", "account_tree")
        if report is not None:
            _file("Report (HTML)", report, f"report-{stem}.html", "text/html", "article", PAGE_HELP)
        if twin is not None:
            _file("Report (JSON)", twin, f"report-{stem}.json", "application/json", "data_object", TWIN_HELP)


def _file(label: str, data: Callable[[], str], name: str, mime: str, icon: str, help: str | None = None) -> None:
    """A file that is made when it is asked for."""
    st.download_button(
        label, data=data, file_name=name, mime=mime, icon=f":material/{icon}:", on_click="ignore", help=help
    )
