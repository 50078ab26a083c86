import subprocess
import sys

import pytest

import reg4rec_core

PUBLIC = [
    "HISTORY_LENGTH",
    "UNKNOWN",
    "Agreement",
    "Attribution",
    "Axis",
    "Catalog",
    "CategoryDrift",
    "CodeCard",
    "CodeFlow",
    "CodebookMaps",
    "CodebookReport",
    "Cohort",
    "CohortCounts",
    "DecodeConfig",
    "Edit",
    "Facets",
    "Fate",
    "Flips",
    "FoundUser",
    "InputError",
    "Interactions",
    "ItemAttribute",
    "Layout",
    "Leaning",
    "Likeness",
    "Note",
    "Preset",
    "Range",
    "ReasoningTrace",
    "Recommender",
    "ReportedSearch",
    "ReportedUser",
    "RewardWeights",
    "ScoreParts",
    "SearchHabits",
    "SemanticIds",
    "SliceDifference",
    "SliceMetrics",
    "StepBeliefs",
    "StoreComparison",
    "ThetaChange",
    "ThetaCurve",
    "ThetaInterval",
    "ThetaPoint",
    "ThetaProfile",
    "ThetaReading",
    "ThetaSuggestion",
    "ThetaSweep",
    "TimeDrift",
    "TraceComparison",
    "TraceStore",
    "TransitionSource",
    "UserIndex",
    "UserRow",
    "ask_edited",
    "attribute",
    "code_card",
    "cohort_metrics",
    "common_brands",
    "compare_by",
    "compare_stores",
    "compare_traces",
    "comparison_report",
    "count_fates",
    "count_users",
    "drift_over_time",
    "drop_note",
    "explain_beliefs",
    "explain_item",
    "explain_node",
    "explain_parting",
    "facet_letter",
    "fate_changes",
    "flips",
    "format_edits",
    "has_umap_maps",
    "history_drift",
    "index_users",
    "interval_of",
    "items_left",
    "keep_note",
    "mass_along_steps",
    "metrics_by",
    "note_document",
    "note_lines",
    "notes_file",
    "open_store",
    "parse_edits",
    "preset_json",
    "principal_maps",
    "profile_theta",
    "read_codebooks",
    "read_cohort",
    "read_facets",
    "read_notes",
    "read_preset",
    "read_theta_curve",
    "report_page",
    "score_parts",
    "search_document",
    "search_habits",
    "search_report",
    "search_users",
    "suggest_theta",
    "sweep",
    "theta_changes",
    "theta_intervals",
    "theta_sweeps",
    "transition_sources",
    "umap_maps",
    "users_of",
    "was_checked",
]


def test_the_public_names_are_these():
    assert sorted(reg4rec_core.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name):
    assert getattr(reg4rec_core, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no public name 'nonsense'"):
        reg4rec_core.nonsense  # noqa: B018


def test_the_package_alone_imports_nothing_heavy():
    program = "import reg4rec_core, sys; assert not {'torch', 'faiss', 'pandas'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
