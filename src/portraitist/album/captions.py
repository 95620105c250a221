"""Captions from what was measured: pose, expression, light, framing. Who the person is, only the user says."""

from __future__ import annotations

from portraitist.album.coverage import expression_kind, framing_kind, light_kind, pose_kind
from portraitist.types import Face

_FRAMING = {"head": "a close portrait photo of", "half": "a half-length photo of", "full": "a full-length photo of"}
_POSE = {"front": "facing the camera", "left": "turned to the left", "right": "turned to the right"}
_EXPRESSION = {"neutral": "neutral expression", "smiling": "smiling", "mouth open": "mouth open"}
_LIGHT = {"even": "even light", "dark": "dim light", "bright": "bright light"}


def caption(face: Face, size: tuple[int, int], words: str = "") -> str:
    """One line. `words` replaces "a person"; nothing about gender, age or ethnicity is ever guessed.

    >>> caption(face, (1000, 800), "Anna")                    # doctest: +SKIP
    'a close portrait photo of Anna, facing the camera, smiling, light from the left'
    """
    parts = [
        f"{_FRAMING[framing_kind(face, size)]} {words.strip() or 'a person'}",
        _POSE[pose_kind(face)],
        _EXPRESSION[expression_kind(face)],
    ]
    if face.pose.pitch > 15:
        parts.append("looking up")
    elif face.pose.pitch < -15:
        parts.append("looking down")
    if face.expression is not None and face.expression.eyes_open < 0.25:
        parts.append("eyes closed")
    kind = light_kind(face)
    if kind == "side" and face.light is not None:
        parts.append(f"light from the {'right' if face.light.direction[0] > 0 else 'left'}")
    else:
        parts.append(_LIGHT[kind])
    return ", ".join(parts)
