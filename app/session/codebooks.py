"""What the codes of a run say, and their maps."""

import streamlit as st

from app.session.open_runs import OpenRun
from reg4rec_core import (
    CodebookMaps,
    CodebookReport,
    CodeCard,
    code_card,
    has_umap_maps,
    principal_maps,
    read_codebooks,
    umap_maps,
)


def codebook_report(run: OpenRun) -> CodebookReport:
    """What the codes of a run say about its experts; the same whatever weights search."""
    return _codebook_report(run.key[:2], run)


@st.cache_resource(max_entries=4, show_spinner="Reading the codebooks…")
def _codebook_report(key: tuple[str, int], _run: OpenRun) -> CodebookReport:
    return read_codebooks(_run.recommender.run)


def code_cards(run: OpenRun, codebook: int) -> tuple[CodeCard, ...]:
    """What every code of a facet stands for, in the order of the codes."""
    return _code_cards(run.key[:2], codebook, run)


@st.cache_resource(max_entries=64, show_spinner="Reading the codes…")
def _code_cards(key: tuple[str, int], codebook: int, _run: OpenRun) -> tuple[CodeCard, ...]:
    return tuple(code_card(_run.facets, codebook, code) for code in range(_run.facets.ids.codebook_size))


def choose_code(code: int) -> None:
    """Look at another code of the facet."""
    st.query_params["code"] = str(code)


def leave_code() -> None:
    """A code belongs to its facet: another facet starts at its largest."""
    st.query_params.pop("code", None)


def has_maps(run: OpenRun) -> bool:
    """Whether UMAP has been computed for the run, by anybody."""
    return bool(_computed(run.key[:2])) or has_umap_maps(run.recommender.run)


def maps(run: OpenRun) -> CodebookMaps:
    """The maps by UMAP where they have been computed, by PCA otherwise."""
    computed = _computed(run.key[:2])
    return computed[-1] if computed else _maps(run.key[:2], has_maps(run), run)


@st.cache_resource(max_entries=4, show_spinner=False)
def _computed(key: tuple[str, int]) -> list[CodebookMaps]:
    """The maps by UMAP that were computed since the server started: for all visitors, however the folder is kept."""
    return []


@st.cache_resource(max_entries=4, show_spinner="Reading the map…")
def _maps(key: tuple[str, int], computed: bool, _run: OpenRun) -> CodebookMaps:
    run = _run.recommender.run
    return umap_maps(run, progress=lambda share, text: None) if computed else principal_maps(run)


def compute_maps(run: OpenRun) -> None:
    """Compute UMAP, with a bar of its progress; kept until the server ends where it cannot be kept beside the run."""
    bar = st.progress(0.0, "starting UMAP")
    _computed(run.key[:2]).append(umap_maps(run.recommender.run, progress=bar.progress))
    bar.empty()
