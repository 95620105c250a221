"""One sitter's face into one slot of a template.

Everything happens in a window around the slot, scaled so that faces over `max_face` stay affordable:
1. `shape`: the sitter's mesh in the template's pose; the template bends so that its outline follows.
2. `texture`: the sitter's pixels onto that mesh.
3. `light` and colour: lightness over the normals and LAB statistics on skin, moved to the template's.
4. blend in frequency bands, then what lay over the template's face goes back on top.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.config import ComposeConfig
from portraitist.compose.light import shading_difference
from portraitist.compose.occlusion import HandFinder, find_occluders, wears_glasses
from portraitist.compose.occlusion.glasses import glasses_zone
from portraitist.compose.shape import LONGEST_MOVE, RING, bend_template, oval_root, rimness, target_mesh
from portraitist.compose.texture import (
    coverage,
    facing,
    mean_scale,
    prefiltered,
    soften_silhouettes,
    triangle_map,
    warp_map,
    warp_texture,
)
from portraitist.faces.regions import skin_mask
from portraitist.geometry import bounding_box
from portraitist.retouch.blend import Layer, blend_multiband
from portraitist.retouch.colour import from_lab, match_skin, skin_tone, to_lab
from portraitist.types import Face, Image, Mask, Points, Pose, Reference

_EDGE_BAND, _EDGE_FADE = 0.10, 0.14
"""Depth of the border whose tones are compared, and how deep the correction reaches, in roots of the oval's area."""


@dataclass(frozen=True, eq=False)
class SlotView:
    """A slot cut out of the template, analysed once and used for every sitter and sample.

    x, y: the window's corner in the template. factor: window pixels for one template pixel. pixels: the window at that
    factor. face: the template's face in it. occluders: what lies over it. glasses: whether they are among it.
    """

    x: int
    y: int
    size: tuple[int, int]
    factor: float
    pixels: Image
    face: Face
    occluders: Mask
    glasses: bool


@dataclass(frozen=True, eq=False)
class SitterFace:
    """A reference near the size it will be shown at, its own occluders, and whether glasses are among them."""

    pixels: Image
    face: Face
    occluders: Mask
    glasses: bool


def view_slot(template: Image, face: Face, config: ComposeConfig, hands: HandFinder | None = None) -> SlotView:
    """Cut and analyse the window around `face` (pixels of `template`). `hands` also finds hands before the face."""
    margin = 2.5 * (RING[1] + LONGEST_MOVE) * oval_root(face.landmarks)
    low = np.floor(face.box_xyxy[:2] - margin).astype(int)
    high = np.ceil(face.box_xyxy[2:] + margin).astype(int)
    x, y = np.clip(low, 0, None)
    right, bottom = min(int(high[0]), template.shape[1]), min(int(high[1]), template.shape[0])
    window = template[y:bottom, x:right]
    factor = _working_factor(face.width, config)
    local = face.moved(-float(x), -float(y)).scaled(factor)
    if factor != 1:
        size = max(1, round(window.shape[1] * factor)), max(1, round(window.shape[0] * factor))
        pixels = np.asarray(
            cv2.resize(window, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC), np.uint8
        )
    else:
        pixels = window
    return SlotView(
        int(x),
        int(y),
        window.shape[:2],
        factor,
        pixels,
        local,
        find_occluders(pixels, local, hands=hands),
        wears_glasses(pixels, local),
    )


def _working_factor(width: float, config: ComposeConfig) -> float:
    """Small faces are worked on enlarged, so that masks and warps have pixels to act on."""
    return float(np.clip(max(width, 160.0) / width, 1.0, 4.0)) if width < 160 else min(1.0, config.max_face / width)


def load_sitter(reference: Reference, width: float) -> SitterFace:
    """Decode the reference so that its face is about 1.3 times `width` pixels wide, cropped around the head."""
    height, full = reference.picture.size
    longest = max(height, full)
    wanted = min(1.0, 1.3 * width / max(reference.face.width, 1.0))
    pixels = reference.picture.pixels(None if wanted >= 0.95 else max(64, round(longest * wanted)))
    face = reference.face.scaled(max(pixels.shape[:2]) / longest)
    reach = 0.5 * face.width
    x, y = np.maximum(np.floor(face.box_xyxy[:2] - reach), 0).astype(int)
    right, bottom = np.ceil(face.box_xyxy[2:] + reach).astype(int)
    crop = np.ascontiguousarray(pixels[y:bottom, x:right])
    local = face.moved(-float(x), -float(y))
    return SitterFace(crop, local, find_occluders(crop, local), wears_glasses(crop, local))


def place_sitter(view: SlotView, sitter: SitterFace, config: ComposeConfig) -> tuple[NDArray[np.float32], Mask]:
    """The window with the sitter in it, float32 RGB in [0, 1], and the region that may differ from the template."""
    mesh = target_mesh(sitter.face.landmarks, view.face.landmarks, config.outline)
    size = view.pixels.shape[:2]
    index = triangle_map(mesh, size)
    bend = bend_template(view.face.landmarks, mesh, size)
    back = np.asarray(np.clip(bend.apply(view.pixels) / 255, 0, 1), np.float32)
    over = np.asarray(np.clip(bend.apply(view.occluders), 0, 1), np.float32)
    front, own = _warp_sitter(sitter, _not_pasted(sitter, view, config), mesh, index)
    covered = _opacity(index, mesh)
    skin = _skin(mesh, size) * (index >= 0)
    front = _match(front, back, skin * (1 - own), skin * (1 - over), mesh, index, config)
    front = _fill(front, own, skin * (1 - own), back, skin * (1 - over), mesh)
    front = _meet_at_edge(front, back, skin * (1 - over), index, mesh)
    # Where something lies over the template's face, the bands must not mix its colour into the skin beside it.
    beneath = np.asarray(back + (over * covered)[..., None] * (front - back), np.float32)
    levels = max(3, int(np.log2(max(oval_root(mesh), 16))) - 2)
    blended = np.clip(blend_multiband(front, beneath, covered, levels), 0, 1)
    # Wide bands also spill past the mesh, onto a dark backdrop as a glow: keep them to the skin side of the edge.
    mixed = back + _rim(index, mesh)[..., None] * (blended - back)
    result = mixed + over[..., None] * (back - mixed)
    return result.astype(np.float32), bend.reach


def _not_pasted(sitter: SitterFace, view: SlotView, config: ComposeConfig) -> Mask:
    """What of the sitter's photo stays out. Glasses are taken off only where the template's own pair covers the place:
    eyes seen through lenses, with the frame painted out, look worse than glasses."""
    if config.keep_own_occluders:
        return np.zeros_like(sitter.occluders)
    if not sitter.glasses or view.glasses:
        return sitter.occluders
    zone = glasses_zone(sitter.face, sitter.pixels.shape[:2])
    return np.asarray(np.where(zone, 0, sitter.occluders), np.float32)


def _warp_sitter(sitter: SitterFace, occluders: Mask, mesh: Points, index: NDArray[np.int32]) -> tuple[Layer, Mask]:
    """The sitter's pixels on the mesh, and where they must not be used (occluded, or not seen by the photo)."""
    pixels, factor = prefiltered(sitter.pixels, mean_scale(sitter.face.landmarks, mesh))
    carried = warp_map(
        np.hstack([sitter.face.landmarks[:, :2] * factor, _unseen(sitter.face.landmarks, mesh)]), mesh, index
    )
    positions = np.ascontiguousarray(carried[..., :2])
    front = soften_silhouettes(warp_texture(pixels, _extended(positions, index)), positions)
    occluders = cv2.resize(occluders, pixels.shape[1::-1], interpolation=cv2.INTER_AREA)
    map_x, map_y = np.ascontiguousarray(np.moveaxis(np.nan_to_num(positions, nan=-1), -1, 0))
    own = cv2.remap(occluders, map_x, map_y, cv2.INTER_LINEAR)
    own = np.maximum(own, np.clip(np.nan_to_num(carried[..., 2]), 0, 1))
    reach = max(1, round(0.02 * oval_root(mesh)))
    grown = cv2.dilate(own, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return front, np.asarray(cv2.GaussianBlur(grown, (0, 0), reach), np.float32)


def _unseen(sitter: Points, mesh: Points) -> NDArray[np.float32]:
    """(468, 1) 1 where the photo sees a part of the face edge-on that the result shows: ears and stretched cheeks."""
    before, after = facing(sitter), facing(mesh)
    hidden = np.clip((0.55 - before) / 0.2, 0, 1) * np.clip((after - before - 0.05) / 0.15, 0, 1)
    return np.asarray(hidden * rimness()[:, None], np.float32)


def _fill(front: Layer, own: Mask, own_skin: Mask, back: Layer, back_skin: Mask, mesh: Points) -> Layer:
    """Skin where the sitter's fringe or glasses were: the sitter's tone carried on, with the template's fine detail."""
    if float(own.max()) < 0.05:
        return front
    sigma = 0.1 * oval_root(mesh)
    fine = back - _carried_on(back, back_skin, 0.3 * sigma)
    hidden = np.clip(1 - back_skin * 1.5, 0, 1)[..., None]
    skin = _carried_on(front, own_skin, sigma) + fine * (1 - hidden)
    return np.asarray(front + own[..., None] * (skin - front), np.float32)


def _meet_at_edge(front: Layer, back: Layer, back_skin: Mask, index: NDArray[np.int32], mesh: Points) -> Layer:
    """Shift the sitter's tone towards the template's where their skins meet (forehead, jaw), fading inwards.

    A membrane over the border's difference, as in Poisson blending, but only bare skin sets it: hair and collars at
    the border do not colour the face.
    """
    root = oval_root(mesh)
    inside = _depth(index)
    band = back_skin * ((inside > 0) & (inside < _EDGE_BAND * root))
    if float(band.sum()) < 20:
        return front
    shift = _carried_on(back - front, band.astype(np.float32), 0.05 * root)
    near = _wide_blur(band.astype(np.float32), 0.06 * root)
    trust = np.clip(near / 0.15, 0, 1) * np.exp(-inside / (_EDGE_FADE * root))
    return np.asarray(front + trust[..., None] * shift, np.float32)


def _depth(index: NDArray[np.int32]) -> NDArray[np.float32]:
    """(h, w) pixels to the mesh's edge, 0 outside."""
    solid = cv2.morphologyEx(coverage(index), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(np.pad(solid, 1), cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def _carried_on(layer: Layer, weight: Mask, sigma: float) -> Layer:
    """Normalised convolution: the local mean of `layer` where `weight` is, the nearest such mean elsewhere."""
    # A quarter of the size is plenty for what is blurred away anyway.
    size = max(8, layer.shape[1] // 4), max(8, layer.shape[0] // 4)
    small = cv2.resize(np.dstack([layer * weight[..., None], weight]), size, interpolation=cv2.INTER_AREA)
    total = np.zeros_like(small)
    for reach, trust in ((sigma, 1.0), (3 * sigma, 0.05), (12 * sigma, 0.002)):
        total += trust * _wide_blur(small, reach / 4)
    local = total[..., :3] / np.maximum(total[..., 3:], 1e-6)
    return np.asarray(cv2.resize(local, layer.shape[1::-1]), np.float32)


def _wide_blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur, zero outside; wide ones are done on a smaller copy, which looks the same."""
    shrink = max(1, int(sigma / 4))
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT), np.float32)
    size = max(4, values.shape[1] // shrink), max(4, values.shape[0] // shrink)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(cv2.resize(blurred, values.shape[1::-1]), np.float32)


def _extended(positions: NDArray[np.float32], index: NDArray[np.int32]) -> NDArray[np.float32]:
    """Positions carried past the mesh's edge from the nearest covered pixel: the blend needs something to fade."""
    missing = (index < 0).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(missing, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    seeds = np.zeros((int(labels.max()) + 1, 2), np.float32)
    seeds[labels[missing == 0]] = positions[missing == 0]
    return np.asarray(np.where((missing == 1)[..., None], seeds[labels], positions), np.float32)


def _opacity(index: NDArray[np.int32], mesh: Points) -> Mask:
    """1 inside the mesh, 0 at its edge, over 5 % of the face: the seam lies on skin, not on hair."""
    width = 0.05 * oval_root(mesh)
    ramp = np.clip((_depth(index) - 0.2 * width) / width, 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _rim(index: NDArray[np.int32], mesh: Points) -> Mask:
    """1 inside the mesh, 0 outside, over 2 % of the face."""
    return np.asarray(np.clip(_depth(index) / (0.02 * oval_root(mesh)), 0, 1), np.float32)


def _skin(mesh: Points, size: tuple[int, int]) -> Mask:
    return skin_mask(Face(bounding_box(mesh), mesh, 1.0, 1.0, Pose(0, 0, 0)), size)


def _match(
    front: NDArray[np.float32],
    back: NDArray[np.float32],
    own_skin: Mask,
    template_skin: Mask,
    mesh: Points,
    index: NDArray[np.int32],
    config: ComposeConfig,
) -> NDArray[np.float32]:
    """The sitter's pixels under the template's light and white balance."""
    front_lab, back_lab = to_lab(front), to_lab(back)
    if template_skin.sum() < 50 or own_skin.sum() < 50:
        return front
    difference = shading_difference(back_lab, template_skin, front_lab, own_skin, mesh)
    field = np.nan_to_num(warp_map(difference[:, None], mesh, index)[..., 0], nan=float(difference.mean()))
    sigma = 0.06 * oval_root(mesh)
    lit = front_lab.copy()
    lit[..., 0] += config.light * _wide_blur(field - float(difference.mean()), sigma)
    matched = match_skin(lit, skin_tone(lit, own_skin), skin_tone(back_lab, template_skin))
    return from_lab(lit + config.colour * (matched - lit))
