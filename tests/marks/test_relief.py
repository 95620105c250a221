"""A wrinkle is dark along its line, runs out at its ends, and its shoulders follow the light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portraitist.marks.anchor import place
from portraitist.marks.mark import Wrinkle
from portraitist.marks.transfer import transfer_marks
from portraitist.retouch.colour import to_lab
from portraitist.types import Face, Image, Light
from tests.marks.meshes import head
from tests.marks.skins import DARK, LIGHT, SIZE, map_with, skin, wrinkle

LINE = (104, 69, 108, 151, 337, 299, 333)


def _lit(direction: tuple[float, float], face: Face | None = None) -> Face:
    return replace(face or head(), light=Light(60.0, direction, 20.0))


def _dark(mark: Wrinkle, face: Face, image: Image) -> np.ndarray:
    return to_lab(image)[..., 0] - to_lab(transfer_marks(image, face, map_with(mark)).image)[..., 0]


def _line(mark: Wrinkle, face: Face) -> np.ndarray:
    knots = np.array([place(anchor, face) for anchor in mark.anchors])
    steps = np.linspace(0, len(knots) - 1, 121)
    return np.stack([np.interp(steps, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)


def _near(values: np.ndarray, point: np.ndarray, reach: int = 4) -> np.ndarray:
    x, y = np.round(point).astype(int)
    return values[y - reach : y + reach + 1, x - reach : x + reach + 1]


def test_it_is_dark_along_the_line_as_deep_as_it_says() -> None:
    face, mark = _lit((0.0, 0.0)), wrinkle(LINE, depth=10.0)
    dark = _dark(mark, face, skin())
    depths = np.array([_near(dark, point).max() for point in _line(mark, face)[40:81]])
    assert depths.min() > 6
    assert depths.max() < 11.5


def test_it_runs_out_at_its_ends() -> None:
    face, mark = _lit((0.0, 0.0)), wrinkle(LINE, depth=10.0)
    dark = _dark(mark, face, skin())
    depths = [_near(dark, point).max() for point in _line(mark, face)[[1, 10, 25, 60, 95, 110, 119]]]
    assert depths[0] < 2
    assert depths[-1] < 2
    assert depths[0] < depths[1] < depths[2]
    assert depths[-1] < depths[-2] < depths[-3]


def test_the_shoulder_away_from_the_light_is_bright() -> None:
    mark = wrinkle(LINE, depth=12.0, width=3.0)
    for slope, brighter in ((15.0, "above"), (-15.0, "below")):
        face = _lit((0.0, slope))
        dark = _dark(mark, face, skin())
        x, y = np.round(_line(mark, face)[60]).astype(int)
        above, below = dark[y - 14 : y, x].min(), dark[y + 1 : y + 15, x].min()
        assert (above < below - 0.5) == (brighter == "above")
        assert min(above, below) < -1


def test_the_same_crease_takes_less_lightness_from_dark_skin() -> None:
    face, mark = _lit((0.0, 0.0)), replace(wrinkle(LINE), skin=LIGHT)
    assert _dark(mark, face, skin(DARK)).max() < 0.75 * _dark(mark, face, skin(LIGHT)).max()


def test_a_second_time_changes_nothing_and_away_from_it_no_byte_does() -> None:
    face, mark, image = _lit((5.0, -8.0)), wrinkle(LINE), skin(noise=3)
    once = transfer_marks(image, face, map_with(mark))
    again = transfer_marks(once.image, face, map_with(mark))
    assert (once.put, again.put) == (("w",), ())
    y, x = np.mgrid[:SIZE, :SIZE]
    away = np.min([np.hypot(x - p[0], y - p[1]) for p in _line(mark, face)[::4]], axis=0)
    assert not (once.image != image).any(-1)[away > 20].any()


def test_only_the_part_that_is_seen_is_drawn() -> None:
    image, face = skin(), _lit((0.0, 0.0), head(yaw=50))
    mark = wrinkle(LINE)
    hidden = np.zeros((SIZE, SIZE), np.float32)
    middle = int(place(mark.anchors[2], head())[0])
    hidden[:, middle + 3 :] = 1
    assert transfer_marks(image, _lit((0.0, 0.0)), map_with(mark), hidden=hidden).skipped == {"w": "hidden"}
    hidden[:, : int(place(mark.anchors[4], head())[0]) + 3] = 0
    part = transfer_marks(image, _lit((0.0, 0.0)), map_with(mark), hidden=hidden)
    assert part.put == ("w",)
    assert (part.image == image)[hidden == 1].all()
    far = transfer_marks(image, face, map_with(wrinkle((143, 35, 226))))
    near = transfer_marks(image, face, map_with(wrinkle((372, 265, 446))))
    assert sorted([len(far.put), len(near.put)]) == [0, 1]


def test_a_wrinkle_to_be_removed_is_painted_out() -> None:
    face, mark, image = _lit((0.0, 0.0)), wrinkle(LINE, depth=10.0), skin(noise=1.5)
    shown = transfer_marks(image, face, map_with(mark)).image
    gone = transfer_marks(shown, face, map_with(replace(mark, action="remove")))
    assert gone.skipped == {"w": "removed"}
    left = to_lab(image)[..., 0] - to_lab(gone.image)[..., 0]
    assert np.mean([_near(left, point).mean() for point in _line(mark, face)[30:91]]) < 1


def test_a_wrinkle_that_one_photo_of_several_shows_is_left_out() -> None:
    image, face = skin(), head()
    once = replace(map_with(replace(wrinkle(LINE), seen_in=("a",))), photos=("a", "b"))
    twice = replace(map_with(replace(wrinkle(LINE), seen_in=("a", "b"))), photos=("a", "b"))
    assert transfer_marks(image, face, once).skipped == {"w": "seen once"}
    assert transfer_marks(image, face, replace(once, photos=("a",))).put == ("w",)
    assert transfer_marks(image, face, twice).put == ("w",)
