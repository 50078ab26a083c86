"""The Compare page as a whole, without a browser: two sides, each restored by the URL, and what differs in words."""

import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from opened_page import link_of, opened, page_of, visitor
from safetensors.numpy import load_file, save_file
from streamlit.testing.v1 import AppTest

from app.session import open_runs
from reg4rec_core import notes_file, read_notes
from reg4rec_core.checkpoint import open_run

PAGE = "screens/compare.py"


@pytest.fixture(scope="module")
def run(two_stage_run: Path, tmp_path_factory, reg4rec) -> Path:
    """The run with two stages and the stored searches of both."""
    copied = shutil.copytree(two_stage_run, tmp_path_factory.mktemp("runs") / "two-stage")
    for weights in ("pretrained", "post_trained"):
        done = reg4rec("trace", "--run", copied, "--weights", weights, "--users", "60")
        assert done.exit_code == 0, done.stderr
    return copied


@pytest.fixture
def app(run, monkeypatch, tmp_path) -> AppTest:
    return page_of(run, monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    return opened(app, PAGE, **state)


def words_of(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.html, *app.caption, *app.info]).replace("\\", "")


def test_before_and_after_post_training_are_compared_first_for_one_user_and_for_all(app):
    started(app, user="visitor 9", by="days active", metric="ndcg@10", load="2")
    assert not app.error
    assert not app.info
    state = link_of(app)
    assert (state["weights"], state["weights_b"], state["user"]) == ("pretrained", "post_trained", "visitor 9")
    assert (state["by"], state["metric"], state["load"]) == ("days active", "ndcg@10", "2")
    words = words_of(app)
    assert "The first difference is at step " in words
    assert "A: two-stage, pre-trained weights" in words
    assert "B: two-stage, post-trained weights" in words
    assert "60 users are in both." in words
    assert "Only B finds the next purchase of " in words
    tables = [html.value for html in app.html if "<th>in A</th><th>in B</th>" in html.value]
    links = [part.split('"')[0].replace("&amp;", "&") for table in tables for part in table.split('href="')[1:]]
    assert len(links) % 3 == 0
    assert links, "one of the two searches finds what the other misses"
    both, first, second = (dict(parse_qsl(urlsplit(link).query)) for link in links[:3])
    assert (
        (both["weights"], both["weights_b"]) == (first["weights"], second["weights"]) == ("pretrained", "post_trained")
    )
    assert both["user"] == first["user"] == second["user"] != "visitor 9"


def test_the_url_restores_both_sides(app):
    wanted = {
        "user": "visitor 5", "at": "valid", "beam": "7", "step": "3", "weights": "post_trained", "theta": "0.1",
        "weights_b": "post_trained", "theta_b": "0.3", "corp_b": "true",
    }  # fmt: skip
    started(app, **wanted)
    assert app.slider(key="theta").value == pytest.approx(0.1)
    assert app.slider(key="theta_b").value == pytest.approx(0.3)
    assert app.segmented_control(key="weights").value == app.segmented_control(key="weights_b").value == "post_trained"
    state = link_of(app)
    assert {name: state[name] for name in wanted} == wanted
    assert (state["corp"], state["corp_b"], state["run"], state["run_b"]) == ("true", "true", "two-stage", "two-stage")
    again = started(visitor(), **state)
    assert link_of(again) == state
    commands = [code.value for code in again.code if "reg4rec trace" in code.value]
    assert commands == [
        "\n".join(
            f"reg4rec trace --run {open_runs.run_path('two-stage')} --weights post_trained --split valid"
            f" --theta {theta} --beam 7"
            for theta in ("0.1", "0.3")
        )
    ]


def test_each_side_takes_thresholds_by_step_and_says_them(app, monkeypatch, tmp_path):
    monkeypatch.setenv("REG4REC_NOTES", str(tmp_path / "notes.sqlite"))
    app.session_state["notes"] = True
    sent = {"user": "visitor 9", "thetas": "0.7,0.01,0.02", "from": "1", "thetas_b": "0.1,x,0.2", "theta_b": "0.3"}
    started(app, **sent)
    (error,) = app.error
    assert error.value.startswith("Thetas must be 3 numbers from 0 to 0.7 with commas between them")
    state = link_of(app)
    assert (state["thetas"], state["check_from"], state["corp"]) == ("0.7,0.01,0.02", "1", "true")
    assert (state["theta_b"], state["check_from_b"], "thetas_b" in state) == ("0.3", "2", False)
    assert "weights, θ from step 1 on: 0.7 · 0.01 · 0.02" in words_of(app)
    trace = "reg4rec trace --run "
    commands = [code.value.splitlines() for code in app.code if trace in code.value]
    assert [line.split(" --", 2)[2] for line in commands[0]] == [
        "weights pretrained --decode preset-A.json", "weights post_trained --theta 0.3",
    ]  # fmt: skip
    next(button for button in app.button if button.label == "Keep the note").click().run()
    (note,) = read_notes(notes_file())
    assert note.thetas == (float("inf"), 0.01, 0.02)
    app.segmented_control(key="theta_rule_b").set_value("steps").run()
    app.number_input(key="theta_step_3_b").set_value(0.05).run()
    assert not app.exception
    assert not app.error
    state = link_of(app)
    assert (state["thetas_b"], state["corp_b"]) == ("0.3,0.3,0.05", "true")
    assert link_of(started(visitor(), **state)) == state


def test_a_run_with_one_stage_is_compared_with_itself_without_pruning(tiny_run, monkeypatch, tmp_path):
    app = started(page_of(tiny_run, monkeypatch, tmp_path), user="visitor 9", theta="0.02")
    state = link_of(app)
    assert (state["theta"], state["corp"], state["corp_b"]) == ("0.02", "true", "false")
    words = words_of(app)
    assert "B: tiny, pre-trained weights, no pruning" in words
    assert "In A it is pruned: " in words
    assert "In B it is " in words
    app.toggle(key="corp_b").set_value(True).run()
    app.slider(key="theta_b").set_value(0.02).run()
    assert not app.exception
    assert "A and B ask for exactly the same search." in words_of(app)


def test_runs_with_other_codes_are_compared_by_their_lists_and_beliefs_alone(tiny_run, monkeypatch, tmp_path):
    other = shutil.copytree(tiny_run, tmp_path / "checkpoints" / "other")
    arrays = load_file(other / "tokenizer.safetensors")
    arrays["codes"][1:] = arrays["codes"][1:][:, ::-1].copy()
    save_file(arrays, other / "tokenizer.safetensors")
    open_run(other).write_manifest()
    app = started(page_of(tiny_run, monkeypatch, tmp_path), user="visitor 9", run_b="other")
    assert not app.error
    words = words_of(app)
    assert "their tokenizers differ" in words
    assert "Before any code" in words
    assert "only in this tree" not in words
    assert link_of(app)["path_b"] != link_of(app)["path"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"weights_b": "nonsense"}, "has no nonsense weights; it has post_trained, pretrained."),
        ({"user": "visitor 9999"}, "There is no user 'visitor 9999' in this run"),
        ({"theta_b": "nan", "run_b": "../..", "path": "9.9-<b>", "beam": "0", "load": "77"}, ""),
    ],
)
def test_values_that_make_no_sense_end_in_a_sentence_or_are_replaced(app, bad, said):
    started(app, **({"user": "visitor 9"} | bad))
    assert len(app.error) == bool(said)
    if said:
        assert said in app.error[0].value
        assert app.slider(key="theta")
    else:
        assert 0 <= float(link_of(app)["theta_b"]) <= 0.7
        assert {warning.value.split("=")[0].split()[-1] for warning in app.warning} == {*bad} - {"path"}


def test_a_note_on_a_branch_of_b_is_kept_with_the_weights_of_b(app, monkeypatch, tmp_path):
    monkeypatch.setenv("REG4REC_NOTES", str(tmp_path / "notes.sqlite"))
    app.session_state["notes"] = True
    started(app, user="visitor 9", step="2", cohort="history_5~20")
    about = app.selectbox(key="note_about")
    assert {name.split(" · ")[0] for name in about.options} == {"A", "B"}
    about.set_value(next(place for place, name in enumerate(about.options) if name.startswith("B · Branch")))
    app.text_input(key="note_tag").set_value("odd")
    (submit,) = [button for button in app.button if button.label == "Keep the note"]
    submit.click().run()
    assert not app.exception
    (note,) = read_notes(notes_file())
    assert (note.run, note.user, note.weights, note.tag, len(note.path)) == (
        "two-stage", "visitor 9", "post_trained", "odd", 2,
    )  # fmt: skip
    state = dict(parse_qsl(urlsplit(note.link).query))
    assert (state["weights"], state["weights_b"], state["step"]) == ("pretrained", "post_trained", "2")
    assert state["cohort"] == "history_5~20"
    assert "Users: 5 to 20 purchases" in words_of(app)
