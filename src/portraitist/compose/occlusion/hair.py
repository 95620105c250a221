"""Hair, hats and veils: whatever is not skin and reaches into the face from beyond its edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.occlusion.skin import SkinModel, unlike_any_skin
from portraitist.faces.regions import brows_mask, lips_mask, oval_mask, polygon_mask
from portraitist.faces.topology import LEFT_BROW_RING, LEFT_EYE_RING, RIGHT_BROW_RING, RIGHT_EYE_RING
from portraitist.types import Face, Mask

Values = NDArray[np.float32]
Area = NDArray[np.bool_]

STRANGE, HAIR_LIKE = 2.3, 1.2
"""Strangeness that is no skin by itself, and that which is none where the colour is nearer to the hair's."""
UNMISTAKABLE = 2.5
"""Median strangeness of hair so unlike the skin that its colour need not be learned."""
MARGIN = 0.5
"""Log-odds asked for, as a shaded cheek is nearer to dark hair than to the lit cheek."""
COVERING = 12.0
"""Distance in a*b* from the face's skin of a face covering, on colours no skin has."""


def find_hair(skin: SkinModel, odd: Values, face: Face) -> Mask:
    """(h, w) soft mask over the view: hair and hats from above and the sides, coverings from anywhere.

    odd: (h, w) strangeness.
    """
    size = skin.lab.shape[0], skin.lab.shape[1]
    oval = oval_mask(face, size) > 0.5
    brows = _grown(brows_mask(face, size) > 0.5, 9)
    own = _grown(eye_regions(face, size) | (lips_mask(face, size) > 0.5), 7) | brows
    sure = odd > _half_way(odd)
    strange = sure | ((odd > HAIR_LIKE) & _like_hair(skin, odd, oval, face))
    strange[int(face.landmarks[[61, 291], 1].mean()) :] = False
    hair = _joined_to_edge(strange & ~own, oval)
    hair |= _over_brows(hair, sure & brows)
    hair |= _coverings(skin, oval)
    clean = cv2.morphologyEx(hair.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(clean.astype(np.float32), (0, 0), 1.0), np.float32)


def eye_regions(face: Face, size: tuple[int, int]) -> Area:
    """(h, w) hull of each eye and its brow: lids, lashes and their shadows are the face's own."""
    rings = ((*LEFT_EYE_RING, *LEFT_BROW_RING), (*RIGHT_EYE_RING, *RIGHT_BROW_RING))
    hulls = [cv2.convexHull(face.landmarks[list(ring), :2].astype(np.float32)).reshape(-1, 2) for ring in rings]
    return polygon_mask(size, hulls) > 0.5


def _half_way(odd: Values) -> Values:
    """(h, w) half the strangeness of the strange pixels around: where an edge from skin to hair is half crossed."""
    strange = (odd > STRANGE).astype(np.float32)
    around = cv2.blur(np.minimum(odd, 10) * strange, (25, 25)) / np.maximum(cv2.blur(strange, (25, 25)), 1e-3)
    return np.asarray(np.clip(0.5 * around, STRANGE, 4.0), np.float32)


def _like_hair(skin: SkinModel, odd: Values, oval: Area, face: Face) -> Area:
    """(h, w) colour and texture nearer to what lies around the top of the face than to the face's skin.

    Two Gaussians over (L*, a*, b*) residuals and local contrast: strange pixels of a band above and beside the
    oval, and the face's own unstrange skin.
    """
    features = _features(skin)
    band = _grown(oval, 41) & ~_grown(oval, 5) & (odd > 1.3)
    band[int(face.landmarks[[33, 263], 1].mean()) :] = False
    plain = oval & (odd < 0.9)
    if band.sum() < 250 or plain.sum() < 250 or np.median(odd[band]) > UNMISTAKABLE:
        return np.zeros(oval.shape, bool)
    nearer = _log_density(features, features[band]) > _log_density(features, features[plain]) + MARGIN
    # Dark hair says nothing about bright pixels.
    return nearer & ((features[..., 0] < 3) | (float(np.median(features[band, 0])) > 0))


def _features(skin: SkinModel) -> Values:
    light = skin.lab[..., 0]
    contrast = np.sqrt(np.maximum(cv2.blur(light * light, (7, 7)) - cv2.blur(light, (7, 7)) ** 2, 0))
    return np.dstack([skin.residual, contrast]).astype(np.float32)


def _log_density(values: Values, sample: Values) -> Values:
    """Log of a Gaussian fitted to `sample` (n, 4), at every pixel, up to a constant."""
    chosen = sample[:: max(1, len(sample) // 2000)]
    covariance = np.cov(chosen.T) + np.diag([9.0, 1.5, 1.5, 0.5])
    whiten = np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32)
    rest = (values.reshape(-1, values.shape[-1]) - np.median(chosen, 0)) @ whiten.T
    density = -0.5 * (rest**2).sum(-1) + np.log(np.diag(whiten)).sum()
    return np.asarray(density.reshape(values.shape[:2]), np.float32)


def _coverings(skin: SkinModel, oval: Area) -> Area:
    """Large patches of colours no skin has, wherever they are: face masks, scarves. Holes are filled."""
    foreign = oval & unlike_any_skin(skin.lab) & (np.linalg.norm(skin.residual[..., 1:], axis=-1) > COVERING)
    closed = cv2.morphologyEx(foreign.astype(np.uint8), cv2.MORPH_OPEN, _kernel(3))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(closed)
    large = [c for c in contours if cv2.contourArea(c) > 0.03 * oval.sum()]
    cv2.drawContours(filled, large, -1, 1, cv2.FILLED)
    return np.asarray(filled > 0, bool)


def _joined_to_edge(strange: Area, oval: Area) -> Area:
    """The strange pixels that hang together with the outside of the oval."""
    outside = ~(cv2.erode(oval.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    _, labels = cv2.connectedComponents((strange | outside).astype(np.uint8), connectivity=4)
    return np.asarray(np.isin(labels, np.unique(labels[outside])) & strange, bool)


def _over_brows(hair: Area, strange_brows: Area) -> Area:
    """Strange brow pixels straight below hair: there the fringe hangs over the brow. A run of at least 19 px."""
    above = np.zeros_like(hair)
    above[1:] = hair[:-1]
    touching = np.asarray((above & strange_brows).any(0), np.uint8).reshape(1, -1)
    columns = cv2.morphologyEx(touching, cv2.MORPH_OPEN, np.ones((1, 19), np.uint8)).reshape(-1) > 0
    _, labels = cv2.connectedComponents((strange_brows & columns).astype(np.uint8))
    seeds = np.unique(labels[above & strange_brows & columns])
    return np.asarray(np.isin(labels, seeds[seeds > 0]) & strange_brows, bool)


def _grown(area: Area, side: int) -> Area:
    return np.asarray(cv2.dilate(area.astype(np.uint8), _kernel(side)) > 0, bool)


def _kernel(side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
