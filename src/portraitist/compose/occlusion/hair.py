"""Hair, hats and veils: whatever is not skin and reaches into the face from beyond its edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.occlusion.skin import SkinModel
from portraitist.faces.regions import brows_mask, eyes_mask, lips_mask, oval_mask
from portraitist.types import Face, Mask

DARK, BRIGHT, CHROMA = 10.0, 22.0, 7.0
"""Residuals (L*, L*, a*b*) that count as one unit of strangeness: shadows and highlights are milder than hair."""


def strangeness(skin: SkinModel) -> NDArray[np.float32]:
    """(h, w) distance from bare skin in units of the skin's own spread."""
    rest = skin.residual
    light = np.where(rest[..., 0] < 0, rest[..., 0] / max(DARK, 2 * skin.spread[0]), rest[..., 0] / max(BRIGHT, 3 * skin.spread[0]))
    colour = rest[..., 1:] / np.maximum(CHROMA, 2.5 * skin.spread[1:])
    return np.sqrt(light**2 + (colour**2).sum(-1)).astype(np.float32)


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
