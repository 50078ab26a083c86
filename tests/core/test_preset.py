"""Presets: decoding settings as a file, and the file as settings."""

import json
import math
import shutil

import pytest

from reg4rec_core.checkpoint import file_checksum, open_run
from reg4rec_core.config import DecodeConfig, RewardWeights
from reg4rec_core.preset import preset_json, read_preset
from reg4rec_core.types import InputError

DECODES = [
    DecodeConfig(theta=0.09, check_from=3, beam_width=7, look_ahead=False),
    DecodeConfig(theta=math.inf, thetas=(0.1, math.inf, 0.3), selection="fixed", code_probabilities="heads"),
]


@pytest.mark.parametrize("decode", DECODES)
def test_what_is_saved_is_read_back(tiny_run, tmp_path, decode):
    text = preset_json(tiny_run, decode, weights="latest", reward_weights=RewardWeights(step=0.5, path=0.0))
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["reg4rec_preset"] == 1
    assert document["run"] == tiny_run.name
    assert document["weights_checksum"] == file_checksum(tiny_run / "weights" / "pretrained.safetensors")
    path = tmp_path / "mine.json"
    path.write_text(text, encoding="utf-8")
    for preset in (read_preset(text, tiny_run), read_preset(path, tiny_run)):
        assert preset.decode == decode
        assert preset.reward_weights == RewardWeights(step=0.5, path=0.0)
        assert preset.data_checksum == open_run(tiny_run).settings["data_checksum"]


def test_what_a_preset_leaves_out_is_the_runs_own(tiny_run):
    own = open_run(tiny_run).decode_config()
    preset = read_preset(changed(tiny_run, decode={"theta": None, "top_k": 3}), tiny_run)
    assert preset.decode == DecodeConfig(**{**own.to_dict(), "theta": math.inf, "top_k": 3})
    assert (preset.reward_weights, preset.weights_checksum) == (None, None)


def test_one_theta_of_a_preset_takes_the_place_of_a_runs_thetas_by_step(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    open_run(run).set_decode_config(DecodeConfig(thetas=(0.1, 0.2)))
    assert read_preset(changed(run, decode={"theta": 0.3}), run).decode == DecodeConfig(theta=0.3)
    assert read_preset(changed(run, decode={"beam_width": 3}), run).decode.thetas == (0.1, 0.2)


def changed(run, /, **entries) -> str:
    return json.dumps({**json.loads(preset_json(run, DECODES[0])), **entries})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"reg4rec_preset": 2}, 'a preset says "reg4rec_preset": 1'),
        ({"thetta": 0.1}, "a preset has no field thetta"),
        ({"decode": {"thetta": 0.1}}, "decode of a preset has no setting thetta"),
        ({"decode": {"theta": -0.1}}, r"theta must be >= 0 .*got -0\.1"),
        ({"decode": {"theta": math.nan}}, "theta must be >= 0 .*got nan"),
        ({"decode": {"thetas": [0.1, -1]}}, "thetas must be >= 0"),
        ({"decode": {"theta": "0.1"}}, 'decode.theta of a preset must be a number, got "0.1"'),
        ({"decode": {"beam_width": 2.5}}, r"decode.beam_width of a preset must be a whole number, got 2\.5"),
        ({"decode": {"check_from": True}}, "decode.check_from of a preset must be a whole number, got true"),
        ({"decode": {"look_ahead": 1}}, "decode.look_ahead of a preset must be true or false, got 1"),
        ({"decode": {"selection": 1}}, "decode.selection of a preset must be confidence or fixed, got 1"),
        ({"decode": {"selection": "best"}}, 'decode.selection of a preset must be confidence or fixed, got "best"'),
        ({"decode": {"thetas": 0.1}}, "decode.thetas of a preset must be a list"),
        ({"decode": None}, "decode of a preset holds settings by name, got null"),
        ({"reward_weights": {"step": None}}, "reward weights must be finite"),
        ({"data_checksum": "0" * 64, "run": "other"}, "made on the data of 'other'"),
        ({"data_checksum": None}, "made on the data of"),
        ({"weights_checksum": 3}, "weights_checksum of a preset must be text or absent, got 3"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(tiny_run, entries, message):
    with pytest.raises(InputError, match=message) as refusal:
        read_preset(changed(tiny_run, **entries), tiny_run)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"theta=0.1", b"\xff\xfe\x00\x01", b""])
def test_a_file_that_is_no_json_is_refused(tiny_run, tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a preset is a JSON file, .*mine\.json is none"):
        read_preset(path, tiny_run)


@pytest.mark.parametrize("content", ["[1]", "3", "{}", '"text"'])
def test_json_that_is_no_preset_is_refused(tiny_run, content):
    with pytest.raises(InputError, match="does not; save it again"):
        read_preset(content, tiny_run)


def test_commands_decode_by_a_preset_and_options_go_before_it(reg4rec, tiny_run, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(preset_json(tiny_run, DecodeConfig(theta=0.03, beam_width=3, check_from=1, top_k=2)))
    asked = ("recommend", "--run", tiny_run, "--user", "visitor 7", "--json")
    told = search_of(reg4rec(*asked, "--decode", path))
    assert (told["theta"], told["beam"], len(told["items"])) == (0.03, 3, 2)
    assert told == search_of(reg4rec(*asked, "--theta", "0.03", "--beam", "3", "--check-from", "1", "--top", "2"))
    assert search_of(reg4rec(*asked, "--decode", path, "--theta", "0.2"))["theta"] == 0.2
    refused = reg4rec(*asked, "--decode", tmp_path / "none.json")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "there is no preset file at" in refused.stderr


def test_a_theta_that_is_given_holds_for_all_steps_of_a_preset_with_several(reg4rec, tiny_run, tmp_path):
    path = tmp_path / "steps.json"
    path.write_text(preset_json(tiny_run, DecodeConfig(thetas=(0.0, 0.0), check_from=1)))
    asked = ("recommend", "--run", tiny_run, "--user", "visitor 7", "--json", "--decode", path)
    fates = [
        {node["fate"] for node in search_of(reg4rec(*asked, *theta))["trace"]["nodes"]}
        for theta in ((), ("--theta", "inf"))
    ]
    assert "pruned" in fates[0] - fates[1]


def search_of(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)
