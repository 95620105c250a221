"""Two passes inside a template, with tiny weights: where it paints, what it leaves alone, what it keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from diffusers import MultiControlNetModel, StableDiffusionControlNetImg2ImgPipeline

from portraitist.faces.reader import FaceReader
from portraitist.generate.config import TwoPassConfig
from portraitist.generate.template import Frame, TemplateEngine, TemplateOrder, face_masks, like_skin
from portraitist.types import Face, Image, Portrait
from recipes.mini.config import TINY
from recipes.mini.controls import build_control
from tests.diffusion.tiny_bases import tiny_pipeline

SIDE = 64
FEW = TwoPassConfig(face_steps=4, ring_steps=4)


@pytest.fixture(scope="module")
def face(astronaut: Image, reader: FaceReader) -> Face:
    return reader.read(astronaut, embed=False)[0]


def pipeline(controls: int) -> StableDiffusionControlNetImg2ImgPipeline:
    nets = [build_control(TINY) for _ in range(controls)]
    control = nets[0] if controls == 1 else MultiControlNetModel(nets)
    parts = tiny_pipeline("mini").components
    made = StableDiffusionControlNetImg2ImgPipeline(**parts, controlnet=control, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def engine() -> TemplateEngine:
    return TemplateEngine(pipeline(2), pipeline(1), FEW, SIDE, 2.0)


def order(astronaut: Image, face: Face) -> TemplateOrder:
    return TemplateOrder(Portrait(astronaut, ("a",)), [face], astronaut, "portrait, sitter", ("b",))


def test_outside_the_masks_nothing_changes(engine: TemplateEngine, astronaut: Image, face: Face) -> None:
    portrait = engine(order(astronaut, face), seed=1)
    assert portrait.changed is not None
    assert portrait.image.shape == astronaut.shape
    np.testing.assert_array_equal(portrait.image[portrait.changed == 0], astronaut[portrait.changed == 0])
    inside = portrait.changed > 0.9
    assert np.abs(portrait.image[inside].astype(int) - astronaut[inside]).mean() > 1
    assert portrait.details["mean_change"] > 1
    assert portrait.sources == ("a", "b")


def test_the_change_stays_near_the_face(engine: TemplateEngine, astronaut: Image, face: Face) -> None:
    portrait = engine(order(astronaut, face), seed=1)
    assert portrait.changed is not None
    rows, columns = np.nonzero(portrait.changed)
    width = np.ptp(face.landmarks[:, 0])
    low, high = face.landmarks[:, :2].min(axis=0) - 0.4 * width, face.landmarks[:, :2].max(axis=0) + 0.4 * width
    assert (columns.min(), rows.min()) >= tuple(low)
    assert columns.max() <= high[0]
    assert rows.max() <= high[1]


def test_a_seed_paints_one_picture(engine: TemplateEngine, astronaut: Image, face: Face) -> None:
    one, same, other = (engine(order(astronaut, face), seed=seed).image for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_nothing_painted_is_nothing_changed(astronaut: Image, face: Face) -> None:
    """The difference of a picture to itself is carried back as nothing, to the last bit."""
    frame = Frame.around(astronaut, face, SIDE)
    mask = np.ones((SIDE, SIDE), np.float32)
    carried, weight = frame.carry_back(astronaut, frame.image, mask)
    np.testing.assert_array_equal(carried, astronaut)
    assert weight.max() == 1


def test_the_masks_are_soft_and_the_ring_lies_on_the_outline(astronaut: Image, face: Face) -> None:
    frame = Frame.around(astronaut, face, SIDE)
    inner, ring = face_masks(frame.face, (SIDE, SIDE), TwoPassConfig())
    x, y = np.round(frame.face.landmarks[4, :2]).astype(int)
    assert inner[y, x] == pytest.approx(1, abs=0.01)
    assert ring[y, x] < 0.05
    jaw = np.round(frame.face.landmarks[152, :2]).astype(int)
    assert ring[jaw[1] + 1, jaw[0]] > 0.4
    assert inner[0].max() == 0
    assert 0 < ((inner > 0.05) & (inner < 0.95)).mean() < 0.3


def test_the_colours_follow_the_template_s_skin(astronaut: Image, face: Face) -> None:
    frame = Frame.around(astronaut, face, SIDE)
    bluish = frame.image.copy()
    bluish[..., 2] = np.clip(bluish[..., 2].astype(int) + 40, 0, 255)
    before = np.abs(bluish.astype(int) - frame.image)[20:50, 20:44].mean()
    after = np.abs(like_skin(bluish, frame.face, frame.image).astype(int) - frame.image)[20:50, 20:44].mean()
    assert after < 0.5 * before


def test_fusion_brings_back_compose_s_face(engine: TemplateEngine, astronaut: Image, face: Face) -> None:
    weak = replace(FEW, fusion=0.9, ring_denoise=0)
    near = TemplateEngine(engine.face_pipeline, engine.ring_pipeline, weak, SIDE, 2.0)
    far = TemplateEngine(engine.face_pipeline, engine.ring_pipeline, replace(weak, fusion=0.0), SIDE, 2.0)
    changes = [e(order(astronaut, face), seed=1).details["mean_change"] for e in (near, far)]
    assert changes[0] < 0.5 * changes[1]
