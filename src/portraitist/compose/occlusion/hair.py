"""Hair, hats and veils: whatever is not skin and reaches into the face from beyond its edge."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.compose.occlusion.skin import SkinModel
from portraitist.compose.occlusion.strangeness import strangeness
from portraitist.faces.regions import brows_mask, eyes_mask, lips_mask, oval_mask
from portraitist.types import Face, Mask


def find_hair(skin: SkinModel, face: Face) -> Mask:
    """(h, w) soft mask over the view."""
    size = skin.lab.shape[0], skin.lab.shape[1]
    own = np.maximum.reduce([brows_mask(face, size), eyes_mask(face, size), lips_mask(face, size)]) > 0.5
    own = cv2.dilate(own.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    odd = (strangeness(skin) > 2.0) & ~own
    odd[int(face.landmarks[[61, 291], 1].mean()) :] = False
    oval = oval_mask(face, size) > 0.5
    outside = ~(cv2.erode(oval.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
    joined = odd | outside
    _, labels = cv2.connectedComponents(joined.astype(np.uint8))
    from_edge = np.isin(labels, np.unique(labels[outside & joined])) & odd
    clean = cv2.morphologyEx(from_edge.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(clean.astype(np.float32), (0, 0), 1.0), np.float32)
