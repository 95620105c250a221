"""The classical detector finds drawn marks where they are and as large as they are, and nothing on plain skin."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist import registry
from portraitist.errors import PlacementError
from portraitist.marks.classical import ClassicalDetector
from portraitist.marks.config import ClassicalConfig
from portraitist.marks.found import FoundMark
from portraitist.marks.view import SkinView
from portraitist.placement import Placement
from tests.marks.skin_textures import (
    CHEEK,
    CHIN,
    DARK,
    FAIR,
    FOREHEAD,
    OTHER_CHEEK,
    beside,
    photo,
    saved,
    vertex,
    view_of,
    with_disc,
    with_line,
    without_skin,
)

BROWN = (-22.0, 3.0, 4.0)


def find(view: SkinView) -> list[FoundMark]:
    engine = registry.build("marks", "classical", ClassicalConfig(), Placement())
    return list(engine(view, seed=0))


def near(found: list[FoundMark], view: SkinView, place: np.ndarray, reach: float = 6.0) -> list[FoundMark]:
    """Those within `reach` pixels of the photo, nearest first."""
    marks = [(float(np.linalg.norm(mark.in_photo(view).points[0] - place)), mark) for mark in found]
    return [mark for gap, mark in sorted(marks, key=lambda pair: pair[0]) if gap < reach]


@pytest.mark.parametrize(("colour", "roll"), [(FAIR, 0.0), (DARK, 35.0)])
def test_moles_are_found_where_they_are_and_as_large(colour: tuple[float, float, float], roll: float) -> None:
    image = photo(colour)
    offset = BROWN if colour == FAIR else (-14.0, 0.0, -1.0)
    sizes = {CHEEK: 5.0, OTHER_CHEEK: 8.0, FOREHEAD: 6.0, CHIN: 10.0}
    for number, diameter in sizes.items():
        image = with_disc(image, vertex(number, roll), diameter, offset)
    view = view_of(image, roll=roll)
    found = find(view)
    for number, diameter in sizes.items():
        mark = near(found, view, vertex(number, roll))[0].in_photo(view)
        assert mark.kind == "mole"
        assert np.linalg.norm(mark.points[0] - vertex(number, roll)) < 0.6
        assert mark.diameter == pytest.approx(diameter, rel=0.35)
    assert len(found) == len(sizes)


@pytest.mark.parametrize("side", [512, 640])
def test_smaller_views_show_the_same(side: int) -> None:
    view = view_of(with_disc(photo(), vertex(CHEEK), 7.0, BROWN), side)
    found = find(view)
    assert [mark.kind for mark in found] == ["mole"]
    assert near(found, view, vertex(CHEEK), 1.0)


@pytest.mark.parametrize("side", [16, 64, 128])
def test_very_small_views_are_no_trouble(side: int) -> None:
    assert find(view_of(photo(), side)) == []


def test_kinds_follow_colour() -> None:
    image = with_disc(photo(), vertex(CHEEK), 9.0, (-5.0, 7.0, 1.0), soft=1.5)
    image = with_disc(image, vertex(OTHER_CHEEK), 8.0, (-6.0, 1.0, 2.0), soft=1.5)
    image = with_disc(image, vertex(CHIN), 9.0, (7.0, -2.0, -2.0), soft=1.0)
    view = view_of(image)
    found = find(view)
    assert near(found, view, vertex(CHEEK))[0].kind == "pimple"
    assert near(found, view, vertex(OTHER_CHEEK))[0].kind == "spot"
    assert near(found, view, vertex(CHIN))[0].kind == "scar"


@pytest.mark.parametrize(("colour", "seed"), [(FAIR, 1), (FAIR, 2), (DARK, 3)])
def test_plain_skin_has_no_marks(colour: tuple[float, float, float], seed: int) -> None:
    assert find(view_of(photo(colour, grain=1.2, seed=seed))) == []


def test_jpeg_blocks_are_no_marks() -> None:
    assert find(view_of(saved(photo(grain=0.3), 50))) == []
    assert find(view_of(saved(photo(grain=1.0), 60))) == []


def test_what_is_dark_outside_the_skin_is_no_mark() -> None:
    image = photo()
    for ring in ((75, 60, 20, 238, 79, 166), (305, 290, 250, 458, 309, 392)):
        middle = np.mean([vertex(number) for number in ring], axis=0)
        image = with_disc(image, middle, 12.0, (-45.0, -4.0, -6.0), soft=1.0)
    assert find(view_of(image)) == []


def test_a_crease_is_followed_from_end_to_end() -> None:
    start, end = beside(FOREHEAD, -45, 8), beside(FOREHEAD, 45, 8)
    along = np.linspace(start, end, 20)
    along[:, 1] += 3 * np.sin(np.linspace(0, np.pi, 20))
    view = view_of(with_line(photo(), along, 2.5, 7.0))
    lines = [mark for mark in find(view) if mark.kind == "wrinkle"]
    assert lines
    seen = np.concatenate([mark.in_photo(view).points for mark in lines])
    gaps = np.linalg.norm(along[:, None] - seen[None], axis=2)
    assert (gaps.min(axis=1) < 4).mean() > 0.85
    assert np.percentile(gaps.min(axis=0), 95) < 4
    assert 1.0 < np.median([mark.in_photo(view).diameter for mark in lines]) < 6.0


def test_a_mole_is_no_crease_and_a_crease_no_mole() -> None:
    view = view_of(with_disc(photo(), vertex(CHEEK), 10.0, BROWN))
    assert [mark.kind for mark in find(view)] == ["mole"]
    along = np.linspace(beside(FOREHEAD, -40, 8), beside(FOREHEAD, 40, 8), 12)
    view = view_of(with_line(photo(), along, 2.5, 8.0))
    assert {mark.kind for mark in find(view)} == {"wrinkle"}


def test_without_skin_nothing_is_found() -> None:
    assert find(without_skin(view_of(with_disc(photo(), vertex(CHEEK), 8.0, BROWN)))) == []


def test_it_is_deterministic_and_surest_first() -> None:
    image = with_disc(with_disc(photo(), vertex(CHEEK), 7.0, BROWN), vertex(CHIN), 7.0, (-8.0, 2.0, 2.0))
    view = view_of(image)
    engine = ClassicalDetector(ClassicalConfig())
    first, again = list(engine(view, seed=0)), list(engine(view, seed=5))
    assert [mark.score for mark in first] == sorted((mark.score for mark in first), reverse=True)
    assert all(0 <= mark.score <= 1 for mark in first)
    assert [(m.kind, m.points.tolist(), m.diameter, m.score) for m in first] == [
        (m.kind, m.points.tolist(), m.diameter, m.score) for m in again
    ]


def test_only_the_cpu() -> None:
    with pytest.raises(PlacementError, match="cuda"):
        registry.build("marks", "classical", ClassicalConfig(), Placement("cuda"))
