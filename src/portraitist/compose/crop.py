"""Crops by composition rule, from the geometry of the head: chin and eyes from the mesh, crown from the matte."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import ConfigError, InputError
from portraitist.faces.topology import CHIN, FOREHEAD
from portraitist.geometry import Matrix
from portraitist.styles.formats import IdFormat, load_format, load_formats
from portraitist.types import Face, Mask

_EYES = ((33, 133), (362, 263))
_SIDES = (234, 454)


@dataclass(frozen=True)
class Head:
    """A head in its own upright frame: x to the right, y down, pixels of the photo, turned by `roll` degrees.

    centre is the middle between the sides of the face; crown, eyes, chin are heights (y); face_width in pixels.
    """

    roll: float
    centre: float
    crown: float
    eyes: float
    chin: float
    face_width: float

    @property
    def height(self) -> float:
        """Chin to the top of the hair."""
        return self.chin - self.crown

    @property
    def eye_share(self) -> float:
        """(chin to eye line) / (chin to crown)."""
        return (self.chin - self.eyes) / self.height


def measure_head(face: Face, matte: Mask, *, upright: bool = True) -> Head:
    """The head of a face whose person is `matte` (h, w), both in the same pixels.

    upright: measure along the tilted head; False measures along the picture's own vertical.
    """
    roll = eye_tilt(face) if upright else 0.0
    turned = _turn(face.landmarks[:, :2], roll)
    chin, forehead = float(turned[CHIN, 1]), float(turned[FOREHEAD, 1])
    left, right = (float(turned[i, 0]) for i in _SIDES)
    eyes = float(np.mean([turned[list(pair), 1].mean() for pair in _EYES]))
    width = float(np.ptp(turned[:, 0]))
    centre = (left + right + 2 * float(turned[CHIN, 0])) / 4
    crown = _crown(matte, roll, float(turned[FOREHEAD, 0]), 0.22 * width, forehead, chin)
    return Head(roll, centre, crown, eyes, chin, width)


def eye_tilt(face: Face) -> float:
    """Tilt of the eye line in degrees, clockwise in the picture."""
    first, second = (face.landmarks[list(pair), :2].mean(axis=0) for pair in _EYES)
    return float(np.degrees(np.arctan2(second[1] - first[1], second[0] - first[0])))


def _turn(points: NDArray[np.floating], roll: float) -> NDArray[np.float64]:
    """Points of the photo in the frame of a head tilted by `roll`."""
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return np.asarray(np.asarray(points, np.float64) @ np.array([[c, -s], [s, c]]), np.float64)


def _crown(matte: Mask, roll: float, x: float, half: float, forehead: float, chin: float) -> float:
    """Highest line, in the head's frame, that the person fills to a quarter across a strip over the forehead.

    A bun or a hat is part of it; the guess from the mesh is used where the matte ends below the forehead.
    """
    face_height = chin - forehead
    ys, xs = np.nonzero(matte > 0.5)
    turned = _turn(np.column_stack([xs, ys]), roll)
    strip = turned[np.abs(turned[:, 0] - x) < half]
    above = strip[(strip[:, 1] < forehead) & (strip[:, 1] > forehead - 1.2 * face_height), 1]
    counts = np.bincount(np.floor(forehead - above).astype(int), minlength=1) if len(above) else np.zeros(1)
    gaps = np.flatnonzero(counts < half / 2)
    reach = int(gaps[0]) if len(gaps) else len(counts)
    return forehead - max(reach, 0.12 * face_height)


@dataclass(frozen=True)
class CropRule:
    """A frame around a head: aspect is width / height, head and top are shares of the frame's height."""

    aspect: float
    head: float
    top: float


RULES = {
    "headshot": CropRule(aspect=4 / 5, head=0.46, top=0.12),
    "square": CropRule(aspect=1.0, head=0.50, top=0.13),
    "half": CropRule(aspect=3 / 4, head=0.28, top=0.10),
}
TIGHTEST = 0.74
"""Share of the frame's height that a head may fill when the photo has no more room."""
OWN = "own"


@dataclass(frozen=True)
class Frame:
    """The output: size (h, w) and the (2, 3) matrix that takes pixels of the photo there."""

    size: tuple[int, int]
    matrix: Matrix

    @property
    def scale(self) -> float:
        """Output pixels for one pixel of the photo."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))


def crop_names() -> tuple[str, ...]:
    """Every crop a `BackdropScene` takes."""
    return (*RULES, OWN, *load_formats())


def check_crop(name: str) -> None:
    """Raise ConfigError on a crop that is not known."""
    if name not in crop_names():
        raise ConfigError(f"crop '{name}': unknown; known are {', '.join(crop_names())}")


def frames_for(crop: str, head: Head, photo_size: tuple[int, int], height: int, padding: float = 0.0) -> list[Frame]:
    """Frames of a crop for a head, the one the rule wants first, then tighter ones for photos with little room.

    height (px) limits the rules' frames; ID formats have their own exact size and stay inside their ranges.
    padding: extra room as a share of the crop's height (rules only). InputError on a head without height.
    """
    check_crop(crop)
    if not head.height > 0:
        raise InputError("expected a face seen from the front, found a chin above the eyes; choose another photo")
    if crop == OWN:
        return [_own_frame(head, photo_size, height)]
    if crop in RULES:
        rule = RULES[crop]
        tighter = [_rule_frame(rule, head, height, padding, share) for share in _shares(rule)]
        return tighter + [
            _rule_frame(replace(rule, top=rule.top * less), head, height, padding, TIGHTEST) for less in (0.7, 0.4)
        ]
    return id_frames(load_format(crop), head)


def id_frames(row: IdFormat, head: Head) -> list[Frame]:
    """Exact pixels of the format; the head where its rules want it, then elsewhere inside their ranges."""
    pixels_per_mm = row.dpi / 25.4
    places = row.head_places(head.eye_share)
    kept = places[:: max(1, len(places) // 60)]
    return [
        _frame(head, row.pixels, tall * pixels_per_mm / head.height, row.pixels[0] - chin * pixels_per_mm)
        for tall, chin in kept
    ]


def _shares(rule: CropRule) -> list[float]:
    """The rule's head share, then tighter ones in steps of 4 % up to where the face fills the frame."""
    steps = int(np.log(TIGHTEST / rule.head) / np.log(1.04))
    return [rule.head * 1.04**i for i in range(steps + 1)]


def _rule_frame(rule: CropRule, head: Head, height: int, padding: float, share: float) -> Frame:
    tall = head.height / share * (1 + padding)
    rows = max(64, min(height, round(tall)))
    scale = rows / tall
    # A tighter frame keeps the same part of its free room above the head.
    top = rule.top * (1 - share) / (1 - rule.head)
    chin = rows * (top + padding / 2) / (1 + padding) + head.height * scale
    return _frame(head, (rows, round(rows * rule.aspect)), scale, chin)


def _own_frame(head: Head, photo_size: tuple[int, int], height: int) -> Frame:
    """The photo's own frame, turned about its middle when the head is straightened."""
    h, w = photo_size
    scale = min(1.0, height / h)
    size = round(h * scale), round(w * scale)
    turn = scale * _rotation(head.roll)
    return Frame(size, np.hstack([turn, (np.array([size[1], size[0]]) / 2 - turn @ [w / 2, h / 2])[:, None]]))


def _frame(head: Head, size: tuple[int, int], scale: float, chin: float) -> Frame:
    """Scale the head's frame and put its centre line in the middle and its chin at row `chin`."""
    shift = np.array([size[1] / 2 - scale * head.centre, chin - scale * head.chin])
    return Frame(size, np.hstack([scale * _rotation(head.roll), shift[:, None]]))


def frame_inside(frame: Frame, photo_size: tuple[int, int]) -> Frame:
    """The same scale and tilt, moved and where needed made smaller, so that every pixel lies inside the photo."""
    size = np.array(frame.size[::-1], np.float64)
    spread = np.abs(np.linalg.inv(frame.matrix[:, :2])) / 2  # half the photo's width and height that the frame spans
    room = np.array(photo_size[::-1], np.float64) - 1
    kept = np.floor(size * min(1.0, float((room / 2 / (spread @ size)).min())))
    reach = spread @ kept
    centre = np.linalg.solve(frame.matrix[:, :2], size / 2 - frame.matrix[:, 2])
    centre = np.clip(centre, reach, np.maximum(room - reach, reach))
    shift = kept / 2 - frame.matrix[:, :2] @ centre
    return Frame((int(kept[1]), int(kept[0])), np.hstack([frame.matrix[:, :2], shift[:, None]]))


def frame_above(frame: Frame, photo_height: int) -> Frame:
    """The frame moved up until it ends where the photo does: a backdrop can fill what is above, not a missing body."""
    h, w = frame.size
    back = np.linalg.inv(np.vstack([frame.matrix, [0, 0, 1]]))
    lowest = max(float(back[1] @ [x, h, 1]) for x in (0, w))
    excess = max(0.0, lowest - (photo_height - 1)) / back[1, 1]
    return Frame(frame.size, frame.matrix + np.array([[0, 0, 0], [0, 0, excess]]))


def _rotation(roll: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return np.array([[c, s], [-s, c]])
