"""A style measured from a picture: its colours, its light, its framing. What the person looks like stays out of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.diffusion.captions import SUBJECT, FaceFacts, describe
from portraitist.diffusion.face_facts import LEAST_BACKGROUND
from portraitist.faces.reader import FaceReader
from portraitist.geometry import fit_within
from portraitist.retouch.person import PersonSegmenter
from portraitist.styles.palette import Colour, Lab, dominant_colours, to_lab
from portraitist.styles.style import Prompt, Style
from portraitist.types import Face, Image, Light, Mask

MAX_SIDE = 768
"""Pixels of the longer side at which is measured."""
GREYSCALE = 2.5
"""A mean chroma (CIELAB) below this is black and white: real greyscale files are at 0."""
_LEAST_CLOTH = 0.02
"""Share of the picture below which nothing is said about the clothes."""
_SKIN_REACH = 12.0
"""A colour nearer to the face's than this (CIE76) is taken for skin, not for cloth."""
Region = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """What was measured.

    background and clothing: colours, largest first; without a face `background` is the whole picture. background_level:
    mean L* (0-100) of it, None when too little shows. contrast: L* between its 5th and 95th percentile over the whole
    picture. chroma: mean CIELAB chroma. warmth: mean b*, > 0 towards yellow. face_share: width of the mesh over the
    picture's width; face_height: its height over the picture's; light: on the skin. The last three None: no face.
    """

    background: tuple[Colour, ...]
    clothing: tuple[Colour, ...]
    background_level: float | None
    contrast: float
    chroma: float
    warmth: float
    face_share: float | None = None
    face_height: float | None = None
    light: Light | None = None

    @property
    def has_face(self) -> bool:
        """True when a face was found."""
        return self.light is not None


@dataclass(frozen=True)
class Look:
    """The style, what it was made from, and which of its phrases portrait-mini knows."""

    style: Style
    measured: Measured
    known_to_mini: tuple[str, ...]
    unknown_to_mini: tuple[str, ...]


def measure_look(image: Image, reader: FaceReader | None = None, person: PersonSegmenter | None = None) -> Measured:
    """Measure an (h, w, 3) picture. Its largest face counts; the person segmenter is loaded only when there is one."""
    small = fit_within(image, MAX_SIDE)
    faces = (reader or FaceReader.load()).read(small, embed=False)
    lab = to_lab(small)
    whole = _whole(lab)
    if not faces:
        return Measured(dominant_colours(small), (), float(lab[..., 0].mean()), *whole)
    face = max(faces, key=lambda f: f.width)
    mask = (person or PersonSegmenter.load())(small, face)
    behind, cloth = mask < 0.2, _cloth(lab, face, mask)
    shows = behind.mean() >= LEAST_BACKGROUND
    width, height = np.ptp(face.landmarks[:, 0]), np.ptp(face.landmarks[:, 1])
    return Measured(
        dominant_colours(small, behind) if shows else (),
        dominant_colours(small, cloth, least=0.2) if cloth.mean() >= _LEAST_CLOTH else (),
        float(lab[..., 0][behind].mean()) if shows else None,
        *whole,
        face_share=float(width / small.shape[1]),
        face_height=float(height / small.shape[0]),
        light=face.light,
    )


def _whole(lab: Lab) -> tuple[float, float, float]:
    low, high = np.percentile(lab[..., 0], [5, 95])
    return float(high - low), float(np.hypot(lab[..., 1], lab[..., 2]).mean()), float(lab[..., 2].mean())


def _cloth(lab: Lab, face: Face, mask: Mask) -> Region:
    """(h, w): surely the person, under the chin, and not of the face's own colour (neck and hands)."""
    below = np.arange(len(mask))[:, None] > face.landmarks[:, 1].max()
    oval = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(oval, cv2.convexHull(face.landmarks[:, :2].astype(np.int32)), 1)
    skin = np.median(lab[oval > 0], axis=0) if oval.any() else np.full(3, np.inf)
    return np.asarray((mask > 0.8) & below & (np.linalg.norm(lab - skin, axis=2) > _SKIN_REACH), bool)


def style_from_look(key: str, measured: Measured, source: str, *, needs: str = "hub") -> Look:
    """A style in words of what was measured. key: of the style. source: the picture's name.

    needs: `mini` keeps the phrases that portrait-mini knows and drops the others.
    """
    known = describe(
        FaceFacts(
            face_share=measured.face_share,
            light_x=None if measured.light is None else measured.light.direction[0],
            background=measured.background_level if measured.has_face else None,
        )
    )
    full = _for_hub(measured, known)
    name = key.replace("-", " ").capitalize()
    if needs == "mini":
        style = Style(
            key, name, name, _about(measured), _for_mini(known), "mini", steps=20, guidance=2.5, source=source
        )
    else:
        style = Style(key, name, name, _about(measured), full, needs, source=source)
    return Look(style, measured, known, tuple(p for p in full.phrases() if p not in known))


def _for_mini(known: tuple[str, ...]) -> Prompt:
    def those(*ends: str) -> str:
        return ", ".join(phrase for phrase in known if phrase.endswith(ends))

    return Prompt(SUBJECT, framing=those("close-up"), place=those("background"), light=those("left", "right"))


def _for_hub(measured: Measured, known: tuple[str, ...]) -> Prompt:
    levels = [phrase for phrase in known if phrase.endswith("background")]
    behind = _list(measured.background, "background" if measured.has_face else "colours")
    return Prompt(
        "black and white portrait photograph" if measured.chroma < GREYSCALE else "portrait photograph",
        framing=_framing(measured, known),
        clothing=_list(measured.clothing, "clothing"),
        place=", ".join([*levels, *([behind] if behind else [])]),
        light=_light(measured, known),
        finish=_finish(measured),
    )


def _framing(measured: Measured, known: tuple[str, ...]) -> str:
    if measured.face_height is None:
        return ""
    if "close-up" in known:
        return "close-up"
    # The same limits as an album's: a standing figure is seven and a half heads high.
    share = measured.face_height
    return "head and shoulders" if share > 0.28 else "half-length" if share > 0.11 else "full-length"


def _light(measured: Measured, known: tuple[str, ...]) -> str:
    light = measured.light
    if light is None:
        return ""
    words = [phrase for phrase in known if phrase.startswith("lit from")]
    words += ["light from above"] if light.direction[1] < -12 else []
    words += ["strong modelling light"] if light.contrast > 25 else ["soft even light"] if light.contrast < 9 else []
    words += ["dim light"] if light.level < 30 else ["bright light"] if light.level > 85 else []
    return ", ".join(words)


def _finish(measured: Measured) -> str:
    # A dark background alone makes the spread small; with hard light on the face the picture is not flat.
    flat = measured.contrast < 40 and (measured.light is None or measured.light.contrast < 20)
    words = ["high contrast"] if measured.contrast > 75 else ["low contrast"] if flat else []
    if measured.chroma >= GREYSCALE:
        words += ["vivid colours"] if measured.chroma > 35 else ["muted colours"] if measured.chroma < 10 else []
        words += ["warm colours"] if measured.warmth > 15 else ["cool colours"] if measured.warmth < -5 else []
    return ", ".join(words)


def _list(colours: tuple[Colour, ...], noun: str) -> str:
    return f"{' and '.join(c.name for c in colours[:3])} {noun}" if colours else ""


def _about(measured: Measured) -> str:
    behind = "unknown" if measured.background_level is None else f"L* {measured.background_level:.0f}"
    tones = f"L* spread {measured.contrast:.0f}, chroma {measured.chroma:.0f}"
    if measured.light is None:
        return f"Measured from a picture without a face: colours and tones only; mean {behind}, {tones}."
    x, y = measured.light.direction
    return (
        f"Measured from a picture: background {behind}, light ({x:.0f}, {y:.0f}) of strength "
        f"{measured.light.contrast:.0f}, face {measured.face_share:.2f} of the width, {tones}."
    )
