"""Rendered views on disk: the same by seed and number, whole again after a stop, real marks kept as marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.marks.labelled import LabelledFolder
from portraitist.marks.network_rendered import mixed, render_views
from tests.marks.drawn_views import drawn_folder


def test_a_view_depends_on_its_number_and_the_seed(tmp_path: Path) -> None:
    skins = drawn_folder(tmp_path / "skins", 2, marks=2)
    few = render_views(skins, tmp_path / "few", 2, seed=5)
    many = render_views(skins, tmp_path / "many", 3, seed=5)
    other = render_views(skins, tmp_path / "other", 1, seed=6)
    assert [path.read_bytes() for path in few.paths] == [path.read_bytes() for path in many.paths[:2]]
    assert other.paths[0].read_bytes() != few.paths[0].read_bytes()
    written = many.paths[0].stat().st_mtime_ns
    many.paths[1].unlink()
    again = render_views(skins, tmp_path / "many", 3, seed=5)
    assert again.paths[0].stat().st_mtime_ns == written, "what is there is kept"
    assert again.paths[1].read_bytes() == few.paths[1].read_bytes()


def test_marks_that_were_there_stay_marks(tmp_path: Path) -> None:
    skins = drawn_folder(tmp_path / "skins", 1, marks=3)
    view = render_views(skins, tmp_path / "rendered", 1, seed=1)[0]
    assert len(view.marks) > 3
    for before, after in zip(skins[0].marks, view.marks[:3], strict=True):
        np.testing.assert_array_equal(before.points, after.points)
        x, y = after.points[0].astype(int)
        assert view.ignore[y, x] == 0
    assert view.name == skins[0].name


def test_annotated_views_are_a_quarter(tmp_path: Path) -> None:
    rendered = LabelledFolder(tuple(tmp_path / f"r{number}" for number in range(90)))
    real = LabelledFolder(tuple(tmp_path / f"a{number}" for number in range(5)))
    assert len(mixed(rendered, real)) == 120
    assert mixed(LabelledFolder(), real) == real
    assert mixed(rendered, LabelledFolder()) == rendered


def test_there_must_be_skins(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="faces"):
        render_views(LabelledFolder(), tmp_path, 1, seed=0)
