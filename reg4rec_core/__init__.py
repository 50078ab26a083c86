"""The public names of reg4rec. Each is imported when first used, so that training needs no part it does not use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reg4rec_core.analysis.attribution import Attribution, SmallestEdit, attribute, smallest_edit
    from reg4rec_core.analysis.branch import Branch, ask_from, format_branch, parse_branch
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
    from reg4rec_core.analysis.cohort import Cohort, Leaning, PathCodes, Range, read_cohort
    from reg4rec_core.analysis.cohort_users import cohort_users
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
    from reg4rec_core.analysis.explanation import (
        count_fates,
        explain_item,
        explain_node,
        explain_nodes,
        facet_letter,
        was_checked,
    )
    from reg4rec_core.analysis.facets import CodeCard, Facets, code_card, items_left, items_left_of_nodes, read_facets
    from reg4rec_core.analysis.graph_file import search_graphml
    from reg4rec_core.analysis.health import HealthCheck, check_run
    from reg4rec_core.analysis.notes import (
        Note,
        drop_note,
        keep_note,
        note_document,
        note_lines,
        notes_file,
        read_notes,
    )
    from reg4rec_core.analysis.parting import explain_beliefs, explain_parting, fate_changes
    from reg4rec_core.analysis.projection import CodebookMaps, Layout, has_umap_maps, principal_maps, umap_maps
    from reg4rec_core.analysis.report import ReportedSearch, ReportedUser, comparison_report, search_report
    from reg4rec_core.analysis.report_page import report_page
    from reg4rec_core.analysis.reward_weighing import (
        RewardSurvey,
        Weighed,
        path_ends,
        reward_settings,
        survey_rewards,
        weigh,
    )
    from reg4rec_core.analysis.search_habits import SearchHabits, search_habits
    from reg4rec_core.analysis.slices import SliceMetrics, cohort_metrics, metrics_by
    from reg4rec_core.analysis.steering import Steering, SteeringRule, ask_steered, format_steering, parse_steering
    from reg4rec_core.analysis.store_comparison import SliceDifference, StoreComparison, compare_by, compare_stores
    from reg4rec_core.analysis.stored_tree import StoredSearch, stored_search
    from reg4rec_core.analysis.theta_profile import (
        ThetaChange,
        ThetaInterval,
        ThetaProfile,
        interval_of,
        profile_document,
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
    from reg4rec_core.evaluation.trace_store import write_store
    from reg4rec_core.evaluation.weights_effect import WeightsEffect, weights_effect
    from reg4rec_core.experiments.grid import Axis
    from reg4rec_core.experiments.previews import PreviewPlan, Previews, PreviewState
    from reg4rec_core.experiments.reward_choice import RewardTrial, RewardTuning, read_reward_tuning, reward_tuning_file
    from reg4rec_core.experiments.sweep import sweep
    from reg4rec_core.experiments.theta_curve import (
        Flips,
        ThetaCurve,
        ThetaPoint,
        ThetaReading,
        ThetaSuggestion,
        ThetaSweep,
        curve_of_users,
        flips,
        read_theta_curve,
        suggest_theta,
        theta_sweeps,
    )
    from reg4rec_core.experiments.theta_report import ReportedThetas, suggestion_of, theta_report
    from reg4rec_core.experiments.theta_report_page import theta_report_page
    from reg4rec_core.metrics import Interval
    from reg4rec_core.preset import Preset, preset_json, read_preset
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
    "analysis.attribution": ("Attribution", "SmallestEdit", "attribute", "smallest_edit"),
    "analysis.branch": ("Branch", "ask_from", "format_branch", "parse_branch"),
    "analysis.category_drift": (
        "CategoryDrift",
        "StepBeliefs",
        "TimeDrift",
        "drift_over_time",
        "history_drift",
        "mass_along_steps",
    ),
    "analysis.codebooks": ("Agreement", "CodeFlow", "CodebookReport", "ItemAttribute", "Likeness", "read_codebooks"),
    "analysis.cohort": ("Cohort", "Leaning", "PathCodes", "Range", "read_cohort"),
    "analysis.cohort_users": ("cohort_users",),
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
    "analysis.explanation": (
        "count_fates",
        "explain_item",
        "explain_node",
        "explain_nodes",
        "facet_letter",
        "was_checked",
    ),
    "analysis.facets": ("CodeCard", "Facets", "code_card", "items_left", "items_left_of_nodes", "read_facets"),
    "analysis.graph_file": ("search_graphml",),
    "analysis.health": ("HealthCheck", "check_run"),
    "analysis.notes": ("Note", "drop_note", "keep_note", "note_document", "note_lines", "notes_file", "read_notes"),
    "analysis.parting": ("explain_beliefs", "explain_parting", "fate_changes"),
    "analysis.projection": ("CodebookMaps", "Layout", "has_umap_maps", "principal_maps", "umap_maps"),
    "analysis.report": ("ReportedSearch", "ReportedUser", "comparison_report", "search_report"),
    "analysis.report_page": ("report_page",),
    "analysis.reward_weighing": ("RewardSurvey", "Weighed", "path_ends", "reward_settings", "survey_rewards", "weigh"),
    "analysis.search_habits": ("SearchHabits", "search_habits"),
    "analysis.slices": ("SliceMetrics", "cohort_metrics", "metrics_by"),
    "analysis.steering": ("Steering", "SteeringRule", "ask_steered", "format_steering", "parse_steering"),
    "analysis.store_comparison": ("SliceDifference", "StoreComparison", "compare_by", "compare_stores"),
    "analysis.stored_tree": ("StoredSearch", "stored_search"),
    "analysis.theta_profile": (
        "ThetaChange",
        "ThetaInterval",
        "ThetaProfile",
        "interval_of",
        "profile_document",
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
    "evaluation.trace_store": ("write_store",),
    "evaluation.weights_effect": ("WeightsEffect", "weights_effect"),
    "experiments.grid": ("Axis",),
    "experiments.previews": ("PreviewPlan", "PreviewState", "Previews"),
    "experiments.reward_choice": ("RewardTrial", "RewardTuning", "read_reward_tuning", "reward_tuning_file"),
    "experiments.sweep": ("sweep",),
    "experiments.theta_curve": (
        "Flips",
        "ThetaCurve",
        "ThetaPoint",
        "ThetaReading",
        "ThetaSuggestion",
        "ThetaSweep",
        "curve_of_users",
        "flips",
        "read_theta_curve",
        "suggest_theta",
        "theta_sweeps",
    ),
    "experiments.theta_report": ("ReportedThetas", "suggestion_of", "theta_report"),
    "experiments.theta_report_page": ("theta_report_page",),
    "metrics": ("Interval",),
    "preset": ("Preset", "preset_json", "read_preset"),
    "recommender": ("Recommender",),
    "training.fresh_rollouts": ("sample_rollouts_at",),
    "types": ("Catalog", "Fate", "InputError", "Interactions", "ReasoningTrace", "Rollouts", "SemanticIds", "UNKNOWN"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "HISTORY_LENGTH",
    "UNKNOWN",
    "Agreement",
    "Attribution",
    "Axis",
    "Branch",
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
    "HealthCheck",
    "InputError",
    "Interactions",
    "Interval",
    "ItemAttribute",
    "Layout",
    "Leaning",
    "Likeness",
    "Note",
    "PathCodes",
    "PostTrainConfig",
    "Preset",
    "PreviewPlan",
    "PreviewState",
    "Previews",
    "Range",
    "ReasoningTrace",
    "Recommender",
    "ReportedSearch",
    "ReportedThetas",
    "ReportedUser",
    "RewardSurvey",
    "RewardTrial",
    "RewardTuning",
    "RewardWeights",
    "Rollouts",
    "ScoreParts",
    "SearchHabits",
    "SemanticIds",
    "SliceDifference",
    "SliceMetrics",
    "SmallestEdit",
    "Steering",
    "SteeringRule",
    "StepBeliefs",
    "StoreComparison",
    "StoredSearch",
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
    "Weighed",
    "WeightsEffect",
    "ask_edited",
    "ask_from",
    "ask_steered",
    "attribute",
    "check_run",
    "code_card",
    "cohort_metrics",
    "cohort_users",
    "common_brands",
    "compare_by",
    "compare_stores",
    "compare_traces",
    "comparison_report",
    "count_fates",
    "count_users",
    "curve_of_users",
    "drift_over_time",
    "drop_note",
    "explain_beliefs",
    "explain_item",
    "explain_node",
    "explain_nodes",
    "explain_parting",
    "facet_letter",
    "fate_changes",
    "flips",
    "format_branch",
    "format_edits",
    "format_steering",
    "has_umap_maps",
    "history_drift",
    "index_users",
    "interval_of",
    "items_left",
    "items_left_of_nodes",
    "keep_note",
    "mass_along_steps",
    "metrics_by",
    "note_document",
    "note_lines",
    "notes_file",
    "open_store",
    "parse_branch",
    "parse_edits",
    "parse_steering",
    "path_ends",
    "preset_json",
    "principal_maps",
    "profile_document",
    "profile_theta",
    "read_codebooks",
    "read_cohort",
    "read_facets",
    "read_notes",
    "read_preset",
    "read_reward_tuning",
    "read_theta_curve",
    "report_page",
    "reward_settings",
    "reward_tuning_file",
    "sample_rollouts_at",
    "score_parts",
    "search_document",
    "search_graphml",
    "search_habits",
    "search_report",
    "search_users",
    "smallest_edit",
    "stored_search",
    "suggest_theta",
    "suggestion_of",
    "survey_rewards",
    "sweep",
    "theta_changes",
    "theta_intervals",
    "theta_report",
    "theta_report_page",
    "theta_sweeps",
    "transition_sources",
    "umap_maps",
    "users_of",
    "was_checked",
    "weigh",
    "weights_effect",
    "write_store",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"reg4rec_core has no public name {name!r}")
    return getattr(import_module(f"reg4rec_core.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
