"""The schema of a trace store: what keeps to it, and every fault that is told with its row."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reg4rec_core.evaluation.trace_schema import TABLES, table_named
from reg4rec_core.evaluation.trace_validation import RULES, validate
from reg4rec_core.types import InputError

NODES = {
    "user": [0, 0, 0, 0, 7, 7],
    "node": [0, 1, 2, 3, 0, 1],
    "parent": [None, 0, 0, 1, None, 0],
    "step": [0, 1, 1, 2, 0, 1],
    "codebook": [None, 1, 1, 0, None, 0],
    "code": [None, 2, 3, 1, None, 1],
    "log_prob": [0.0, -0.5, -1.0, -0.75, 0.0, -0.1],
}
LISTS = {"user": [0, 0, 7], "rank": [1, 2, 1], "item": [5, 6, 5], "score": [-0.75, -1.5, -0.1]}
FATES = {"fate": [0, 0, 2, 0, 0, 0]}
USERS = {"user": [0, 7], "target": [6, 9], "place": [2, None]}
ITEMS = {"item": [5, 6, 9], "category": [0, 1, 1]}
CATEGORIES = {"category": [0, 1], "name": ["lips", "nails"]}
BELIEFS = {
    "user": [0, 0, 0],
    "node": [1, 1, 3],
    "step": [1, 1, 2],
    "rank": [1, 1, 1],
    "category": [0, 1, 1],
    "probability": [0.5, 0.5, 0.9],
}
HISTORIES = {"user": [0, 7], "position": [0, 0], "item": [9, 6]}
LEAVES = {"leaf": [3, None, 1]}


def write(store, **tables):
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), store / f"{name}.parquet")
    return store


def whole(**changes):
    tables = {
        "nodes": NODES | FATES,
        "recommendations": LISTS | LEAVES,
        "users": USERS,
        "items": ITEMS,
        "categories": CATEGORIES,
        "beliefs": BELIEFS,
        "histories": HISTORIES,
    }
    for name, columns in changes.items():
        tables[name] = tables[name] | columns
    return tables


def sentences(store):
    return [problem.sentence for problem in validate(store).problems]


def test_two_tables_with_their_needed_columns_are_a_store_and_what_is_missing_is_named(tmp_path):
    result = validate(write(tmp_path, nodes=NODES, recommendations=LISTS))
    assert result.valid, result.problems
    assert result.rows == {"recommendations": 3, "nodes": 6}
    assert {"users", "beliefs", "items", "nodes.js", "recommendations.leaf"} <= set(result.missing)
    assert "nodes.log_prob" not in result.missing


def test_a_store_with_every_table_keeps_to_the_schema(tmp_path):
    result = validate(write(tmp_path, **whole()))
    assert result.valid, result.problems
    assert not {table.name for table in TABLES} & set(result.missing)


FAULTS = [
    ({"nodes": {"parent": [None, 0, 0, 3, None, 0]}}, "a parent must stand before its children"),
    ({"nodes": {"parent": [None, 0, None, 1, None, 0]}}, "a node has no parent exactly when its step is 0"),
    ({"nodes": {"step": [0, 1, 1, 3, 0, 1]}}, "a node's step must be one more than its parent's"),
    ({"nodes": {"log_prob": [0.0, -0.5, -1.0, -0.25, 0.0, -0.1]}}, "the log-probability must never rise along a path"),
    ({"nodes": {"fate": [0, 2, 0, 0, 0, 0]}}, "a node that was cut or pruned must have no children"),
    ({"nodes": {"fate": [0, 0, 2, 0, 0, 1]}}, "the leaf of an item must have been kept"),
    ({"nodes": {"code": [None, 2, 3, None, None, 1]}}, "every node but the root needs a codebook and a code"),
    ({"nodes": {"node": [1, 2, 3, 4, 0, 1], "parent": [None, 0, 1, 2, None, 0]}}, "must be a node of the same user"),
    (
        {"nodes": {"parent": [None, 0, None, 1, None, 0], "step": [0, 1, 0, 2, 0, 1],
                   "codebook": [None, 1, None, 0, None, 0], "code": [None, 2, None, 1, None, 1],
                   "log_prob": [0.0, -0.5, 0.0, -0.75, 0.0, -0.1]}},
        "exactly one root",
    ),
    ({"nodes": {"fate": [0, 0, 4, 0, 0, 0]}}, "nodes.fate must be at most 3, got 4 in row 2 of nodes.parquet"),
    ({"nodes": {"log_prob": [0.0, -0.5, 0.5, -0.75, 0.0, -0.1]}}, "nodes.log_prob must be at most 0, got 0.5 in row 2"),
    ({"nodes": {"log_prob": [0.0, -0.5, float("nan"), -0.75, 0.0, -0.1]}}, "nodes.log_prob must be a finite number"),
    ({"nodes": {"log_prob": [0.0, -0.5, None, -0.75, 0.0, -0.1]}}, "nodes.log_prob must not be null in row 2"),
    ({"nodes": {"node": [0, 1, 1, 3, 0, 1]}}, "nodes must hold each (user, node) once, got user 0, node 1"),
    ({"recommendations": {"rank": [1, 3, 1]}}, "ranks of a list must go 1, 2, 3"),
    ({"recommendations": {"rank": [1, 1, 1]}}, "recommendations must hold each (user, rank) once"),
    ({"recommendations": {"score": [-0.75, -0.5, -0.1]}}, "score must never rise with the rank, got -0.5 behind -0.75"),
    ({"recommendations": {"item": [5, 5, 5]}}, "a list must not hold an item twice"),
    ({"recommendations": {"item": [5, 8, 5]}}, "every recommended item must be known to the table items, got item 8"),
    ({"recommendations": {"item": [5, 0, 5]}}, "recommendations.item must be at least 1, got 0 in row 1"),
    ({"recommendations": {"leaf": [3, 17, 1]}}, "the leaf of an item must be a node of the same user, got leaf 17"),
    ({"recommendations": {"user": [0, 0, 3]}}, "every user with a list needs a tree"),
    ({"users": {"place": [1, None]}}, "the place must be the rank of the target"),
    ({"users": {"user": [0, 8]}}, "every user with a list must be known to the table users, got user 7"),
    ({"users": {"target": [6, 8]}}, "every target must be known to the table items, got target 8"),
    ({"beliefs": {"node": [1, 1, 9]}}, "a belief must belong to a node of the same user"),
    ({"beliefs": {"step": [1, 1, 1]}}, "the step of a belief must be its node's, got step 1, of the node 2"),
    ({"beliefs": {"probability": [0.5, 0.75, 0.9]}}, "probabilities of a belief must sum to at most 1, got sum 1.25"),
    ({"beliefs": {"category": [0, 4, 1]}}, "every category of a belief must be known"),
    ({"items": {"category": [0, 4, 1]}}, "every item's category must be known"),
    ({"histories": {"item": [9, 8]}}, "every item of a history must be known to the table items, got item 8"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_planted_fault_is_told(tmp_path, changes, sentence):
    found = sentences(write(tmp_path, **whole(**changes)))
    assert any(sentence in told for told in found), found
    assert all(" in row " in told for told in found)


def test_every_rule_between_rows_has_a_planted_fault():
    told = " ".join(sentence for _, sentence in FAULTS)
    assert len(RULES) <= len(FAULTS)
    for rule in RULES:
        assert any(sentence.split(", got")[0] in rule.sentence for _, sentence in FAULTS), (rule.sentence, told)


def test_the_first_wrong_row_is_told_and_the_others_are_counted(tmp_path):
    write(tmp_path, nodes=NODES | {"log_prob": [0.0, 0.5, 0.25, 1.0, 0.0, -0.1]}, recommendations=LISTS)
    (problem,) = validate(tmp_path).problems
    assert problem.sentence == ("nodes.log_prob must be at most 0, got 0.5 in row 1 of nodes.parquet (and 2 rows more)")
    assert problem.rows == 3


def test_wrong_types_missing_columns_and_missing_tables_are_told(tmp_path):
    without = {name: values for name, values in NODES.items() if name != "step"}
    write(tmp_path, nodes=without | {"log_prob": ["a"] * 6})
    assert sorted(sentences(tmp_path)) == [
        "a store needs the table recommendations, there is no recommendations.parquet or recommendations/*.parquet",
        "nodes needs the column step (codes chosen so far; one more than the parent's), nodes.parquet has none",
        "nodes.log_prob must be number, in nodes.parquet it is string",
    ]


def test_a_file_that_is_no_parquet_is_told(tmp_path):
    write(tmp_path, nodes=NODES, recommendations=LISTS)
    (tmp_path / "nodes.parquet").write_bytes(b"not parquet at all")
    (told,) = sentences(tmp_path)
    assert "nodes.parquet is no readable Parquet file" in told


def test_parts_in_a_folder_are_one_table(tmp_path):
    write(tmp_path, recommendations=LISTS)
    (tmp_path / "nodes").mkdir()
    for part, rows in enumerate((slice(0, 4), slice(4, 6))):
        pq.write_table(
            pa.table({name: values[rows] for name, values in NODES.items()}),
            tmp_path / "nodes" / f"part-{part}.parquet",
        )
    assert validate(tmp_path).rows["nodes"] == 6
    broken = {name: values[4:] for name, values in NODES.items()} | {"step": [0, 5]}
    pq.write_table(pa.table(broken), tmp_path / "nodes" / "part-1.parquet")
    assert sentences(tmp_path) == [
        "a node's step must be one more than its parent's, got step 5 under step 0 in row 1 of nodes/part-1.parquet"
    ]


def test_sizes_of_the_description_bound_the_codes(tmp_path):
    write(tmp_path, nodes=NODES, recommendations=LISTS)
    (tmp_path / "store.json").write_text(json.dumps({"n_codebooks": 2, "codebook_size": 3, "n_items": 6}))
    assert sentences(tmp_path) == [
        "nodes.code must be at most 2 (codebook_size in store.json is 3), got 3 in row 2 of nodes.parquet",
        "recommendations.item must be at most 5 (n_items in store.json is 6), "
        "got 6 in row 1 of recommendations.parquet",
    ]


def test_one_table_can_be_checked_alone(tmp_path):
    write(tmp_path, nodes=NODES)
    assert validate(tmp_path / "nodes.parquet").rows == {"nodes": 6}
    with pytest.raises(InputError, match="must be called after it"):
        validate((tmp_path / "nodes.parquet").rename(tmp_path / "tree.parquet"))
    with pytest.raises(InputError, match="there is nothing at"):
        validate(tmp_path / "nowhere")


def test_the_command_says_yes_or_no(reg4rec, tmp_path):
    write(tmp_path, nodes=NODES, recommendations=LISTS)
    done = reg4rec("trace", "--validate", tmp_path, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["valid"] is True
    write(tmp_path, recommendations=LISTS | {"rank": [1, 3, 1]})
    done = reg4rec("trace", "--validate", tmp_path, "--json")
    assert done.exit_code == 2
    document = json.loads(done.stdout)
    assert document["valid"] is False
    assert document["problems"][0]["table"] == "recommendations"
    assert "without gaps, got rank 3 in row 1" in document["problems"][0]["sentence"]


def test_a_table_has_the_key_among_its_columns():
    for table in TABLES:
        assert set(table.key) <= {column.name for column in table.columns if column.needed}
        assert table_named(table.name) is table
    assert table_named("nothing") is None
