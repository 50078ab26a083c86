import math
from dataclasses import dataclass
from typing import Literal

import click
import pytest
from click.testing import CliRunner

from reg4rec_core.cli.options import field_help, settings_from, settings_options
from reg4rec_core.config import DecodeConfig, ModelConfig, PretrainConfig, Settings, TokenizerConfig


@dataclass(frozen=True)
class Kettle(Settings):
    """A class that only this test knows."""

    litres: float = 1.5
    """Water it holds,
    in litres."""
    metal: Literal["steel", "copper"] = "steel"
    """What it is made of."""
    whistle: bool = True
    """Whether it says when it is done."""
    patience: float = math.inf
    """Minutes to wait."""
    max_cups: int | None = None
    """Cups at most."""


@pytest.fixture
def brew() -> click.Command:
    @click.command()
    @settings_options(Kettle)
    def command(**settings):
        click.echo(settings_from(Kettle, settings))

    return command


def test_the_help_of_a_field_is_the_text_under_it():
    assert field_help(Kettle)["litres"] == "Water it holds, in litres."


@pytest.mark.parametrize("settings", [TokenizerConfig, ModelConfig, PretrainConfig, DecodeConfig])
def test_every_setting_has_a_text(settings):
    assert list(field_help(settings)) == list(settings().to_dict())


def test_options_left_out_keep_the_defaults(brew):
    assert CliRunner().invoke(brew, []).output.strip() == str(Kettle())


def test_options_given_reach_the_settings(brew):
    given = ["--litres", "2", "--metal", "copper", "--no-whistle", "--patience", "3", "--max-cups", "4"]
    assert CliRunner().invoke(brew, given).output.strip() == str(Kettle(2.0, "copper", False, 3.0, 4))


def test_an_option_of_the_wrong_type_is_refused(brew):
    assert CliRunner().invoke(brew, ["--litres", "much"]).exit_code == 2
    assert CliRunner().invoke(brew, ["--metal", "wood"]).exit_code == 2


def test_the_help_shows_text_and_default(brew):
    text = " ".join(CliRunner().invoke(brew, ["--help"]).output.split())
    assert "Water it holds, in litres. [default: 1.5]" in text
    assert "Minutes to wait. [default: no limit]" in text
