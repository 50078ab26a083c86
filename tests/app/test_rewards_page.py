"""The Rewards page as a whole, without a browser: it starts, its URL restores it, and bad values end in words."""

import json
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from opened_page import link_of, opened, page_of, visitor
from streamlit.testing.v1 import AppTest

from app.components import reward_weights
from app.session import open_runs
from app.session import previews as session
from reg4rec_core.checkpoint import write_json
from reg4rec_core.config import PostTrainConfig, RewardWeights
from reg4rec_core.training.post_train import post_train

PAGE = "screens/rewards.py"


@pytest.fixture(scope="module")
def trained(tiny_run: Path, tmp_path_factory) -> Path:
    """The tiny run after one step of post-training, with its rollouts."""
    run = shutil.copytree(tiny_run, tmp_path_factory.mktemp("runs") / "trained")
    config = PostTrainConfig(steps=1, batch_size=8, rollouts=6, learning_rate=1e-3, warmup_steps=0)
    post_train(run, config, RewardWeights.parse("step=1,category=1,consistency=0.5,path=2"))
    return run


@pytest.fixture
def app(trained: Path, monkeypatch, tmp_path) -> AppTest:
    return page_of(trained, monkeypatch, tmp_path)


def started(app: AppTest, **state: str) -> AppTest:
    return opened(app, PAGE, **state)


def html_with(app: AppTest, text: str) -> str:
    parts = [json.loads(part.proto.json)["html"] for part in components(app, "html_part")]
    (found,) = [html for html in [*(html.value for html in app.html), *parts] if text in html]
    return found


def components(app: AppTest, name: str) -> list:
    return [part for part in app.get("bidi_component") if part.proto.component_name.endswith(f"reg4rec.{name}")]


def mixer_of(app: AppTest) -> list[dict]:
    (mixer,) = components(app, "weight_mixer")
    return json.loads(mixer.proto.json)["weights"]


def weights_of(app: AppTest) -> list[float]:
    return [line["weight"] for line in mixer_of(app)]


def locked_in(app: AppTest) -> list[str]:
    return [line["term"] for line in mixer_of(app) if line["locked"]]


def test_the_page_opens_with_the_runs_own_weights(app):
    started(app)
    assert not app.error
    assert weights_of(app) == [1, 1, 0.5, 2]
    assert any("These are the run's own weights" in text.value for text in app.markdown)
    assert html_with(app, "path ends at").count('class="part"') == 6 * 4
    assert "groups without signal" in html_with(app, "groups without signal")
    assert link_of(app)["rewards"] == "step=1,category=1,consistency=0.5,path=2"
    assert "made by reg4rec" in app.caption[-1].value


def test_weights_that_a_search_found_are_taken_over(app, trained):
    started(app)
    assert any("reg4rec tune-rewards --run" in code.value for code in app.code)
    found = {"mean": 0.01, "low": -0.01, "high": 0.03}
    mix = {"step": 0.5, "category": 1.5, "consistency": 0.0, "path": 2.0}
    trial = {"name": "mix-01", "weights": mix, "policy_weight": 1.0, "choosing": {"ndcg@10": found}}
    write_json(
        trained / "evaluation" / "rewards" / "tuning.json",
        {
            "weights_checksum": "other", "data_checksum": "other", "post_train": {"steps": 25},
            "users": {"choosing": 40, "confirming": 41}, "verdict": "Nothing beats equal weights beyond noise",
            "trials": [trial | {"difference": {"minus_equal": {"ndcg@10": found}}}], "beats_equal": False,
            "best_mix": trial | {"confirming": {"minus_equal": {"ndcg@10": found}, "minus_off": {"ndcg@10": found}}},
        },
    )  # fmt: skip
    app.run()
    assert not app.exception
    assert any("from other weights or other data than the run has today" in text.value for text in app.warning)
    assert any("Nothing beats equal weights beyond noise." in text.value for text in app.markdown)
    app.button(key="take_weights").click().run()
    assert weights_of(app) == [0.5, 1.5, 0.0, 2.0]
    assert link_of(app)["rewards"] == "step=0.5,category=1.5,consistency=0,path=2"
    (trained / "evaluation" / "rewards" / "tuning.json").write_text("[]")
    app.run()
    assert [error.value.split(" is no result")[1] for error in app.error] == [
        " of reg4rec tune-rewards; call it again, finished trials are kept."
    ]
    shutil.rmtree(trained / "evaluation" / "rewards")


def test_sliders_presets_locks_and_reset_move_the_weights_and_the_url(app):
    started(app)
    app.query_params["rewards"] = "step=1,category=1,consistency=0.5,path=0.25"
    app.query_params["lock_step"] = "true"
    app.run()
    assert weights_of(app) == [1, 1, 0.5, 0.25]
    assert locked_in(app) == ["step"]
    app.button_group(key="preset").set_value("path only").run()
    assert not app.exception
    assert weights_of(app) == [1, 0, 0, 1], "the locked one stays"
    app.button(key="normalise").click().run()
    assert weights_of(app) == [1, 0, 0, 3]
    app.button(key="reset").click().run()
    assert weights_of(app) == [1, 1, 0.5, 2]
    assert not app.error


def test_the_url_restores_the_view(app):
    wanted = {"rewards": "step=0,category=0,consistency=0,path=1", "rollouts": "held out", "draw": "3"}
    wanted |= {"lock_path": "true", "user": "visitor 7"}
    started(app, **wanted)
    assert weights_of(app) == [0, 0, 0, 1]
    assert locked_in(app) == ["path"]
    assert app.number_input(key="draw").value == 3
    table = html_with(app, "path ends at")
    link = link_of(app)
    assert wanted.items() <= link.items()
    again = visitor()
    assert link_of(started(again, **link)) == link
    assert html_with(again, "path ends at") == table


def test_another_stored_history_is_chosen_and_kept(app):
    started(app, group="5")
    assert app.selectbox(key="group").value == 4
    app.selectbox(key="group").set_value(2).run()
    assert link_of(app)["group"] == "3"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"rewards": "step=0"}, "At least one of the reward weights"),
        ({"rewards": "step=-1,path=1"}, "Reward weights must be finite and >= 0"),
        ({"rewards": "path=nan"}, "Reward weights must be finite and >= 0"),
        ({"rewards": "<script>"}, "There is no reward '<script>'"),
        ({"group": "129"}, "Group must be a number from 1 to 128"),
        ({"preview": "9"}, "There is no preview '9' in this application any more"),
        ({"user": "nobody"}, "There is no user 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence_and_the_sliders_stay(app, bad, said):
    started(app, **bad)
    (error,) = app.error
    assert error.value.startswith(said)
    assert weights_of(app) == [1, 1, 0.5, 2]


@pytest.mark.parametrize(
    ("mix", "heard"),
    [
        ({"weights": {"step": 1, "path": 9}, "locked": ["path", "x"], "turn": 1}, ([1, 0, 0, 4], ["path"])),
        ({"weights": {"step": "much", "path": -1}, "locked": [], "turn": 1}, ([0, 0, 0, 0], [])),
        ({"weights": {"step": 1}, "locked": [], "turn": 0}, None),
        ({"weights": [1], "locked": [], "turn": 1}, None),
        ("mix", None),
    ],
)
def test_what_the_mixer_says_is_heard_once_and_within_its_bounds(monkeypatch, mix, heard):
    drawn, mixes = [], []
    kept = {reward_weights.MIXER: SimpleNamespace(mix=mix)}
    monkeypatch.setattr(reward_weights, "_mixer", lambda **said: drawn.append(said))
    monkeypatch.setattr(reward_weights.st, "session_state", kept)
    weights = dict.fromkeys(("step", "category", "consistency", "path"), 1.0)
    for _ in range(2):
        reward_weights.weight_mixer(weights, [], on_mix=lambda *said: mixes.append(said))
        drawn[-1]["on_mix_change"]()
    assert [(list(values.values()), locked) for values, locked in mixes] == ([heard] if heard else [])


def test_a_run_without_stored_paths_says_how_to_get_them(tiny_run, monkeypatch, tmp_path):
    app = started(page_of(tiny_run, monkeypatch, tmp_path))
    assert not app.error
    assert app.segmented_control(key="rollouts").options == ["learnt", "held out"]
    assert any("reg4rec post-train --run" in info.value for info in app.info)


def test_a_preview_that_finished_is_compared_and_kept(tiny_run, monkeypatch, tmp_path):
    app = started(page_of(tiny_run, monkeypatch, tmp_path), rewards="path=1", steps="1", batch="4")
    app.button(key="start_preview").click().run()
    assert not app.exception
    queue = session.all_previews()
    try:
        (number,) = queue.numbers()
        assert queue.state(number).plan.weights == RewardWeights.parse("path=1")
        while not queue.state(number).is_over:
            time.sleep(0.1)
        app.run()
        assert not app.exception
        assert any("validation users, ranked by the exact first state" in text.value for text in app.markdown)
        assert "nodes of both trees" in html_with(app, "nodes of both trees")
        app.text_input(key="keep_name").set_value("../x").run()
        app.button(key="keep").click().run()
        assert app.error[0].value.startswith("A run's name is made of letters")
        app.text_input(key="keep_name").set_value("kept").run()
        app.button(key="keep").click().run()
        assert (tmp_path / "checkpoints" / "kept" / "run.json").exists()
        assert "kept" in open_runs.known_runs()
        assert any(info.value.startswith("Kept as kept") for info in app.info)
    finally:
        queue.close()
