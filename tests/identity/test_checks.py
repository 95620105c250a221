"""Scores of validation portraits: likeness is taken to others than the photos that are in them."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.faces.reader import FaceReader
from portraitist.identity.checks import ValidationPortrait, score_portraits
from portraitist.types import Image, Pixels, Reference


@pytest.fixture(scope="module")
def people(astronaut: Image, hopper: Image, reader: FaceReader) -> list[Reference]:
    return [Reference(Pixels(image), reader.read(image)[0]) for image in (astronaut, hopper)]


def test_a_portrait_in_a_template_is_not_compared_with_its_texture(
    astronaut: Image, people: list[Reference], reader: FaceReader
) -> None:
    collins = people[0]
    free = ValidationPortrait(astronaut, "template")
    made_of = ValidationPortrait(astronaut, "template", (collins.picture.digest,))
    scores = score_portraits([free, made_of], [free, made_of], people, people, reader)
    assert scores[0].distance == pytest.approx(0, abs=1e-3)
    assert scores[1].distance is not None
    assert scores[1].distance > 0.6
    assert scores[0].is_copy
    assert not scores[1].is_copy
    assert [score.kind for score in scores] == ["template", "template"]
    alone = score_portraits([made_of], [made_of], [collins], [collins], reader)[0]
    assert (alone.distance, alone.excess) == (None, None)


def test_drift_is_the_change_to_what_the_base_draws(
    astronaut: Image, people: list[Reference], reader: FaceReader
) -> None:
    lighter = np.clip(astronaut.astype(int) + 10, 0, 255).astype(np.uint8)
    portraits = [ValidationPortrait(lighter)]
    score = score_portraits(portraits, [ValidationPortrait(astronaut)], people, people, reader)[0]
    assert 5 < score.drift <= 10
    noise = ValidationPortrait(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
    assert score_portraits([noise], [noise], people, people, reader)[0].distance is None
