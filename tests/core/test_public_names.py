import subprocess
import sys

import pytest

import reg4rec_core

PUBLIC = [
    "HISTORY_LENGTH",
    "UNKNOWN",
    "Agreement",
    "Attribution",
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
    "FoundUser",
    "InputError",
    "Interactions",
    "Interval",
    "ItemAttribute",
    "Layout",
    "Leaning",
    "Likeness",
    "PostTrainConfig",
    "PreviewPlan",
    "PreviewState",
    "Previews",
    "Range",
    "ReasoningTrace",
    "Recommender",
    "RewardSurvey",
    "RewardWeights",
    "Rollouts",
    "ScoreParts",
    "SemanticIds",
    "SliceMetrics",
    "StepBeliefs",
    "StoreComparison",
    "ThetaChange",
    "ThetaInterval",
    "ThetaProfile",
    "TimeDrift",
    "TraceComparison",
    "TraceStore",
    "TransitionSource",
    "UserIndex",
    "UserRow",
    "Weighed",
    "WeightsEffect",
    "ask_edited",
    "attribute",
    "code_card",
    "cohort_metrics",
    "common_brands",
    "compare_stores",
    "compare_traces",
    "count_fates",
    "count_users",
    "drift_over_time",
    "explain_item",
    "explain_node",
    "facet_letter",
    "format_edits",
    "has_umap_maps",
    "history_drift",
    "index_users",
    "interval_of",
    "items_left",
    "mass_along_steps",
    "metrics_by",
    "open_store",
    "parse_edits",
    "path_ends",
    "principal_maps",
    "profile_theta",
    "read_codebooks",
    "read_cohort",
    "read_facets",
    "reward_settings",
    "sample_rollouts_at",
    "score_parts",
    "search_document",
    "search_users",
    "survey_rewards",
    "theta_changes",
    "theta_intervals",
    "transition_sources",
    "umap_maps",
    "users_of",
    "was_checked",
    "weigh",
    "weights_effect",
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
