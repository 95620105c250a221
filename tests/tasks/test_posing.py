"""Portraits in a pose: steered by the sitter's own mesh, measured, replayed; with tiny weights in mini's place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion import painter_loading
from portraitist.diffusion.base_row import Base
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.lean_controlnet import LeanControlNet
from portraitist.errors import ConfigError, EngineError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import DrawConfig
from portraitist.generate.poses import poses
from portraitist.generate.text import TextEngine, TextOrder
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.provenance import saved_portraits
from portraitist.styles.looks import find_style
from portraitist.tasks.config import DrawRequest
from portraitist.tasks.draw import draw
from portraitist.tasks.posing import Posing
from portraitist.tasks.replay import make_again, replay
from portraitist.tasks.train import train
from portraitist.types import Image, Pixels, Reference
from tests.diffusion.tiny_bases import IMAGE_SIDE, tiny_pipeline
from tests.diffusion.tiny_painters import tiny_control
from tests.tasks.test_train import FEW, anna, mini  # noqa: F401  fixtures

STEPS = DrawConfig(num_steps=2, face_fusion=0.0)


class Seal:
    """Stands in for a certificate."""

    def sign(self, data: bytes, _format: str, _source_type: str) -> bytes:
        return data + b"signed"


@pytest.fixture
def steering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controls that steer: as they are made, their last layers are zero."""
    from_pretrained = LeanControlNet.from_pretrained

    def loaded(*arguments: Any, **options: Any) -> LeanControlNet:
        network = from_pretrained(*arguments, **options)
        noise = torch.Generator().manual_seed(0)
        for weight in network.parameters():
            if not weight.any():
                weight.data.normal_(0, 0.5, generator=noise)
        return network

    monkeypatch.setattr(LeanControlNet, "from_pretrained", loaded)


@pytest.fixture
def references(astronaut: Image, reader: FaceReader) -> list[Reference]:
    return [Reference(Pixels(astronaut), reader.read(astronaut)[0])]


def posing(asked: str, references: list[Reference], reader: FaceReader) -> Posing:
    return Posing.of(asked, 1.0, references, find_base("mini"), reader)


def test_a_pose_draws_other_pixels_measures_and_replays(anna: Library, steering: None) -> None:  # noqa: F811
    train(anna, "anna", config=FEW)
    request = DrawRequest(pose="half-left", count=2, seed=4)
    drawn = draw(anna, "anna", request, drawing=STEPS)
    recipe = drawn.saved[0].recipe
    assert recipe.config["draw"]["pose"] == "half-left"
    assert recipe.details["pose"]["yaw"] == -22
    assert recipe.details["pose"]["reference"] in {entry.digest for entry in recipe.inputs}
    assert "turned left" in recipe.details["prompt"]
    assert "facing the camera" not in recipe.details["prompt"]
    # Noise has no face, so there is no angle to compare.
    assert recipe.measures["pose"] == {"found": None, "error": None}
    assert replay(anna, drawn.saved[1].recipe_path).identical
    outputs = {recipe.output}
    for pose, strength in (("half-left", 0.0), ("strong-left", 1.0)):
        config = replace(STEPS, pose_strength=strength)
        made = draw(anna, "anna", replace(request, pose=pose), drawing=config).saved[0]
        assert made.recipe.details["prompt"] == recipe.details["prompt"]
        outputs.add(made.recipe.output)
    assert len(outputs) == 3
    assert len(list(saved_portraits(anna.sitter("anna").portraits_dir))) == 7, "another request took another's file"


def test_a_photo_of_another_person_gives_the_pose(anna: Library, hopper_path: Path, tmp_path: Path) -> None:  # noqa: F811
    train(anna, "anna", config=FEW)
    photo = tmp_path / "pose.png"
    Pillow.open(hopper_path).convert("RGB").save(photo)
    made = draw(anna, "anna", DrawRequest(pose=str(photo)), drawing=STEPS, credential=Seal()).saved[0]  # type: ignore[arg-type]
    assert made.path.read_bytes().endswith(b"signed")
    assert [entry.path for entry in made.recipe.inputs if entry.role == "pose"] == [str(photo)]
    assert made.recipe.details["pose"]["name"] == "pose.png"
    assert replay(anna, made.recipe_path).identical
    Pillow.open(hopper_path).convert("RGB").rotate(2).save(photo)
    with pytest.raises(InputError, match="was changed"):
        make_again(anna, made.recipe)
    json.dumps(made.recipe.to_json())


def test_wrong_poses_teach(references: list[Reference], reader: FaceReader, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the nearest are"):
        posing("half-lef", references, reader)
    blank = tmp_path / "blank.png"
    Pillow.new("RGB", (200, 200), "grey").save(blank)
    with pytest.raises(InputError, match="expected a face"):
        posing(str(blank), references, reader)
    with pytest.raises(EngineError, match="z-image"):
        Posing.of("front", 1.0, references, find_base("z-image"), reader)


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_hub_bases_are_steered_by_points_of_the_face(
    name: str, references: list[Reference], reader: FaceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, side = tiny_pipeline(name), IMAGE_SIDE[name]
    asked_for: list[str] = []

    def networks(
        _base: Base, _pipeline: Any, kinds: tuple[str, ...], *_: Any
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        asked_for.extend(kinds)
        return {kind: tiny_control(name, plain) for kind in kinds}, ()

    monkeypatch.setattr(painter_loading, "load_networks", networks)
    base = replace(find_base(name), resolution=side)
    engine = TextEngine(plain, STEPS, 2, 2.0, options={"height": side, "width": side})
    drawn = {}
    for pose in ("strong-left", "strong-right"):
        made = Posing.of(pose, 1.0, references, base, reader)
        steered = made.steer(engine, base, Placement())
        assert type(steered.pipeline).__name__ == base.pipelines.control
        assert steered.pipeline.unet is plain.unet
        drawn[pose] = next(iter(steered(TextOrder(["portrait"]), seed=0))).image
        assert drawn[pose].shape == (side, side, 3)
    assert asked_for == ["pose", "pose"]
    assert (drawn["strong-left"] != drawn["strong-right"]).any()


def test_points_of_the_face_lie_in_a_smaller_head(references: list[Reference], reader: FaceReader) -> None:
    picture = Posing.of("half-left", 1.0, references, find_base("sd15"), reader).picture
    assert picture.shape == (512, 512, 3)
    rows, columns = np.nonzero(picture.max(axis=2) > 128)
    assert 0.30 < rows.mean() / 512 < 0.50
    assert 0.15 < np.ptp(columns) / 512 < 0.45


def test_the_pose_takes_the_place_of_the_styles(references: list[Reference], reader: FaceReader) -> None:
    style = find_style("plain-front")
    turned = posing("half-right", references, reader).said_in(style).prompt
    assert turned.pose == "turned right"
    assert turned.expression == style.prompt.expression
    assert posing("half-left-laugh", references, reader).said_in(style).prompt.expression == "smiling, mouth open"


def test_a_face_in_the_pose_measures_no_error(
    astronaut: Image, references: list[Reference], reader: FaceReader
) -> None:
    face = references[0].face
    asked = replace(poses()["front"], yaw=face.pose.yaw, pitch=face.pose.pitch + 3, roll=face.pose.roll)
    measured = replace(posing("front", references, reader), pose=asked).measured(face)
    assert measured["error"] == {"yaw": 0.0, "pitch": 3.0, "roll": 0.0}
    assert np.isclose(measured["found"]["yaw"], face.pose.yaw, atol=0.06)
