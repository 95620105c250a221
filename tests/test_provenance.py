"""Recipes and what is written into a portrait's file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.errors import ConfigError
from portraitist.library import read_json, write_json
from portraitist.provenance import Input, Recipe, read_recipe, save_portrait, saved_portraits, source_type_xmp
from portraitist.types import Image, Pixels


def _recipe() -> Recipe:
    inputs = (Input("album", "ab" * 32, "/photos/a.jpg", "anna"), Input("template", "cd" * 32, "/t.jpg"))
    return Recipe("shoot", "compose", {"outline": 1.0}, 7, 0, ("anna",), inputs, weights={"face-mesh": "ef" * 32})


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_a_portrait_and_its_recipe_are_written(tmp_path: Path, astronaut: Image, format: str) -> None:
    saved = save_portrait(astronaut, _recipe(), tmp_path, "one", format=format)
    opened = PillowImage.open(saved.path)
    assert opened.size == (512, 512)
    xmp = opened.info.get("xmp") or b""
    packet = xmp if isinstance(xmp, bytes) else xmp.encode()
    assert b"newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in packet
    assert not dict(opened.getexif())
    assert read_recipe(saved.path) == saved.recipe
    assert saved.recipe.output == Pixels(astronaut).digest
    assert [s.path for s in saved_portraits(tmp_path)] == [saved.path]


def test_png_keeps_every_pixel(tmp_path: Path, astronaut: Image) -> None:
    saved = save_portrait(astronaut, _recipe(), tmp_path, "one")
    assert (np.asarray(PillowImage.open(saved.path).convert("RGB")) == astronaut).all()


def test_a_recipe_survives_json(tmp_path: Path) -> None:
    path = write_json(tmp_path / "r.json", _recipe().to_json())
    assert read_recipe(path) == _recipe()


def test_recipes_refuse_what_they_do_not_know(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="surprise"):
        Recipe.from_json({**_recipe().to_json(), "surprise": 1})
    with pytest.raises(ConfigError, match="no recipe"):
        Recipe.from_json({"hello": 1})


def test_a_recipe_without_its_picture_is_not_listed(tmp_path: Path, astronaut: Image) -> None:
    saved = save_portrait(astronaut, _recipe(), tmp_path, "one")
    write_json(tmp_path / "album.json", {"accepted": []})
    saved.path.unlink()
    assert list(saved_portraits(tmp_path)) == []
    assert read_json(saved.recipe_path)["file"] == "one.png"


def test_the_source_type_is_one_of_two() -> None:
    assert b"trainedAlgorithmicMedia" in source_type_xmp("generated")
    with pytest.raises(ConfigError):
        source_type_xmp("painting")
