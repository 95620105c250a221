"""The skin to draw on: how a place of it is turned and lit, where there is still room, and the light taken away."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.faces.light import estimate_light
from portraitist.faces.topology import vertex_normals
from portraitist.marks.anchor import anchor_of
from portraitist.marks.view import SkinView
from portraitist.types import Light, Mask

Field = NDArray[np.float32]
Window = tuple[slice, slice]
LEAST_FACING = 0.35
"""No mark is drawn on skin turned further away than this cosine: nobody could say there what it is."""
_MOST_SHADE = 0.35
"""Density of the darkest and the brightest slope of a relief."""
_BORDER = 3
"""Pixels between two marks, and between a mark and the edge of the skin."""
_EDGE_MM = 2.0
_TRIES = 40


@dataclass(frozen=True, eq=False)
class Surface:
    """One place of the skin. centre: (2,) pixels. to_mm: (2, 2) from pixels beside it to millimetres on the skin,
    which foreshortening makes longer. mm: of a pixel seen head-on."""

    centre: NDArray[np.float64]
    to_mm: NDArray[np.float64]
    mm: float


@dataclass(frozen=True, eq=False)
class Ground:
    """A view being drawn on. density: (side, side, 3), what the linear light loses, exp(-density); below 0 it gains.

    free: (side, side), where a mark may still go; drawing takes from it. inner: (side, side), 0 at the skin's edge,
    1 from 2 mm inside: what is wide and faint fades out there. light: on this face.
    """

    view: SkinView
    density: Field
    free: NDArray[np.bool_]
    inner: Field
    light: Light

    @classmethod
    def of(cls, view: SkinView, ignore: Mask | None = None) -> Ground:
        """Nothing drawn yet. ignore: (side, side), above 0 where no mark may be rendered."""
        free = view.skin > 0.999
        away = cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L2, 5)
        inner = np.clip(away * (view.mm / _EDGE_MM), 0, 1).astype(np.float32)
        if ignore is not None:
            free &= ignore <= 0
        free = cv2.erode(free.astype(np.uint8), np.ones((2 * _BORDER + 1,) * 2, np.uint8), borderValue=0) > 0
        light = view.face.light or estimate_light(view.pixels, view.face)
        return cls(view, np.zeros((view.side, view.side, 3), np.float32), free, inner, light)

    def surface(self, point: NDArray[np.floating]) -> Surface | None:
        """How the skin lies at (2,) pixels; None beside the mesh and where it is turned away."""
        anchor = anchor_of(point, self.view.face)
        if anchor is None:
            return None
        normal = anchor.on(vertex_normals(self.view.face.landmarks))
        normal /= max(float(np.linalg.norm(normal)), 1e-9)
        if -normal[2] < LEAST_FACING:
            return None
        # A disc on the skin is seen as an ellipse: shorter by the cosine, across the axis that it is turned about.
        away = normal[:2] / max(float(np.linalg.norm(normal[:2])), 1e-9)
        stretch = np.eye(2) + (1 / -normal[2] - 1) * np.outer(away, away)
        return Surface(np.asarray(point, np.float64), stretch * self.view.mm, self.view.mm)

    def room(self, reach_mm: float, rng: np.random.Generator, near: Surface | None = None) -> Surface | None:
        """A place with so many millimetres of free skin around it, `near` another where given; None if none is met."""
        reach = self.reach(reach_mm)
        rows, columns = np.nonzero(self.free[:: self._step, :: self._step])
        for _ in range(_TRIES if len(rows) else 0):
            if near is None:
                pick = rng.integers(len(rows))
                point = np.array([columns[pick], rows[pick]]) * self._step + rng.uniform(0, self._step, 2)
            else:
                point = near.centre + rng.normal(0, 6 / self.view.mm, 2)
            surface = self.surface(point) if self._fits(point, reach) else None
            if surface is not None:
                return surface
        return None

    def window(self, centre: NDArray[np.floating], reach_mm: float) -> Window:
        """The square of pixels that holds so many millimetres around a place, cut at the view's edge."""
        reach, (x, y) = self.reach(reach_mm), np.round(centre).astype(int)
        return slice(max(0, y - reach), y + reach + 1), slice(max(0, x - reach), x + reach + 1)

    def reach(self, reach_mm: float) -> int:
        """Pixels of so many millimetres, rounded up."""
        return int(np.ceil(reach_mm / self.view.mm))

    def take(self, window: Window, density: Field) -> None:
        """Draws a mark in a window and takes its place, with a border."""
        self.density[window] += density
        rows, columns = window
        self.free[
            max(0, rows.start - _BORDER) : rows.stop + _BORDER, max(0, columns.start - _BORDER) : columns.stop + _BORDER
        ] = False

    def shade(self, height_mm: Field, strength: float) -> Field:
        """(h, w) density of a relief of so many millimetres towards the camera, lit as the face is.

        The face's light is a slope, L* over the normals; L* changes by that times the turn of the normal, which is
        minus the relief's gradient. Y grows with ((L* + 16) / 116)^3 (CIE 15:2004), so ln Y by 3 dL* / (L* + 16).
        Bounded: the slope was measured on gentle curves, and light comes from everywhere a little.
        """
        if min(height_mm.shape) < 2:
            return np.zeros_like(height_mm)
        down, right = np.gradient(height_mm, self.view.mm)
        x, y = self.light.direction
        steep = strength * 3 * (x * right + y * down) / (self.light.level + 16)
        return np.asarray(_MOST_SHADE * np.tanh(steep / _MOST_SHADE), np.float32)

    @property
    def _step(self) -> int:
        return max(1, self.view.side // 256)

    def _fits(self, point: NDArray[np.floating], reach: int) -> bool:
        x, y = np.round(point).astype(int)
        inside = reach <= x < self.view.side - reach and reach <= y < self.view.side - reach
        return bool(inside and self.free[y - reach : y + reach + 1, x - reach : x + reach + 1].all())


def on_skin(surface: Surface, window: Window) -> NDArray[np.float64]:
    """(h, w, 2) millimetres on the skin, from the place, of each pixel of a window."""
    rows, columns = np.mgrid[window].astype(np.float64)
    beside = np.stack([columns - surface.centre[0], rows - surface.centre[1]], axis=-1)
    return np.asarray(beside @ surface.to_mm.T, np.float64)


def mottle(shape: tuple[int, int], grain: float, rng: np.random.Generator) -> Field:
    """(h, w) smooth noise of mean 0 and standard deviation about 1; `grain` pixels from one bump to the next."""
    small = (max(2, round(shape[0] / grain)), max(2, round(shape[1] / grain)))
    noise = rng.standard_normal(small).astype(np.float32)
    return np.asarray(cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
