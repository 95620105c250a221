"""Does a picture show what its caption asked for? The same reader that wrote the training captions judges.

A phrase is said in training only of clear cases: "turned left" from 10 degrees on, "facing the camera" up to 5. Between
two phrases of one fact nothing is said, so the judge's limit is midway between them: the picture must be more what was
asked than what its neighbour would be called. For "turned left" that is -7.5 degrees, as the neighbour is "facing the
camera"; the far side of zero would pass a head that hardly turns. A certainty without an opposite phrase, such as
"glasses", has one half for its limit, where the classifier itself decides; others without a neighbour keep their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from portraitist.diffusion.captions import PHRASES, FaceFacts, Phrase
from portraitist.errors import InputError
from recipes.mini.measures.reading import Reading
from recipes.mini.measures.shares import Share, share

JUDGED = (
    "turned left",
    "turned right",
    "smiling",
    "serious",
    "light background",
    "dark background",
    "long hair",
    "short hair",
    "glasses",
)
"""Phrases of the table."""
CERTAINTIES = ("long_hair", "dark_hair", "glasses", "beard", "hat")
"""Facts that are probabilities: the opposite of one said from p on would be said up to 1 - p."""


@dataclass(frozen=True)
class Obedience:
    """obeyed: share of the pictures that were asked for the phrase. unasked: share of the pictures with nothing asked
    about its fact that show it all the same, None where there are none. low, high: what the judge accepts."""

    phrase: str
    fact: str
    obeyed: Share
    unasked: Share | None
    low: float | None
    high: float | None

    def row(self) -> tuple[str, str, str]:
        """With what happens unasked."""
        unasked = "" if self.unasked is None else f"; unasked {self.unasked}"
        return f"asked for '{self.phrase}'", str(self.obeyed), f"{_range(self.fact, self.low, self.high)}{unasked}"


def _range(fact: str, low: float | None, high: float | None) -> str:
    parts = ("" if low is None else f"{low:g} <= ", fact, "" if high is None else f" <= {high:g}")
    return "".join(parts)


def phrase_named(text: str) -> Phrase:
    """The phrase of the vocabulary; raises InputError for others."""
    for phrase in PHRASES:
        if phrase.text == text:
            return phrase
    raise InputError(f"phrase '{text}': not in the vocabulary; known are {', '.join(p.text for p in PHRASES)}")


def accepted(phrase: Phrase) -> Phrase:
    """The phrase with the judge's wider range: up to midway to the next phrase of its fact.

    >>> accepted(phrase_named("turned left")).high
    -7.5
    """
    others = [other for other in PHRASES if other.fact == phrase.fact and other != phrase]
    certain = phrase.fact in CERTAINTIES
    below = max((o.high for o in others if o.high < phrase.low), default=1 - phrase.low if certain else phrase.low)
    above = min((o.low for o in others if o.low > phrase.high), default=1 - phrase.high if certain else phrase.high)
    return Phrase(phrase.text, phrase.fact, _midway(phrase.low, below), _midway(phrase.high, above))


def _midway(edge: float, neighbour: float) -> float:
    """An edge at infinity stays there."""
    return (edge + neighbour) / 2 if np.isfinite(edge) and np.isfinite(neighbour) else edge


def obeys(text: str, facts: FaceFacts | None) -> bool:
    """Whether the judge accepts the phrase; never of a picture without a face or with the fact unknown."""
    return facts is not None and accepted(phrase_named(text)).fits(facts)


def obedience(
    asked: Sequence[Iterable[str]], pictures: Sequence[Reading], judged: Sequence[str] = JUDGED
) -> list[Obedience]:
    """One result for each judged phrase that was asked of any picture. asked: the phrases of each picture's caption.

    Ask each side of a pair of as many pictures: a model that always smiles then gets 100 % and 0 %, not 90 %.
    Raises InputError when the lists differ in length.
    """
    if len(asked) != len(pictures):
        raise InputError(f"obedience: expected a caption a picture, found {len(asked)} and {len(pictures)}")
    wanted = [frozenset(phrases) for phrases in asked]
    results = [_obedience(phrase_named(text), wanted, pictures) for text in judged]
    return [result for result in results if result is not None]


def _obedience(phrase: Phrase, wanted: list[frozenset[str]], pictures: Sequence[Reading]) -> Obedience | None:
    limits = accepted(phrase)
    same_fact = {other.text for other in PHRASES if other.fact == phrase.fact}
    shown = [reading.facts is not None and limits.fits(reading.facts) for reading in pictures]
    obeyed = [hit for hit, words in zip(shown, wanted, strict=True) if phrase.text in words]
    unasked = [hit for hit, words in zip(shown, wanted, strict=True) if not words & same_fact]
    if not obeyed:
        return None
    low, high = (limit if np.isfinite(limit) else None for limit in (limits.low, limits.high))
    return Obedience(phrase.text, phrase.fact, share(obeyed), share(unasked) if unasked else None, low, high)


def obeyed_by_fact(results: Iterable[Obedience]) -> dict[str, float]:
    """Mean share of each fact's phrases: 0.5 is what ignoring the words gives on a pair."""
    found: dict[str, list[float]] = {}
    for result in results:
        found.setdefault(result.fact, []).append(result.obeyed.value)
    return {fact: float(np.mean(values)) for fact, values in found.items()}
