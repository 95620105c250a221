"""Which flags go together: what would be ignored is refused, with the kinds it goes with."""

from __future__ import annotations

import dataclasses

import pytest

from portraitist.cli.main import build_parser
from portraitist.cli.shoot_flags import HEAD_SHOT, ID_PHOTO, PAINTED, TEMPLATE, WORDS, WORDS_PAINTED, kind_of
from portraitist.compose.backdrop_config import BackdropConfig
from portraitist.errors import ConfigError
from portraitist.tasks.config import ShootConfig


def kind(line: str) -> str:
    return kind_of(build_parser().parse_args(["shoot", "anna", *line.split()]))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--template a.jpg --outline 0.5 --slots 1=anna -n 3 --seed 4", TEMPLATE),
        ("--template a.jpg --engine lora --base mini --face-denoise 0.5 --light 0.3 --guidance-scale 2", PAINTED),
        ("--backdrop white --crop half --padding 0.1 --matte grabcut", HEAD_SHOT),
        ("--id-photo us-passport --background own --scale 2", ID_PHOTO),
        ("--style plain-front --best 2 --num-steps 8 --base mini --guidance-scale 2", WORDS),
        ("--prompt smiling --engine lora", WORDS),
        ("--style plain-front --outline 0.5 --face-fusion 0.5 --ring-steps 4 --ring 0.2 --no-ring-pass", WORDS),
        ("--style plain-front --scene-first --scene-engine lora --face-denoise 0.4", WORDS_PAINTED),
        ("--pose half-left --pose-strength 0.5", WORDS),
    ],
)
def test_kinds(line: str, expected: str) -> None:
    assert kind(line) == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "found none"),
        ("--style plain-front --template a.jpg", "--template and --style"),
        ("--id-photo us-passport --prompt smiling", "--id-photo and --style"),
        ("--style plain-front --engine compose", "expected --engine lora"),
        ("--pose front --template a.jpg", "--template and --style"),
        ("--style plain-front --padding 0.5", "--padding: does nothing with --style"),
        ("--style plain-front --slots 1=anna", "--slots"),
        ("--style plain-front --face-denoise 0.4", "--face-denoise"),
        ("--template a.jpg --face-denoise 0.4", "it goes with .*--template with --engine lora"),
        ("--template a.jpg --base mini", "--base"),
        ("--template a.jpg --num-steps 4", "--num-steps"),
        ("--template a.jpg --crop half", "it goes with --backdrop"),
        ("--backdrop white --background own", "it goes with --id-photo"),
        ("--id-photo us-passport --height 300", "--height"),
        ("--backdrop white --best 2", "--best"),
        ("--backdrop white --no-keep-own-occluders", "--keep-own-occluders"),
    ],
)
def test_what_would_be_ignored_is_refused(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        kind(line)


def test_no_flag_of_scenes_is_forgotten() -> None:
    """A field added to one of these configs is refused with words, or serves them on purpose."""
    for config in (BackdropConfig, ShootConfig):
        for field in dataclasses.fields(config):
            if not field.metadata or field.name in ("count", "seed", "format", "engine", "base", "templates"):
                continue
            flag = "--" + field.name.replace("_", "-")
            value = (
                ""
                if field.type == "bool"
                else f" {field.metadata['choices'][0]}"
                if field.metadata["choices"]
                else " 1"
            )
            with pytest.raises(ConfigError):
                kind(f"--style plain-front {flag}{value}")
