"""What a mark does to the skin of a picture: as soft as the picture, and no softer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from portraitist.marks.anchor import place
from portraitist.marks.site import spot_site
from portraitist.marks.stamp import spot_stamp
from portraitist.marks.surface import skin_frame
from tests.marks.meshes import head
from tests.marks.skins import MEDIUM, SIZE, cut_out, skin

CHEEK = 50


def peak(blur: float, blur_mm: float) -> float:
    """The largest density of a mole on a face with 3 pixels a millimetre."""
    face, mark = head(), replace(cut_out("m", CHEEK, MEDIUM), blur_mm=blur_mm)
    frame = skin_frame(mark.anchor, face)
    usable = np.ones((SIZE, SIZE), np.float32)
    site = spot_site(skin(), place(mark.anchor, face), frame, mark.diameter_mm, usable)
    return float(spot_stamp(mark, site, frame, blur).max())


def test_it_is_softer_in_a_softer_picture() -> None:
    assert peak(6, 0) < 0.8 * peak(3, 0) < peak(0, 0)


def test_a_mark_of_a_soft_photo_is_not_blurred_twice() -> None:
    assert peak(6, 3.0) == pytest.approx(peak(0, 0), rel=0.05)
    assert peak(6, 0) < peak(6, 1.0) < peak(6, 2.0)
