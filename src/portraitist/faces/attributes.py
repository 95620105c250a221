"""Things about a face that a caption may name: glasses, beard, headwear, long hair, dark hair.

The face is brought into the framing of FFHQ by its mesh, described by gradient histograms and colours on a grid, and
each attribute is one logistic regression over its own part of the grid. Trained by recipes/attributes/train.py on
synthetic faces (OMI, CC BY-NC-SA 4.0), so the weights are marked `nc`.

Source: Dalal and Triggs, "Histograms of oriented gradients for human detection", CVPR 2005.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.faces.align import portrait_matrix
from portraitist.geometry import Matrix, fit_within
from portraitist.types import Image, Points
from portraitist.weights import fetch

WEIGHTS = "attributes"
USABLE = ("glasses", "beard", "long_hair", "dark_hair")
"""Names whose balanced accuracy on faces left out of training is at least 0.90, at 256 and at 128 px
(recipes/attributes/README.md). `hat` is measured but reads 0.87: say nothing of it. A caption should name an attribute
from a probability of 0.9: then `beard` is right 90 times in 100, at 0.5 only 68 times, the others at least 98 times."""
Features = NDArray[np.float32]

CROP_SIDE = 256
DETAIL = 0.5
"""Pixels of the picture to one of the crop, at most."""
GRID = 16
"""Cells along one side of the crop; regions below are counted in them."""
BINS = 9
_CHEEKS = ((slice(9, 11), slice(4, 6)), (slice(9, 11), slice(10, 12)))

_TOP, _LOW, _ALL = (slice(0, 9), slice(0, 16)), (slice(9, 16), slice(3, 13)), (slice(0, 16), slice(0, 16))
_EYES = (slice(5, 10), slice(2, 14))
PARTS: Mapping[str, tuple[tuple[str, tuple[slice, slice]], ...]] = {
    "glasses": (("fine_edges", _EYES), ("fine_energy", _EYES)),
    "beard": (("fine_edges", _LOW), ("fine_energy", _LOW), ("to_cheek", _LOW), ("spread", _LOW)),
    "hat": (("edges", _TOP), ("energy", _TOP), ("to_cheek_bins", _TOP), ("spread", _TOP)),
    "long_hair": (("edges", _ALL), ("energy", _ALL), ("to_cheek", _ALL), ("spread", _ALL)),
    "dark_hair": (("colour_bins", _ALL), ("colour", _TOP)),
}
"""What each attribute looks at: a map of `feature_maps` and the part of the grid."""


@dataclass(frozen=True)
class Attributes:
    """Probability of each attribute, in [0, 1], where with and without were taken as equally likely beforehand."""

    glasses: float
    beard: float
    hat: float
    long_hair: float
    dark_hair: float


@dataclass(frozen=True)
class LinearModel:
    """logit = weights . features + bias."""

    weights: Features
    bias: float

    def probability(self, features: Features) -> float:
        """In [0, 1]."""
        logit = float(np.dot(self.weights.astype(np.float64), features)) + self.bias
        return float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))


def measure_attributes(pixels: Image, landmarks: Points) -> Attributes:
    """Attributes of the face with that mesh, (468, 2 or 3) in pixels of `pixels` (h, w, 3).

    Ask only for names in `USABLE`. `dark_hair` and `long_hair` mean nothing under a hat. A tool takes no library: a
    task that calls this asks `licences.require_accepted` first, as the weights are marked `nc`.
    Raises InputError for other shapes, WeightsError when the weights are not on this machine.
    """
    maps, models = feature_maps(pixels, landmarks), _models()
    return Attributes(**{name: models[name].probability(features_of(maps, name)) for name in PARTS})


@cache
def _models() -> dict[str, LinearModel]:
    with np.load(fetch(WEIGHTS), allow_pickle=False) as stored:
        return {name: LinearModel(stored[name][:-1], float(stored[name][-1])) for name in PARTS}


def features_of(maps: Mapping[str, Features], attribute: str) -> Features:
    """(d,) what the attribute's regression sees."""
    return np.concatenate([_part(maps[name], *region).ravel() for name, region in PARTS[attribute]])


def _part(values: Features, rows: slice, columns: slice) -> Features:
    """The region of a map that may be finer or coarser than the grid."""
    factor = values.shape[0] / GRID
    y0, y1, x0, x1 = (int(edge * factor) for edge in (rows.start, rows.stop, columns.start, columns.stop))
    return values[y0:y1, x0:x1]


def feature_maps(pixels: Image, landmarks: Points) -> dict[str, Features]:
    """Every map (n, n, channels), n = 32 for `fine_*`, 4 for `colour_bins`, 16 for the rest."""
    crop = aligned_crop(pixels, landmarks)
    small = np.asarray(cv2.resize(crop, (CROP_SIDE // 2, CROP_SIDE // 2), interpolation=cv2.INTER_AREA), np.uint8)
    fine_edges, fine_energy = gradient_histograms(crop)
    edges, energy = gradient_histograms(small)
    colour, spread = _colours(small)
    to_cheek = colour - np.median(np.concatenate([colour[r].reshape(-1, 3) for r in _CHEEKS]), axis=0)
    return {
        "fine_edges": fine_edges,
        "fine_energy": fine_energy,
        "edges": edges,
        "energy": energy,
        "colour": colour,
        "spread": spread,
        "to_cheek": to_cheek,
        "to_cheek_bins": _cheek_bins(to_cheek),
        "colour_bins": _colour_bins(colour),
    }


def aligned_crop(pixels: Image, landmarks: Points) -> Image:
    """(256, 256, 3) crop with hair and chin in it. Outside the picture its border is repeated."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise InputError(f"expected (h, w, 3) uint8 pixels, found {pixels.shape} {pixels.dtype}; decode it as RGB")
    if landmarks.ndim != 2 or len(landmarks) != 468:
        raise InputError(f"expected a mesh of (468, 3) points, found {landmarks.shape}; read the face with FaceReader")
    matrix = portrait_matrix(landmarks, CROP_SIDE)
    scale = float(np.sqrt(np.linalg.det(matrix[:, :2])))
    # No more detail than a 128 px portrait has, or the probabilities would depend on the size of the picture.
    source = fit_within(pixels, max(1, round(max(pixels.shape[:2]) * scale * DETAIL)))
    matrix = _for_shrunk(matrix, source.shape[1] / pixels.shape[1])
    size = (CROP_SIDE, CROP_SIDE)
    crop = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def _for_shrunk(matrix: Matrix, factor: float) -> Matrix:
    """The same map for a picture shrunk by `factor`; pixel centres, x = (x' + 0.5) / factor - 0.5."""
    linear = matrix[:, :2] / factor
    return np.hstack([linear, (matrix[:, 2] + matrix[:, :2] @ np.full(2, (1 / factor - 1) / 2))[:, None]])


def gradient_histograms(crop: Image, cell: int = 8) -> tuple[Features, Features]:
    """(n, n, 9) root of the orientation histograms over the local energy, and (n, n, 1) the log of that energy.

    At each pixel the channel with the largest gradient counts; orientations are unsigned; three by three cells share
    one norm.
    """
    x = np.sqrt(crop.astype(np.float32) / np.float32(255))
    dx, dy = cv2.Sobel(x, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(x, cv2.CV_32F, 0, 1, ksize=1)
    best = (dx**2 + dy**2).argmax(2)[..., None]
    dx, dy = (np.take_along_axis(d, best, 2)[..., 0] for d in (dx, dy))
    place = np.arctan2(dy, dx) % np.pi / np.pi * BINS
    low = np.floor(place).astype(int)
    upper = place - low
    votes = np.zeros((*crop.shape[:2], BINS), np.float32)
    for k in range(BINS):
        votes[..., k] = np.hypot(dx, dy) * ((low % BINS == k) * (1 - upper) + ((low + 1) % BINS == k) * upper)
    n = len(crop) // cell
    cells = votes.reshape(n, cell, n, cell, BINS).mean((1, 3))
    energy = cv2.boxFilter((cells**2).sum(2), -1, (3, 3)) + np.float32(1e-4)
    return np.sqrt(cells / np.sqrt(energy)[..., None]), np.log(energy)[..., None]


def _colours(crop: Image) -> tuple[Features, Features]:
    """(16, 16, 3) mean LAB in [0, 1] and (16, 16, 1) spread of lightness of each cell."""
    side = len(crop) // GRID
    cells = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32).reshape(GRID, side, GRID, side, 3) / 255
    return cells.mean((1, 3)), cells[..., 0].std((1, 3))[..., None]


def _bins(values: Features, low: float, high: float, count: int) -> Features:
    """(..., count) soft one-hot: each value is shared by its two nearest bins."""
    centres = np.linspace(low, high, count, dtype=np.float32)
    apart = np.abs(np.clip(values, low, high)[..., None] - centres) / (centres[1] - centres[0])
    return np.asarray(np.clip(1 - apart, 0, 1), np.float32)


def _cheek_bins(to_cheek: Features) -> Features:
    """(16, 16, 13) lightness against the cheeks' and distance of hue and chroma from theirs."""
    chroma = np.hypot(to_cheek[..., 1], to_cheek[..., 2])
    return np.concatenate([_bins(to_cheek[..., 0], -0.6, 0.4, 8), _bins(chroma, 0, 0.2, 5)], axis=-1)


def _colour_bins(colour: Features) -> Features:
    """(4, 4, 26) histograms of the cells' colours, pooled over four by four cells."""
    spans = ((0.0, 1.0, 10), (0.4, 0.65, 8), (0.4, 0.7, 8))
    cells = np.concatenate([_bins(colour[..., c], *span) for c, span in enumerate(spans)], axis=-1)
    return np.asarray(cells.reshape(4, 4, 4, 4, -1).mean((1, 3)), np.float32)
