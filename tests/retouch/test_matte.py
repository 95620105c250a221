"""Mattes against opacities that are known because the picture was made from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.faces.reader import FaceReader
from portraitist.retouch.closed_form import solve_closed_form
from portraitist.retouch.matte import (
    estimate_foreground,
    estimate_matte_closed_form,
    estimate_matte_grabcut,
    person_trimap,
)
from portraitist.types import Image, Mask


def _hairy_disc(side: int) -> tuple[Image, Mask, Mask, Image]:
    """A brown disc with 120 hairs on a smooth blue backdrop: picture, matte, trimap, true foreground."""
    rng = np.random.default_rng(3)
    over = np.zeros((side * 2, side * 2), np.float32)
    centre = (side, side)
    cv2.circle(over, centre, int(side * 0.55), 1, -1)
    for angle in rng.uniform(0, 2 * np.pi, 120):
        length = side * rng.uniform(0.6, 0.75)
        tip = int(centre[0] + length * np.cos(angle)), int(centre[1] + length * np.sin(angle + 0.1))
        start = int(centre[0] + side * 0.5 * np.cos(angle)), int(centre[1] + side * 0.5 * np.sin(angle))
        cv2.line(over, start, tip, 1, max(1, side // 128), cv2.LINE_AA)
    matte = cv2.resize(over, (side, side), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    front = np.stack([110 + 30 * x, 70 + 20 * y, 40 + 10 * x], -1)
    back = np.stack([90 + 40 * y, 150 + 30 * x, 200 + 20 * y], -1)
    image = front * matte[..., None] + back * (1 - matte[..., None])
    trimap = np.full((side, side), 0.5, np.float32)
    distance = np.hypot(x - 0.5, y - 0.5)
    trimap[distance < 0.22], trimap[distance > 0.42] = 1, 0
    return np.round(image).astype(np.uint8), matte, trimap, np.round(front).astype(np.uint8)


def test_closed_form_recovers_a_known_matte_at_full_size() -> None:
    image, matte, trimap, _ = _hairy_disc(256)
    error = np.abs(estimate_matte_closed_form(image, trimap, solved_side=256) - matte)
    assert error[(trimap > 0) & (trimap < 1)].mean() < 0.02


def test_refined_matte_is_close_to_the_full_solve_and_better_than_plain_enlargement() -> None:
    image, matte, trimap, _ = _hairy_disc(512)
    refined = estimate_matte_closed_form(image, trimap, solved_side=256)
    small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
    coarse = solve_closed_form(small, cv2.resize(trimap, (256, 256), interpolation=cv2.INTER_NEAREST))
    plain = cv2.resize(coarse, (512, 512), interpolation=cv2.INTER_LINEAR)
    band = (trimap > 0) & (trimap < 1)
    assert np.abs(refined - matte)[band].mean() < 0.8 * np.abs(plain - matte)[band].mean()


@pytest.mark.parametrize("method", [estimate_matte_closed_form, estimate_matte_grabcut])
def test_methods_are_interchangeable_and_keep_known_pixels(method) -> None:  # type: ignore[no-untyped-def]
    image, matte, trimap, _ = _hairy_disc(192)
    result = method(image, trimap)
    assert result.shape == trimap.shape
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    assert (result[trimap == 1] == 1).all()
    assert (result[trimap == 0] == 0).all()
    assert np.abs(result - matte).mean() < 0.05


def test_an_island_without_ties_follows_the_belief() -> None:
    image, _, trimap, _ = _hairy_disc(192)
    image[20:40, 90:110] = (10, 200, 10)
    trimap[15:45, 85:115] = 0.02
    assert estimate_matte_closed_form(image, trimap)[22:38, 92:108].max() < 0.1


def test_foreground_has_no_spill_of_the_backdrop() -> None:
    image, matte, _, front = _hairy_disc(256)
    estimated = estimate_foreground(image, matte)
    hair = (matte > 0.15) & (matte < 0.9)
    before = np.abs(image.astype(float) - front)[hair].mean()
    after = np.abs(estimated.astype(float) - front)[hair].mean()
    assert after < 0.15 * before
    assert (estimated[matte == 1] == image[matte == 1]).all()


def test_trimap_of_a_photo_knows_the_face_and_the_corner(astronaut: Image, reader: FaceReader) -> None:
    face = max(reader.read(astronaut, embed=False), key=lambda f: f.width)
    trimap = person_trimap(astronaut, face)
    x, y = face.centre.astype(int)
    assert trimap[y, x] == 1
    assert trimap[5, 300] == 0
    unknown = ((trimap > 0) & (trimap < 1)).mean()
    assert 0.02 < unknown < 0.35


def test_photo_without_unknown_pixels_is_returned_as_known(astronaut: Image) -> None:
    trimap = np.zeros(astronaut.shape[:2], np.float32)
    assert estimate_matte_closed_form(astronaut, trimap).max() == 0


def test_a_flag_beside_the_head_is_not_part_of_the_person(hopper_path: Path, reader: FaceReader) -> None:
    photo = np.asarray(PillowImage.open(hopper_path).convert("RGB"))
    face = max(reader.read(photo, embed=False), key=lambda found: found.width)
    matte = estimate_matte_closed_form(photo, person_trimap(photo, face))
    (x0, y0), (_, y1) = face.landmarks[:, :2].min(axis=0), face.landmarks[:, :2].max(axis=0)
    width = float(np.ptp(face.landmarks[:, 0]))
    flag = matte[int(y0 - 0.4 * width) : int(y1 - 0.3 * width), : int(x0 - 0.1 * width)]
    assert (flag > 0.1).mean() < 0.025  # 0.030 with the same band as before a plain wall
