"""Samples are the same at every reading, and the skins' own marks are left alone."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.render_config import JUDGING, TRAINING
from portraitist.marks.rendered_set import marks_in_view, rendered_samples
from tests.marks.plain_views import DARK_SKIN, plain


def _own(x: float, y: float, diameter: float | None = None) -> AnnotatedMark:
    return AnnotatedMark("mole", np.array([[x, y]], np.float32), diameter)


def test_sample_i_is_the_same_however_many_are_asked_for() -> None:
    views, own = [plain(), plain(DARK_SKIN)], [[_own(250, 330, 8)], []]
    first = list(islice(rendered_samples(views, own, TRAINING, 5), 3))
    again = list(islice(rendered_samples(views, own, TRAINING, 5), 4))
    for one, other in zip(first, again, strict=False):
        np.testing.assert_array_equal(one.view.pixels, other.view.pixels)
    assert not np.array_equal(again[0].view.pixels, again[2].view.pixels)
    assert first[1].view.pixels.mean() < first[0].view.pixels.mean()


def test_own_marks_are_ignored_and_nothing_is_rendered_on_them() -> None:
    own = [_own(200, 320), _own(300, 320, 30), AnnotatedMark("wrinkle", np.array([[180, 180], [330, 170]]), 3)]
    for sample in islice(rendered_samples([plain()], [own], JUDGING, 1), 3):
        assert all(sample.ignore[int(m.points[0, 1]), int(m.points[0, 0])] == 1 for m in own)
        assert sample.ignore[320, 325] == 1
        assert sample.ignore[175, 255] == 1
        for mark in (m for m in sample.marks if m.is_sure):
            x, y = mark.points.round().astype(int).T
            assert np.hypot(x - 200, y - 320).min() > 5
            assert np.hypot(x - 300, y - 320).min() > 30


def test_marks_of_a_photo_go_into_its_view() -> None:
    view = plain(side=512)
    there = np.array([[400.0, 500.0]], np.float32)
    crowd = np.array([[300, 400], [340, 400], [340, 440], [300, 440]], np.float32)
    photo = AnnotatedImage("a.jpg", None, None, (AnnotatedMark("mole", there, 10.0), _own(390, 420)), (crowd,))
    mole, unsized, crowded = marks_in_view(photo, view)
    np.testing.assert_allclose(mole.points, view.from_photo(there), atol=1e-3)
    assert mole.diameter == pytest.approx(10 * view.scale)
    assert unsized.diameter is None
    assert not crowded.is_sure
    assert crowded.diameter == pytest.approx(np.hypot(20, 20) * view.scale, rel=1e-3)


@pytest.mark.parametrize("own", [[], [[], []]])
def test_every_view_needs_its_list(own: list[list[AnnotatedMark]]) -> None:
    with pytest.raises(InputError, match="one list of marks for each"):
        next(rendered_samples([plain(side=64)], own, TRAINING, 0))
