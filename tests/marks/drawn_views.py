"""Labelled views drawn in milliseconds: noise for skin, soft dark discs for marks, soft dark lines for wrinkles."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from portraitist.marks.annotation import AnnotatedMark
from portraitist.marks.labelled import LabelledFolder, LabelledView, write_labelled
from portraitist.marks.view import SkinView, skin_view
from tests.marks.meshes import head

PLAIN = np.full((800, 800, 3), 150, np.uint8)


def bare(side: int = 256) -> SkinView:
    """A face of one colour."""
    return skin_view(PLAIN, head(), side)


def drawn(seed: int, side: int = 256, marks: int = 6, *, lines: int = 0) -> LabelledView:
    """A view of noise with moles (and wrinkles) whose places are known."""
    rng, view = np.random.default_rng(seed), bare(side)
    skin = np.argwhere(view.skin > 0.5)
    canvas = rng.normal((190, 150, 130), 3, (side, side, 3)).astype(np.float32)
    placed: list[AnnotatedMark] = []
    for row, column in skin[rng.integers(len(skin), size=marks)]:
        diameter = float(rng.uniform(6, 12))
        _darken(canvas, np.array([[column, row]], np.float32), diameter)
        placed.append(AnnotatedMark("mole", np.array([[column, row]], np.float32), diameter))
    for row, column in skin[rng.integers(len(skin), size=lines)]:
        line = np.array([[column - 30, row], [column, row + 3], [column + 30, row]], np.float32)
        _darken(canvas, line, 3.0)
        placed.append(AnnotatedMark("wrinkle", line, 3.0))
    seen = SkinView(np.clip(canvas, 0, 255).astype(np.uint8), view.skin, view.face, view.matrix)
    return LabelledView(seen, tuple(placed), np.zeros((side, side), np.float32), f"drawn-{seed}.jpg")


def drawn_folder(folder: Path, count: int, **how: int) -> LabelledFolder:
    """Several on disk."""
    for seed in range(count):
        write_labelled(folder / f"{seed:04d}.npz", drawn(seed, **how))
    return LabelledFolder.of(folder)


def _darken(canvas: np.ndarray, line: np.ndarray, width: float) -> None:
    layer = np.zeros(canvas.shape[:2], np.float32)
    steps = np.round(np.repeat(line, 3 - min(2, len(line)), axis=0) * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(layer, [steps], False, 1.0, max(1, round(width)), cv2.LINE_AA, 4)
    canvas -= 70 * cv2.GaussianBlur(layer, (0, 0), 1.0)[..., None]
