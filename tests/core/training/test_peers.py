"""RPG and TIGER of cornac beside a run; what needs the package is left out where it is not installed."""

import numpy as np
import pytest
from safetensors.numpy import save_file
from small_run import make_run

from reg4rec_core.checkpoint import open_run, write_json
from reg4rec_core.config import PeerConfig
from reg4rec_core.data import Dataset, save_dataset
from reg4rec_core.evaluation.held_out import HeldOut, held_out
from reg4rec_core.evaluation.trained_peers import load_places
from reg4rec_core.metrics import MISSED
from reg4rec_core.training.peers import scores_of, train_peer
from reg4rec_core.types import Catalog, InputError, Interactions

ITEMS, USERS, WIDTH = 320, 130, 32


def make_wide_run(path):
    """320 items that users walk in steps of one: cornac's quantisers want 256 trained items at least."""
    rng = np.random.default_rng(0)
    lengths, starts = rng.integers(6, 10, USERS), rng.integers(ITEMS, size=USERS)
    items = np.concatenate([(s + np.arange(n)) % ITEMS + 1 for s, n in zip(starts, lengths, strict=True)])
    log = Interactions(
        tuple(f"u{u}" for u in range(USERS)), items, np.full(len(items), -1), np.concatenate([[0], lengths.cumsum()]),
        lengths - 2, lengths - 2, lengths - 1,
    )  # fmt: skip
    keys = ("", *(f"i{i}" for i in range(1, ITEMS + 1)))
    paths = ((), *((("c",),) * ITEMS))
    catalog = Catalog(keys, keys, keys, paths, np.zeros(ITEMS + 1, np.int64), ("c",), np.zeros((ITEMS + 1, 0)))
    save_dataset(path / "data", Dataset(catalog, log))
    features = rng.normal(size=(ITEMS + 1, WIDTH)).astype(np.float16)
    save_file({"features": features}, path / "features.safetensors")
    write_json(path / "run.json", {"format": 1})
    open_run(path).write_manifest()
    return path


class Fitted:
    """Scores item places by a fixed list; the last place is out of its beam's reach."""

    def score(self, user_idx: int, history_items: list[int]) -> np.ndarray:
        return np.array([float(len(history_items)), float(user_idx), float(history_items[-1]), -1e10])


def test_scores_stand_at_our_item_numbers_and_the_unscored_are_out():
    block = HeldOut(np.array([5, 6]), (np.array([3, 4]), np.array([2])), np.array([1, 1]))
    assert scores_of(Fitted(), 5)(block).tolist() == [[-np.inf, 2, 5, 3, -np.inf], [-np.inf, 1, 6, 1, -np.inf]]


@pytest.mark.parametrize("model", ["rpg", "tiger"])
def test_a_peer_leaves_the_places_of_all_test_targets(model, tmp_path):
    pytest.importorskip("cornac")
    run = open_run(make_wide_run(tmp_path / "run"))
    report = train_peer(run.path, model, PeerConfig(epochs=1))
    stored, questions = load_places(run, model), held_out(run.load_dataset().interactions, "test")
    np.testing.assert_array_equal(stored.users, questions.users)
    assert (stored.excluded <= stored.included).all()
    assert (stored.excluded >= 1).all()
    assert ((stored.included == MISSED).any()) == (model == "tiger"), "a beam does not reach every item"
    assert (report["package"], report["users"]) == ("cornac 3.0.1", USERS)
    assert min(report[name] for name in ("seconds", "cpu_seconds", "peak_memory_mb")) > 0
    assert report["users_per_second"] > 0
    run.verify()
    assert f"baselines/{model}.safetensors" in (run.path / "manifest.json").read_text()
    with pytest.raises(InputError, match=f"has a trained {model} already"):
        train_peer(run.path, model, PeerConfig(epochs=1))


def test_too_small_a_catalogue_is_refused(tmp_path):
    pytest.importorskip("cornac")
    run = make_run(tmp_path / "run")
    save_file({"features": np.zeros((21, 8), np.float16)}, run / "features.safetensors")
    open_run(run).write_manifest()
    with pytest.raises(InputError, match="needs at least 256 items with training interactions, this data set has 20"):
        train_peer(run, "rpg", PeerConfig())
