"""The public names of reg4rec. Each is imported when first used, so that training needs no part it does not use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reg4rec_core.analysis.attribution import Attribution, attribute
    from reg4rec_core.analysis.category_drift import (
        CategoryDrift,
        StepBeliefs,
        TimeDrift,
        drift_over_time,
        history_drift,
        mass_along_steps,
    )
    from reg4rec_core.analysis.codebooks import (
        Agreement,
        CodebookReport,
        CodeFlow,
        ItemAttribute,
        Likeness,
        read_codebooks,
    )
    from reg4rec_core.analysis.cohort import Cohort, Leaning, Range, read_cohort
    from reg4rec_core.analysis.counterfactual import (
        Edit,
        TraceComparison,
        ask_edited,
        compare_traces,
        format_edits,
        parse_edits,
    )
    from reg4rec_core.analysis.document import search_document
    from reg4rec_core.analysis.evidence import ScoreParts, TransitionSource, score_parts, transition_sources
    from reg4rec_core.analysis.explanation import count_fates, explain_item, explain_node, facet_letter, was_checked
    from reg4rec_core.analysis.facets import CodeCard, Facets, code_card, items_left, read_facets
    from reg4rec_core.analysis.projection import CodebookMaps, Layout, has_umap_maps, principal_maps, umap_maps
    from reg4rec_core.analysis.reward_weighing import (
        RewardSurvey,
        Weighed,
        path_ends,
        reward_settings,
        survey_rewards,
        weigh,
    )
    from reg4rec_core.analysis.slices import SliceMetrics, cohort_metrics, metrics_by
    from reg4rec_core.analysis.store_comparison import StoreComparison, compare_stores
    from reg4rec_core.analysis.theta_profile import (
        ThetaChange,
        ThetaInterval,
        ThetaProfile,
        interval_of,
        profile_theta,
        theta_changes,
        theta_intervals,
    )
    from reg4rec_core.analysis.trace_queries import (
        CohortCounts,
        TraceStore,
        UserRow,
        common_brands,
        count_users,
        open_store,
        users_of,
    )
    from reg4rec_core.analysis.user_search import FoundUser, UserIndex, index_users, search_users
    from reg4rec_core.config import HISTORY_LENGTH, DecodeConfig, PostTrainConfig, RewardWeights
    from reg4rec_core.evaluation.weights_effect import WeightsEffect, weights_effect
    from reg4rec_core.experiments.previews import PreviewPlan, Previews, PreviewState
    from reg4rec_core.metrics import Interval
    from reg4rec_core.recommender import Recommender
    from reg4rec_core.training.fresh_rollouts import sample_rollouts_at
    from reg4rec_core.types import (
        UNKNOWN,
        Catalog,
        Fate,
        InputError,
        Interactions,
        ReasoningTrace,
        Rollouts,
        SemanticIds,
    )

_HOMES = {
    "analysis.attribution": ("Attribution", "attribute"),
    "analysis.category_drift": (
        "CategoryDrift",
        "StepBeliefs",
        "TimeDrift",
        "drift_over_time",
        "history_drift",
        "mass_along_steps",
    ),
    "analysis.codebooks": ("Agreement", "CodeFlow", "CodebookReport", "ItemAttribute", "Likeness", "read_codebooks"),
    "analysis.cohort": ("Cohort", "Leaning", "Range", "read_cohort"),
    "analysis.counterfactual": (
        "Edit",
        "TraceComparison",
        "ask_edited",
        "compare_traces",
        "format_edits",
        "parse_edits",
    ),
    "analysis.document": ("search_document",),
    "analysis.evidence": ("ScoreParts", "TransitionSource", "score_parts", "transition_sources"),
    "analysis.explanation": ("count_fates", "explain_item", "explain_node", "facet_letter", "was_checked"),
    "analysis.facets": ("CodeCard", "Facets", "code_card", "items_left", "read_facets"),
    "analysis.projection": ("CodebookMaps", "Layout", "has_umap_maps", "principal_maps", "umap_maps"),
    "analysis.reward_weighing": (
        "RewardSurvey",
        "Weighed",
        "path_ends",
        "reward_settings",
        "survey_rewards",
        "weigh",
    ),
    "analysis.slices": ("SliceMetrics", "cohort_metrics", "metrics_by"),
    "analysis.store_comparison": ("StoreComparison", "compare_stores"),
    "analysis.theta_profile": (
        "ThetaChange",
        "ThetaInterval",
        "ThetaProfile",
        "interval_of",
        "profile_theta",
        "theta_changes",
        "theta_intervals",
    ),
    "analysis.trace_queries": (
        "CohortCounts",
        "TraceStore",
        "UserRow",
        "common_brands",
        "count_users",
        "open_store",
        "users_of",
    ),
    "analysis.user_search": ("FoundUser", "UserIndex", "index_users", "search_users"),
    "config": ("DecodeConfig", "HISTORY_LENGTH", "PostTrainConfig", "RewardWeights"),
    "evaluation.weights_effect": ("WeightsEffect", "weights_effect"),
    "experiments.previews": ("PreviewPlan", "PreviewState", "Previews"),
    "metrics": ("Interval",),
    "recommender": ("Recommender",),
    "training.fresh_rollouts": ("sample_rollouts_at",),
    "types": (
        "UNKNOWN",
        "Catalog",
        "Fate",
        "InputError",
        "Interactions",
        "ReasoningTrace",
        "Rollouts",
        "SemanticIds",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
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


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"reg4rec_core has no public name {name!r}")
    return getattr(import_module(f"reg4rec_core.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
