"""Crops: the recipe cuts what it says, from any size of copy, and changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.album.crops import crop_matrix, cut, head_crop
from portraitist.album.values import CropRecipe
from portraitist.geometry import apply
from portraitist.types import Face, Image, Pixels, Pose, Quality

FINITE = st.floats(-500, 1500)


LARGE = (4000, 4000)


def face(width: float, roll: float = 0.0, sharpness: float = 1.0, start: float = 100) -> Face:
    box = np.array([start, start, start + width, start + width], np.float32)
    quality = Quality(sharpness, 1, 1, 1, 1, width)
    return Face(box, np.empty((0, 3), np.float32), 1, 1, Pose(0, 0, roll), None, quality)


@given(x=FINITE, y=FINITE, side=st.floats(4, 3000), rotation=st.floats(-180, 180), size=st.integers(8, 600))
def test_recipe_maps_its_square_onto_the_crop(x: float, y: float, side: float, rotation: float, size: int) -> None:
    matrix = crop_matrix(CropRecipe((x, y), side, rotation), size)
    c, s = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    corner = np.array([x, y]) + np.array([[c, -s], [s, c]]) @ np.array([-side / 2, -side / 2])
    mapped = apply(matrix, np.array([[x, y], corner]))
    assert mapped[0] == pytest.approx([size / 2, size / 2], abs=0.05 * size)
    assert mapped[1] == pytest.approx([0, 0], abs=0.05 * size)


@settings(max_examples=25, deadline=None)
@given(x=st.floats(-50, 560), y=st.floats(-50, 560), side=st.floats(8, 700), size=st.integers(16, 256))
def test_any_crop_can_be_cut_even_over_the_border(x: float, y: float, side: float, size: int, astronaut: Image) -> None:
    before = astronaut.copy()
    crop = cut(Pixels(astronaut), CropRecipe((x, y), side, 17.0), size)
    assert crop.shape == (size, size, 3)
    assert (astronaut == before).all()


def test_upright_crop_is_the_pixels(astronaut: Image) -> None:
    crop = cut(Pixels(astronaut), CropRecipe((200.0, 150.0), 128.0, 0.0), 128)
    assert np.abs(crop.astype(int) - astronaut[86:214, 136:264]).mean() < 4


def test_only_poor_crops_are_flagged() -> None:
    assert head_crop(face(300), LARGE).needs == ()
    assert head_crop(face(60), LARGE).needs == ("upscale",)
    assert head_crop(face(300, sharpness=0.1), LARGE).needs == ("restore",)
    unmeasured = replace(face(300), quality=None)
    assert head_crop(unmeasured, LARGE).needs == ()


def test_crop_follows_the_tilt_of_the_head() -> None:
    straight, tilted = head_crop(face(200, start=900), LARGE), head_crop(face(200, 90.0, start=900), LARGE)
    assert straight.centre[1] < 1000 == straight.centre[0]
    # Tilted clockwise by a quarter, the top of the head points to the right.
    assert tilted.centre[0] > 1000
    assert tilted.rotation == 90.0


@given(st.floats(20, 400), st.floats(-90, 90), st.floats(0, 600), st.integers(300, 2000), st.integers(300, 2000))
def test_crop_keeps_the_face_and_stays_in_the_photo_where_it_can(
    width: float, roll: float, start: float, h: int, w: int
) -> None:
    found = face(width, roll, start=start)
    recipe = head_crop(found, (h, w))
    assert 1.5 * width <= recipe.side + 0.02
    assert recipe.side <= 2.2 * width + 0.02
    moved = np.abs(np.array(recipe.centre) - found.centre).max()
    assert moved <= 0.43 * width + 0.02
    middle_of_photo = start + width / 2 < min(h, w) / 2 + 1 and start > 1.2 * width
    if middle_of_photo and min(h, w) > 4 * width:
        half = recipe.side / 2 * (abs(np.cos(np.radians(roll))) + abs(np.sin(np.radians(roll))))
        for centre, length in zip(recipe.centre, (w, h), strict=True):
            assert half <= centre + 0.6 * width
            assert centre - 0.6 * width <= length - half
