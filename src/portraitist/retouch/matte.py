"""Cutting a person out: trimap, opacity, colours. Interchangeable methods share the verb `estimate_matte_*`."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.geometry import fit_within
from portraitist.retouch.closed_form import BELIEF_WEIGHT, EPSILON, solve_closed_form
from portraitist.retouch.foreground import estimate_foreground
from portraitist.retouch.guided import guided_upsample
from portraitist.retouch.person import PersonSegmenter, person_trimap
from portraitist.types import Image, Mask

__all__ = [
    "PersonSegmenter",
    "estimate_foreground",
    "estimate_matte_closed_form",
    "estimate_matte_grabcut",
    "person_trimap",
]


def estimate_matte_closed_form(
    image: Image,
    trimap: Mask,
    *,
    solved_side: int = 512,
    epsilon: float = EPSILON,
    belief_weight: float = BELIEF_WEIGHT,
) -> Mask:
    """Opacity (h, w) in [0, 1] by closed-form matting, solved at most `solved_side` px long and refined to full size.

    trimap: (h, w) at the picture's size, 1 person, 0 background, between unknown, the value being a weak belief
    (see `person_trimap`). Known pixels keep their value. `solved_side` at the picture's size is the full solve.
    Source: Levin et al. 2008 (`closed_form`), He & Sun 2015 (`guided`).
    """
    small = fit_within(image, solved_side)
    if small.shape == image.shape:
        solved = solve_closed_form(image, trimap, epsilon=epsilon, belief_weight=belief_weight)
        return _settle(_without_islands(solved, trimap))
    reduced = _reduce_trimap(trimap, small.shape)
    solved = solve_closed_form(small, reduced, epsilon=epsilon, belief_weight=belief_weight)
    matte = guided_upsample(_without_islands(solved, reduced), small, image)
    return np.where((trimap > 0) & (trimap < 1), _settle(matte), trimap).astype(np.float32)


def _without_islands(matte: Mask, trimap: Mask) -> Mask:
    """Drop patches that touch no known part of the person, unless they are as thin as strands of hair."""
    count, labels = cv2.connectedComponents((matte > 0.2).astype(np.uint8))
    rooted = np.zeros(count, bool)
    rooted[np.unique(labels[trimap >= 1])] = True
    depth = cv2.distanceTransform((labels > 0).astype(np.uint8), cv2.DIST_L2, 3)
    thick = np.zeros(count)
    np.maximum.at(thick, labels.ravel(), depth.ravel())
    dropped = ~rooted & (thick > _STRAND * max(matte.shape))
    dropped[0] = False
    around = cv2.dilate(dropped[labels].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return np.where(around & ~rooted[labels], 0, matte).astype(np.float32)


_STRAND = 0.006
"""Half the thickness of the widest loose strand, as a share of the picture's longer side."""


def _settle(matte: Mask) -> Mask:
    """Opacities within 0.03 of a known value take it: a haze over the backdrop is seen, so faint a hair is not."""
    return np.asarray(np.clip((matte - 0.03) / 0.94, 0, 1), np.float32)


def _reduce_trimap(trimap: Mask, shape: tuple[int, ...]) -> Mask:
    """A small pixel is known only when all it covers is known and alike."""
    reduced = cv2.resize(trimap, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.where(reduced >= 1 - 1e-6, 1, np.where(reduced <= 1e-6, 0, np.clip(reduced, 0.01, 0.99))).astype(
        np.float32
    )


def estimate_matte_grabcut(image: Image, trimap: Mask, *, solved_side: int = 512, iterations: int = 3) -> Mask:
    """A hard cut in the unknown band by colour models (GrabCut), softened over about two pixels: fast, no hair.

    Same arguments as `estimate_matte_closed_form`. Source: Rother et al., "GrabCut", SIGGRAPH 2004 (OpenCV).
    """
    small = fit_within(image, solved_side)
    reduced = _reduce_trimap(trimap, small.shape)
    cut = cut_unknown(small, reduced, iterations).astype(np.float32)
    h, w = trimap.shape
    matte = cv2.resize(cv2.GaussianBlur(cut, (0, 0), 0.8), (w, h), interpolation=cv2.INTER_LINEAR)
    return np.where((trimap > 0) & (trimap < 1), matte, trimap).astype(np.float32)


def cut_unknown(image: Image, trimap: Mask, iterations: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """(h, w) of 0 and 1: GrabCut over the unknown pixels of a small picture, the rest as the trimap says."""
    labels = np.where(
        trimap >= 1, cv2.GC_FGD, np.where(trimap <= 0, cv2.GC_BGD, np.where(trimap > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD))
    )
    labels = labels.astype(np.uint8)
    if not ((labels == cv2.GC_FGD).any() and (labels == cv2.GC_BGD).any()):
        return np.asarray((trimap > 0.5).astype(np.uint8))
    cv2.setRNGSeed(0)  # its colour clusters start from random samples
    cv2.grabCut(
        np.ascontiguousarray(image),
        labels,
        None,
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        iterations,
        cv2.GC_INIT_WITH_MASK,
    )
    return np.asarray(((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8))
