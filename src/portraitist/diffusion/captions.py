"""Captions from what was measured on a face: one closed vocabulary for training, for albums and for prompts.

A caption is a list of phrases behind "portrait". Left and right are the picture's own sides. There are no words for
sex, age or ethnicity: nothing measured here speaks of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

SUBJECT = "portrait"
"""Every caption begins with it."""
TRIGGER = "sitter"
"""Kept free in training: the word an identity is learned on."""


@dataclass(frozen=True)
class FaceFacts:
    """What a caption is made from. None: not known, and nothing is said about it.

    face_share: width of the mesh over the picture's width. yaw and pitch in degrees (`Pose`). smile and mouth_open in
    [0, 1] (`Expression`). light_x: `Light.direction[0]` in L*. background: mean L* (0-100) outside the person. The
    others are certainties in [0, 1].
    """

    face_share: float | None = None
    yaw: float | None = None
    pitch: float | None = None
    smile: float | None = None
    mouth_open: float | None = None
    light_x: float | None = None
    background: float | None = None
    long_hair: float | None = None
    dark_hair: float | None = None
    glasses: float | None = None
    beard: float | None = None
    hat: float | None = None

    def mirrored(self) -> FaceFacts:
        """The facts of the picture flipped left to right."""
        return replace(
            self,
            yaw=None if self.yaw is None else -self.yaw,
            light_x=None if self.light_x is None else -self.light_x,
        )


@dataclass(frozen=True)
class Phrase:
    """Said of a face when the fact lies in [low, high]; between two phrases of a fact nothing is said."""

    text: str
    fact: str
    low: float = float("-inf")
    high: float = float("inf")

    def fits(self, facts: FaceFacts) -> bool:
        """True when the fact is known and inside the range."""
        value = getattr(facts, self.fact)
        return value is not None and self.low <= value <= self.high


# Ranges were read off the tune split's quantiles, so that a phrase says something and still has examples: most say it
# of a tenth to a third of the faces. The measured pitch has its middle at -5 degrees there. At a certainty of 0.9 the
# attribute classifiers are right at least nine times in ten (recipes/attributes/README.md).
PHRASES = (
    Phrase("close-up", "face_share", low=0.66),
    Phrase("turned left", "yaw", high=-10),
    Phrase("facing the camera", "yaw", low=-5, high=5),
    Phrase("turned right", "yaw", low=10),
    Phrase("looking up", "pitch", low=2),
    Phrase("looking down", "pitch", high=-12),
    Phrase("smiling", "smile", low=0.60),
    Phrase("serious", "smile", high=0.30),
    Phrase("mouth open", "mouth_open", low=0.40),
    Phrase("mouth closed", "mouth_open", high=0.05),
    Phrase("lit from the left", "light_x", high=-10),
    Phrase("lit from the right", "light_x", low=10),
    Phrase("dark background", "background", high=36),
    Phrase("light background", "background", low=66),
    Phrase("long hair", "long_hair", low=0.9),
    Phrase("short hair", "long_hair", high=0.1),
    Phrase("dark hair", "dark_hair", low=0.9),
    Phrase("light hair", "dark_hair", high=0.1),
    Phrase("glasses", "glasses", low=0.9),
    Phrase("beard", "beard", low=0.9),
    Phrase("hat", "hat", low=0.9),
)


def describe(facts: FaceFacts) -> tuple[str, ...]:
    """The phrases that fit, in the table's order."""
    return tuple(phrase.text for phrase in PHRASES if phrase.fits(facts))


def caption(phrases: Iterable[str]) -> str:
    """One line for the text encoder.

    >>> caption(["smiling", "dark background"])
    'portrait, smiling, dark background'
    """
    return ", ".join([SUBJECT, *phrases])


def words(text: str) -> list[str]:
    """Lower-case words of a text.

    >>> words("Portrait, close-up")
    ['portrait', 'close', '-', 'up']
    """
    return re.findall(r"[^\W\d_]+|\d|[^\s\w]|_", text.lower())


def vocabulary() -> list[str]:
    """Every word that training can show, sorted, with the trigger."""
    texts = [SUBJECT, TRIGGER, ",", *(phrase.text for phrase in PHRASES)]
    return sorted({word for text in texts for word in words(text)})


def unknown_words(text: str) -> list[str]:
    """Words of a prompt that the vocabulary lacks, in order, each once: the model has never seen them.

    >>> unknown_words("portrait, smiling, pirate")
    ['pirate']
    """
    known = set(vocabulary())
    return list(dict.fromkeys(word for word in words(text) if word not in known))
