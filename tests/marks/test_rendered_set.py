"""Samples are the same at every reading, and the skins' own marks are left alone."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.labelled import LabelledView
from portraitist.marks.render_config import JUDGING, TRAINING
from portraitist.marks.rendered_set import rendered_samples
from tests.marks.plain_views import DARK_SKIN, LIGHT_SKIN, plain

NOWHERE = np.zeros((512, 512), np.float32)


def _own(x: float, y: float, diameter: float | None = None) -> AnnotatedMark:
    return AnnotatedMark("mole", np.array([[x, y]], np.float32), diameter)


def _skin(*marks: AnnotatedMark, colour: tuple[int, int, int] = LIGHT_SKIN) -> LabelledView:
    return LabelledView(plain(colour), marks, NOWHERE, "a.jpg")


def test_sample_i_is_the_same_however_many_are_asked_for() -> None:
    skins = [_skin(_own(250, 330, 8)), _skin(colour=DARK_SKIN)]
    first = list(islice(rendered_samples(skins, 5), 2))
    again = list(islice(rendered_samples(skins, 5), 3))
    for one, other in zip(first, again, strict=False):
        np.testing.assert_array_equal(one.view.pixels, other.view.pixels)
    assert not np.array_equal(again[0].view.pixels, again[2].view.pixels)
    assert first[1].view.pixels.mean() < first[0].view.pixels.mean()
    assert first[0].name == "a.jpg"


def test_own_marks_are_ignored_and_nothing_is_rendered_on_them() -> None:
    own = [_own(200, 320), _own(300, 320, 30), AnnotatedMark("wrinkle", np.array([[180, 180], [330, 170]]), 3)]
    crowd = NOWHERE.copy()
    crowd[330:380, 150:190] = 1
    for config in (TRAINING, JUDGING):
        for sample in islice(rendered_samples([LabelledView(plain(), tuple(own), crowd)], 1, config), 2):
            assert all(sample.ignore[int(m.points[0, 1]), int(m.points[0, 0])] == 1 for m in own)
            assert min(sample.ignore[320, 325], sample.ignore[175, 255], sample.ignore[350, 170]) == 1
            assert sample.marks
            for mark in sample.marks:
                x, y = mark.points.round().astype(int).T
                assert np.hypot(x - 200, y - 320).min() > 5
                assert np.hypot(x - 300, y - 320).min() > 30
                assert crowd[y, x].max() == 0


def test_without_skins_there_is_nothing_to_render_onto() -> None:
    with pytest.raises(InputError, match="views of faces"):
        next(rendered_samples([], 0))
