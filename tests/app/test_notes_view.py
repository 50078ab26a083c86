import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.view_models import notes as view
from app.view_models.tree import find_focus
from reg4rec_core import Note, read_facets


@pytest.fixture(scope="module")
def facets():
    return read_facets(small_catalog(), small_ids(), small_interactions())


def note(**changes) -> Note:
    values = {
        "run": "tiny", "weights": "pretrained", "user": "7", "at": "test", "theta": 0.06, "edits": "",
        "history": ("p1",), "path": ((0, 1), (1, 0)), "item": "", "label": 1, "tag": "", "text": "", "link": "",
        "time": 1_700_000_000, "number": 5,
    }  # fmt: skip
    return Note(**(values | changes))


def test_the_chosen_branch_and_every_item_can_be_noted(facets):
    trace = small_trace()
    found = view.subjects(trace, facets, find_focus(trace, "", 1))
    assert len(found) == 5
    assert found[0].name.startswith("Branch, step 1: A0 · ")
    assert (found[0].path, found[0].item) == (((0, 0),), "")
    assert (found[2].name, found[2].item, found[2].path) == ("Item 2 · Black Mascara", "p4", ((0, 1), (1, 0)))
    assert (found[4].item, found[4].path) == ("p7", ()), "a neighbour has no path"


def test_a_note_says_what_it_is_about_even_where_the_run_no_longer_knows_it(facets):
    rows = view.note_rows(
        [note(), note(item="p4", label=-1), note(path=()), note(path=((9, 9),)), note(item="gone")], facets
    )
    assert rows[0]["about"].startswith("the branch at step 2: B0 · ")
    assert (rows[1]["about"], rows[1]["label"]) == ("“Black Mascara”", "thumb down")
    assert [row["about"] for row in rows[2:]] == ["the start of the search", "the branch at step 1: J9", "“gone”"]
    assert rows[0]["when"] == "14 Nov 2023, 22:13 UTC"
