"""ID photo formats: a table of millimetres, and where in the frame a head goes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import yaml

from portraitist.errors import ConfigError

DPI = 300
EDITED_WARNING = (
    "Passport and visa authorities refuse pictures whose background or person was edited; "
    "for them use --background own, which only crops and resizes."
)


@dataclass(frozen=True)
class IdFormat:
    """One format. Lengths in mm: size (width, height); head, eyes, top, head_width (lowest, highest) or None; below."""

    name: str
    title: str
    size: tuple[float, float]
    head: tuple[float, float]
    colours: tuple[str, ...]
    source: str
    seen: str
    eyes: tuple[float, float] | None = None
    top: tuple[float, float] | None = None
    head_width: tuple[float, float] | None = None
    below: float = 0.0
    note: str = ""
    dpi: int = DPI

    @property
    def pixels(self) -> tuple[int, int]:
        """(h, w) of the file."""
        return to_pixels(self.size[1], self.dpi), to_pixels(self.size[0], self.dpi)

    def place_head(self, eye_share: float) -> tuple[float, float]:
        """The best head height and chin height above the bottom edge, in mm: the first of `head_places`."""
        return self.head_places(eye_share)[0]

    def head_places(self, eye_share: float) -> list[tuple[float, float]]:
        """(head height, chin above the bottom edge) in mm on a grid, best first; those inside every range if any is.

        eye_share: (chin to eye line) / (chin to top of the head), in (0, 1). The cost is flat in the middle of the eye
        range, which is wide, and pulls the head to the middle of its own.
        """
        height = self.size[1]
        head = np.linspace(*self.head, 41)[:, None]
        chin = np.linspace(max(self.below, 0.02 * height), 0.7 * height, 201)[None]
        above = height - chin - head
        ruled = [_deviation(head, self.head) + 0 * chin]
        ruled += [_deviation(above, self.top)] if self.top else []
        eyes = _deviation(chin + eye_share * head, self.eyes) if self.eyes else 0 * above
        free = 0 if self.top else 0.5 * _deviation(above, _usual_top(height, self.head)) ** 2
        cost = sum(part**2 for part in ruled) + eyes**4 + free
        # Two per cent of measuring error must not push a finished photo over the edge of a range.
        outside = sum(np.maximum(np.abs(part) - 0.85, 0) for part in (*ruled, eyes)) + np.maximum(
            0.01 * height - above, 0
        )
        order = np.argsort((cost + 1e3 * outside).ravel(), kind="stable")
        allowed = [i for i in order if outside.ravel()[i] == 0] or list(order[:1])
        return [(float(head[i // chin.size, 0]), float(chin[0, i % chin.size])) for i in allowed]


def _deviation(value: Any, allowed: tuple[float, float]) -> Any:
    """0 in the middle of the range, 1 at its ends."""
    return (value - (allowed[0] + allowed[1]) / 2) / ((allowed[1] - allowed[0]) / 2)


def _usual_top(height: float, head: tuple[float, float]) -> tuple[float, float]:
    """Where a rule is silent: a little more than a third of the free height is above the head."""
    free = height - sum(head) / 2
    return 0.2 * free, 0.6 * free


def to_pixels(millimetres: float, dpi: int = DPI) -> int:
    """Whole pixels of a length."""
    return round(millimetres / 25.4 * dpi)


def load_format(name: str) -> IdFormat:
    """The format of that name; raises ConfigError naming the known ones."""
    table = load_formats()
    if name not in table:
        raise ConfigError(f"ID format '{name}': unknown; known are {', '.join(table)}")
    return table[name]


@functools.cache
def load_formats() -> dict[str, IdFormat]:
    """Every format of `id_formats.yaml` by name."""
    return {name: _row(name, values) for name, values in _document()["formats"].items()}


def background_colours() -> dict[str, str]:
    """Colour names the table uses, as `#rrggbb`."""
    return dict(_document()["colours"])


def _row(name: str, values: dict[str, Any]) -> IdFormat:
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    row = IdFormat(name=name, **plain)
    unknown = set(row.colours) - set(background_colours())
    if unknown:
        raise ConfigError(f"id_formats.yaml, {name}: unknown colours {', '.join(sorted(unknown))}")
    return row


@functools.cache
def _document() -> dict[str, Any]:
    text = resources.files("portraitist.styles").joinpath("id_formats.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))
