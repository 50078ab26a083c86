"""Post-training on a copy of a run, so that the run itself is never written."""

import json
import shutil
from pathlib import Path

from reg4rec_core.checkpoint import ROLLOUTS, open_run
from reg4rec_core.types import InputError

POST_TRAINED = "weights/post_trained.safetensors"
COPIED = (
    "run.json",
    "features.safetensors",
    "tokenizer.safetensors",
    "tokenizer_report.json",
    "weights/pretrained.safetensors",
    "evaluation/theta_choice.json",
)
"""What a copy takes of a run beside its data: nothing that speaks of post-trained weights."""
OF_POST_TRAINING = ("post_train", "post_train_report", "post_train_provenance", "reward_weights")
"""Entries of run.json that the copy's own post-training writes."""


def copy_pretrained(source: Path, target: Path) -> None:
    """A run as it stood after pre-training, in a folder of its own; InputError for a run that is not whole."""
    run = open_run(source)
    if "pretrained" not in run.weights_available():
        raise InputError(f"{source} is not pre-trained yet; do that first with: reg4rec pretrain --run {source}")
    run.verify_inputs(POST_TRAINED, ROLLOUTS)
    shutil.copytree(source / "data", target / "data")
    for name in COPIED:
        if (source / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)
    records = [record for record in run.metrics() if record["stage"] != "post-train"]
    lines = [json.dumps(record) + "\n" for record in records]
    (target / "metrics.jsonl").write_text("".join(lines), encoding="utf-8")
    settings = {name: value for name, value in run.settings.items() if name not in OF_POST_TRAINING}
    (target / "run.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    open_run(target).write_manifest()
