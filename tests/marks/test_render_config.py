"""Ranges are in order, and the judging setting is no part of the training one."""

from __future__ import annotations

import dataclasses

import pytest

from portraitist.errors import ConfigError
from portraitist.marks.render_config import JUDGING, TRAINING, CameraConfig, RenderConfig
from portraitist.options import from_mapping, to_mapping


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_a_setting_survives_a_recipe(config: RenderConfig) -> None:
    assert from_mapping(RenderConfig, to_mapping(config)) == config


def test_judging_uses_other_families_everywhere() -> None:
    for name in ("outline", "edge", "path", "crease"):
        assert getattr(TRAINING, name) != getattr(JUDGING, name)
    for name in ("lens", "grain", "saves", "enlarge", "sharpen"):
        assert getattr(TRAINING.camera, name) != getattr(JUDGING.camera, name)
    same = [
        field.name
        for field in dataclasses.fields(RenderConfig)
        if getattr(TRAINING, field.name) == getattr(JUDGING, field.name)
    ]
    assert set(same) <= {"freckle_groups", "hairs"}


@pytest.mark.parametrize("value", [(2.0, 1.0), (-1.0, 1.0), (0.0, float("nan")), (0.0, float("inf")), (1.0,)])
def test_a_range_out_of_order_is_refused(value: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="mole_mm"):
        RenderConfig(mole_mm=value)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="blur"):
        CameraConfig(blur=value)  # type: ignore[arg-type]


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ConfigError, match="outline"):
        RenderConfig(outline="stars")
