"""Does a picture drawn over a mesh have its face where the mesh was?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from recipes.mini.measures.reading import Reading
from recipes.mini.measures.shares import Share, share

GOAL = 0.04


@dataclass(frozen=True)
class Control:
    """Errors as shares of the face's width. mean, median: over pictures with a face. missing: pictures without one.
    within: share of all pictures with an error below 4 %. chance: mean error against other pictures' conditions. Faces
    framed alike lie near one another whatever was asked, so the error says something only well below chance."""

    mean: float
    median: float
    missing: int
    within: Share
    chance: float

    def row(self) -> tuple[str, str, str]:
        """The mean error, and what it would be by chance."""
        remark = f"median {100 * self.median:.2f} %, chance {100 * self.chance:.1f} %, no face in {self.missing}"
        return "mesh error, share of face width", f"{100 * self.mean:.2f} %", f"{remark}; below 4 %: {self.within}"


def landmark_error(landmarks: NDArray[np.floating], condition: NDArray[np.floating]) -> float:
    """Mean distance of the 468 points in the picture plane over the condition's width. Both (468, 2 or 3) in pixels."""
    apart = np.linalg.norm(landmarks[:, :2] - condition[:, :2], axis=1).mean()
    return float(apart / np.ptp(condition[:, 0]))


def control_error(pictures: Sequence[Reading], conditions: Sequence[NDArray[np.floating]]) -> Control:
    """Every picture against the landmarks it was drawn over, in its own pixels.

    Raises InputError when the lists differ in length, have one entry, or no picture has a face.
    """
    meshes = [(reading.face.landmarks, i) for i, reading in enumerate(pictures) if reading.face is not None]
    if len(pictures) != len(conditions) or len(pictures) < 2 or not meshes:
        raise InputError(
            "mesh error: expected a condition for each of two pictures or more and a face somewhere, found "
            f"{len(pictures)} pictures, {len(conditions)} conditions and {len(meshes)} faces; draw more"
        )
    errors = [landmark_error(mesh, conditions[i]) for mesh, i in meshes]
    shifts = {len(conditions) * k // 8 for k in range(1, 8)} - {0}
    others = [landmark_error(mesh, conditions[i - shift]) for mesh, i in meshes for shift in shifts]
    missing = len(pictures) - len(meshes)
    within = share([error < GOAL for error in errors] + [False] * missing)
    return Control(float(np.mean(errors)), float(np.median(errors)), missing, within, float(np.mean(others)))
