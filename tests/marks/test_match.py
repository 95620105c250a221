"""Marks of several photos become one list: the same whatever the order, and honest about what was missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.marks.anchor import Anchor, anchor_of, millimetres_per_pixel, place
from portraitist.marks.gather import trust
from portraitist.marks.kinds import MarkKind
from portraitist.marks.mark import PointMark, Wrinkle, id_of
from portraitist.marks.match import LIMIT_MM, PhotoMarks, assign, put_together
from portraitist.marks.mirror import straightened
from portraitist.types import Face, Image
from tests.marks.meshes import head

CHEEKS = (50, 280, 205, 425, 151, 108, 199, 426)
"""Vertices apart from each other, on both cheeks, forehead and chin."""


def at(face: Face, point: np.ndarray, kind: MarkKind = "mole", confidence: float = 0.8) -> PointMark:
    anchor = anchor_of(point, face)
    assert anchor is not None
    return PointMark(id_of(kind, (anchor,)), kind, anchor, 3.0, (-20.0, 5.0, 4.0), confidence=confidence)


def photo(
    digest: str, vertices: Sequence[int], yaw: float = 0, off_mm: float = 0, kind: MarkKind = "mole"
) -> PhotoMarks:
    """Marks at mesh vertices, each off by a random step of `off_mm`."""
    face, random = head(yaw), np.random.default_rng(int(digest, 16))
    step = off_mm / millimetres_per_pixel(face)
    angles = random.uniform(0, 2 * np.pi, len(vertices))
    points = [
        face.landmarks[v, :2] + step * np.array([np.cos(a), np.sin(a)]) for v, a in zip(vertices, angles, strict=True)
    ]
    return PhotoMarks(digest, face, tuple(at(face, point, kind) for point in points))


def summary(photos: Sequence[PhotoMarks]) -> list[tuple[str, float, tuple[str, ...]]]:
    marks, wrinkles = put_together(photos)
    return [(m.mark_id, round(m.confidence, 6), m.seen_in) for m in (*marks, *wrinkles)]


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_photos_and_marks_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    photos = [photo(f"{i:x}", CHEEKS[i % 3 :], yaw, 1.5) for i, yaw in enumerate((0, 10, -12, 5))]
    shuffled = [
        replace(photos[i], points=tuple(photos[i].points[j] for j in random.permutation(len(photos[i].points))))
        for i in random.permutation(len(photos))
    ]
    assert summary(shuffled) == summary(photos)


def test_the_same_places_are_one_mark_and_all_are_found() -> None:
    marks, _ = put_together([photo("a", CHEEKS, 0, 1), photo("b", CHEEKS, 15, 1), photo("c", CHEEKS, -10, 1)])
    assert len(marks) == len(CHEEKS)
    assert all(m.seen_in == ("a", "b", "c") and not m.is_flagged for m in marks)
    assert all(m.confidence == pytest.approx(1 - 0.2**3) for m in marks)


def test_a_mark_of_one_photo_is_flagged_and_loses_trust_with_every_photo_without_it() -> None:
    marks, _ = put_together([photo("a", CHEEKS[:1]), photo("b", ()), photo("c", ())])
    assert [m.is_flagged for m in marks] == [True]
    assert marks[0].confidence == pytest.approx(0.8 / 3)


@pytest.mark.parametrize("why", ["turned away", "hidden", "too small"])
def test_a_photo_that_cannot_show_the_place_does_not_count(why: str) -> None:
    seen, without = photo("a", (50,)), photo("b", (), yaw=75 if why == "turned away" else 0)
    if why == "turned away":
        seen = photo("a", (280,))
    if why == "hidden":
        without = replace(without, hidden=np.ones((800, 800), np.float32))
    if why == "too small":
        without = replace(without, face=head(scale=0.3))
    assert put_together([seen, without])[0][0].confidence == pytest.approx(0.8)
    bare = replace(without, face=head(), hidden=np.zeros((800, 800), np.float32))
    assert put_together([seen, bare])[0][0].confidence == pytest.approx(0.4)


def test_kinds_that_are_confused_match_at_half_the_distance_and_half_the_weight() -> None:
    mole, spot = photo("a", CHEEKS[:1]), photo("b", CHEEKS[:1], kind="spot")
    marks, _ = put_together([mole, spot])
    assert [m.kind for m in marks] == ["mole"]
    assert marks[0].confidence == pytest.approx(1 - 0.2 * 0.6)
    far = photo("b", CHEEKS[:1], off_mm=0.7 * LIMIT_MM, kind="spot")
    assert len(put_together([mole, far])[0]) == 2
    assert len(put_together([mole, photo("b", CHEEKS[:1], off_mm=0.7 * LIMIT_MM)])[0]) == 1
    assert len(put_together([mole, photo("b", CHEEKS[:1], kind="scar")])[0]) == 2


def test_two_marks_of_one_photo_stay_two() -> None:
    face = head()
    step = 2 / millimetres_per_pixel(face)
    pair = tuple(at(face, face.landmarks[50, :2] + [dx, 0]) for dx in (0, step))
    marks, _ = put_together([PhotoMarks("a", face, pair), PhotoMarks("b", face, pair)])
    assert [m.seen_in for m in marks] == [("a", "b")] * 2


def test_one_good_pair_is_better_than_two_poor_ones() -> None:
    assert assign(np.array([[0.1, 4.9], [4.8, 99.0]])) == [(0, 0)]
    assert assign(np.zeros((0, 3))) == []


def test_the_same_photo_twice_is_refused() -> None:
    with pytest.raises(InputError, match="each photo once"):
        put_together([photo("a", CHEEKS), photo("a", CHEEKS)])


def test_trust_is_in_range() -> None:
    assert trust([1.0], 0) == 1
    assert trust([0.0, 0.0], 3) == 0
    assert trust([0.5, 0.5], 2) == pytest.approx(0.375)


def mirror_picture(photo: PhotoMarks) -> PhotoMarks:
    """As the mesh would read the mirrored picture of the same head: the marks change sides."""
    return replace(photo.turned_over(), is_mirrored=False)


SIDED = (50, 205, 108, 426, 214)


def test_a_mirrored_selfie_is_found_and_its_marks_come_back_to_their_side() -> None:
    photos = [photo(d, SIDED, 0, 1) for d in "abcd"]
    photos[1] = mirror_picture(photos[1])
    straight, names = straightened(photos)
    assert names == ("b",)
    assert [p.is_mirrored for p in straight] == [False, True, False, False]
    assert len(put_together(straight)[0]) == len(SIDED)
    assert len(put_together(photos)[0]) > len(SIDED)


def test_nothing_is_called_mirrored_without_good_reason() -> None:
    assert straightened([photo(d, SIDED, 0, 1) for d in "abc"])[1] == ()
    assert straightened([photo("a", SIDED[:1]), mirror_picture(photo("b", SIDED[:1]))])[1] == ()
    assert straightened([photo("a", ()), photo("b", ())])[1] == ()
    assert straightened([])[1] == ()


def test_of_two_photos_the_later_digest_is_called_mirrored_in_any_order() -> None:
    one, other = photo("a", SIDED), mirror_picture(photo("b", SIDED))
    assert straightened([one, other])[1] == straightened([other, one])[1] == ("b",)


def test_a_mirrored_photo_shows_the_other_side() -> None:
    anchor = at(head(), head().landmarks[50, :2]).anchor
    turned = PhotoMarks("a", head(75))
    assert turned.shows(anchor, 3) != turned.turned_over().shows(anchor, 3)


def wrinkle(face: Face, vertices: Sequence[int], drop: float = 0) -> Wrinkle:
    found = [anchor_of(face.landmarks[v, :2] + [0, drop / millimetres_per_pixel(face)], face) for v in vertices]
    anchors: tuple[Anchor, ...] = tuple(anchor for anchor in found if anchor is not None)
    assert len(anchors) == len(vertices)
    count = len(anchors)
    return Wrinkle(id_of("wrinkle", anchors), anchors, (1.0,) * count, (4.0,) * count, 0.5)


def test_wrinkles_match_whatever_their_direction_and_point_count() -> None:
    brow = (69, 108, 151, 337, 299)
    one, other = head(), head(10)
    photos = [
        PhotoMarks("a", one, wrinkles=(wrinkle(one, brow), wrinkle(one, brow, -14))),
        PhotoMarks("b", other, wrinkles=(wrinkle(other, (299, 337, 151, 69), 1),)),
    ]
    _, lines = put_together(photos)
    assert sorted(line.seen_in for line in lines) == [("a",), ("a", "b")]
    assert max(line.confidence for line in lines) == pytest.approx(0.75)
    assert summary(photos) == summary(photos[::-1])


def test_a_mark_placed_again_is_where_it_was_seen() -> None:
    marks, _ = put_together([photo("a", CHEEKS), photo("b", CHEEKS, 15)])
    wanted = head(30).landmarks[list(CHEEKS), :2]
    placed = np.array([place(mark.anchor, head(30)) for mark in marks])
    apart = np.linalg.norm(placed[:, None] - wanted[None], axis=2).min(1)
    assert apart.max() * millimetres_per_pixel(head(30)) < 0.5


def test_real_photos_of_one_person_even_a_mirrored_one_give_one_list(reader: Any, astronaut: Image) -> None:
    """The mesh network reads each picture anew; the marks are the same places of the picture."""
    small = cv2.resize(astronaut, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    pictures = {"a": astronaut, "b": small, "c": np.ascontiguousarray(astronaut[:, ::-1])}
    faces = {digest: reader.read(picture)[0] for digest, picture in pictures.items()}
    places = faces["a"].landmarks[list(SIDED), :2]
    seen = {"a": places, "b": places * 0.7, "c": places * [-1, 1] + [astronaut.shape[1] - 1, 0]}
    photos = [PhotoMarks(d, faces[d], tuple(at(faces[d], point) for point in seen[d])) for d in seen]
    straight, names = straightened(photos)
    marks, _ = put_together(straight)
    assert names == ("c",)
    assert [mark.seen_in for mark in marks] == [("a", "b", "c")] * len(SIDED)
