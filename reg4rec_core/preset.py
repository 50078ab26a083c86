"""A preset: decoding settings (and reward weights) that someone settled on, as a small JSON file that travels.

{"reg4rec_preset": 1, "run": NAME, "data_checksum": ..., "weights_checksum": ... or absent,
 "decode": {any settings of DecodeConfig; null is infinity}, "reward_weights": {...} or absent}
"""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from reg4rec_core.checkpoint import Run, file_checksum, open_run
from reg4rec_core.config import DecodeConfig, RewardWeights, Settings
from reg4rec_core.types import InputError

VERSION = 1
KEYS = {"reg4rec_preset", "run", "data_checksum", "weights_checksum", "decode", "reward_weights"}
PLAIN = {float: ((int, float), "a number"), int: (int, "a whole number"), bool: (bool, "true or false")}
"""What a field of a type may hold in JSON, and its name."""


@dataclass(frozen=True)
class Preset:
    """Settings for runs on one data set."""

    run: str
    """Name of the run that it was made on."""
    data_checksum: str | None
    decode: DecodeConfig
    reward_weights: RewardWeights | None = None
    weights_checksum: str | None = None
    """SHA-256 of the weights file in use when it was saved; other weights on the same data may read it, too."""


def preset_json(
    run: Path, decode: DecodeConfig, *, weights: str | None = None, reward_weights: RewardWeights | None = None
) -> str:
    """The text of a preset file for a run; `weights` names the stage that was in use (pretrained, post_trained)."""
    opened = open_run(run)
    values = decode.to_dict()
    values |= {"theta": finite(decode.theta), "thetas": [finite(theta) for theta in decode.thetas]}
    content: dict[str, Any] = {
        "reg4rec_preset": VERSION,
        "run": run.resolve().name,
        "data_checksum": opened.settings.get("data_checksum"),
    }
    if weights is not None:
        path = opened.path / "weights" / f"{opened.stage_of(weights)}.safetensors"
        content["weights_checksum"] = file_checksum(path)
    content["decode"] = values
    if reward_weights is not None:
        content["reward_weights"] = reward_weights.to_dict()
    return json.dumps(content, indent=1) + "\n"


def read_preset(source: Path | str, run: Path) -> Preset:
    """Read a preset file (a path) or its text (a string) for a run; settings it leaves out are the run's own.

    A theta without thetas holds for all steps.

    InputError for what is no preset, for settings that no search can have, and for a preset of other data.
    """
    opened = open_run(run)
    content = parsed(source)
    check_data(content, opened)
    weights_checksum = content.get("weights_checksum")
    if not isinstance(weights_checksum, str | None):
        raise InputError(f"weights_checksum of a preset must be text or absent, got {json.dumps(weights_checksum)}")
    own = opened.decode_config()
    named = typed(DecodeConfig, content.get("decode"), "decode")
    decode = replace(own, **({"thetas": ()} if "theta" in named else {}) | named)
    weights = content.get("reward_weights")
    return Preset(
        run=str(content.get("run")),
        data_checksum=content.get("data_checksum"),
        decode=decode,
        reward_weights=None if weights is None else RewardWeights(**typed(RewardWeights, weights, "reward_weights")),
        weights_checksum=weights_checksum,
    )


def parsed(source: Path | str) -> dict[str, Any]:
    """The document, its shape checked."""
    if isinstance(source, Path) and not source.is_file():
        raise InputError(f"there is no preset file at {source}; save one from the app or write one by hand")
    name = str(source) if isinstance(source, Path) else "the preset"
    try:
        content = json.loads(source.read_bytes() if isinstance(source, Path) else source)
    except ValueError:  # what is no JSON, and bytes that are no text
        raise InputError(f"a preset is a JSON file, {name} is none; save it again") from None
    if not isinstance(content, dict) or content.get("reg4rec_preset") != VERSION:
        raise InputError(f'a preset says "reg4rec_preset": {VERSION}, {name} does not; save it again')
    unknown = sorted(set(content) - KEYS)
    if unknown:
        raise InputError(f"a preset has no field {', '.join(unknown)}; it knows {', '.join(sorted(KEYS))}")
    return content


def check_data(content: dict[str, Any], run: Run) -> None:
    """A threshold found on one data set says nothing about another."""
    theirs, ours = content.get("data_checksum"), run.settings.get("data_checksum")
    if theirs != ours:
        raise InputError(
            f"this preset was made on the data of {content.get('run')!r}, which {run.path} does not have; "
            "save one from a run on the same data"
        )


def typed(settings: type[Settings], values: Any, name: str) -> dict[str, Any]:
    """Values of a settings class, each of its field's type; null is infinity where a field can be infinite."""
    if not isinstance(values, dict):
        raise InputError(f"{name} of a preset holds settings by name, got {json.dumps(values)}; save it again")
    kinds = get_type_hints(settings)
    unknown = sorted(set(values) - set(kinds))
    if unknown:
        raise InputError(f"{name} of a preset has no setting {', '.join(unknown)}; it knows {', '.join(kinds)}")
    return {field: value_of(value, kinds[field], f"{name}.{field}") for field, value in values.items()}


def value_of(value: Any, kind: Any, name: str) -> Any:
    """A plain value as its field has it; InputError for one of another type."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise InputError(f"{name} of a preset must be a list of numbers, got {json.dumps(value)}")
        return tuple(value_of(part, float, name) for part in value)
    if kind is float and value is None:
        return math.inf
    if get_origin(kind) is Literal:
        fits, wanted = value in get_args(kind), " or ".join(get_args(kind))
    else:
        allowed, wanted = PLAIN[kind]
        fits = isinstance(value, allowed) and isinstance(value, bool) == (kind is bool)
    if not fits:
        raise InputError(f"{name} of a preset must be {wanted}, got {json.dumps(value)}")
    return float(value) if kind is float else value


def finite(theta: float) -> float | None:
    """Theta as JSON has it: null for infinity."""
    return theta if math.isfinite(theta) else None
