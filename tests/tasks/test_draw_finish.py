"""A drawn portrait made complete: whose face it has afterwards, what stays, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeEngine
from portraitist.errors import ConfigError
from portraitist.faces.reader import FaceReader
from portraitist.generate.ring import RingPass
from portraitist.placement import Placement
from portraitist.tasks.config import DrawRequest
from portraitist.tasks.draw_finish import NO_FACE, FaceFusion
from portraitist.tasks.sitting import Cast
from portraitist.tasks.stage_clock import StageClock, peak_memory
from portraitist.types import Image, Pixels, Portrait, Reference
from tests.generate.test_ring import ring_pass  # noqa: F401  fixture


@pytest.fixture(scope="module")
def collins(astronaut: Image, reader: FaceReader) -> Cast:
    """An album of one photo."""
    reference = Reference(Pixels(astronaut), reader.read(astronaut)[0])
    return Cast("collins", None, (reference,), (reference,))  # type: ignore[arg-type]


def fusion(cast: Cast, reader: FaceReader, share: float, ring: RingPass | None = None) -> FaceFusion:
    return FaceFusion(cast, share, ComposeEngine(ComposeConfig(), Placement()), reader, ring=ring)


def drawn(image: Image) -> Portrait:
    return Portrait(image, ("learned",), details={"prompt": "portrait, sitter"})


def test_the_drawn_face_becomes_the_sitter_s(collins: Cast, reader: FaceReader, hopper: Image) -> None:
    clock, theirs = StageClock(), collins.everyone[0].face.embedding
    assert theirs is not None
    distances = {}
    for share in (0.0, 0.5, 1.0):
        portrait = fusion(collins, reader, share)(drawn(hopper), clock, seed=1)
        face = reader.read(portrait.image)[0]
        assert face.embedding is not None
        distances[share] = face.embedding.distance(theirs)
    assert distances[1.0] < distances[0.5] < distances[0.0]
    assert distances[1.0] < 0.5
    # The photo is a source now, so likeness is not taken against it.
    assert set(portrait.sources) == {"learned", collins.everyone[0].picture.digest}
    assert portrait.details["fusion"]["slots"][0]["photo"] == collins.everyone[0].picture.digest
    assert portrait.details["fusion"]["scale"] == 1
    assert "warnings" in portrait.details
    assert clock.seconds["fusion"] > 0


def test_away_from_the_face_it_stays_as_it_was_drawn(collins: Cast, reader: FaceReader, hopper: Image) -> None:
    portrait = fusion(collins, reader, 0.8)(drawn(hopper), StageClock(), seed=1)
    np.testing.assert_array_equal(portrait.image[420:], hopper[420:])


def test_the_ring_is_painted_around_the_face(
    collins: Cast,
    reader: FaceReader,
    hopper: Image,
    ring_pass: RingPass,  # noqa: F811
) -> None:
    clock = StageClock()
    plain = fusion(collins, reader, 0.8)(drawn(hopper), clock, seed=1)
    ringed = fusion(collins, reader, 0.8, ring_pass)(drawn(hopper), clock, seed=1)
    apart = np.abs(plain.image.astype(int) - ringed.image).max(axis=2)
    x, y = np.round(reader.read(plain.image, embed=False)[0].landmarks[4, :2]).astype(int)
    assert apart[y, x] <= 3
    assert apart.max() > 10
    assert ringed.details["ring"]
    assert clock.seconds["ring"] > 0


def test_without_a_face_it_stays_and_says_so(collins: Cast, reader: FaceReader) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    portrait = fusion(collins, reader, 1.0)(drawn(noise), StageClock(), seed=1)
    np.testing.assert_array_equal(portrait.image, noise)
    assert portrait.details["warnings"] == [NO_FACE]
    assert "fusion" not in portrait.details
    assert portrait.sources == ("learned",)


def test_a_stage_that_comes_again_adds_up() -> None:
    clock = StageClock()
    for _ in range(2):
        with clock("draw"):
            np.linalg.svd(np.ones((200, 200)))
    once = dict(clock.seconds)
    with clock("draw"):
        np.linalg.svd(np.ones((300, 300)))
    assert clock.seconds["draw"] >= once["draw"] >= 0
    assert list(clock.seconds) == ["draw"]


def test_peak_memory_is_that_of_this_process() -> None:
    before = peak_memory()
    assert before is not None
    # Of NumPy and a few networks: some hundred MiB, whatever unit the system counts in.
    assert 50 < before < 100_000
    assert peak_memory("mps") is None


def test_a_scene_engine_wants_a_scene() -> None:
    with pytest.raises(ConfigError, match="scene_first"):
        DrawRequest(scene_engine="lora")
