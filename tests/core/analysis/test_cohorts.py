"""Questions to a store: equal to the evaluation's numbers, and to counting by hand."""

import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reg4rec_core import Fate, InputError, Recommender
from reg4rec_core.analysis.category_drift import (
    category_counts,
    drift,
    drift_over_time,
    history_drift,
    mass_along_steps,
)
from reg4rec_core.analysis.cohort import Cohort, Leaning, PathCodes, Range
from reg4rec_core.analysis.cohort_users import cohort_users
from reg4rec_core.analysis.explanation import count_fates
from reg4rec_core.analysis.search_habits import search_habits
from reg4rec_core.analysis.slices import METRICS, cohort_metrics, metrics_by, metrics_of_places
from reg4rec_core.analysis.store_comparison import compare_by, compare_stores
from reg4rec_core.analysis.trace_queries import CONDITIONS, NEEDS, count_users, open_store, users_of
from reg4rec_core.data.batching import training_sequences
from reg4rec_core.evaluation import search_split
from reg4rec_core.evaluation.report import unseen_progress
from reg4rec_core.evaluation.trace_store import write_store
from reg4rec_core.metrics import MISSED, bootstrap_interval, hits_at, ranking_metrics


@pytest.fixture(scope="module")
def recommender(tiny_run, tmp_path_factory):
    return Recommender.load(shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "run"))


@pytest.fixture(scope="module")
def decode(recommender):
    return replace(recommender.decode, theta=0.003, check_from=2, beam_width=6)


def written(recommender, decode):
    settings = {"weights": recommender.weights, "part_users": 60, "progress": unseen_progress}
    return open_store(write_store(recommender, recommender.run, "test", decode, **settings).path)


@pytest.fixture(scope="module")
def store(recommender, decode):
    return written(recommender, decode)


@pytest.fixture(scope="module")
def unpruned(recommender, decode):
    return written(recommender, replace(decode, theta=float("inf")))


@pytest.fixture(scope="module")
def result(recommender, decode):
    return search_split(recommender, "test", decode)


@pytest.fixture(scope="module")
def known(recommender, result):
    """What each user of the split is, read off the data set: one row of plain values a user."""
    log, catalog = recommender.interactions, recommender.catalog
    seen = Counter(np.concatenate(list(training_sequences(log))).tolist())
    rows = []
    questions = zip(result.questions.users, result.questions.histories, result.questions.targets, strict=True)
    for place, (user, history, target) in zip(result.places, questions, strict=True):
        times = log.times(int(user))[: len(history)]
        items = result.searched.items[len(rows)]
        rows.append(
            {
                "user": int(user),
                "history": len(history),
                "active": int((times.max() - times.min()) // 86400),
                "last": int(times[-1]),
                "bought": {catalog.category_names[catalog.categories[item]] for item in history},
                "brand": {catalog.brands[item] for item in history},
                "target": catalog.category_names[catalog.categories[target]],
                "seen": seen[int(target)],
                "recommended": {catalog.category_names[catalog.categories[item]] for item in items if item},
                "place": int(place),
            }
        )
    return rows


def listed(store, cohort):
    return [row.user for row in users_of(store, cohort, limit=10_000)]


def test_metrics_are_those_of_the_evaluation(store, result):
    found = cohort_metrics(store, Cohort())
    assert found.users == len(result.places)
    expected = ranking_metrics(result.places)
    assert 0 < expected["recall@5"] < expected["recall@10"] < 1
    for name in METRICS:
        assert found.metrics[name].mean == pytest.approx(expected[name])
        assert found.metrics[name].low < found.metrics[name].mean < found.metrics[name].high


CASES = {
    "history": (Cohort(history=Range(5, 7)), lambda row: 5 <= row["history"] <= 7),
    "active": (Cohort(active=Range(1, None)), lambda row: row["active"] >= 1),
    "last": (Cohort(last=Range(None, 60_100)), lambda row: row["last"] <= 60_100),
    "bought": (Cohort(bought="Beauty>Lips"), lambda row: "Beauty>Lips" in row["bought"]),
    "brand": (Cohort(brand="unknown"), lambda row: "unknown" in row["brand"]),
    "target": (Cohort(target="Beauty>Lips"), lambda row: row["target"] == "Beauty>Lips"),
    "seen": (Cohort(seen=Range(10, 15)), lambda row: 10 <= row["seen"] <= 15),
    "recommended": (Cohort(recommended="Beauty>Lips"), lambda row: "Beauty>Lips" in row["recommended"]),
    "hit": (Cohort(outcome="hit"), lambda row: row["place"] <= 10),
    "miss": (Cohort(outcome="miss"), lambda row: row["place"] > 10),
    "users": (Cohort(users=(1, 5, 70)), lambda row: row["user"] in (1, 5, 70)),
    "two": (Cohort(history=Range(6, None), outcome="hit"), lambda row: row["history"] >= 6 and row["place"] <= 10),
}


@pytest.mark.parametrize("case", CASES)
def test_a_cohort_holds_whom_the_data_says_with_the_metrics_of_their_places(store, recommender, known, case):
    cohort, belongs = CASES[case]
    name = next((n for n in ("bought", "target", "recommended") if getattr(cohort, n)), None)
    if name:  # categories have whatever name the data preparation gave them
        category = sorted({row["target"] for row in known})[0]
        cohort = replace(cohort, **{name: category})
        expected = [row for row in known if category in (row[name] if name != "target" else [row[name]])]
    else:
        expected = [row for row in known if belongs(row)]
    assert 0 < len(expected) < len(known) or case == "active"
    assert listed(store, cohort) == [row["user"] for row in expected]
    log, catalog = recommender.interactions, recommender.catalog
    assert cohort_users(cohort, catalog, log, "test", store=store).tolist() == listed(store, cohort)
    places = np.array([row["place"] for row in expected], dtype=np.int64)
    found = cohort_metrics(store, cohort)
    for metric, value in ranking_metrics(places).items():
        assert found.metrics[metric].mean == pytest.approx(value)


def test_users_are_found_by_the_codes_of_the_paths_to_their_first_ten(store):
    nodes = {(user, node): (parent, codebook, code) for user, node, parent, codebook, code in store.rows(
        "SELECT user, node, parent, codebook, code FROM nodes")}  # fmt: skip
    used: dict[tuple[int, int], set[int]] = {}
    for user, node in store.rows("SELECT user, leaf FROM recommendations WHERE rank <= 10 AND leaf IS NOT NULL"):
        at = node
        while at:
            parent, codebook, code = nodes[user, at]
            used.setdefault((codebook, code), set()).add(user)
            at = parent
    everyone = set(listed(store, Cohort()))
    for codebook, code in sorted(used):
        assert set(listed(store, Cohort(codes=PathCodes(codebook, (code,))))) == used[codebook, code]
    assert any(users < everyone for users in used.values())
    codes = tuple(sorted(code for codebook, code in used if codebook == 0))[:2]
    either = set().union(*(used[0, code] for code in codes))
    assert len(codes) == 2
    assert set(listed(store, Cohort(codes=PathCodes(0, codes)))) == either


def test_codes_of_paths_are_read_off_the_large_tables_once(store):
    fresh, cohorts = open_store(store.path), [Cohort(codes=PathCodes(0, (code,))) for code in range(8)]
    with ThreadPoolExecutor(4) as visitors:
        found = list(visitors.map(lambda cohort: listed(fresh, cohort), cohorts))
    assert found == [listed(store, cohort) for cohort in cohorts]
    fresh.connection.execute("DROP VIEW nodes")
    assert [listed(fresh, cohort) for cohort in cohorts] == found


def test_missed_users_whose_target_was_pruned_are_told_apart(store, unpruned):
    counts = count_users(store, Cohort())
    assert counts.users == counts.asked == counts.hits + counts.misses
    assert 0 < counts.pruned_targets < counts.misses
    assert count_users(store, Cohort(outcome="pruned")).users == counts.pruned_targets
    assert count_users(unpruned, Cohort()).pruned_targets == 0


@pytest.mark.parametrize("by", ["history", "active", "seen", "last", "target", "main", "maker"])
def test_slices_part_the_cohort_and_each_lists_its_own_users(store, recommender, by):
    cohort = Cohort(history=Range(5, None))
    whole, slices = cohort_metrics(store, cohort), metrics_by(store, cohort, by)
    users = [set(listed(store, part.cohort)) for part in slices]
    for part in slices:  # the data alone says the same
        found = cohort_users(part.cohort, recommender.catalog, recommender.interactions, "test")
        assert found.tolist() == listed(store, part.cohort)
    assert [len(part) for part in users] == [part.users for part in slices]
    assert set().union(*users) == set(listed(store, cohort))
    assert sum(map(len, users)) == whole.users
    for metric in METRICS:
        mean = sum(part.users * part.metrics[metric].mean for part in slices) / whole.users
        assert mean == pytest.approx(whole.metrics[metric].mean)
        for part in slices:
            assert part.metrics[metric].mean == pytest.approx(cohort_metrics(store, part.cohort).metrics[metric].mean)


def test_what_a_search_decides_needs_a_stored_search(recommender):
    cohort = Cohort(outcome="miss", leans=Leaning(1, "Beauty>Lips"), history=Range(5, None))
    with pytest.raises(InputError, match=r"a cohort by outcome and leans is decided by a search.*--store names it"):
        cohort_users(cohort, recommender.catalog, recommender.interactions, "test")


def test_drawing_places_is_drawing_users():
    rng = np.random.default_rng(0)
    places = rng.choice([1, 2, 5, 8, MISSED], size=400, p=[0.1, 0.1, 0.1, 0.1, 0.6]).astype(np.int64)
    counts = np.bincount(np.minimum(places, 11) - 1, minlength=11)
    found = metrics_of_places(counts, np.random.default_rng(0))["recall@10"]
    expected = bootstrap_interval(hits_at(places, 10), generator=np.random.default_rng(1))
    assert found.mean == pytest.approx(expected.mean)
    # two sets of 1,000 draws: the quantiles of each have a standard error of about .002
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    nobody = metrics_of_places(np.zeros(11, np.int64), np.random.default_rng(0))["ndcg@10"]
    assert (nobody.mean, nobody.low, nobody.high) == (0, 0, 0)


def test_drift_by_hand():
    found = drift(("a", "b", "c"), np.array([6, 2, 0]), np.array([2, 2, 4]))
    np.testing.assert_allclose(found.reference, [0.75, 0.25, 0])
    np.testing.assert_allclose(found.current, [0.25, 0.25, 0.5])
    p, q = np.array([6.5, 2.5, 0.5]) / 9.5, np.array([2.5, 2.5, 4.5]) / 9.5
    np.testing.assert_allclose(found.psi, (q - p) * np.log(q / p))
    js = [0.75 * np.log(1.5) + 0.25 * np.log(0.5), 0, 0.5 * np.log(2)]
    np.testing.assert_allclose(found.js, np.array(js) / 2, atol=1e-12)
    assert found.counted == (8, 8)
    assert [row["category"] for row in found.to_json()["categories"]] == ["c", "a"]
    assert drift(("a",), np.array([3]), np.array([9])).psi.sum() == 0


def test_histories_and_lists_are_counted_by_category(store, recommender, result, known):
    cohort = Cohort(history=Range(5, 7))
    rows = [place for place, row in enumerate(known) if 5 <= row["history"] <= 7]
    categories = recommender.catalog.categories
    bought = np.concatenate([result.questions.histories[row] for row in rows])
    offered = result.searched.items[rows].ravel()
    drifted = history_drift(store, cohort)
    for items, source in ((bought, "histories"), (offered[offered > 0], "recommendations")):
        counts = np.bincount(categories[items], minlength=len(store.category_names))
        np.testing.assert_array_equal(category_counts(store, cohort, source), counts)
    assert drifted.counted == (len(bought), int((offered > 0).sum()))
    assert drifted.names == recommender.catalog.category_names


def test_time_is_cut_into_periods(store, known, result, recommender):
    found = drift_over_time(store, Cohort(), "histories", "month")
    assert found.counts.sum() == sum(row["history"] for row in known)
    offered = drift_over_time(store, Cohort(), "recommendations", "year")
    assert offered.counts.sum() == int((result.searched.items > 0).sum())
    assert offered.starts.tolist() == [0], "the shop of the tests opened in 1970"
    assert np.isnan(offered.js).all()


def test_beliefs_along_steps_are_the_mean_over_first_paths(store, recommender, decode, known):
    cohort = Cohort(users=tuple(row["user"] for row in known[:20]))
    traces = recommender.recommend([recommender.history(row["user"]) for row in known[:20]], decode)
    found = mass_along_steps(store, cohort)
    paths = [trace.path(int(trace.item_nodes[0])) for trace in traces]
    for step in found.steps.tolist():
        belief = np.stack([trace.beliefs[path[step]] for trace, path in zip(traces, paths, strict=True)])
        kept = np.where(belief >= 0.001, belief, 0)
        np.testing.assert_allclose(found.mass[step], kept.mean(0), atol=1e-6)
        assert found.left_out[step] == pytest.approx(1 - kept.sum(1).mean(), abs=1e-5)
        js = np.array([trace.js[path[step]] for trace, path in zip(traces, paths, strict=True)])
        if step:
            assert found.js_mean[step] == pytest.approx(js.mean(), rel=1e-5)
            assert found.js_median[step] == pytest.approx(np.median(js), rel=1e-5)
        likeliest = belief.argmax(1)
        np.testing.assert_array_equal(found.leaning[step], np.bincount(likeliest, minlength=len(found.names)))
        category = int(likeliest[0])
        leaning = cohort.narrowed(leans=Leaning(step, found.names[category]))
        expected = [row["user"] for row, likely in zip(known, likeliest, strict=False) if likely == category]
        assert listed(store, leaning) == expected
    assert np.isnan(found.js_mean[0])


def test_two_stores_are_compared_user_by_user(store, unpruned, recommender, decode, result):
    other = search_split(recommender, "test", replace(decode, theta=float("inf")))
    found = compare_stores(store, unpruned, Cohort())
    before, after = ranking_metrics(result.places), ranking_metrics(other.places)
    for name in METRICS:
        assert found.differences[name].mean == pytest.approx(after[name] - before[name])
    assert found.gained == int(((result.places > 10) & (other.places <= 10)).sum()) > 0
    assert found.lost == int(((result.places <= 10) & (other.places > 10)).sum())
    users = result.questions.users
    assert found.gained_users.users == tuple(users[(result.places > 10) & (other.places <= 10)].tolist())
    assert found.lost_users.users == tuple(users[(result.places <= 10) & (other.places > 10)].tolist())
    assert found.drift.psi.sum() > 0
    same = compare_stores(store, store, Cohort(outcome="miss"))
    assert (same.gained, same.lost, same.drift.psi.sum()) == (0, 0, 0)
    assert same.users == count_users(store, Cohort(outcome="miss")).users


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_name_is_never_run_as_a_query(store, name):
    before = count_users(store, Cohort())
    wicked = "x' OR 1=1; DROP TABLE users; --"
    value = {"leans": Leaning(1, wicked), "codes": PathCodes(0, (10**6,))}.get(name, wicked)
    assert listed(store, replace(Cohort(), **{name: value})) == []
    assert count_users(store, Cohort()) == before


def test_every_condition_knows_what_it_needs():
    assert set(NEEDS) == set(Cohort.__dataclass_fields__)


def test_a_store_of_two_tables_answers_what_it_can_and_names_what_it_lacks(reg4rec, tmp_path):
    nodes = {
        "user": [4],
        "node": [0],
        "parent": [None],
        "step": [0],
        "codebook": [None],
        "code": [None],
        "log_prob": [0.0],
    }
    lists = {"user": [4, 4], "rank": [1, 2], "item": [5, 6], "score": [-0.5, -0.7]}
    for name, columns in (("nodes", nodes), ("recommendations", lists)):
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    minimal = open_store(tmp_path)
    assert listed(minimal, Cohort()) == [4]
    for question in (cohort_metrics, history_drift, mass_along_steps):
        with pytest.raises(InputError, match=r"needs .*, which the store .* does without"):
            question(minimal, Cohort())
    with pytest.raises(InputError, match=r"users\.history_length"):
        count_users(minimal, Cohort(history=Range(1, 2)))
    done = reg4rec("cohorts", "--store", tmp_path, "--json")
    assert done.exit_code == 0, done.stderr
    assert set(json.loads(done.stdout)["left_out"]) == {
        "metrics", "slices", "history_drift", "drift_over_time", "steps",
    }  # fmt: skip


def test_what_is_no_finished_store_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no trace store"):
        open_store(tmp_path)
    pq.write_table(pa.table({"user": [1]}), tmp_path / "recommendations.parquet")
    (tmp_path / "store.json").write_text(json.dumps({"complete": False}))
    with pytest.raises(InputError, match="is not finished"):
        open_store(tmp_path)


def test_the_command_gives_the_same_numbers(reg4rec, store, unpruned):
    cohort = Cohort(history=Range(5, 7))
    done = reg4rec("cohorts", "--store", store.path, "--cohort", cohort.to_text(), "--by", "target",
                   "--against", unpruned.path, "--json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert document["metrics"] == cohort_metrics(store, cohort).to_json()
    assert document["slices"] == [part.to_json() for part in metrics_by(store, cohort, "target")]
    assert document["counts"]["users"] == document["against"]["users"] == count_users(store, cohort).users
    assert document["left_out"] == {}
    assert [row["step"] for row in document["steps"]] == mass_along_steps(store, cohort).steps.tolist()
    assert reg4rec("cohorts", "--store", store.path, "--cohort", "size_3").exit_code == 2
    assert Fate.KEPT == 0


@pytest.mark.parametrize("by", ["history", "seen", "main"])
def test_slices_of_two_stores_add_up_to_the_whole(store, unpruned, by):
    whole = compare_stores(store, unpruned, Cohort())
    parts = compare_by(store, unpruned, Cohort(), by)
    assert sum(part.users for part in parts) == whole.users
    assert (sum(part.gained for part in parts), sum(part.lost for part in parts)) == (whole.gained, whole.lost)
    assert whole.gained > 0
    for name in METRICS:
        mean = sum(part.users * part.differences[name].mean for part in parts) / whole.users
        assert mean == pytest.approx(whole.differences[name].mean)
        assert all(part.differences[name].low <= part.differences[name].mean for part in parts)
    alike = compare_by(store, store, Cohort(), by)
    assert {part.differences["ndcg@10"].high for part in alike} == {0.0}


def test_habits_are_counted_as_by_hand(store, recommender, decode, result):
    few = result.questions.take(np.arange(30))
    found = search_habits(store, Cohort(users=tuple(few.users.tolist())))
    traces = recommender.recommend(few.histories, decode)
    assert found.users == len(traces)
    kept, pruned = np.zeros_like(found.kept), np.zeros_like(found.pruned)
    js: list[list[float]] = [[] for _ in found.steps]
    for trace in traces:
        for step, codebook, fate, jump in zip(trace.step, trace.codebook, trace.fate, trace.js, strict=True):
            if step and fate in (Fate.KEPT, Fate.FALLBACK):
                kept[step - 1, codebook] += 1
                js[step - 1] += [] if np.isnan(jump) else [float(jump)]
            elif step and fate == Fate.PRUNED:
                pruned[step - 1, codebook] += 1
    assert found.kept.tolist() == kept.tolist()
    assert found.pruned.tolist() == pruned.tolist()
    assert found.pruned.sum() > 0
    assert found.fallback.sum() == sum(int((trace.fate == Fate.FALLBACK).sum()) for trace in traces)
    assert found.regenerated.sum() == sum(count_fates(trace)["regenerated"] for trace in traces)
    for mean, jumps in zip(found.js, js, strict=True):
        assert (mean == pytest.approx(np.mean(jumps), rel=1e-5)) if jumps else np.isnan(mean)
    assert found.load.sum(1) == pytest.approx(np.ones(len(found.steps)))


def test_habits_of_some_users_are_theirs_alone(store, known):
    users = tuple(row["user"] for row in known[:3])
    some = search_habits(store, Cohort(users=users))
    assert some.users == len(users)
    assert 0 < some.kept.sum() < search_habits(store, Cohort()).kept.sum()
    nobody = search_habits(store, Cohort(users=()))
    assert (nobody.users, len(nobody.steps)) == (0, 0)
