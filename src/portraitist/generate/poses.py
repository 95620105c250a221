"""Poses of the head: a library of named ones, and the one that a photo shows."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from importlib import resources
from typing import Any

from portraitist.diffusion.captions import FaceFacts, describe
from portraitist.errors import ConfigError
from portraitist.options import check, option
from portraitist.types import Face, Pose


@dataclass(frozen=True)
class HeadPose:
    """Where a head looks, in degrees of `types.Pose`. smile and mouth_open: in [0, 1] of `types.Expression`; None
    leaves the sitter's own."""

    key: str
    name: str
    name_zh: str = ""
    yaw: float = option(0.0, "turn; above 0 the nose points to the picture's right", unit="degrees", low=-60, high=60)
    pitch: float = option(0.0, "nod; above 0 the face looks up", unit="degrees", low=-40, high=40)
    roll: float = option(0.0, "tilt; above 0 clockwise in the picture", unit="degrees", low=-45, high=45)
    smile: float | None = option(None, "how much it smiles", low=0, high=1)
    mouth_open: float | None = option(None, "how far the mouth is open", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)

    @property
    def angles(self) -> Pose:
        """Yaw, pitch and roll."""
        return Pose(self.yaw, self.pitch, self.roll)

    def head_words(self) -> str:
        """Phrases of the captions that fit the turn and the nod.

        >>> HeadPose("half-left", "Half left", yaw=-22).head_words()
        'turned left'
        """
        return ", ".join(describe(FaceFacts(yaw=self.yaw, pitch=self.pitch)))

    def expression_words(self) -> str:
        """Phrases of the captions that fit the expression; empty where the pose has none."""
        return ", ".join(describe(FaceFacts(smile=self.smile, mouth_open=self.mouth_open)))

    def told_by(self, phrases: Iterable[str]) -> HeadPose:
        """The pose with the expression that the phrases say, where it has none of its own: words and mesh agree.

        >>> HeadPose("front", "Front").told_by(["serious", "dark background"]).smile
        0.15
        """
        said = dict(SAID[phrase] for phrase in phrases if phrase in SAID)
        told: dict[str, Any] = {part: value for part, value in said.items() if getattr(self, part) is None}
        return replace(self, **told)


SAID = {
    "smiling": ("smile", 0.75),
    "serious": ("smile", 0.15),
    "mouth open": ("mouth_open", 0.5),
    "mouth closed": ("mouth_open", 0.02),
}
"""Well inside the range in which `captions.PHRASES` says each of them."""


@functools.cache
def poses() -> Mapping[str, HeadPose]:
    """The library, by key."""
    import yaml

    text = (resources.files("portraitist.generate") / "poses.yaml").read_text(encoding="utf-8")
    return {key: _read(key, row) for key, row in yaml.safe_load(text).items()}


def _read(key: str, row: Mapping[str, Any]) -> HeadPose:
    unknown = sorted(set(row) - {field.name for field in fields(HeadPose)})
    if unknown:
        raise ConfigError(f"pose '{key}': unknown {', '.join(unknown)}")
    return HeadPose(key, **row)


def find_pose(name: str) -> HeadPose:
    """The pose of that key, English name or Chinese name. Raises ConfigError with the nearest ones."""
    wanted = " ".join(name.casefold().split())
    names = {text.casefold(): pose for pose in poses().values() for text in (pose.key, pose.name, pose.name_zh)}
    if wanted in names:
        return names[wanted]
    near = dict.fromkeys(names[n].key for n in difflib.get_close_matches(wanted, names, n=4, cutoff=0.4))
    known = f"the nearest are {', '.join(near)}" if near else f"known are {', '.join(poses())}"
    raise ConfigError(f"pose '{name}': no photo of that name and no such pose; {known}")


def pose_of(face: Face, name: str) -> HeadPose:
    """The pose and the expression of a face, as far as they lie inside what a `HeadPose` may hold."""
    limits = {field.name: field.metadata for field in fields(HeadPose) if field.metadata}
    found = {
        part: round(min(max(getattr(face.pose, part), limits[part]["low"]), limits[part]["high"]), 2)
        for part in ("yaw", "pitch", "roll")
    }
    if face.expression is not None:
        found |= {part: round(getattr(face.expression, part), 3) for part in ("smile", "mouth_open")}
    return HeadPose("photo", name, **found)
