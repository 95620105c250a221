"""Proposals: in pixels of the photo, made once, by whichever detector there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.faces.reader import FaceReader
from portraitist.marks.found import FoundMark
from portraitist.marks.view import SkinView
from portraitist.tasks.annotate_marks import AnnotatedFolder
from portraitist.tasks.propose_marks import Proposals, propose
from portraitist.types import Image


class Fake:
    """Finds the middle of the view, and a place far beyond the photo."""

    def __init__(self) -> None:
        self.views: list[SkinView] = []

    def __call__(self, view: SkinView, *, seed: int = 0) -> Iterator[FoundMark]:
        self.views.append(view)
        middle = view.side / 2
        yield FoundMark("mole", np.array([[middle, middle]], np.float32), 20.0, 0.9)
        yield FoundMark("spot", np.array([[-9000, middle]], np.float32), 20.0, 0.5)


def test_proposals_are_in_pixels_of_the_photo(astronaut: Image, reader: FaceReader) -> None:
    fake = Fake()
    proposed = propose(astronaut, reader, fake)
    assert proposed.faces == 1
    (mark,) = proposed.marks
    view = fake.views[0]
    assert view.scale > 2
    assert mark.points == pytest.approx(view.to_photo(np.array([[512, 512]], np.float32)))
    assert mark.diameter == pytest.approx(20 / view.scale)
    left, top, right, bottom = reader.read(astronaut, embed=False)[0].box_xyxy
    assert left < mark.points[0, 0] < right
    assert top < mark.points[0, 1] < bottom


def test_a_photo_is_read_once_and_one_without_a_face_has_none(astronaut: Image, tmp_path: Path) -> None:
    PillowImage.fromarray(astronaut[300:]).save(tmp_path / "a.png")

    class Blind:
        calls = 0

        def read(self, image: Image, *, embed: bool = True, thorough: bool = False) -> list[Any]:
            self.calls += 1
            return []

    blind = Blind()
    proposals = Proposals(AnnotatedFolder.open(tmp_path), blind, Fake(), "fake")
    assert proposals(0) == proposals(0)
    assert (proposals(0).faces, proposals(0).marks, blind.calls) == (0, (), 1)
