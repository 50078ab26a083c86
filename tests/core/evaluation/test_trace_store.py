"""A store holds what the searches found, survives being stopped, and takes nothing from other weights."""

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from reg4rec_core import Fate, Recommender
from reg4rec_core.checkpoint import open_run
from reg4rec_core.evaluation import search_split
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.evaluation.trace_schema import LEAST_PROBABILITY, schema_text
from reg4rec_core.evaluation.trace_store import main_category, steps_towards, stores_of, write_store
from reg4rec_core.evaluation.trace_validation import validate
from reg4rec_core.metrics import MISSED

SEARCHED, PART = 45, 18


@pytest.fixture(scope="module")
def recommender(tiny_run, tmp_path_factory):
    return Recommender.load(shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "run"))


@pytest.fixture(scope="module")
def decode(recommender):
    return replace(recommender.decode, theta=0.003, check_from=2, beam_width=6)


@pytest.fixture(scope="module")
def store(recommender, decode):
    return writer(recommender)("test", decode)


def writer(recommender, **settings):
    known = {"weights": recommender.weights, "users": SEARCHED, "part_users": PART, "progress": unseen_progress}
    return partial(write_store, recommender, recommender.run, **(known | settings))


def rows_of(path, table):
    whole = path / f"{table}.parquet"
    return pq.read_table(whole if whole.exists() else path / table).to_pandas()


@pytest.fixture(scope="module")
def traces(recommender, decode, store):
    users = rows_of(store.path, "users")["user"].tolist()
    histories = [recommender.history(user) for user in users]
    return dict(zip(users, recommender.recommend(histories, decode), strict=True))


def test_a_store_keeps_to_its_own_schema_and_lacks_nothing(store):
    result = validate(store.path)
    assert result.valid, result.problems
    assert result.missing == ()


def test_lists_and_trees_are_those_of_the_searches(store, traces):
    lists, nodes = (rows_of(store.path, name).groupby("user") for name in ("recommendations", "nodes"))
    assert any((trace.fate == Fate.PRUNED).any() for trace in traces.values())
    for user, trace in traces.items():
        rows, tree = lists.get_group(user), nodes.get_group(user)
        np.testing.assert_array_equal(rows["item"], trace.items)
        np.testing.assert_array_equal(rows["leaf"].fillna(-1), trace.item_nodes)
        np.testing.assert_allclose(rows["score"], trace.item_scores, rtol=1e-6)
        kept = np.flatnonzero(trace.fate != Fate.BEAM_CUT)
        np.testing.assert_array_equal(tree["node"], kept)
        for name in ("parent", "codebook", "code"):
            np.testing.assert_array_equal(tree[name].fillna(-1), getattr(trace, name)[kept])
        for name in ("step", "attempt", "fate", "items_left"):
            np.testing.assert_array_equal(tree[name], getattr(trace, name)[kept])
        for name in ("log_prob", "score", "confidence", "js"):
            np.testing.assert_allclose(tree[name], getattr(trace, name)[kept], rtol=1e-6)


def test_beliefs_are_those_along_recommended_paths(store, traces):
    beliefs = rows_of(store.path, "beliefs").groupby("user")
    for user, trace in list(traces.items())[:30]:
        rows = beliefs.get_group(user)
        paths = [trace.path(leaf) for leaf in trace.item_nodes.tolist() if leaf >= 0]
        with_belief = {node for path in paths for node in path if not np.isnan(trace.beliefs[node, 0])}
        assert set(rows["node"]) == with_belief
        for node, part in rows.groupby("node"):
            belief = trace.beliefs[node]
            np.testing.assert_array_equal(part["category"], np.flatnonzero(belief >= LEAST_PROBABILITY))
            np.testing.assert_allclose(part["probability"], belief[part["category"]], rtol=1e-6)
            first = next(rank for rank, path in enumerate(paths, start=1) if node in path)
            assert set(part["rank"]) == {first}


def test_places_are_those_of_the_evaluation(recommender, decode, store):
    expected = search_split(recommender, "test", decode, users=SEARCHED)
    users = rows_of(store.path, "users")
    np.testing.assert_array_equal(users["user"], expected.questions.users)
    np.testing.assert_array_equal(users["target"], expected.questions.targets)
    places = np.where(users["place"].isna(), MISSED, users["place"].fillna(0).astype(np.int64))
    np.testing.assert_array_equal(places, expected.places)
    for name in ("pruned", "regenerated", "fallback"):
        np.testing.assert_array_equal(users[name], getattr(expected.searched, name).sum(1))
    assert users["pruned_target"].notna().any()


def test_what_is_known_of_a_user_is_what_the_data_says(recommender, store):
    users, histories = rows_of(store.path, "users"), rows_of(store.path, "histories").groupby("user")
    for row in users.itertuples():
        history = recommender.history(row.user)
        times = recommender.interactions.times(row.user)[: len(history)]
        assert (row.key, row.history_length) == (recommender.interactions.user_keys[row.user], len(history))
        assert (row.last_time, row.active_days) == (times[-1], (times.max() - times.min()) // 86400)
        np.testing.assert_array_equal(histories.get_group(row.user)["item"], history)
        np.testing.assert_array_equal(histories.get_group(row.user)["time"], times)


def test_the_category_bought_most_is_of_several_the_last():
    assert main_category(np.array([3, 1, 1, 3, 2])) == 3
    assert main_category(np.array([3, 3, 1, 1, 2])) == 1
    assert main_category(np.array([3])) == 3


def test_the_step_that_lost_a_target_is_found_by_walking_every_path(recommender, traces):
    ids, seen = recommender.semantic_ids, set()
    for user, trace in list(traces.items())[:40]:
        target = recommender.target(user)
        pruned, kept = [], []
        for node in range(trace.n_nodes):
            if all(ids.codes[target, trace.codebook[row]] == trace.code[row] for row in trace.path(node)[1:]):
                if trace.fate[node] == Fate.PRUNED:
                    pruned.append(int(trace.step[node]))
                elif trace.fate[node] in (Fate.KEPT, Fate.FALLBACK):
                    kept.append(int(trace.step[node]))
        found = steps_towards(trace, ids, target)
        assert found == (min(pruned, default=-1), max(kept))
        seen.add(found[0] > 0)
    assert seen == {True, False}


def test_a_stopped_store_goes_on_and_comes_out_the_same(recommender, decode, store, tmp_path):
    other = Recommender.load(shutil.copytree(recommender.run.path, tmp_path / "run"))
    shutil.rmtree(other.run.path / "traces")

    def stops(parts, **_):
        yield from list(parts)[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writer(other, progress=stops)("test", decode)
    path = other.run.path / "traces" / store.path.name
    assert list(stores_of(other.run)) == [], "what is not finished is not offered"
    (path / "users" / "part-00001.parquet").unlink()  # stopped just before the last file of a part
    before = (path / "nodes" / "part-00000.parquet").stat().st_mtime_ns
    report = writer(other)("test", decode)
    assert (report.parts, report.parts_kept, report.discarded) == (3, 1, False)
    cost = report.cost
    assert cost["users_searched"] == SEARCHED - PART, "the seconds are those of the users searched in them"
    assert cost["cpu_seconds"] > 0
    assert writer(other)("test", decode).cost == cost, "where nothing is searched, the cost stays what it was"
    assert cost.items() <= json.loads((path / "store.json").read_text()).items()
    assert (path / "nodes" / "part-00000.parquet").stat().st_mtime_ns == before
    assert list(stores_of(other.run)) == [path]
    for file in sorted(store.path.rglob("*.parquet")):
        again = path / file.relative_to(store.path)
        assert pq.read_table(again).equals(pq.read_table(file)), file.name
    assert not list(path.rglob("*.partial"))


def test_other_weights_under_the_same_name_start_anew(recommender, decode, tmp_path):
    other = Recommender.load(shutil.copytree(recommender.run.path, tmp_path / "run"))
    assert writer(other)("test", decode).parts_kept == 3
    weights = other.run.path / "weights" / "pretrained.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    report = writer(other)("test", decode)
    assert (report.parts_kept, report.discarded) == (0, True)


def test_settings_and_samples_have_names_of_their_own(recommender, decode, store):
    sampled = writer(recommender, users=7)("valid", decode)
    again = writer(recommender, users=7, seed=1, all_nodes=True)("valid", decode)
    names = {store.path.name, sampled.path.name, again.path.name}
    assert len(names) == 3
    assert sampled.path.name.startswith("valid-pretrained-")
    assert sampled.users == len(rows_of(sampled.path, "users")) == 7
    assert Fate.BEAM_CUT not in set(rows_of(sampled.path, "nodes")["fate"])
    assert Fate.BEAM_CUT in set(rows_of(again.path, "nodes")["fate"])
    assert validate(again.path).valid


def test_now_has_every_item_in_the_history_and_no_target(recommender, decode):
    report = writer(recommender, users=9)("now", decode)
    users = rows_of(report.path, "users")
    lengths = np.diff(recommender.interactions.offsets)
    np.testing.assert_array_equal(users["history_length"], lengths[users["user"]])
    assert users["target"].isna().all()
    assert users["place"].isna().all()
    assert validate(report.path).valid


def test_stores_are_no_part_of_the_manifest(store):
    run = open_run(store.path.parents[1])
    run.write_manifest()
    manifest = json.loads((run.path / "manifest.json").read_text())["sha256"]
    assert manifest
    assert not [name for name in manifest if name.startswith("traces")]


def test_the_command_reports_where_the_store_lies_and_how_large_it_is(reg4rec, recommender):
    done = reg4rec("trace", "--run", recommender.run.path, "--users", "5", "--theta", "inf", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert (document["users"], document["decode"]["theta"]) == (5, None)
    assert document["bytes"] == sum(document["bytes_of"].values()) > 0
    checked = reg4rec("trace", "--validate", document["store"])
    assert (checked.exit_code, checked.stdout.count("keeps to the schema")) == (0, 1)


def test_the_schema_names_every_column_with_its_meaning():
    text = schema_text()
    assert "| `log_prob` | float | needed | log-probability of the path, nats, never rising along it |" in text
    assert "**beliefs** (optional)" in text


def test_the_readme_prints_the_schema():
    readme = Path(__file__).parents[3] / "README.md"
    assert schema_text() in readme.read_text(encoding="utf-8")
