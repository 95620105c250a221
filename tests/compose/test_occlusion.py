"""Occluders on real photos: what must be found, what must not, and the shape of the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from portraitist.compose.occlusion import MediaPipeHands, find_occluders, glasses_score, wears_glasses
from portraitist.faces.regions import lips_mask, oval_mask, polygon_mask
from portraitist.image import open_photo
from portraitist.types import Face, Image


@pytest.fixture(scope="module")
def collins(reader: Any, astronaut: Image) -> Face:
    return max(reader.read(astronaut, embed=False), key=lambda face: face.score * face.width)


@pytest.fixture(scope="module")
def admiral(reader: Any, hopper: Image) -> Face:
    return max(reader.read(hopper, embed=False), key=lambda face: face.width)


def _inner(face: Face, size: tuple[int, int], share: float = 0.7) -> np.ndarray:
    ring = cv2.convexHull(face.landmarks[:, :2].astype(np.float32)).reshape(-1, 2)
    return polygon_mask(size, [face.centre + (ring - face.centre) * share]) > 0.5


def _with_shades(image: Image, face: Face) -> Image:
    """Black lenses, a bridge and temples painted over the face."""
    painted = image.copy()
    eyes = [face.landmarks[list(pair), :2].mean(0) for pair in ((33, 133), (362, 263))]
    reach = float(np.linalg.norm(eyes[1] - eyes[0]))
    for eye in eyes:
        centre = round(eye[0]), round(eye[1] + 0.05 * reach)
        cv2.ellipse(painted, centre, (int(0.42 * reach), int(0.28 * reach)), 0, 0, 360, (12, 12, 14), -1)
    ends = [tuple(round(v) for v in eye) for eye in eyes]
    cv2.line(painted, ends[0], ends[1], (12, 12, 14), max(2, int(0.06 * reach)))
    return painted


def test_mask_has_the_contract_shape(astronaut: Image, collins: Face) -> None:
    mask = find_occluders(astronaut, collins)
    assert mask.shape == astronaut.shape[:2]
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert ((mask > 0.05) & (mask < 0.95)).any(), "edges are soft"
    x0, y0, x1, y1 = collins.box_xyxy
    reach = 0.3 * collins.width
    outside = mask.copy()
    outside[max(0, int(y0 - reach)) : int(y1 + reach), max(0, int(x0 - reach)) : int(x1 + reach)] = 0
    assert not outside.any(), "exactly zero far outside"


def test_fringe_is_found_and_the_face_is_not(astronaut: Image, collins: Face) -> None:
    mask = find_occluders(astronaut, collins)
    points = collins.landmarks[:, :2].round().astype(int)
    fringe = points[[10, 338, 297]]
    skin = points[[50, 280, 4, 152, 199, 205, 425]]
    assert mask[fringe[:, 1], fringe[:, 0]].mean() > 0.8
    assert mask[skin[:, 1], skin[:, 0]].max() < 0.05
    assert mask[lips_mask(collins, mask.shape) > 0.5].max() < 0.05, "teeth and lips are the face's own"


def test_painted_shades_are_found(astronaut: Image, collins: Face) -> None:
    painted = _with_shades(astronaut, collins)
    changed = (painted != astronaut).any(-1) & (oval_mask(collins, astronaut.shape[:2]) > 0.5)
    found = find_occluders(painted, collins) > 0.5
    fringe = find_occluders(astronaut, collins) > 0.5
    assert wears_glasses(painted, collins)
    assert (found & changed).sum() > 0.85 * changed.sum()
    assert (found & _inner(collins, found.shape) & ~changed & ~fringe).sum() < 0.15 * changed.sum()


def test_bare_face_wears_no_glasses(astronaut: Image, collins: Face) -> None:
    assert glasses_score(astronaut, collins) < 0.3


def test_glasses_of_the_admiral(hopper: Image, admiral: Face) -> None:
    """Grace Hopper's photo shows rimmed glasses."""
    assert wears_glasses(hopper, admiral)
    mask = find_occluders(hopper, admiral)
    bridge = admiral.landmarks[[168, 6, 193, 417], :2].round().astype(int)
    window = [mask[y - 8 : y + 9, x - 8 : x + 9].max() for x, y in bridge]
    assert max(window) > 0.5


def test_size_of_the_picture_does_not_matter(astronaut: Image, collins: Face) -> None:
    half = cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    large, small = find_occluders(astronaut, collins), find_occluders(half, collins.scaled(0.5))
    again = cv2.resize(small, large.shape[::-1], interpolation=cv2.INTER_LINEAR)
    both = (large > 0.5) | (again > 0.5)
    assert ((large > 0.5) & (again > 0.5)).sum() > 0.85 * both.sum()


@pytest.mark.parametrize("person", ["042", "061", "137", "021", "172"])
def test_bare_inner_faces_stay_clear(person: str, shared_data: Path, reader: Any) -> None:
    """Dark and light skin, bald heads, stubble: no more than 1 % of the inner oval is taken for an occluder."""
    image = open_photo(shared_data / f"faces/london/{person}_neutral.jpg").pixels(700)
    face = reader.read(image, embed=False)[0]
    mask = find_occluders(image, face) > 0.5
    oval = oval_mask(face, mask.shape) > 0.5
    assert (mask & _inner(face, mask.shape, 0.8)).sum() < 0.01 * oval.sum()
    assert not wears_glasses(image, face)


@pytest.mark.parametrize(
    ("name", "landmarks"),
    [("faces/london/003_neutral.jpg", (10, 151)), ("hard/derived/drawn_mask_087.jpg", (1, 152, 17, 50, 280))],
)
def test_known_occluders_are_found(name: str, landmarks: tuple[int, ...], shared_data: Path, reader: Any) -> None:
    image = open_photo(shared_data / name).pixels(700)
    face = reader.read(image, embed=False)[0]
    mask = find_occluders(image, face)
    points = face.landmarks[list(landmarks), :2].round().astype(int)
    assert mask[points[:, 1], points[:, 0]].min() > 0.5


def test_a_face_at_the_border_is_handled(astronaut: Image, collins: Face) -> None:
    left = int(collins.centre[0])
    cut = np.ascontiguousarray(astronaut[:, left:])
    mask = find_occluders(cut, collins.moved(-left, 0))
    assert mask.shape == cut.shape[:2]
    assert np.isfinite(mask).all()


class _OneHand:
    """Reports one hand, laid over a point."""

    def __init__(self, centre: np.ndarray, breadth: float) -> None:
        fingers = [(x, -0.4 - 0.3 * k) for x in (-0.5, -0.17, 0.17, 0.5) for k in range(4)]
        layout = [(0.0, 0.9), (-0.4, 0.6), (-0.6, 0.3), (-0.7, 0.0), (-0.8, -0.2), *fingers]
        self.points = np.column_stack([np.array(layout) * breadth + centre, np.zeros(21)]).astype(np.float32)

    def find(self, image: Image) -> list[np.ndarray]:
        return [self.points]


def test_a_hand_over_the_cheek_lies_on_top(astronaut: Image, collins: Face) -> None:
    x0, y0 = (max(0, int(v - 2.2 * collins.width)) for v in collins.centre)
    cheek = collins.landmarks[50, :2]
    hand = _OneHand(cheek - (x0, y0), 0.25 * collins.width)
    x, y = cheek.round().astype(int)
    assert find_occluders(astronaut, collins)[y, x] < 0.1
    assert find_occluders(astronaut, collins, hands=hand)[y, x] > 0.9


def test_a_hand_elsewhere_changes_nothing(astronaut: Image, collins: Face) -> None:
    hand = _OneHand(np.array([astronaut.shape[1] - 30.0, astronaut.shape[0] - 30.0]), 20.0)
    assert np.array_equal(find_occluders(astronaut, collins, hands=hand), find_occluders(astronaut, collins))


def test_the_networks_find_a_painted_hand(shared_data: Path) -> None:
    path = shared_data / "templates/public_domain/painting_leonardo_mona_lisa_c1503.jpg"
    image = open_photo(path).pixels(1024)
    hands = MediaPipeHands().find(image)
    assert hands
    assert hands[0].shape == (21, 3)
    assert hands[0][:, 1].min() > 0.6 * image.shape[0], "her hands lie at the bottom of the picture"
