"""Hair, hats and veils: whatever is not skin and reaches into the face from beyond its edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.occlusion.skin import SkinModel, unlike_any_skin
from portraitist.compose.occlusion.strangeness import strangeness
from portraitist.faces.regions import brows_mask, eyes_mask, lips_mask, oval_mask
from portraitist.types import Face, Mask

Values = NDArray[np.float32]
Area = NDArray[np.bool_]

STRANGE, HAIR_LIKE = 2.0, 1.2
"""Strangeness that is no skin by itself, and that which is none where the colour is nearer to the hair's."""
UNMISTAKABLE = 4.0
"""Median strangeness of hair so unlike the skin that its colour need not be learned."""
MARGIN = 2.0
"""Log-odds asked for, as a shaded cheek is nearer to dark hair than to the lit cheek."""
COVERING = 3.5
"""Strangeness of a face covering, on colours no skin has."""


def find_hair(skin: SkinModel, face: Face) -> Mask:
    """(h, w) soft mask over the view: hair and hats from above and the sides, coverings from anywhere."""
    size = skin.lab.shape[0], skin.lab.shape[1]
    odd = strangeness(skin)
    oval = oval_mask(face, size) > 0.5
    brows = _grown(brows_mask(face, size) > 0.5, 9)
    own = brows | _grown(np.maximum(eyes_mask(face, size), lips_mask(face, size)) > 0.5, 9)
    covering = oval & (odd > COVERING) & unlike_any_skin(skin.lab) & ~own
    sure = odd > _half_way(odd)
    strange = sure | ((odd > HAIR_LIKE) & _like_hair(skin, odd, oval, face))
    strange[int(face.landmarks[[61, 291], 1].mean()) :] = False
    hair = _joined_to_edge(strange & ~own, oval)
    hair |= _over_brows(hair, sure & brows)
    if covering.sum() > 0.03 * oval.sum():
        hair |= cv2.morphologyEx(covering.astype(np.uint8), cv2.MORPH_CLOSE, _kernel(15)) > 0
    clean = cv2.morphologyEx(hair.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(clean.astype(np.float32), (0, 0), 1.0), np.float32)


def _half_way(odd: Values) -> Values:
    """(h, w) half the strangeness of the strange pixels around: where an edge from skin to hair is half crossed."""
    strange = (odd > STRANGE).astype(np.float32)
    around = cv2.blur(np.minimum(odd, 10) * strange, (25, 25)) / np.maximum(cv2.blur(strange, (25, 25)), 1e-3)
    return np.clip(0.5 * around, STRANGE, 4.0).astype(np.float32)


def _like_hair(skin: SkinModel, odd: Values, oval: Area, face: Face) -> Area:
    """(h, w) colour and texture nearer to what lies around the top of the face than to the face's skin.

    Two Gaussians over (L*, a*, b*) residuals and local contrast: strange pixels of a band above and beside the oval, and
    the face's own unstrange skin.
    """
    features = _features(skin)
    band = _grown(oval, 41) & ~_grown(oval, 5) & (odd > 1.3)
    band[int(face.landmarks[[33, 263], 1].mean()) :] = False
    plain = oval & (odd < 0.9)
    if band.sum() < 250 or plain.sum() < 250 or np.median(odd[band]) > UNMISTAKABLE:
        return np.zeros(oval.shape, bool)
    return _log_density(features, features[band]) > _log_density(features, features[plain]) + MARGIN


def _features(skin: SkinModel) -> Values:
    light = skin.lab[..., 0]
    contrast = np.sqrt(np.maximum(cv2.blur(light * light, (7, 7)) - cv2.blur(light, (7, 7)) ** 2, 0))
    return np.dstack([skin.residual, contrast]).astype(np.float32)


def _log_density(values: Values, sample: Values) -> Values:
    """Log of a Gaussian fitted to `sample` (n, 4), at every pixel, up to a constant."""
    mean = np.median(sample, 0)
    covariance = np.cov(sample.T) + np.diag([9.0, 1.5, 1.5, 0.5])
    rest = values - mean
    inverse = np.linalg.inv(covariance)
    distance = np.einsum("hwi,ij,hwj->hw", rest, inverse, rest, optimize=True)
    return np.asarray(-0.5 * distance - 0.5 * np.linalg.slogdet(covariance)[1], np.float32)


def _joined_to_edge(strange: Area, oval: Area) -> Area:
    """The strange pixels that hang together with the outside of the oval."""
    outside = ~(cv2.erode(oval.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    _, labels = cv2.connectedComponents((strange | outside).astype(np.uint8), connectivity=4)
    return np.isin(labels, np.unique(labels[outside])) & strange


def _over_brows(hair: Area, strange_brows: Area) -> Area:
    """Strange brow pixels straight below hair: there the fringe hangs over the brow. A run of at least 19 px."""
    above = np.zeros_like(hair)
    above[1:] = hair[:-1]
    touching = (above & strange_brows).any(0).astype(np.uint8)[None]
    columns = cv2.morphologyEx(touching, cv2.MORPH_OPEN, np.ones((1, 19), np.uint8))[0] > 0
    _, labels = cv2.connectedComponents((strange_brows & columns).astype(np.uint8))
    seeds = np.unique(labels[above & strange_brows & columns])
    return np.isin(labels, seeds[seeds > 0]) & strange_brows


def _grown(area: Area, side: int) -> Area:
    return cv2.dilate(area.astype(np.uint8), _kernel(side)) > 0


def _kernel(side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
