"""What the album shows and what it lacks: pose, expression, light, framing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from portraitist.album.values import Coverage
from portraitist.types import Face

_TURNED = 15.0
"""Degrees of yaw from which a face counts as turned."""
_SMILE = 0.6
"""On the tune half of the London faces 1 of 25 neutral and 16 of 25 smiling ones are above it."""

KINDS: dict[str, tuple[str, ...]] = {
    "pose": ("left", "front", "right"),
    "expression": ("neutral", "smiling", "mouth open"),
    "light": ("dark", "even", "side", "bright"),
    "framing": ("head", "half", "full"),
}

_ADVICE = {
    ("pose", "left"): "add a photo with the face turned to the left side of the picture",
    ("pose", "front"): "add a photo that looks straight into the camera",
    ("pose", "right"): "add a photo with the face turned to the right side of the picture",
    ("expression", "neutral"): "add a photo with a relaxed face and closed mouth",
    ("expression", "smiling"): "add a photo with a smile",
    ("light", "even"): "add a photo in soft even light, such as near a window on a cloudy day",
    ("light", "side"): "add a photo with light from one side",
    ("framing", "head"): "add a close photo of the head and shoulders",
    ("framing", "half"): "add a photo from the waist up",
}


def pose_kind(face: Face) -> str:
    """`left`, `front` or `right`: where in the picture the nose points."""
    if abs(face.pose.yaw) < _TURNED:
        return "front"
    return "right" if face.pose.yaw > 0 else "left"


def expression_kind(face: Face) -> str:
    """`neutral`, `smiling` or `mouth open`, from the mesh."""
    if face.expression is None or (face.expression.smile < _SMILE and face.expression.mouth_open < 0.35):
        return "neutral"
    return "smiling" if face.expression.smile >= _SMILE else "mouth open"


def light_kind(face: Face) -> str:
    """`dark`, `bright`, `side` or `even`, from the skin's lightness (CIE L*) and its slope."""
    if face.light is None:
        return "even"
    if face.light.level < 30:
        return "dark"
    if face.light.level > 85:
        return "bright"
    return "side" if abs(face.light.direction[0]) > 9 else "even"


def framing_kind(face: Face, size: tuple[int, int]) -> str:
    """`head`, `half` or `full`, from the face's height over the photo's."""
    share = float(face.box_xyxy[3] - face.box_xyxy[1]) / size[0]
    # A standing figure is seven and a half heads high, and the mesh covers some two thirds of a head.
    return "head" if share > 0.28 else "half" if share > 0.11 else "full"


def cover(faces: Sequence[Face], sizes: Sequence[tuple[int, int]], top_k: int) -> Coverage:
    """Counts of every kind over the accepted faces, and what to add, most useful first."""
    named = {
        "pose": Counter(pose_kind(face) for face in faces),
        "expression": Counter(expression_kind(face) for face in faces),
        "light": Counter(light_kind(face) for face in faces),
        "framing": Counter(framing_kind(face, size) for face, size in zip(faces, sizes, strict=True)),
    }
    counts = {kind: {name: named[kind][name] for name in names} for kind, names in KINDS.items()}
    advice = [text for (kind, name), text in _ADVICE.items() if counts[kind][name] == 0]
    if len(faces) < 5:
        advice.insert(
            0, f"add more photos: {len(faces)} good, 5 are enough for templates, {top_k} give the best choice"
        )
    return Coverage(counts, tuple(advice))
