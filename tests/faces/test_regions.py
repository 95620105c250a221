"""Masks of the face's parts lie where the parts are."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.faces.reader import FaceReader
from portraitist.faces.regions import brows_mask, eyes_mask, lips_mask, oval_mask, skin_mask
from portraitist.types import Image


def test_parts_lie_in_the_oval_and_skin_avoids_them(reader: FaceReader, astronaut: Image) -> None:
    (face,) = reader.read(astronaut, embed=False)
    size = astronaut.shape[:2]
    oval, skin = oval_mask(face, size), skin_mask(face, size)
    for part in (lips_mask, eyes_mask, brows_mask):
        mask = part(face, size)
        assert mask.sum() > 20
        assert (mask * (1 - oval)).sum() < 0.05 * mask.sum()
        assert float((mask * skin).sum()) == pytest.approx(0, abs=1)
    assert oval.dtype == np.float32
    assert 0.3 < skin.sum() / oval.sum() < 0.9


def test_lips_are_redder_than_skin(reader: FaceReader, astronaut: Image) -> None:
    (face,) = reader.read(astronaut, embed=False)
    size = astronaut.shape[:2]
    red = astronaut[..., 0].astype(float) / astronaut.sum(2).clip(1)
    # The astronaut smiles: the mask holds teeth too, so only its redder part is lip.
    lips = np.percentile(red[lips_mask(face, size) > 0.5], 80)
    assert lips > np.median(red[skin_mask(face, size) > 0.5]) + 0.01
