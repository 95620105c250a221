"""Who is the sitter: made-up descriptors, so that every case is exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from portraitist.album.config import AlbumConfig
from portraitist.album.people import Verdict, find_sitter
from portraitist.album.values import Shot
from portraitist.errors import InputError
from portraitist.types import Embedding, Face, Pose, Quality

CONFIG = AlbumConfig()
GOOD = Quality(1, 1, 1, 1, 1, 200)


def person(seed: int) -> np.ndarray:
    """A point far (about 1) from every other person's."""
    direction = np.random.default_rng(seed).normal(size=128)
    return (0.75 * direction / np.linalg.norm(direction)).astype(np.float32)


def face_of(vector: np.ndarray, seed: int, spread: float = 0.2, recogniser: str = "test") -> Face:
    noise = np.random.default_rng(seed).normal(size=128)
    moved = (vector + spread * noise / np.linalg.norm(noise)).astype(np.float32)
    points = np.empty((0, 3), np.float32)
    return Face(np.array([0, 0, 9, 9], np.float32), points, 1, 1, Pose(0, 0, 0), Embedding(moved, recogniser), GOOD)


def shot(*faces: Face) -> Shot:
    return Shot(Path("x.jpg"), "d", (100, 100), 1, 0, faces, "d")


ANNA, BOB = person(1), person(2)


def test_the_majority_person_is_the_sitter_and_strangers_have_their_distance() -> None:
    shots = [shot(face_of(ANNA, i)) for i in range(6)] + [shot(face_of(person(10 + i), i)) for i in range(4)]
    verdicts = find_sitter(shots, CONFIG)
    assert [v.face for v in verdicts[:6]] == [0] * 6
    assert all(v.code == "stranger" and v.distance is not None and v.distance > 0.6 for v in verdicts[6:])


def test_of_several_people_only_the_sitters_face_is_kept() -> None:
    shots = [shot(face_of(ANNA, i)) for i in range(3)]
    shots += [shot(face_of(BOB, 7), face_of(ANNA, 8)), shot(face_of(ANNA, 9))]
    verdicts = find_sitter(shots, CONFIG)
    assert verdicts[3].face == 1


def test_nobody_is_twice_in_a_photo() -> None:
    shots = [shot(face_of(ANNA, i)) for i in range(4)] + [shot(face_of(ANNA, 5, 0.35), face_of(ANNA, 6, 0.05))]
    assert find_sitter(shots, CONFIG)[4].face == 1


def test_a_look_alike_in_several_photos_is_told_apart() -> None:
    # The twin's middle is just beyond the limit, but one of her photos comes within it.
    towards = (person(3) - ANNA) / np.linalg.norm(person(3) - ANNA)
    shots = [shot(face_of(ANNA, i, 0.1)) for i in range(6)]
    shots += [shot(face_of(ANNA + step * towards, 20, 0.0)) for step in (0.43, 0.51, 0.53)]
    verdicts = find_sitter(shots, AlbumConfig(same_person=0.47))
    assert [v.code for v in verdicts[:6]] == [""] * 6
    assert verdicts[6].distance is not None
    assert verdicts[6].distance < 0.47
    assert [v.code for v in verdicts[6:]] == ["look-alike", "stranger", "stranger"]


def test_without_a_majority_me_is_asked_for_and_helps() -> None:
    shots = [shot(face_of(ANNA, i)) for i in range(3)] + [shot(face_of(BOB, 10 + i)) for i in range(3)]
    with pytest.raises(InputError, match="--me"):
        find_sitter(shots, CONFIG)
    me = face_of(BOB, 99).embedding
    verdicts = find_sitter(shots, CONFIG, me)
    assert [v.face for v in verdicts] == [None] * 3 + [0] * 3
    with pytest.raises(InputError, match="none of the photos"):
        find_sitter(shots, CONFIG, face_of(person(50), 1).embedding)


def test_edges() -> None:
    assert find_sitter([], CONFIG) == []
    assert find_sitter([shot()], CONFIG) == [Verdict(None, None, "no-face")]
    assert find_sitter([shot(face_of(ANNA, 1))], CONFIG) == [Verdict(0, 0.0)]
    mixed = [shot(face_of(ANNA, 1)), shot(face_of(ANNA, 2, recogniser="another"))]
    with pytest.raises(InputError, match="recognisers"):
        find_sitter(mixed, CONFIG)


def test_the_order_of_photos_does_not_matter() -> None:
    shots = [shot(face_of(ANNA, i, 0.25)) for i in range(7)] + [shot(face_of(person(30 + i), i)) for i in range(5)]
    order = np.random.default_rng(0).permutation(len(shots)).tolist()
    plain = find_sitter(shots, CONFIG)
    mixed = find_sitter([shots[i] for i in order], CONFIG)
    for place, i in enumerate(order):
        assert (mixed[place].face, mixed[place].code) == (plain[i].face, plain[i].code)
