"""Two passes inside a template, on tiny weights of every base: where it paints, what it leaves alone, what it keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.painters import Condition, Painter
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import TwoPassConfig
from portraitist.generate.frame import Frame
from portraitist.generate.template import TemplateEngine, TemplateOrder, like_skin, paint_face, paint_ring
from portraitist.types import Face, Image, Mask, Portrait
from tests.diffusion.tiny_painters import BASES, tiny_painters

SIDE = 64
FEW = TwoPassConfig(face_steps=4, ring_steps=4)


@pytest.fixture(scope="module")
def face(astronaut: Image, reader: FaceReader) -> Face:
    return reader.read(astronaut, embed=False)[0]


@pytest.fixture(scope="module")
def painters() -> dict[str, tuple[Painter, Painter]]:
    return {name: tiny_painters(name) for name in BASES}


@pytest.fixture(scope="module")
def engine(painters: dict[str, tuple[Painter, Painter]]) -> TemplateEngine:
    return TemplateEngine(*painters["mini"], FEW, SIDE)


def order(astronaut: Image, face: Face) -> TemplateOrder:
    return TemplateOrder(Portrait(astronaut, ("a",)), [face], astronaut, "portrait, sitter", ("b",))


@pytest.mark.parametrize("base", BASES)
def test_outside_the_masks_nothing_changes(
    painters: dict[str, tuple[Painter, Painter]], base: str, astronaut: Image, face: Face
) -> None:
    portrait = TemplateEngine(*painters[base], FEW, SIDE)(order(astronaut, face), seed=1)
    assert portrait.changed is not None
    assert portrait.image.shape == astronaut.shape
    np.testing.assert_array_equal(portrait.image[portrait.changed == 0], astronaut[portrait.changed == 0])
    inside = portrait.changed > 0.9
    assert np.abs(portrait.image[inside].astype(int) - astronaut[inside]).mean() > 1
    assert portrait.details["mean_change"] > 1
    assert {"face pass", "ring pass"} <= set(portrait.details["timings"])
    assert portrait.sources == ("a", "b")


@pytest.mark.parametrize("base", BASES)
def test_the_background_pass_leaves_people_alone(
    painters: dict[str, tuple[Painter, Painter]], base: str, astronaut: Image
) -> None:
    config = replace(FEW, background_denoise=0.5)
    people = np.zeros(astronaut.shape[:2], np.float32)
    people[100:400, 60:300] = 1
    engine = TemplateEngine(*painters[base], config, SIDE)
    portrait = engine.background(Portrait(astronaut, ("a",)), people, "a place", seed=3)
    np.testing.assert_array_equal(portrait.image[people > 0], astronaut[people > 0])
    assert portrait.changed is not None
    assert portrait.changed[people > 0].max() == 0
    away = people == 0
    assert np.abs(portrait.image[away].astype(int) - astronaut[away]).mean() > 1
    assert portrait.details["timings"]["background pass"] > 0


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


def test_a_second_face_adds_its_facts(engine: TemplateEngine, astronaut: Image, face: Face) -> None:
    """As groups are painted: sitter after sitter over the same portrait."""
    first = engine(order(astronaut, face), seed=1)
    second = engine(replace(order(astronaut, face), start=first, sources=("c",)), seed=2)
    assert len(second.details["painted"]) == 2
    assert second.sources == ("a", "b", "c")
    assert second.details["timings"]["face pass"] > first.details["timings"]["face pass"]


def test_the_colours_follow_the_template_s_skin(astronaut: Image, face: Face) -> None:
    frame = Frame.around(astronaut, face, SIDE)
    bluish = frame.image.copy()
    bluish[..., 2] = np.clip(bluish[..., 2].astype(int) + 40, 0, 255)
    before = np.abs(bluish.astype(int) - frame.image)[20:50, 20:44].mean()
    after = np.abs(like_skin(bluish, frame.face, frame.image).astype(int) - frame.image)[20:50, 20:44].mean()
    assert after < 0.5 * before


def test_fusion_brings_back_compose_s_face(engine: TemplateEngine, astronaut: Image, face: Face) -> None:
    weak = replace(FEW, fusion=0.9, ring_denoise=0)
    near = TemplateEngine(engine.face, engine.ring, weak, SIDE)
    far = TemplateEngine(engine.face, engine.ring, replace(weak, fusion=0.0), SIDE)
    changes = [e(order(astronaut, face), seed=1).details["mean_change"] for e in (near, far)]
    assert changes[0] < 0.5 * changes[1]


class Noting:
    """A painter that keeps what it was asked and paints nothing."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds
        self.asked: dict[str, Any] = {}
        self.conditions: dict[str, Condition] = {}

    def paint(self, image: Image, mask: Mask, prompt: str, conditions: Any, **asked: Any) -> Image:
        self.asked, self.conditions = asked, dict(conditions)
        return image


def test_hair_and_background_keep_their_colours(astronaut: Image, face: Face) -> None:
    """Moved with the skin they would stand out as an oval."""
    frame = Frame.around(astronaut, face, SIDE)
    bluish = frame.image.copy()
    bluish[..., 2] = np.clip(bluish[..., 2].astype(int) + 40, 0, 255)
    moved = np.abs(like_skin(bluish, frame.face, frame.image).astype(int) - bluish).max(axis=2)
    assert moved[:4].max() <= 1
    assert moved[32, 32] > 5


def test_a_base_has_its_own_ring(astronaut: Image, face: Face) -> None:
    frame, mask = Frame.around(astronaut, face, SIDE), np.ones((SIDE, SIDE), np.float32)
    for config, strength in (
        (TwoPassConfig().for_base(None), 0.30),
        (TwoPassConfig().for_base(0.1), 0.1),
        (TwoPassConfig(ring_denoise=0.2).for_base(0.1), 0.2),
    ):
        ring = Noting("canny")
        paint_ring(ring, frame, mask, "portrait", config, 1)
        assert ring.asked["strength"] == strength
    second = Noting("canny")
    engine = TemplateEngine(Noting("canny"), second, TwoPassConfig().for_base(0.0), SIDE)
    assert "ring pass" not in engine(order(astronaut, face), seed=1).details["timings"]
    assert not second.asked


def test_each_pass_has_its_strengths_and_controls(astronaut: Image, face: Face) -> None:
    frame, config = Frame.around(astronaut, face, SIDE), TwoPassConfig()
    first, second = Noting("canny", "colour", "pose"), Noting("canny", "tile")
    mask = np.ones((SIDE, SIDE), np.float32)
    elsewhere = frame.face.landmarks + np.float32(10)
    paint_face(first, frame, mask, "portrait", config, 1, pasted=elsewhere)
    paint_ring(second, frame, mask, "portrait", config, 1)
    assert (first.asked["strength"], first.asked["steps"]) == (0.45, 50)
    assert (second.asked["strength"], second.asked["steps"]) == (0.30, 20)
    assert {kind: c.weight for kind, c in first.conditions.items()} == {"canny": 0.5, "colour": 0.85, "pose": 0.5}
    assert {kind: c.weight for kind, c in second.conditions.items()} == {"canny": 1.0, "tile": 1.0}
    np.testing.assert_array_equal(second.conditions["tile"].image, frame.image)
    own = Noting("pose")
    paint_face(own, frame, mask, "portrait", config, 1)
    assert (own.conditions["pose"].image != first.conditions["pose"].image).any()
