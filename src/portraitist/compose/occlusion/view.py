"""A face brought to one size and upright, so that every threshold below means the same on every photo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portraitist.faces.mesh import roll_of
from portraitist.faces.pose import fit_head
from portraitist.faces.topology import mean_face
from portraitist.geometry import Matrix, apply, invert, square_crop
from portraitist.types import Face, Image, Mask

FACE_WIDTH = 192
"""Width of a frontal face in the view, px."""
SIZE = (368, 304)
"""(h, w) of the view: the face and a fifth of its width around it, more above."""
CENTRE = (152.0, 200.0)


@dataclass(frozen=True, eq=False)
class FaceView:
    """image: (368, 304, 3) upright. face: in its pixels. matrix: photo pixels -> view pixels. inside: 1 where the
    view shows the photo, 0 where it lies beyond the photo's border."""

    image: Image
    face: Face
    matrix: Matrix
    inside: Mask

    @classmethod
    def of(cls, image: Image, face: Face) -> FaceView:
        """Cut the view out of the photo; shrinking is area-filtered."""
        scale = FACE_WIDTH / float(np.ptp(mean_face()[:, 0])) / max(fit_head(face.landmarks)[0], 1e-6)
        matrix = square_crop(np.zeros(2), 1 / scale, roll_of(face.landmarks), 1)
        turned = apply(matrix, face.landmarks[:, :2])
        matrix[:, 2] += np.array(CENTRE) - (turned.min(0) + turned.max(0)) / 2
        h, w = SIZE
        source, shrunk = _prefiltered(image, scale)
        shrunken = _after(matrix, shrunk)
        view = cv2.warpAffine(source, shrunken, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = cv2.warpAffine(np.ones(image.shape[:2], np.float32), matrix, (w, h), flags=cv2.INTER_LINEAR)
        points = apply(matrix, face.landmarks)
        moved = replace(face, landmarks=points, box_xyxy=np.concatenate([points[:, :2].min(0), points[:, :2].max(0)]))
        return cls(np.asarray(view, np.uint8), moved, matrix, inside)

    def back(self, mask: Mask, size: tuple[int, int]) -> Mask:
        """A mask of the view in the photo's pixels (size (h, w)), 0 where the view does not reach."""
        flags = cv2.INTER_LINEAR if abs(np.linalg.det(self.matrix[:, :2])) > 0.5 else cv2.INTER_CUBIC
        out = cv2.warpAffine(mask, invert(self.matrix), size[::-1], flags=flags, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(np.clip(out, 0, 1), np.float32)


def _prefiltered(image: Image, scale: float) -> tuple[Image, float]:
    if scale > 0.75:
        return image, 1.0
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _after(matrix: Matrix, shrunk: float) -> Matrix:
    """The matrix for a photo already shrunk by `shrunk`."""
    changed = matrix.copy()
    changed[:, :2] /= shrunk
    return changed
