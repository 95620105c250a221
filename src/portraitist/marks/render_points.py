"""Moles, spots, pimples and scars, drawn as what they take from the skin's light.

Brown pigment takes more blue than red, as melanin does (Jacques, "Melanosome absorption coefficient", 1998: it falls
with the wavelength to the power 3.48). By how much in a photo was measured on real marks: docs/marks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.marks.kinds import POINT_KINDS, MarkKind
from portraitist.marks.render_config import Range, RenderConfig
from portraitist.marks.render_surface import Field, Ground, Surface, Window, mottle, on_skin

Drawn = tuple[MarkKind, Window]
_Places = NDArray[np.float64]
_REACH = 1.1
"""Half the window of a mark, in its diameters: what fades out stays inside."""


def draw_points(ground: Ground, config: RenderConfig, rng: np.random.Generator) -> Iterator[Drawn]:
    """Draws the point marks of one face and yields each with its window; where there is no room, fewer."""
    counts = {"mole": config.moles, "pimple": config.pimples, "scar": config.scars, "spot": config.spots}
    for kind in POINT_KINDS:
        for _ in range(_number(counts[kind], rng)):
            yield from _draw(ground, kind, config, rng)
    for _ in range(_number(config.freckle_groups, rng)):
        middle = ground.room(2.0, rng)
        for _ in range(_number(config.freckles, rng) if middle is not None else 0):
            yield from _draw(ground, "spot", config, rng, near=middle)


def _fading(shape: tuple[int, int]) -> Field:
    """(h, w) 1 in the middle of a window, falling to 0 at its edges: no mark shows its window's corners."""
    across = [np.clip((1 - np.abs(np.linspace(-1, 1, length))) / 0.3, 0, 1) for length in shape]
    return np.outer(*across).astype(np.float32)


def between(limits: Range, rng: np.random.Generator) -> float:
    """A number of the range, each as likely."""
    return float(rng.uniform(*limits))


def size(limits: Range, rng: np.random.Generator) -> float:
    """A length of the range; each doubling is as likely, so small marks are more frequent, as on real skin."""
    low = max(limits[0], 1e-3)
    return float(np.exp(rng.uniform(np.log(low), np.log(max(limits[1], low)))))


def _number(count: tuple[int, int], rng: np.random.Generator) -> int:
    return int(rng.integers(count[0], count[1] + 1))


def _draw(
    ground: Ground, kind: MarkKind, config: RenderConfig, rng: np.random.Generator, near: Surface | None = None
) -> Iterator[Drawn]:
    limits = {"mole": config.mole_mm, "spot": config.spot_mm, "pimple": config.pimple_mm, "scar": config.scar_mm}
    across = size(limits[kind], rng) * (0.75 if near is not None else 1)
    surface = ground.room(_REACH * across, rng, near)
    if surface is None:
        return
    window = ground.window(surface.centre, _REACH * across)
    drawn = _KINDS[kind](ground, on_skin(surface, window), across / 2, config, rng)
    ground.take(window, drawn * _fading(drawn.shape[:2])[..., None])
    yield kind, window


def _mole(ground: Ground, places: _Places, radius: float, config: RenderConfig, rng: np.random.Generator) -> Field:
    from_middle = _from_middle(_turned(places, 1.25, rng), radius, config, rng)
    cover = _cover(from_middle, between(config.mole_softness, rng), config)
    density = between(config.mole_density, rng) * cover * _uneven(ground, places, config, rng)
    if rng.random() < config.two_toned:
        aside = places - rng.uniform(-0.4, 0.4, 2) * radius
        density *= 1 + rng.uniform(0.2, 0.8) * _cover(_from_middle(aside, 0.6 * radius, config, rng), 0.3, config)
    layers = density[..., None] * _brown(config, rng)
    if rng.random() < config.raised:
        height = rng.uniform(0.15, 0.5) * radius * np.exp(-1.2 * from_middle**2)
        layers += ground.shade(np.asarray(height, np.float32), between(config.relief, rng))[..., None]
    if rng.random() < config.hairy:
        layers += hair(places, radius * rng.uniform(1.2, 2.0), ground.view.mm, rng)[..., None]
    return np.asarray(layers, np.float32)


def _spot(ground: Ground, places: _Places, radius: float, config: RenderConfig, rng: np.random.Generator) -> Field:
    from_middle = _from_middle(_turned(places, 1.6, rng), radius, config, rng)
    cover = _cover(from_middle, between(config.spot_softness, rng), config)
    density = between(config.spot_density, rng) * cover * _uneven(ground, places, config, rng)
    return np.asarray(density[..., None] * _brown(config, rng), np.float32)


def _pimple(ground: Ground, places: _Places, radius: float, config: RenderConfig, rng: np.random.Generator) -> Field:
    halo = _cover(_from_middle(places, radius, config, rng), rng.uniform(0.3, 0.45), config)
    redness = between(config.pimple_density, rng) * halo * _uneven(ground, places, config, rng)
    layers = redness[..., None] * np.array([rng.uniform(0.4, 0.68), 1, rng.uniform(0.88, 1.04)])
    bump = _from_middle(places, rng.uniform(0.35, 0.6) * radius, config, rng)
    height = rng.uniform(0.2, 0.6) * radius * np.exp(-(bump**2))
    layers += ground.shade(np.asarray(height, np.float32), between(config.relief, rng))[..., None]
    x, y = ground.light.direction
    lit = np.array([x, y]) / max(float(np.hypot(x, y)), 1e-6) * 0.25 * radius
    shine = _cover(_from_middle(places - lit, rng.uniform(0.12, 0.25) * radius, config, rng), 0.3, config)
    head = rng.choice([0.0, 0.12, 0.35]) * shine[..., None] * np.array([1, 0.95, rng.choice([0.5, 1.0])])
    scab = rng.choice([0.0, 0.0, 0.4]) * _cover(bump * 1.6, 0.25, config)[..., None] * np.array([0.6, 1, 1.1])
    return np.asarray(layers - head + scab, np.float32)


def _scar(ground: Ground, places: _Places, radius: float, config: RenderConfig, rng: np.random.Generator) -> Field:
    depth = between(config.scar_density, rng)
    if rng.random() < 0.5:
        # A pit is told from a mole by its lit far side.
        pit = _from_middle(_turned(places, 1.5, rng), 0.6 * radius, config, rng)
        height = -rng.uniform(0.6, 1.2) * radius * np.exp(-(pit**2))
        shadow = 0.55 * depth * _cover(pit, 0.3, config)
        relief = ground.shade(np.asarray(height, np.float32), 1.5 * between(config.relief, rng))
        return np.asarray((shadow + relief)[..., None] * np.array([0.9, 1, 1.05]), np.float32)
    along = _turned(places, 1, rng) / np.array([radius, rng.uniform(0.22, 0.5)])
    along[..., 1] += rng.uniform(-1.5, 1.5) * (along[..., 0] ** 2 - 0.3)
    line = _cover(np.asarray(np.hypot(*np.moveaxis(along, -1, 0)), np.float32), 0.25, config)
    line *= _uneven(ground, places, config, rng)
    pale, red = 0.75 * np.array([-0.8, -1, -0.9]), np.array([0.45, 1, 0.95])
    return np.asarray(depth * line[..., None] * (pale if rng.random() < 0.55 else red), np.float32)


_Draw = Callable[[Ground, _Places, float, RenderConfig, np.random.Generator], Field]
_KINDS: dict[MarkKind, _Draw] = {"mole": _mole, "spot": _spot, "pimple": _pimple, "scar": _scar}


def hair(places: _Places, length: float, mm: float, rng: np.random.Generator) -> Field:
    """(h, w) density of one bent hair through the middle of the window; `length` mm to each side of it."""
    bend, heading = rng.uniform(-0.6, 0.6), rng.uniform(0, np.pi)
    steps = np.linspace(-1, rng.uniform(0.2, 1), 24)
    line = np.stack([steps, bend * (steps**2 - 0.5)], axis=-1) * length
    turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
    size = np.array(places.shape[1::-1])
    points = line @ turn.T / mm + size / 2
    drawn = np.zeros(places.shape[:2], np.uint8)
    cv2.polylines(drawn, [np.round(points * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
    return np.asarray(drawn, np.float32) / np.float32(255) * np.float32(rng.uniform(0.3, 1.0))


def _from_middle(places: _Places, radius: float, config: RenderConfig, rng: np.random.Generator) -> Field:
    """(h, w) distance from the middle over the distance of the boundary in that direction: 1 on the boundary."""
    uneven = between(config.irregular, rng)
    x, y = np.moveaxis(places, -1, 0)
    if config.outline == "waves":
        angle, reach = np.arctan2(y, x), np.ones(x.shape)
        for order in range(2, 6):
            reach += uneven / order * rng.normal() * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
        return np.asarray(np.hypot(x, y) / (radius * np.clip(reach, 0.4, 1.8)), np.float32)
    sharp, joined = 8.0, np.zeros(x.shape)
    for _ in range(rng.integers(2, 5)):
        at, part = rng.normal(0, uneven * radius, 2), radius * rng.uniform(0.7, 1.0)
        joined += np.exp(-sharp * np.hypot(x - at[0], y - at[1]) / part)
    return np.asarray(np.maximum(-np.log(np.maximum(joined, 1e-30)) / sharp + 0.1, 0), np.float32)


def _cover(from_middle: Field, softness: float, config: RenderConfig) -> Field:
    """(h, w) in [0, 1]: 1 in the middle, a half on the boundary."""
    if config.edge == "logistic":
        return np.asarray(1 / (1 + np.exp(np.clip((from_middle - 1) / (0.6 * softness), -30, 30))), np.float32)
    power = float(np.clip(0.9 / softness, 2, 14))
    return np.asarray(np.exp(-np.log(2) * np.minimum(from_middle, 4) ** power), np.float32)


def _turned(places: _Places, longest: float, rng: np.random.Generator) -> _Places:
    """The places turned at random, and pressed together along one axis so that a circle becomes up to so long."""
    angle, ratio = rng.uniform(0, np.pi), np.sqrt(rng.uniform(1, longest))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(places @ turn * [1 / ratio, ratio], np.float64)


def _uneven(ground: Ground, places: _Places, config: RenderConfig, rng: np.random.Generator) -> Field:
    noise = mottle(places.shape[:2], max(2.0, rng.uniform(0.25, 0.5) / ground.view.mm), rng)
    return np.asarray(np.clip(1 + between(config.mottled, rng) * noise, 0.2, 2), np.float32)


def _brown(config: RenderConfig, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.array([between(config.red, rng), 1.0, between(config.blue, rng)])
