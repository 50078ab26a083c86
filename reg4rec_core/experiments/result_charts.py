"""The charts of the README, made from the same results as its tables."""

from collections.abc import Callable
from pathlib import Path

from reg4rec_core.experiments.line_chart import Line, line_chart
from reg4rec_core.experiments.result_tables import RESULTS, experiments_of, read_result


def post_training_chart(root: Path) -> str:
    """Validation NDCG@10 while post-training runs."""
    results = read_result(root, f"{RESULTS}/post_training.json")
    lines = [
        Line(
            "rewards off" if entry["changed"].get("policy_weight") == 0 else f"seed {entry['changed'].get('seed', 0)}",
            tuple((float(point["step"]), point["valid_ndcg@10"]) for point in entry["validation"]),
        )
        for entry in experiments_of(results, "post-training")
    ]
    return line_chart("Post-training on Amazon Beauty: validation NDCG@10", "step", "NDCG@10", lines)


def theta_chart(root: Path) -> str:
    """Validation NDCG@10 by theta, one line for each first compared step."""
    choice = read_result(root, "checkpoints/demo/evaluation/theta_choice.json")
    found = [row for row in choice["results"] if row["theta"]]
    lines = [
        Line(
            f"compared from step {step}",
            tuple((float(r["theta"]), r["ndcg_at_10"]) for r in found if r["check_from"] == step),
        )
        for step in sorted({row["check_from"] for row in found})
    ]
    title = f"Pruning threshold: NDCG@10 of {choice['users']:,} validation users"
    return line_chart(title, "theta (Jensen-Shannon divergence, nats)", "NDCG@10", lines)


CHARTS: dict[str, Callable[[Path], str]] = {
    "assets/results/post_training.svg": post_training_chart,
    "assets/results/theta.svg": theta_chart,
}
"""Every chart by its file; a function of the repository's folder."""
