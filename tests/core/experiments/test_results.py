"""The README shows what the stored results say."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from reg4rec_core.experiments.line_chart import Band, Line, line_chart, ticks
from reg4rec_core.experiments.result_charts import CHARTS
from reg4rec_core.experiments.result_tables import fill_tables, markdown, short, signed
from reg4rec_core.types import InputError

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"


def test_the_tables_of_the_readme_are_those_of_the_results():
    assert fill_tables(README, ROOT) == README, "run: reg4rec results --write README.md"
    for name in ("main", "post-training", "rewards", "theta"):
        assert f"<!-- table: {name} -->" in README


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_the_charts_of_the_readme_are_those_of_the_results(name):
    assert CHARTS[name](ROOT) == (ROOT / name).read_text(encoding="utf-8"), "run: reg4rec results --write README.md"
    assert f"({name})" in README


@pytest.mark.parametrize("path", sorted((ROOT / "assets" / "results").glob("*.json")), ids=lambda path: path.name)
def test_results_say_how_they_were_made(path):
    result = json.loads(path.read_text(encoding="utf-8"))
    if path.name == "published.json":
        assert all(row["source"] for row in result["rows"])
        return
    assert {"config", "seed", "git_revision", "data_checksum"} <= set(result)
    checksums = result["data_checksum"]  # one, or one for each data set
    assert {len(checksum) for checksum in ([checksums] if isinstance(checksums, str) else checksums)} == {64}


@pytest.fixture
def copied(tmp_path):
    """README and results in a folder of their own."""
    shutil.copytree(ROOT / "assets" / "results", tmp_path / "assets" / "results")
    (tmp_path / "checkpoints" / "demo" / "evaluation").mkdir(parents=True)
    for name in ("theta_choice.json", "test.json"):
        report = Path("checkpoints", "demo", "evaluation", name)
        shutil.copy(ROOT / report, tmp_path / report)
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def test_another_number_in_the_results_changes_the_readme(reg4rec, copied):
    path = copied / "assets" / "results" / "published.json"
    result = json.loads(path.read_text())
    result["rows"][0]["metrics"]["ndcg@10"] = 0.61236
    path.write_text(json.dumps(result))
    answer = reg4rec("results", "--write", copied / "README.md", "--json")
    assert json.loads(answer.stdout) == {"written": ["README.md"]}
    written = (copied / "README.md").read_text(encoding="utf-8")
    changed = [line for line in written.splitlines() if line not in README.splitlines()]
    assert len(changed) == 1
    assert changed[0].endswith("| .6124 |")
    assert json.loads(reg4rec("results", "--write", copied / "README.md", "--json").stdout) == {"written": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- table: mein -->\n<!-- end -->", "there is no table 'mein'; the tables are main"),
        ("<!-- table: main -->\n", "needs an `<!-- end -->`"),
        ("<!-- table: main -->\n<!-- table: theta -->\n<!-- end -->", "needs an `<!-- end -->`"),
    ],
)
def test_a_table_that_cannot_be_made_is_refused(copied, text, message):
    with pytest.raises(InputError, match=message):
        fill_tables(text, copied)


def test_a_table_whose_results_are_gone_is_refused(copied):
    (copied / "assets" / "results" / "cost.json").unlink()
    with pytest.raises(InputError, match=r"there is no .*cost\.json, which the table is made from"):
        fill_tables("<!-- table: cost -->\n<!-- end -->", copied)


def test_a_document_that_is_not_there_is_refused(reg4rec, tmp_path):
    answer = reg4rec("results", "--write", tmp_path / "no.md")
    assert answer.exit_code == 2
    assert "--write must name a file with tables" in answer.stderr


def test_numbers_are_short():
    assert [short(0.09216), short(-0.0009), short(1.5), short(0.99999), short(0.0)] == [
        ".0922",
        "-.0009",
        "1.5000",
        "1.0000",
        ".0000",
    ]
    assert [signed(0.0005), signed(-0.0014), signed(0.0)] == ["+.0005", "-.0014", "+.0000"]


def test_a_table_has_one_line_a_row_and_empty_cells_stay_empty():
    assert markdown(("", "a"), [["x", ""], ["y", ".1"]]) == "| | a |\n|---|---|\n| x | |\n| y | .1 |\n"


def test_every_point_of_a_chart_lies_inside_it_and_higher_values_stand_higher():
    lines = [
        Line("a & b", ((0.0, 0.067), (25.0, 0.0702), (50.0, 0.0689))),
        Line("other", ((0.0, 0.067), (50.0, 0.068))),
    ]
    chart = ElementTree.fromstring(line_chart("Title", "step", "value", lines))
    assert "a & b" in [text.text for text in chart.iter(f"{SVG}text")]
    curves = [
        [tuple(map(float, point.split(","))) for point in curve.attrib["points"].split()]
        for curve in chart.iter(f"{SVG}polyline")
    ]
    assert [len(curve) for curve in curves] == [3, 2]
    assert all(62 <= x <= 624 and 56 <= y <= 296 for curve in curves for x, y in curve)
    assert curves[0][0] == curves[1][0]
    assert curves[0][1][1] < curves[0][2][1] < curves[0][0][1]


def test_a_band_encloses_its_line_and_a_mark_stands_only_where_the_chart_reaches():
    line, band = Line("mean", ((0.0, 2.0), (1.0, 3.0))), Band("95 %", ((0.0, 1.0, 4.0), (1.0, 2.0, 5.0)))
    drawn = [line_chart("t", "x", "y", [line], band=band, mark=mark) for mark in (0.5, 7.0, None)]
    chart = ElementTree.fromstring(drawn[0])
    shape, curve = (
        [tuple(map(float, corner.split(","))) for corner in next(chart.iter(f"{SVG}{kind}")).attrib["points"].split()]
        for kind in ("polygon", "polyline")
    )
    assert [x for x, _ in shape] == [62, 624, 624, 62]
    assert all(high < y < low for (_, low), (_, y), (_, high) in zip(shape[:2], curve, shape[:1:-1], strict=True))
    assert all(56 <= y <= 296 for _, y in shape)
    assert "95 %" in [text.text for text in chart.iter(f"{SVG}text")]
    assert ['d="M343.0 56.0V296.0"' in one for one in drawn] == [True, False, False]


def test_ticks_are_round_and_enclose_the_values():
    assert ticks(0.0, 200.0) == [0, 50, 100, 150, 200]
    assert ticks(0.06763, 0.06967) == pytest.approx([0.0675, 0.068, 0.0685, 0.069, 0.0695, 0.07])
    assert ticks(3.0, 3.0)[0] <= 3 <= ticks(3.0, 3.0)[-1]


def test_a_chart_without_lines_is_refused():
    with pytest.raises(ValueError, match="1 to 7 lines"):
        line_chart("t", "x", "y", [])
