"""RPG and TIGER as the package cornac carries them, trained on a run's own split and item features.

cornac is an optional extra. Its models see the catalogue in our order, learn from training interactions alone, choose
their best epoch on validation, and are asked our own questions; what is kept are the places of the test targets.
"""

import contextlib
import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from reg4rec_core.checkpoint import Run, provenance
from reg4rec_core.config import PeerConfig
from reg4rec_core.data import Dataset
from reg4rec_core.evaluation.full_ranking import timed_ranking
from reg4rec_core.evaluation.held_out import HeldOut, held_out
from reg4rec_core.evaluation.trained_peers import StoredPlaces, report_name
from reg4rec_core.machine import Meter
from reg4rec_core.metrics import ranking_metrics
from reg4rec_core.training.sasrec import open_run_without
from reg4rec_core.types import InputError

Model = Literal["rpg", "tiger"]
CODES = 256
"""cornac quantises to 256 codes a codebook, and k-means wants as many trained items."""
UNSCORED = -1e9
"""TIGER scores what its beam does not reach at -1e10."""


@runtime_checkable
class Scorer(Protocol):
    """A fitted model of cornac."""

    def score(self, user_idx: int, history_items: list[int]) -> Float[np.ndarray, "items"]:
        """A score for every item, our item i in place i - 1."""


def train_peer(
    run_path: Path, model: Model, config: PeerConfig, *, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Fit a peer and store the places of all test targets under it; it starts anew when it is killed."""
    cornac = require_cornac()
    run = open_run_without(run_path, model)
    dataset, features = run.load_dataset(), run.features()
    trained_items = len(np.unique(np.concatenate(training_lists(dataset))))
    if trained_items < CODES:
        raise InputError(
            f"{model} needs at least {CODES} items with training interactions, this data set has {trained_items}; "
            "use a larger one"
        )
    settings = recipe(cornac, model, config, feature_width=features.shape[1])
    progress(f"training {model} with {settings}")
    meter = Meter()
    with contextlib.redirect_stdout(None):  # stdout is for our own document
        fitted = fit(cornac, model, settings, dataset, features)
    spent = meter.read()
    questions = held_out(dataset.interactions, "test")
    ranking = timed_ranking(
        scores_of(fitted, dataset.catalog.n_items),
        questions,
        name=model,
        training_seconds=spent["seconds"],
        progress=shown,
    )
    StoredPlaces(questions.users, ranking.places["excluded"], ranking.places["included"]).save(run, model)
    report = {
        "model": model,
        "package": f"cornac {importlib.metadata.version('cornac')}",
        "settings": settings,
        **spent,
        "users_per_second": ranking.users_per_second,
        "users": len(questions),
        "test": {rule: ranking_metrics(places) for rule, places in ranking.places.items()},
        "provenance": provenance(),
    }
    return close_training(run, model, report)


def require_cornac() -> Any:
    """The package; InputError names how to get it."""
    try:
        import cornac
        import cornac.models
    except ImportError as error:
        raise InputError(f"rpg and tiger need the package cornac ({error}); pip install 'reg4rec[peers]'") from error
    return cornac


def training_lists(dataset: Dataset) -> list[Int[np.ndarray, "_"]]:
    """Every user's training items, oldest first."""
    log = dataset.interactions
    return [log.sequence(user)[:length] for user, length in enumerate(log.train_lengths)]


def recipe(cornac: Any, model: Model, config: PeerConfig, *, feature_width: int) -> dict[str, Any]:
    """cornac's own settings with our epochs and seed.

    RPG: its Beauty recipe, scored exactly instead of along its graph (the better ranking of the two), codebooks
    halved until they divide the features. Fewer epochs shorten its warm-up in proportion. TIGER: the GRID recipe
    (residual k-means), beam 20; its beam makes validation slow, so it looks at 500 users every fifth epoch.
    """
    if model == "rpg":
        from cornac.models.rpg.rpg_config import RPG_BEAUTY_CONFIG

        settings = {**RPG_BEAUTY_CONFIG, "scoring": "exact"}
        while feature_width % settings["n_codebook"]:
            settings["n_codebook"] //= 2
        share = min(1.0, (config.epochs or settings["n_epochs"]) / settings["n_epochs"])
        settings["warmup_steps"] = round(settings["warmup_steps"] * share)
    else:
        from cornac.models.tiger import GRID_CONFIG

        settings = {**GRID_CONFIG, "n_beams": 20, "val_eval_every": 5, "val_sample": 500}
    settings |= {"seed": config.seed, "device": "cpu"}
    return settings | ({} if config.epochs is None else {"n_epochs": config.epochs})


def fit(
    cornac: Any, model: Model, settings: dict[str, Any], dataset: Dataset, features: Float[np.ndarray, "N F"]
) -> Scorer:
    """The model fitted to the training part, its epoch chosen on the validation targets."""
    training = sessions(cornac, dict(enumerate(training_lists(dataset))), n_items=dataset.catalog.n_items)
    training.item_feature = cornac.data.FeatureModality(features=features[1:])
    questions = held_out(dataset.interactions, "valid")
    asked = {
        int(user): np.append(history, target)
        for user, history, target in zip(questions.users, questions.histories, questions.targets, strict=True)
    }
    peer = {"rpg": cornac.models.RPG, "tiger": cornac.models.TIGER}[model](**settings, verbose=sys.stderr.isatty())
    return peer.fit(training, sessions(cornac, asked, n_items=dataset.catalog.n_items))


def sessions(cornac: Any, sequences: dict[int, Int[np.ndarray, "_"]], *, n_items: int) -> Any:
    """Sequences as cornac's data set, one session a user; its item i - 1 is our item i, whoever bought it."""
    rows = [
        (user, user, item, position)
        for user, sequence in sequences.items()
        for position, item in enumerate(sequence.tolist())
    ]
    items = {item: item - 1 for item in range(1, n_items)}
    return cornac.data.SequentialDataset.build(rows, fmt="USIT", global_iid_map=items)


def scores_of(fitted: Scorer, n_items: int) -> Callable[[HeldOut], Float[np.ndarray, "B N"]]:
    """The model's scores for a block of questions, -inf where it gives none."""

    def scores(block: HeldOut) -> Float[np.ndarray, "B N"]:
        found = np.full((len(block), n_items), -np.inf)
        for row, user, history in zip(found, block.users.tolist(), block.histories, strict=True):
            row[1:] = fitted.score(user, (history - 1).tolist())
        return np.where(found < UNSCORED, -np.inf, found)

    return scores


def shown(blocks: Any, *, desc: str) -> Any:
    """A bar on a terminal, nothing elsewhere."""
    return tqdm(blocks, desc=desc, leave=False, disable=None)


def close_training(run: Run, model: Model, report: dict[str, Any]) -> dict[str, Any]:
    """Store the report, which says that the places are whole, and take both into the manifest."""
    run.write_json(report_name(model), report)
    run.write_manifest()
    return report
