"""One mask of everything that lies over a face."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.compose.occlusion.glasses import find_glasses
from portraitist.compose.occlusion.hair import find_hair
from portraitist.compose.occlusion.hands import HandFinder, hands_over
from portraitist.compose.occlusion.skin import fit_skin
from portraitist.compose.occlusion.strangeness import strangeness
from portraitist.compose.occlusion.view import FACE_WIDTH, SIZE, FaceView
from portraitist.faces.regions import oval_mask
from portraitist.types import Face, Image, Mask

GROWTH = 0.10
"""The mask reaches this far beyond the oval, in face widths; further out it is 0."""


def find_occluders(image: Image, face: Face, *, hands: HandFinder | None = None) -> Mask:
    """1 where something lies over the face: fringe, strands, glasses, brim, hand; 0 on skin, features and beard.

    image (h, w, 3); `face` in its pixels. Returns (h, w), soft at edges, 0 beyond the oval grown by 10 %.
    `hands` also looks for hands before the face (two more networks).
    """
    view = FaceView.of(image, face)
    skin = fit_skin(view.image, view.face)
    odd = strangeness(skin)
    layers = [find_hair(skin, odd, view.face), find_glasses(view.image, odd, view.face)]
    if hands is not None:
        layers.append(hands_over(hands, image, face, view))
    found = np.maximum.reduce(layers) * _zone(view.face)
    return view.back(found * view.inside, (image.shape[0], image.shape[1]))


def _zone(face: Face) -> Mask:
    """1 in the oval grown by GROWTH, soft over the last few pixels."""
    oval = oval_mask(face, SIZE)
    reach = round(GROWTH * FACE_WIDTH)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.GaussianBlur(cv2.dilate(oval, kernel), (0, 0), 1.5), np.float32)
