"""The measures of the marks tables, on pictures whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.marks import parser
from benchmarks.marks_again import WITHIN, Judged, colour_error, false_marks, found_again, why_unseen
from benchmarks.marks_detection import as_record, rendered_row, scored, summed
from benchmarks.marks_results import results
from benchmarks.marks_texture import SIDE, energy, reduced, wiped
from portraitist.marks.anchor import anchor_of
from portraitist.marks.classical import build
from portraitist.marks.config import ClassicalConfig
from portraitist.marks.labelled import LabelledView
from portraitist.marks.mark import PointMark
from portraitist.marks.scoring import score
from portraitist.marks.view import SkinView, skin_view
from portraitist.placement import Placement
from portraitist.tasks.find_marks import marks_in
from portraitist.types import Image
from tests.marks.drawn_views import bare, drawn
from tests.marks.meshes import head

SKIN = (200, 160, 140)
SIZE = (800, 800)


def picture(*moles: tuple[float, float], seed: int = 0) -> Image:
    """Grained skin, and soft dark discs 12 pixels across at the places."""
    canvas = np.random.default_rng(seed).normal(SKIN, 2, (*SIZE, 3)).astype(np.float32)
    layer = np.zeros(SIZE, np.float32)
    for x, y in moles:
        cv2.circle(layer, (round(16 * x), round(16 * y)), 16 * 6, 1.0, -1, cv2.LINE_AA, 4)
    canvas -= cv2.GaussianBlur(layer, (0, 0), 1.0)[..., None] * np.float32([90, 80, 60])
    return np.asarray(np.clip(canvas, 0, 255), np.uint8)


def judged(image: Image) -> Judged:
    points, _ = marks_in(image, head(), build(ClassicalConfig(), Placement()))
    return Judged(head(), points)


CHEEK = tuple(map(float, head().landmarks[50, :2]))
OTHER = tuple(map(float, head().landmarks[280, :2]))


@pytest.fixture(scope="module")
def plain() -> Judged:
    return judged(picture(CHEEK))


def test_a_drawn_mole_is_found_again_in_its_colour(plain: Judged) -> None:
    assert len(plain.marks) == 1
    again = judged(picture(CHEEK, OTHER, seed=1))
    (found,) = found_again(plain.marks, again)
    assert found is not None
    error = colour_error(plain.marks[0], found)
    assert error is not None
    assert error < 3
    assert false_marks(plain.marks, again) == 1


def test_a_mole_elsewhere_is_not_the_one(plain: Judged) -> None:
    step = WITHIN * plain.face.width
    near, far = (judged(picture((CHEEK[0], CHEEK[1] + factor * step))) for factor in (0.7, 1.6))
    assert found_again(plain.marks, near) != [None]
    assert found_again(plain.marks, far) == [None]
    assert (false_marks(plain.marks, near), false_marks(plain.marks, far)) == (0, 1)


def test_one_mole_is_found_once(plain: Judged) -> None:
    """A doubled mark is a false one, and two moles of the sitter are not both found in one."""
    twice = Judged(plain.face, plain.marks * 2)
    assert false_marks(plain.marks, twice) == 1
    assert sum(mark is not None for mark in found_again(twice.marks, plain)) == 1
    nothing = Judged(plain.face, ())
    assert (found_again(plain.marks, nothing), false_marks((), nothing)) == ([None], 0)


def test_another_colour_is_an_error_and_an_unmeasured_skin_is_none(plain: Judged) -> None:
    (mole,) = plain.marks
    lightness, red, yellow = mole.colour_offset
    assert colour_error(mole, mole) == pytest.approx(0, abs=1e-4)
    paler = replace(mole, colour_offset=(lightness + 15, red, yellow))
    error = colour_error(mole, paler)
    assert error is not None
    assert error > 6
    assert colour_error(mole, replace(mole, skin=None)) is None


def test_what_a_portrait_cannot_show_is_not_wanted() -> None:
    anchor = anchor_of(np.float32(CHEEK), head())
    assert anchor is not None
    mole = PointMark("mole-1", "mole", anchor, 2.0, (-20, 5, 5))
    assert why_unseen(mole, head(), SIZE, None) is None
    assert why_unseen(replace(mole, diameter_mm=0.05), head(), SIZE, None) == "too small"
    assert why_unseen(mole, head(), SIZE, np.ones(SIZE, np.float32)) == "hidden"
    assert why_unseen(mole, head().moved(900, 0), SIZE, None) == "off the picture"


def _textured(blur: float = 0.0) -> SkinView:
    image = np.random.default_rng(3).normal(160, 12, (*SIZE, 3))
    image = cv2.GaussianBlur(image, (0, 0), 1.2)
    image = cv2.GaussianBlur(image, (0, 0), blur) if blur else image
    return skin_view(np.asarray(np.clip(image, 0, 255), np.uint8), head(), SIDE)


def test_detail_is_one_for_the_same_picture_and_less_for_a_blurred_one() -> None:
    sharp, soft = energy(_textured()), energy(_textured(1.0))
    assert sharp is not None
    assert soft is not None
    assert energy(_textured()) == sharp
    assert 0 < soft / sharp < 0.8


def test_detail_does_not_depend_on_the_light() -> None:
    view = _textured()
    dim = SkinView(np.asarray(view.pixels * 0.7, np.uint8), view.skin, view.face, view.matrix)
    one, other = energy(view), energy(dim)
    assert one is not None
    assert other is not None
    assert one / other == pytest.approx(1, abs=0.25)
    nowhere = SkinView(view.pixels, np.zeros_like(view.skin), view.face, view.matrix)
    assert energy(nowhere) is None


def test_wiping_leaves_no_mark_and_touches_nothing_but_skin(plain: Judged) -> None:
    image, hidden = picture(CHEEK), np.zeros(SIZE, np.float32)
    clean = wiped(image, head(), hidden)
    assert not judged(clean).marks
    assert (clean[:20] == image[:20]).all()
    assert (wiped(image, head(), hidden + 1) == image).all()


def test_reducing_moves_the_face_along_and_never_enlarges() -> None:
    small, face = reduced(picture(CHEEK), head(), 0.5)
    assert small.shape == (400, 400, 3)
    assert face.width == pytest.approx(head().width / 2)
    assert reduced(small, face, 1.5) == (small, face)


def test_scores_survive_their_files() -> None:
    item = drawn(4)
    detector = build(ClassicalConfig(), Placement())
    record = scored(detector, item)
    whole = score(tuple(detector(item.view)), item)
    again = summed([record["all"], record["all"]])
    assert again.there == whole.there + whole.there
    assert again.errors == whole.errors * 2
    assert summed([as_record(whole)]).plain() == whole.plain()
    assert summed([]).faces == 0


def test_rows_say_how_many_there_were() -> None:
    blank = LabelledView(bare(), (), np.zeros((256, 256), np.float32))
    record = {"all": as_record(score((), blank)), "moles": as_record(score((), blank))}
    assert rendered_row("none", [record, record])[:3] == ["none", "2", "- of 0"]


def test_a_stopped_run_goes_on(tmp_path: Path) -> None:
    calls = count(1)

    def make(name: str) -> dict[str, int]:
        return {"call": next(calls)}

    first = results(tmp_path / "set", ["a", "b"], make)
    assert results(tmp_path / "set", ["a", "b", "c"], make) == [*first, {"call": 3}]


def test_commands_take_their_options() -> None:
    args = parser().parse_args(["detection", "--data", ".", "--detector", "classical", "network", "--limit", "2"])
    assert (args.detector, args.limit, args.out) == (["classical", "network"], 2, None)
    assert parser().parse_args(["transfer", "--data", "."]).split == "judge"
    assert parser().parse_args(["detail", "--data", ".", "--identity", "lib", "anna"]).identity == ["lib", "anna"]
