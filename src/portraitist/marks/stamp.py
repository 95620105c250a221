"""What a point mark does to the skin of one picture: a density to add, pixel by pixel.

From its patch where it has one, else a soft disc of its colour. Only the difference to its own skin is carried.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.density import LUMINANCE, Density, density_of, density_of_lab, highlight_gain, lab_of, size_of
from portraitist.marks.mark import PointMark
from portraitist.marks.site import Site
from portraitist.marks.surface import PATCH_SPAN, patch_onto, patch_side

_FAINT = 0.004
"""Densities below this are left out: under one grey level, so a mark ends where it cannot be seen."""
_SHARP = 0.6
"""Blur of a picture's own pixels, as the deviation of a Gaussian, pixels."""


def spot_stamp(mark: PointMark, site: Site, frame: NDArray[np.float64], blur: float) -> Density:
    """(h, w, 3) density the mark adds to the site at full strength.

    frame: (2, 2) millimetres on the skin to pixels. blur: of the picture, deviation in pixels: a mark is never
    sharper than the portrait, and one from a soft photo is not blurred twice. Where the portrait's skin has lost its
    colour, so does the mark.
    """
    flat = _flat(mark, site)
    matrix = patch_onto(frame, site.at - np.asarray(site.corner), mark.diameter_mm, flat.shape[0])
    step = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if step < 1:
        # The patch is finer than the picture: its pixels are averaged first, as a camera would.
        sigma = 0.5 * float(np.sqrt(1 / max(step, 1e-3) ** 2 - 1)) + 1e-3
        flat = cv2.GaussianBlur(flat, (0, 0), min(sigma, flat.shape[0]))
    stamp = cv2.warpAffine(flat, matrix, site.radius.shape[::-1], flags=cv2.INTER_LINEAR)
    own = max(_SHARP * step, mark.blur_mm * float(np.sqrt(abs(np.linalg.det(frame)))))
    return _ended(softened(stamp, blur, own if mark.patch is not None else _SHARP * step))


def softened(stamp: Density, blur: float, own: float) -> Density:
    """A stamp of blur `own` as soft as a picture of blur `blur` (deviations, pixels)."""
    more = float(np.sqrt(max(blur**2 - own**2, 0.0)))
    return np.asarray(cv2.GaussianBlur(stamp, (0, 0), more) if more > 0.3 else stamp, np.float32)


def _flat(mark: PointMark, site: Site) -> Density:
    """(n, n, 3) on the skin laid flat, in the chroma of the site's skin."""
    if mark.patch is None:
        skin = np.asarray(mark.skin if mark.skin is not None else site.skin_lab, np.float32)
        return _in_tone_of(site, skin, _disc(mark, skin, site.pixels_across))
    share = np.asarray(mark.patch[..., 3] / 255, np.float32)
    seen = density_of(mark.patch[..., :3])
    skin = np.asarray(mark.skin if mark.skin is not None else _skin_of(mark, seen, share), np.float32)
    # RGB is as seen, so skin shows through where alpha is low already: alpha only ends the patch.
    kept = np.clip(share / 0.35, 0, 1)
    kept = np.asarray(kept * kept * (3 - 2 * kept), np.float32)
    return _in_tone_of(site, skin, np.asarray((seen - density_of_lab(skin)) * kept[..., None], np.float32))


def _skin_of(mark: PointMark, seen: Density, share: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3,) LAB of the skin a patch was cut from: its mean colour less its offset."""
    mean = (seen * share[..., None]).sum((0, 1)) / max(float(share.sum()), 1e-6)
    return np.asarray(lab_of(np.asarray(mean, np.float32)) - mark.colour_offset, np.float32)


def _disc(mark: PointMark, skin: NDArray[np.float32], across: float) -> Density:
    """(n, n, 3) a disc whose edge takes a quarter of its radius on either side, mixed with the skin in light."""
    side = patch_side(across)
    steps = (np.arange(side) - (side - 1) / 2) * (2 * PATCH_SPAN / side)
    radius = np.hypot(steps[:, None], steps[None, :])
    share = np.clip((1.25 - radius) / 0.5, 0, 1)
    share = share * share * (3 - 2 * share)
    colour = skin + np.asarray(mark.colour_offset, np.float32)
    colour[0] = np.clip(colour[0], 3, 100)
    light = np.exp(-(density_of_lab(colour) - density_of_lab(skin)))
    return np.asarray(-np.log(share[..., None] * light + 1 - share[..., None]), np.float32)


def _in_tone_of(site: Site, skin: NDArray[np.float32], density: Density) -> Density:
    """A black and white portrait gets black and white marks; skin a third less saturated may be another's skin."""
    gain = float(np.clip(1.5 * _saturation(site.skin_lab) / max(_saturation(skin), 1e-3), 0, 1))
    grey = (density @ LUMINANCE)[..., None]
    kept = highlight_gain(float(skin[0]), float(site.skin_lab[0]))
    return np.asarray(kept * (grey + gain * (density - grey)), np.float32)


def _saturation(lab: NDArray[np.float32]) -> float:
    """Chroma over lightness as CIE defines both: the same for one surface in more and in less light."""
    return float(np.hypot(lab[1], lab[2]) / (max(float(lab[0]), 0) + 16))


def _ended(stamp: Density) -> Density:
    """Without what cannot be seen; what is left fades to it, so that no edge is cut."""
    size = size_of(stamp)[..., None]
    return np.asarray(stamp * np.clip(size / _FAINT - 1, 0, 1), np.float32)
