"""Where a painting shows in a framed face: masks (side, side) in [0, 1], soft at their borders.

The person comes from the selfie segmentation (its own edges are blurred; they are drawn to the picture's edges by a
guided filter), the face from the mesh.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.regions import oval_mask
from portraitist.faces.topology import CHIN, FOREHEAD
from portraitist.networks import LiteNetwork
from portraitist.retouch.guided import guided_upsample
from portraitist.stylize.config import PaintConfig
from portraitist.types import Face, Image, Mask

_NETWORK_SIDE, _GUIDE_SIDE = 256, 128
_FACE_FEATHER = 0.035
_FRAME_FEATHER = 0.06
"""Parts of the frame's side over which a painting fades out."""
_NECK = (0.12, 0.55)
"""From here to there below the chin, in heights of the face, a painted head fades into the body."""


def face_region(face: Face, size: tuple[int, int]) -> Mask:
    """The mesh's hull, faded inwards, so that nothing outside the face changes."""
    hull = oval_mask(face, size)
    reach = max(1.0, _FACE_FEATHER * min(size))
    depth = cv2.distanceTransform((hull > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return _smooth_step(depth / (2 * reach))


def person_region(frame: Image, face: Face, network: LiteNetwork) -> Mask:
    """Probability of the person whose face is framed, its border on the frame's own edges."""
    small = cv2.resize(frame, (_NETWORK_SIDE, _NETWORK_SIDE), interpolation=cv2.INTER_AREA)
    raw = network(small[None].astype(np.float32) / np.float32(255))[0][0, :, :, 0]
    # The network blurs a border over a few of its pixels: half of them hold all it knows, at a quarter of the cost.
    guide = np.asarray(cv2.resize(small, (_GUIDE_SIDE, _GUIDE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    coarse = np.asarray(cv2.resize(raw, (_GUIDE_SIDE, _GUIDE_SIDE), interpolation=cv2.INTER_AREA), np.float32)
    matte = guided_upsample(coarse, guide, frame, radius=2, epsilon=1e-4)
    sure = np.clip((matte - 0.2) / 0.6, 0, 1)
    return np.asarray(np.maximum(_of_this_person(sure, face), face_region(face, matte.shape)), np.float32)


def head_region(person: Mask, face: Face, config: PaintConfig, *, cut_out: bool = False) -> Mask:
    """The head of a person, with or without hair and what is around it. cut_out: the shoulders belong to it too, and
    nothing fades at the frame's border."""
    h, w = person.shape
    region = person.copy()
    if not cut_out:
        region *= neck_fade(face, (h, w))
    if config.hair == "keep":
        region *= 1 - hair_region(person, face)
    if config.surroundings == "painted":
        region = np.maximum(region, 1 - person)
    return np.asarray(region if cut_out else region * frame_fade((h, w)), np.float32)


def hair_region(person: Mask, face: Face) -> Mask:
    """Of the person, what is above the chin and outside the face: hair, and the ears with it."""
    h, w = person.shape
    above = 1 - _below(face, (h, w), 0.0, 0.2)
    return np.asarray(person * above * (1 - face_region(face, (h, w))), np.float32)


def neck_fade(face: Face, size: tuple[int, int]) -> Mask:
    """1 on the head, falling to 0 down the neck."""
    return np.asarray(1 - _below(face, size, *_NECK), np.float32)


def frame_fade(size: tuple[int, int]) -> Mask:
    """1 inside, falling to 0 at the frame's border."""
    h, w = size
    reach = _FRAME_FEATHER * min(size)
    x, y = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)
    across, down = np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y)
    return _smooth_step(np.minimum(down[:, None], across[None]) / reach)


def nearest_to(faces: Sequence[Face], own: int, size: tuple[int, int]) -> Mask:
    """1 where face `own` is nearer than the others, in face widths: two heads that touch are not painted twice."""
    h, w = size
    y, x = np.mgrid[:h, :w].astype(np.float32)
    away = [np.hypot(x - c[0], y - c[1]) / max(_width(f), 1.0) for f in faces for c in [f.landmarks[:, :2].mean(0)]]
    others = [distance for index, distance in enumerate(away) if index != own]
    if not others:
        return np.ones(size, np.float32)
    return _smooth_step((np.minimum.reduce(others) - away[own]) / 0.1 + 0.5)


def _below(face: Face, size: tuple[int, int], start: float, end: float) -> Mask:
    """0 above `start`, 1 below `end`: heights of the face under the chin, along the face's own axis."""
    chin, forehead = face.landmarks[CHIN, :2], face.landmarks[FOREHEAD, :2]
    axis = chin - forehead
    height = max(float(np.linalg.norm(axis)), 1.0)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    under = ((x - chin[0]) * axis[0] + (y - chin[1]) * axis[1]) / height**2
    return _smooth_step((under - start) / (end - start))


def _of_this_person(person: Mask, face: Face) -> Mask:
    """Parts that hang together with the face."""
    _, labels = cv2.connectedComponents((person > 0.3).astype(np.uint8))
    h, w = labels.shape
    points = np.clip(face.landmarks[:, :2].astype(int), 0, [w - 1, h - 1])
    found = labels[points[:, 1], points[:, 0]]
    if not (found > 0).any():
        return np.zeros_like(person)
    mine = (labels == np.bincount(found[found > 0]).argmax()).astype(np.uint8)
    return np.asarray(np.where(cv2.dilate(mine, np.ones((5, 5), np.uint8)) > 0, person, 0), np.float32)


def _width(face: Face) -> float:
    return float(np.ptp(face.landmarks[:, 0]))


def _smooth_step(values: NDArray[np.floating]) -> Mask:
    t = np.clip(values, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
