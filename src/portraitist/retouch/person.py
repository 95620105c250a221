"""Where the person is, roughly: a segmentation network, then a trimap with room for hair."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from portraitist import weights
from portraitist.geometry import fit_within
from portraitist.networks import LiteNetwork
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.types import Face, Image, Mask

_NETWORK_SIDE = 256
_TRIMAP_SIDE = 512
_SURE = 0.3
"""Before a busy background, beliefs within this of certainty are taken as known."""
_HERE = Placement()


@dataclass(frozen=True)
class PersonSegmenter:
    """MediaPipe's selfie segmentation: (h, w) probability of a person, blurry at 1/256 of the side.

    Each look is averaged with the look at the mirrored picture: what the network sees one way only is rarely hair.
    """

    network: LiteNetwork

    @classmethod
    def load(cls, placement: Placement = _HERE, report: Report = silent) -> PersonSegmenter:
        """Fetch the weights where missing and open them."""
        return cls(LiteNetwork(weights.fetch("selfie-segmentation", report), placement.threads))

    def __call__(self, image: Image, face: Face) -> Mask:
        """Probability over the whole picture; around the head it comes from a closer look that sees more hair."""
        whole = self._segment(image)
        x0, y0, x1, y1 = _head_window(face, image.shape)
        close = self._segment(image[y0:y1, x0:x1])
        feather = _feather(close.shape)
        whole[y0:y1, x0:x1] += feather * (close - whole[y0:y1, x0:x1])
        return whole

    def _segment(self, image: Image) -> Mask:
        h, w = image.shape[:2]
        small = cv2.resize(image, (_NETWORK_SIDE, _NETWORK_SIDE), interpolation=cv2.INTER_AREA)
        probability = (self._once(small) + self._once(small[:, ::-1])[:, ::-1]) / 2
        return np.asarray(cv2.resize(probability, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)

    def _once(self, small: Image) -> NDArray[np.float32]:
        scaled = np.ascontiguousarray(small[None], np.float32) / np.float32(255)
        return self.network(scaled)[0][0, :, :, 0]


@functools.cache
def default_segmenter() -> PersonSegmenter:
    """One segmenter for callers that do not place networks themselves."""
    return PersonSegmenter.load()


def _head_window(face: Face, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """xyxy of a square 3.4 face widths wide, from above the hair to the shoulders, cut at the picture's border."""
    half = 1.7 * face_width(face)
    x, y = face.landmarks[:, :2].mean(axis=0)
    h, w = shape[:2]
    return max(0, int(x - half)), max(0, int(y - half)), min(w, int(x + half)), min(h, int(y + half))


def face_width(face: Face) -> float:
    """Width of the mesh in pixels: steadier than the detector's box."""
    return float(np.ptp(face.landmarks[:, 0]))


def _feather(shape: tuple[int, ...]) -> Mask:
    """1 in the middle, falling to 0 over the outer eighth, so that two probabilities join without a step."""
    h, w = shape[:2]
    ramp_x = np.minimum(np.arange(w) + 0.5, w - 0.5 - np.arange(w)) / (w / 8)
    ramp_y = np.minimum(np.arange(h) + 0.5, h - 0.5 - np.arange(h)) / (h / 8)
    return np.asarray(np.clip(np.minimum(ramp_y[:, None], ramp_x[None]), 0, 1), np.float32)


def person_trimap(
    image: Image, face: Face, segmenter: PersonSegmenter | None = None, *, side: int = _TRIMAP_SIDE
) -> Mask:
    """(h, w) float32 at the picture's size: 1 surely the person of `face`, 0 surely not, between: unknown.

    In the unknown band, wide around the hair and narrow along shoulders, the value is a belief from the network and
    from the colours on both sides of the band. Before a busy background (flags, posters, foliage) colours mislead the
    solver: there the band is narrower and beliefs near certainty become known. `side` is the longer side in pixels at
    which it is made.
    """
    small = fit_within(image, side)
    face = face.scaled(max(small.shape[:2]) / max(image.shape[:2]))
    probability = _only_this_person((segmenter or default_segmenter())(small, face), face)
    busy = _busy_background(small, probability, face_width(face))
    trimap = _band(probability, face, busy)
    unknown = trimap == 0.5
    belief = _belief(small, trimap, probability, face_width(face))
    trimap[unknown] = np.where(belief < _SURE * busy, 0, np.where(belief > 1 - _SURE * busy, 1, belief))[unknown]
    h, w = image.shape[:2]
    return np.asarray(cv2.resize(trimap, (w, h), interpolation=cv2.INTER_NEAREST), np.float32)


def _busy_background(image: Image, probability: Mask, width: float) -> Mask:
    """(h, w) in [0, 1]: 0 where the background nearby is plain, 1 where its colours vary by 11 % or more.

    The local deviation of the pixels that the network holds for background, over a quarter of a face width.
    """
    weight = (cv2.dilate(probability, _disc(0.06 * width)) < 0.1).astype(np.float32)
    colours = image.astype(np.float32) / 255
    sums = np.dstack([weight[..., None] * colours, weight * (colours**2).sum(axis=2), weight])
    coarse = cv2.resize(sums, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), max(0.25 * width / 4, 0.5))
    local = cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    mass = np.maximum(local[..., 4], 1e-4)
    variance = local[..., 3] / mass - ((local[..., :3] / mass[..., None]) ** 2).sum(axis=2)
    deviation = np.sqrt(np.maximum(variance, 0) / 3)
    return np.asarray(np.clip((deviation - 0.03) / 0.08, 0, 1) * np.clip(local[..., 4] / 0.01, 0, 1), np.float32)


def _belief(image: Image, trimap: Mask, probability: Mask, width: float) -> Mask:
    """Odds of the network times odds of the pixel's colour, as a probability in [0.005, 0.995]."""
    safe = np.clip(probability, 0.02, 0.98)
    odds = np.log(safe / (1 - safe)) + _colour_odds(image, trimap, width)
    return np.asarray(np.clip(1 / (1 + np.exp(-odds)), 0.005, 0.995), np.float32)


def _colour_odds(image: Image, trimap: Mask, width: float) -> NDArray[np.float64]:
    """Log odds, within +-3, of each pixel's colour among sure person against sure background near the band."""
    near = cv2.dilate((trimap == 0.5).astype(np.uint8), _disc(0.35 * width)) > 0
    bins = (image >> 4).astype(np.int64) @ np.array([256, 16, 1])
    ours, theirs = (_colour_density(bins[near & (trimap == known)]) for known in (1, 0))
    return np.asarray(np.clip(np.log(ours / theirs), -3, 3)[bins])


def _colour_density(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Smoothed histogram over 16 x 16 x 16 colours; a little everywhere, so that unseen colours say nothing."""
    counts = np.bincount(bins, minlength=4096).astype(np.float64).reshape(16, 16, 16)
    smooth = ndimage.gaussian_filter(counts, 0.8, mode="nearest").ravel()
    return np.asarray(smooth / max(len(bins), 1) + 1e-3)


def _only_this_person(probability: Mask, face: Face) -> Mask:
    """Drop parts of the mask that do not hang together with the face."""
    _, labels = cv2.connectedComponents((probability > 0.3).astype(np.uint8))
    h, w = labels.shape
    points = np.clip(face.landmarks[:, :2].astype(int), 0, [w - 1, h - 1])
    found = labels[points[:, 1], points[:, 0]]
    mine = np.bincount(found[found > 0], minlength=1).argmax() if (found > 0).any() else 0
    keep = cv2.dilate((labels == mine).astype(np.uint8), _disc(0.1 * face_width(face)))
    return np.where(keep > 0, probability, 0).astype(np.float32)


def _band(probability: Mask, face: Face, busy: Mask) -> Mask:
    width = face_width(face)
    likely = (probability > 0.9).astype(np.uint8)
    unlikely = (probability > 0.1 + 0.4 * busy).astype(np.uint8)
    hair = _hair_zone(face, probability.shape)
    inner = np.where(hair, cv2.erode(likely, _disc(0.08 * width)), cv2.erode(likely, _disc(0.04 * width)))
    reach = width * np.where(hair, 0.13 - 0.07 * busy, 0.06)
    outer = cv2.distanceTransform(1 - unlikely, cv2.DIST_L2, 5) <= reach
    trimap = np.where(inner > 0, 1.0, np.where(outer, 0.5, 0.0)).astype(np.float32)
    trimap[_inner_face(face, probability.shape)] = 1.0
    return trimap


def _hair_zone(face: Face, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Within 1.5 face widths of the face and not lower than a face width under the chin."""
    zone = np.zeros(shape[:2], np.uint8)
    x, y = face.landmarks[:, :2].mean(axis=0)
    cv2.circle(zone, (int(x), int(y)), int(1.4 * face_width(face)), 1, -1)
    return zone > 0


def _inner_face(face: Face, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The convex hull of the mesh, a little smaller: person for sure, whatever the network says."""
    filled = np.zeros(shape[:2], np.uint8)
    hull = cv2.convexHull(face.landmarks[:, :2].astype(np.int32))
    cv2.fillConvexPoly(filled, hull, 1)
    return np.asarray(cv2.erode(filled, _disc(0.06 * face_width(face))) > 0, bool)


def _disc(radius: float) -> NDArray[np.uint8]:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
