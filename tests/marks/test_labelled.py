"""A labelled view comes back from disk; an annotated photo becomes one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.labelled import LabelledView, labelled, read_labelled, write_labelled
from tests.marks.drawn_views import PLAIN, bare, drawn, drawn_folder
from tests.marks.meshes import head


def test_what_was_written_is_read(tmp_path: Path) -> None:
    item = drawn(3, lines=2)
    ignore = item.ignore.copy()
    ignore[10:20, 30:50] = 0.4
    marks = (*item.marks, AnnotatedMark("spot", np.float32([[50.25, 60.5]]), None, is_sure=False))
    back = read_labelled(write_labelled(tmp_path / "one.npz", LabelledView(item.view, marks, ignore, "人/a.jpg")))
    assert back.name == "人/a.jpg"
    assert np.abs(back.view.pixels.astype(int) - item.view.pixels).mean() < 3
    np.testing.assert_allclose(back.view.skin, item.view.skin, atol=0.003)
    np.testing.assert_array_equal(back.ignore > 0, ignore > 0)
    np.testing.assert_array_equal(back.view.face.landmarks, item.view.face.landmarks)
    np.testing.assert_array_equal(back.view.matrix, item.view.matrix)
    assert back.view.face.width == pytest.approx(item.view.face.width)
    for mark, other in zip(marks, back.marks, strict=True):
        assert (mark.kind, mark.is_sure) == (other.kind, other.is_sure)
        assert other.diameter == (None if mark.diameter is None else pytest.approx(mark.diameter))
        np.testing.assert_array_equal(mark.points, other.points)


def test_a_view_without_marks_is_one_too(tmp_path: Path) -> None:
    item = LabelledView(bare(), (), np.zeros((256, 256), np.float32), "none.jpg")
    assert read_labelled(write_labelled(tmp_path / "none.npz", item)).marks == ()


def test_marks_of_a_photo_move_into_its_view() -> None:
    place = head().landmarks[50, :2]
    marks = (AnnotatedMark("mole", place[None], 8.0), AnnotatedMark("mole", np.float32([[1, 1]]), 8.0))
    crowd = (head().landmarks[[280, 330, 425], :2],)
    made = labelled(PLAIN, head(), AnnotatedImage("a.jpg", (800, 800), None, marks, crowd), 512)
    (mark,) = made.marks
    np.testing.assert_allclose(mark.points[0], made.view.face.landmarks[50, :2], atol=1e-3)
    assert mark.diameter == pytest.approx(8 * made.view.scale)
    x, y = made.view.face.landmarks[[280, 330, 425], :2].mean(0).astype(int)
    assert made.ignore[y, x] > 0
    assert made.ignore[5, 5] == 0


def test_a_folder_is_in_order(tmp_path: Path) -> None:
    folder = drawn_folder(tmp_path, 3)
    assert [folder[index].name for index in range(len(folder))] == [f"drawn-{seed}.jpg" for seed in range(3)]


def test_what_is_no_view_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name in ("text.npz", "other.npz", "missing.npz"):
        with pytest.raises(InputError, match=name):
            read_labelled(tmp_path / name)
