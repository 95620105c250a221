"""Dark photos are lifted, their paintings darkened again; light ones are left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraitist.stylize.lift import LIGHT_ENOUGH, LiftingPainter, lifted, lowered
from portraitist.stylize.painting import Painting
from portraitist.stylize.tones import face_lightness
from portraitist.types import Image


def toned(*rgb: int) -> Image:
    """Skin of one colour with a black and a white line above."""
    photo = np.full((64, 64, 3), rgb, np.uint8)
    photo[4:8], photo[10:14] = 0, 255
    return photo


@pytest.mark.parametrize("skin", [(60, 38, 28), (90, 60, 48), (40, 40, 40)])
def test_dark_is_lifted_and_comes_back(skin: tuple[int, int, int]) -> None:
    photo = toned(*skin)
    light = lifted(photo)
    assert face_lightness(light) == pytest.approx(LIGHT_ENOUGH, abs=1.0)
    back = lowered(light, photo, light)
    assert face_lightness(back) == pytest.approx(face_lightness(photo), abs=1.5)
    assert back[6].max() == 0
    assert back[12].min() == 255


def test_light_is_left_alone() -> None:
    photo = toned(220, 180, 160)
    assert lifted(photo) is photo
    assert lowered(photo, photo, photo) is photo
    assert lifted(toned(60, 38, 28), 0).tolist() == toned(60, 38, 28).tolist()


def test_a_painting_darker_than_asked_is_not_made_lighter_nor_white_skin_brown() -> None:
    photo = toned(60, 38, 28)
    light = lifted(photo)
    dark = toned(20, 15, 12)
    assert np.abs(lowered(dark, photo, light).astype(int) - dark).max() <= 1
    assert face_lightness(lowered(toned(252, 252, 252), photo, light)) > 95


def test_colour_stays_as_strong_for_its_lightness() -> None:
    photo = toned(60, 38, 28)
    light = lifted(photo)
    before, after = (
        cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[40, 40]
        for image in (light, lowered(light, photo, light))
    )
    assert after[1:] / after[0] == pytest.approx(before[1:] / before[0], abs=0.05)


def test_black_photo_is_no_error() -> None:
    black = np.zeros((32, 32, 3), np.uint8)
    assert lowered(black, black, lifted(black)).max() == 0


class Noting:
    """A painter that keeps what it was shown and paints it as it is."""

    side, part = 64, 1.0

    def __init__(self) -> None:
        self.seen: list[Image] = []

    def __call__(self, frame: Image) -> Painting:
        self.seen.append(frame)
        return Painting(frame)


def test_a_lifting_painter_is_shown_light_and_gives_dark() -> None:
    noting, dark, light = Noting(), toned(60, 38, 28), toned(220, 180, 160)
    painter = LiftingPainter(noting, 50)
    assert (painter.side, painter.part) == (64, 1.0)
    assert face_lightness(painter(dark).image) == pytest.approx(face_lightness(dark), abs=1.5)
    assert face_lightness(noting.seen[0]) == pytest.approx(50, abs=1)
    assert painter(light).image is light
