"""Which way lines run through a picture: the smoothed structure tensor, and sums along its directions.

Source: Kyprianidis and Kang, "Image and video abstraction by coherence-enhancing filtering", Eurographics 2011
(structure tensor, section 3); Kyprianidis and Döllner, "Image abstraction by structure adaptive filtering", EG UK TPCG
2008 (differences of Gaussians across the edge, smoothed along it).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Tangents:
    """Unit vectors along the lines: x, y (h, w) each."""

    x: Plane
    y: Plane


def tangents_of(plane: Plane, sigma: float) -> Tangents:
    """Directions of a brightness plane (h, w). sigma: pixels over which neighbours agree on one."""
    gx, gy = cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1)
    xx, xy, yy = (cv2.GaussianBlur(product, (0, 0), sigma) for product in (gx * gx, gx * gy, gy * gy))
    # The eigenvector of the smaller eigenvalue, in closed form: half the angle of the tensor, turned by a quarter.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    return Tangents(np.asarray(np.cos(angle), np.float32), np.asarray(np.sin(angle), np.float32))


def blur_across(plane: Plane, tangents: Tangents, sigma: float) -> Plane:
    """Gaussian along the gradient."""
    return _along(plane, -tangents.y, tangents.x, sigma)


def blur_along(plane: Plane, tangents: Tangents, sigma: float, steps: int = 5) -> Plane:
    """Gaussian along the line through each pixel, followed as it bends: `steps` samples to each side."""
    total, mass = plane.copy(), 1.0
    reach = 2 * sigma / steps
    for sign in (1.0, -1.0):
        x, y = _grid(plane.shape)
        dx, dy = tangents.x * np.float32(sign), tangents.y * np.float32(sign)
        for step in range(1, steps + 1):
            x, y = x + dx * np.float32(reach), y + dy * np.float32(reach)
            weight = float(np.exp(-((step * reach) ** 2) / (2 * sigma**2)))
            total += np.float32(weight) * _sample(plane, x, y)
            mass += weight
            if step < steps:
                dx, dy = _followed(tangents, x, y, dx, dy)
    return np.asarray(total / np.float32(mass), np.float32)


def _followed(tangents: Tangents, x: Plane, y: Plane, dx: Plane, dy: Plane) -> tuple[Plane, Plane]:
    """The direction at (x, y), the way we are going: directions have no sign of their own."""
    nx = cv2.remap(tangents.x, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    ny = cv2.remap(tangents.y, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    same = np.where(nx * dx + ny * dy < 0, np.float32(-1), np.float32(1))
    return nx * same, ny * same


def _along(plane: Plane, dx: Plane, dy: Plane, sigma: float) -> Plane:
    reach = max(1, int(np.ceil(2 * sigma)))
    x, y = _grid(plane.shape)
    total, mass = np.zeros_like(plane), 0.0
    for step in range(-reach, reach + 1):
        weight = float(np.exp(-(step**2) / (2 * sigma**2)))
        total += np.float32(weight) * _sample(plane, x + dx * np.float32(step), y + dy * np.float32(step))
        mass += weight
    return np.asarray(total / np.float32(mass), np.float32)


def _sample(plane: Plane, x: Plane, y: Plane) -> Plane:
    found = cv2.remap(plane, np.asarray(x, np.float32), np.asarray(y, np.float32), cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
    return np.asarray(found, np.float32)


def _grid(shape: tuple[int, ...]) -> tuple[Plane, Plane]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)
