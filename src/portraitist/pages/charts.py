"""Line charts as inline SVG: colours are the page's, so they follow its light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT = 520, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 20, 14, 30
"""Room for the axes' numbers, in the chart's own units."""
_TICKS = 5

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One curve. points: (x, y) by x, finite. has_dots: every point is a measurement and gets a dot that tells it."""

    name: str
    points: Sequence[Point]
    has_dots: bool = True


@dataclass(frozen=True)
class _Scale:
    """Values to the chart's units."""

    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, point: Point) -> Point:
        across = (point[0] - self.x[0]) / (self.x[1] - self.x[0])
        up = (point[1] - self.y[0]) / (self.y[1] - self.y[0])
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)


def line_chart(lines: Sequence[Line], *, title: str, most_x: float) -> Markup:
    """An `<svg>` of the curves over x from 0 to `most_x`; the nth has the class `line-n`. A sentence where nothing was
    measured yet."""
    values = [y for line in lines for _, y in line.points]
    if not values:
        return Markup('<p class="quiet">{}: nothing measured yet</p>').format(title)
    low, high = _range(values)
    scale = _Scale((0.0, max(most_x, 1.0)), (low, high))
    parts = [_grid(scale), *(_drawn(line, scale, number) for number, line in enumerate(lines) if line.points)]
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, _HEIGHT, title)
    return head + Markup("").join(parts) + Markup("</svg>")


def ticks(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Round numbers within [low, high]: steps of 1, 2 or 5 times a power of ten, at most `most` of them.

    >>> ticks(0, 400)
    [0.0, 100.0, 200.0, 300.0, 400.0]
    """
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * times for times in (1, 2, 5, 10, 20) if math.floor(span / (power * times)) < most)
    first = math.ceil(low / step - 1e-9)
    return [round(step * n, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """A little beyond the values; never empty."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 0.5
    return low - room, high + room


def _grid(scale: _Scale) -> Markup:
    across, bottom = (_LEFT, _WIDTH - _RIGHT), _HEIGHT - _BOTTOM
    rows = (
        Markup('<path class="grid" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{:g}</text>').format(
            across[0], y, across[1], _LEFT - 6, y + 4, value
        )
        for value in ticks(*scale.y)
        for _, y in [scale.place((0, value))]
    )
    columns = (
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:g}</text>').format(x, bottom + 18, value)
        for value in ticks(*scale.x)
        for x, _ in [scale.place((value, scale.y[0]))]
    )
    return Markup("").join([*rows, *columns])


def _drawn(line: Line, scale: _Scale, number: int) -> Markup:
    places = [scale.place(point) for point in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = (
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3.5"><title>{} at {:g}: {:.4g}</title></circle>').format(
            place[0], place[1], line.name, point[0], point[1]
        )
        for place, point in zip(places, line.points)
        if line.has_dots
    )
    curve = Markup('<polyline points="{}"/>').format(path)
    return Markup('<g class="line-{}">').format(number) + curve + Markup("").join(dots) + Markup("</g>")
