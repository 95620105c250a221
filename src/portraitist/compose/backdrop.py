"""Head shots and ID photos: the sitter cut out of their own photo, on a backdrop, cropped by a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose import backdrops
from portraitist.compose.backdrop_config import BackdropConfig
from portraitist.compose.crop import RULES, Frame, check_crop, frame_above, frame_inside, frames_for, measure_head
from portraitist.faces.regions import skin_mask
from portraitist.progress import Report, Step, silent
from portraitist.retouch.matte import (
    PersonSegmenter,
    estimate_foreground,
    estimate_matte_closed_form,
    estimate_matte_grabcut,
    person_trimap,
)
from portraitist.retouch.smooth import smooth
from portraitist.retouch.white_balance import white_balance
from portraitist.scenes.values import BackdropScene
from portraitist.styles.formats import EDITED_WARNING, load_format, load_formats
from portraitist.types import Face, Image, Mask, Portrait, Reference

Kept = Callable[[Face, tuple[int, int]], Mask]
"""What retouching leaves alone of a face: a mask (h, w) of that size, 1 where nothing may change."""
_WORKING_SIDE = 2048
_DEFAULTS = BackdropConfig()


@dataclass(frozen=True, eq=False)
class CutOut:
    """A photo taken apart: image and face share pixels; matte (h, w); foreground colours without the old backdrop."""

    image: Image
    face: Face
    matte: Mask
    foreground: Image


def compose_backdrop(
    scene: BackdropScene,
    reference: Reference,
    config: BackdropConfig = _DEFAULTS,
    *,
    seed: int = 0,
    report: Report = silent,
    segmenter: PersonSegmenter | None = None,
    kept: Kept | None = None,
) -> Portrait:
    """The reference's sitter on the scene's backdrop, in the scene's crop. kept: what retouching leaves alone.

    `own` as backdrop crops, turns and resizes the photo and edits nothing else. What could not be done as asked
    (room missing in the photo, enlarged pixels, a colour the ID rule does not allow) is in `details["warnings"]`.
    Raises ConfigError on an unknown backdrop or crop.
    """
    check_crop(scene.crop)
    if _name(scene.backdrop) not in _OWN:
        backdrops.paint_backdrop(scene.backdrop, (2, 2))  # an unknown name fails before the slow part
    report(Step("cut out", 0, 3))
    cut = cut_out(reference, config, segmenter, kept)
    report(Step("crop", 1, 3))
    frame, wanted = _choose_frame(scene, cut, config)
    report(Step("compose", 2, 3))
    image, missing = _render(scene.backdrop, cut, frame, config, seed)
    warnings = _warnings(scene, frame, missing)
    if scene.crop in RULES and frame is not wanted:
        warnings.append(f"the crop is tighter than '{scene.crop}': the photo has no more room")
    details: dict[str, Any] = {"crop": scene.crop, "backdrop": _name(scene.backdrop), "scale": round(frame.scale, 4)}
    details |= {"roll": round(_tilt(frame), 2), "missing": round(missing, 4), "warnings": warnings}
    return Portrait(image, (reference.picture.digest,), None, details)


_OWN = (backdrops.OWN, backdrops.OWN_BLURRED)


def _name(backdrop: str | Image) -> str:
    return backdrop if isinstance(backdrop, str) else "photo"


def cut_out(
    reference: Reference,
    config: BackdropConfig = _DEFAULTS,
    segmenter: PersonSegmenter | None = None,
    kept: Kept | None = None,
) -> CutOut:
    """Matte and clean colours of the reference's person, retouched as configured, at most 2048 px long."""
    image = reference.picture.pixels(_WORKING_SIDE)
    face = reference.face.scaled(max(image.shape[:2]) / max(reference.picture.size))
    if config.white_balance:
        image = white_balance(image)
    if config.retouch > 0:
        size = (image.shape[0], image.shape[1])
        other = 1 - skin_mask(face, size)
        protect = other if kept is None else np.maximum(other, kept(face, size))
        image = smooth(image, config.retouch, protect=protect)
    trimap = person_trimap(image, face, segmenter)
    matte = (estimate_matte_grabcut if config.matte == "grabcut" else estimate_matte_closed_form)(image, trimap)
    return CutOut(image, face, matte, estimate_foreground(image, matte))


def _choose_frame(scene: BackdropScene, cut: CutOut, config: BackdropConfig) -> tuple[Frame, Frame]:
    """The frame to render, and the one the rule wants. A head shot ends where the photo ends; an ID photo cannot."""
    whole = _name(scene.backdrop) == backdrops.OWN
    head = measure_head(cut.face, cut.matte, upright=config.straighten)
    frames = frames_for(scene.crop, head, cut.matte.shape, config.height, config.padding)
    frame = _roomiest(frames, cut.matte, whole=whole)
    if scene.crop not in RULES:
        return frame, frames[0]
    if not whole:
        little = _missing(frame, _smaller(cut.matte), whole) < _LITTLE
        return (frame if little else frame_above(frame, cut.matte.shape[0])), frames[0]
    inside = frame_inside(frame, cut.matte.shape)
    if _keeps_head(inside, cut.face) or not config.straighten:
        return (frame if inside.size == frame.size and np.allclose(inside.matrix, frame.matrix) else inside), frames[0]
    level = measure_head(cut.face, cut.matte, upright=False)  # turning costs corners that this photo does not have
    turned = frames_for(scene.crop, level, cut.matte.shape, config.height, config.padding)
    return frame_inside(_roomiest(turned, cut.matte, whole=True), cut.matte.shape), frames[0]


def _keeps_head(frame: Frame, face: Face) -> bool:
    """Whether every point of the face lies in the frame."""
    points = face.landmarks[:, :2] @ frame.matrix[:, :2].T + frame.matrix[:, 2]
    return bool((points >= 0).all() and (points <= np.array(frame.size[::-1])).all())


def _tilt(frame: Frame) -> float:
    """Degrees the picture was turned by."""
    return float(np.degrees(np.arctan2(frame.matrix[0, 1], frame.matrix[0, 0])))


def _roomiest(frames: Sequence[Frame], matte: Mask, *, whole: bool) -> Frame:
    """The first frame that the photo fills, else the one it fills best.

    Only where the person is counts, as a backdrop fills the rest; `whole` counts every pixel.
    """
    small = _smaller(matte)
    shares = []
    for frame in frames:
        shares.append(_missing(frame, small, whole))
        if shares[-1] < _LITTLE:
            return frame
    return frames[int(np.argmin(shares))]


def _smaller(matte: Mask) -> Mask:
    return np.asarray(cv2.resize(matte, None, fx=1 / _STEP, fy=1 / _STEP, interpolation=cv2.INTER_AREA), np.float32)


_STEP = 8
_LITTLE = 0.002
"""Share of the frame that may be continued past the photo's border without a word."""


def _missing(frame: Frame, small: Mask, whole: bool) -> float:
    """Share of a frame that the photo should cover and does not, measured eight times smaller."""
    matrix = frame.matrix @ np.diag([_STEP, _STEP, 1.0])
    matrix = matrix * (96 / frame.size[0])
    coarse = Frame((96, max(1, round(96 * frame.size[1] / frame.size[0]))), matrix)
    covered = _warp(np.ones(small.shape, np.float32), coarse, cv2.BORDER_CONSTANT)
    wanted = np.ones_like(covered) if whole else _extend_down(small, coarse, covered)
    return float(((covered < 0.5) & (wanted > 0.5)).mean())


def _render(backdrop: str | Image, cut: CutOut, frame: Frame, config: BackdropConfig, seed: int) -> tuple[Image, float]:
    """Pixels of the frame, and the share of it that the photo does not cover though it should."""
    covered = _warp(np.ones(cut.matte.shape, np.float32), frame, cv2.BORDER_CONSTANT)
    if _name(backdrop) == backdrops.OWN:
        return _warp(cut.image, frame, cv2.BORDER_REPLICATE), float((covered < 0.5).mean())
    matte = _extend_down(cut.matte, frame, covered)
    if _name(backdrop) == backdrops.OWN_BLURRED:
        behind = _warp(
            backdrops.blur_own(cut.image, cut.matte, config.blur * _width(cut.face)), frame, cv2.BORDER_REPLICATE
        )
    else:
        behind = backdrops.paint_backdrop(backdrop, frame.size, seed)
    opacity = matte[..., None]
    front = _soften_streaks(_warp(cut.foreground, frame, cv2.BORDER_REPLICATE), frame, cut.matte.shape[0])
    mixed = front * opacity + behind * (1 - opacity)
    return np.round(mixed).astype(np.uint8), float(((covered < 0.5) & (matte > 0.5)).mean())


def _soften_streaks(front: Image, frame: Frame, photo_height: int) -> Image:
    """Below the photo's last row its colours go on downwards; blurred across, they read as cloth, not as stripes."""
    h, w = frame.size
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    back = cv2.invertAffineTransform(frame.matrix)
    below = (back[1, 0] * x + back[1, 1] * y + back[1, 2] - (photo_height - 1)) * frame.scale
    if below.max() <= 0:
        return front
    share = np.clip(below / (0.04 * h), 0, 1)[..., None]
    soft = cv2.GaussianBlur(front, (0, 0), sigmaX=0.04 * w, sigmaY=0.5, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.round(front * (1 - share) + soft * share), np.uint8)


def _extend_down(matte: Mask, frame: Frame, covered: Mask) -> Mask:
    """Warp the matte; below and beside the photo the body goes on as at its border, above it nothing does."""
    warped = _warp(matte, frame, cv2.BORDER_REPLICATE)
    y = np.arange(frame.size[0], dtype=np.float32)[:, None]
    x = np.arange(frame.size[1], dtype=np.float32)[None]
    back = cv2.invertAffineTransform(frame.matrix)
    above = back[1, 0] * x + back[1, 1] * y + back[1, 2] < 0
    return np.where(above & (covered < 0.5), 0, warped).astype(np.float32)


def _width(face: Face) -> float:
    return float(np.ptp(face.landmarks[:, 0]))


def _warp(values: NDArray[Any], frame: Frame, border: int) -> NDArray[Any]:
    """Resample into the frame; shrinking goes through an area filter first, so that hair does not alias."""
    matrix = frame.matrix
    if frame.scale < 0.6:
        h, w = values.shape[:2]
        share = max(2 * frame.scale, 0.05) if frame.scale < 0.5 else 0.75
        values = cv2.resize(values, (max(1, round(w * share)), max(1, round(h * share))), interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([w / values.shape[1], h / values.shape[0], 1.0])
    flags = cv2.INTER_LANCZOS4 if values.dtype == np.uint8 and frame.scale >= 0.6 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(values, matrix, frame.size[::-1], flags=flags, borderMode=border))


def _warnings(scene: BackdropScene, frame: Frame, missing: float) -> list[str]:
    found = []
    backdrop = _name(scene.backdrop)
    if missing > 2 * _LITTLE:
        what = "was filled with its border" if backdrop == backdrops.OWN else "of body was continued past its border"
        found.append(
            f"the photo ends inside the crop: {missing:.1%} {what}; use a photo with more room around the head"
        )
    if frame.scale > 1.25:
        found.append(f"the photo was enlarged {frame.scale:.1f} times; use one with a larger face")
    if scene.crop in load_formats():
        row = load_format(scene.crop)
        if backdrop != backdrops.OWN:
            found.append(EDITED_WARNING)
        if backdrop not in (*row.colours, backdrops.OWN):
            found.append(f"{row.title}: the rule allows {', '.join(row.colours)} as background, found {backdrop}")
    return found
