"""Videos: how much a painting flickers, and how many frames a second are painted from end to end.

No filmed face is in the development data, so the films are made here: a photo that drifts and turns by known amounts,
with the noise of a camera. The motion being known, a frame can be laid on the one before exactly, and what still
differs is flicker (the warping error of Lai et al., "Learning blind video temporal consistency", ECCV 2018, without
the error of an estimated flow). Real faces also move of themselves; that is not measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.stylize_faces import HERE, Judged
from portraitist.faces.reader import FaceReader
from portraitist.geometry import Matrix
from portraitist.stylize.config import PaintConfig, VideoConfig
from portraitist.stylize.engine import PaintItem
from portraitist.stylize.tracking import FaceTracker
from portraitist.tasks.painters import Painter
from portraitist.types import Image

RATE, NOISE, FRAMES = 25.0, 3.0, 20
"""Frames a second; grey levels of noise; frames that are painted for flicker."""


@dataclass(frozen=True, eq=False)
class Filmed:
    """motions: for each frame the matrix from the photo."""

    frames: list[Image]
    motions: list[Matrix]


def film(judged: Judged, count: int, size: tuple[int, int] = (480, 640), *, moves: bool = True) -> Filmed:
    """The face in the middle of (h, w) frames, drifting, tilting and coming nearer, or still."""
    random = np.random.default_rng(0)
    h, w = size
    scale = 0.42 * h / float(np.ptp(judged.face.landmarks[:, 1]))
    centre = judged.face.landmarks[:, :2].mean(0)
    frames, motions = [], []
    for index in range(count):
        phase = 2 * np.pi * index / 50 * moves
        turn = np.radians(5 * np.sin(phase))
        grow = scale * (1 + 0.05 * np.sin(0.7 * phase))
        linear = grow * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        goal = np.array([w / 2 + 30 * np.sin(0.8 * phase), h / 2 + 12 * np.cos(phase)])
        matrix = np.hstack([linear, (goal - linear @ centre)[:, None]])
        # Not mirrored: there would be more faces beyond the border.
        clean = cv2.warpAffine(judged.image, matrix, (w, h), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        noisy = clean + random.normal(0, NOISE, clean.shape)
        frames.append(np.asarray(np.clip(noisy, 0, 255), np.uint8))
        motions.append(matrix)
    return Filmed(frames, motions)


def flicker(painted: list[Image], filmed: Filmed, shown: list[np.ndarray]) -> float:
    """Mean difference (grey levels) between each painted frame and the one before laid on it, where both are painted.

    Both are blurred by a pixel first, so that sampling between pixels does not count.
    """
    errors = []
    for now in range(1, len(painted)):
        step = _after(filmed.motions[now - 1], filmed.motions[now])
        size = painted[now].shape[1::-1]
        before = cv2.warpAffine(cv2.GaussianBlur(painted[now - 1], (0, 0), 1.0), step, size)
        inside = (shown[now] > 0.9) & (cv2.warpAffine(shown[now - 1], step, size) > 0.9)
        difference = np.abs(before.astype(np.float32) - cv2.GaussianBlur(painted[now], (0, 0), 1.0))
        errors.append(float(difference[inside].mean()))
    return float(np.mean(errors))


def _after(before: Matrix, now: Matrix) -> Matrix:
    """From pixels of one frame to those of the next."""
    whole = [np.vstack([matrix, [0, 0, 1]]) for matrix in (before, now)]
    return np.asarray((whole[1] @ np.linalg.inv(whole[0]))[:2], np.float64)


def steadiness(judged: Judged, painter: Painter, reader: FaceReader, *, moves: bool) -> dict[str, float]:
    """Flicker of the film itself, of frames painted one by one, and of the film painted with the face followed."""
    filmed, engine = film(judged, FRAMES, moves=moves), painter.build(PaintConfig(), HERE)
    tracker = FaceTracker(reader, VideoConfig())

    def alone(index: int) -> PaintItem:
        return PaintItem(filmed.frames[index], reader.read(filmed.frames[index], embed=False))

    def followed(index: int) -> PaintItem:
        faces = [track.steady for track in tracker(filmed.frames[index], index / RATE)]
        return PaintItem(filmed.frames[index], faces, steadied=tracker.steadied)

    def run(items: Callable[[int], PaintItem]) -> tuple[list[Image], list[np.ndarray]]:
        made = [next(engine(items(index))) for index in range(FRAMES)]
        return [each.image for each in made], [each.changed for each in made]

    one, other = run(alone), run(followed)
    found = {
        "film": flicker(filmed.frames, filmed, other[1]),
        "one by one": flicker(*_with(one, filmed)),
        "followed": flicker(*_with(other, filmed)),
    }
    return {f"{'moving' if moves else 'still'}, {name}": value for name, value in found.items()}


def _with(made: tuple[list[Image], list[np.ndarray]], filmed: Filmed) -> tuple[list[Image], Filmed, list[np.ndarray]]:
    return made[0], filmed, made[1]


def live_rate(judged: Judged, painter: Painter, reader: FaceReader, area: str = "head", count: int = 40) -> float:
    """Frames a second from pixels in to pixels out at 640 x 480: following, searching, painting, putting back."""
    filmed, engine = film(judged, count), painter.build(PaintConfig(area=area), HERE)
    tracker, started = FaceTracker(reader, VideoConfig()), 0.0
    for index, frame in enumerate(filmed.frames):
        if index == 5:
            started = time.perf_counter()
        faces = [track.steady for track in tracker(frame, index / RATE)]
        next(engine(PaintItem(frame, faces, steadied=tracker.steadied)))
    return (count - 5) / (time.perf_counter() - started)
