import json
import math

import click
import numpy as np
from click.testing import CliRunner

from reg4rec_core.cli.output import emit, plain, report_text


def run_emit(*, as_json: bool):
    @click.command()
    def command():
        emit({"theta": math.inf, "title": "crème"}, text="for people", as_json=as_json)

    return CliRunner().invoke(command, [])


def test_numbers_that_json_lacks_become_null():
    values = {"a": math.inf, "b": [math.nan, -math.inf, 1.5], "c": np.float32("nan"), "d": np.array([1.0, np.inf])}
    assert plain(values) == {"a": None, "b": [None, None, 1.5], "c": None, "d": [1.0, None]}


def test_numpy_values_become_python_values():
    values = plain({"n": np.int64(3), "flag": np.bool_(True), "row": np.arange(2), "pair": (np.float64(0.5), 1)})
    assert json.dumps(values) == '{"n": 3, "flag": true, "row": [0, 1], "pair": [0.5, 1]}'


def test_with_json_stdout_holds_the_document_and_stderr_the_text():
    result = run_emit(as_json=True)
    assert json.loads(result.stdout) == {"theta": None, "title": "crème"}
    assert result.stderr == "for people\n"


def test_without_json_stdout_holds_the_text():
    result = run_emit(as_json=False)
    assert (result.stdout, result.stderr) == ("for people\n", "")


def test_a_report_reads_as_aligned_columns_with_inner_reports_indented():
    report = {"users": 200, "first_state": {"recall@10": 1 / 3}, "perplexity": [1.5, 2], "names": ["left", "out"]}
    expected = ["users        200", "first state", "  recall@10  0.3333", "perplexity   1.5 2"]
    assert report_text(report).splitlines() == expected
