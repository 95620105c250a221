"""How right the judges of obedience are on real held-out faces, shown small: the first lines of every table.

Two kinds of truth. Ratings and labels by people say how right a judge is. Where nobody rated (turn, background) the
same picture at its full size says only whether a small picture is read as the large one was.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portraitist.diffusion.captions import PHRASES, FaceFacts
from portraitist.errors import InputError
from recipes.mini.measures.obedience import JUDGED, accepted, phrase_named
from recipes.mini.measures.reading import Reading
from recipes.mini.measures.shares import Share, share

LABELS = Path(__file__).parents[2] / "attributes" / "labels.csv"
"""Glasses, beard and hat of the single faces, labelled by looking."""
RATED = (("smile", "happy", (30, 60)), ("long_hair", "long-haired", (35, 50)), ("dark_hair", "hair-color", (50, 65)))
"""Fact, column of the ratings, and the ratings up to which it is untrue and from which it is true."""


@dataclass(frozen=True)
class JudgeAccuracy:
    """seen: share of the faces the phrase is true of that the judge accepts. mistaken: share accepted of those it is
    clearly untrue of. Each None where there are no such faces. truth: who says so. Faces between the two do not count.
    """

    phrase: str
    truth: str
    seen: Share | None
    mistaken: Share | None

    def row(self) -> tuple[str, str, str]:
        """Seen, and what is wrongly taken for it."""
        return f"judge of '{self.phrase}'", _text(self.seen), f"mistaken {_text(self.mistaken)}; truth: {self.truth}"


def _text(value: Share | None) -> str:
    return "no such face" if value is None else str(value)


def judge_accuracy(
    readings: Sequence[Reading],
    truths: Sequence[FaceFacts | None],
    truth: str,
    *,
    people: Sequence[str] | None = None,
    judged: Sequence[str] = JUDGED,
) -> list[JudgeAccuracy]:
    """One result a phrase whose fact any of the truths knows. readings: real pictures at the model's size.

    A phrase is true of a face when its caption would say it, clearly untrue when the caption's phrase would be another
    of the same fact (for "glasses", which has no opposite: a certainty below 0.5). A face that is not found counts as
    not seen. Raises InputError when the lists differ in length.
    """
    if len(readings) != len(truths):
        raise InputError(f"judges: expected a truth a picture, found {len(truths)} for {len(readings)}")
    names = [str(i) for i in range(len(readings))] if people is None else list(people)
    results = [_accuracy(text, readings, truths, truth, names) for text in judged]
    return [r for r in results if r.seen is not None or r.mistaken is not None]


def _accuracy(
    text: str, readings: Sequence[Reading], truths: Sequence[FaceFacts | None], truth: str, names: Sequence[str]
) -> JudgeAccuracy:
    phrase, limits = phrase_named(text), accepted(phrase_named(text))
    yes: dict[str, list[bool]] = {"seen": [], "mistaken": []}
    who: dict[str, list[str]] = {"seen": [], "mistaken": []}
    for reading, known, name in zip(readings, truths, names, strict=True):
        value = None if known is None else getattr(known, phrase.fact)
        if known is None or value is None:
            continue
        outside = value < limits.low or value > limits.high
        kind = "seen" if phrase.fits(known) else "mistaken" if outside and _said(text, known) else None
        if kind is not None:
            yes[kind].append(reading.facts is not None and limits.fits(reading.facts))
            who[kind].append(name)
    seen, mistaken = (share(yes[kind], who[kind]) if yes[kind] else None for kind in ("seen", "mistaken"))
    return JudgeAccuracy(text, truth, seen, mistaken)


def _said(text: str, known: FaceFacts) -> bool:
    """True when a caption would say another phrase of the fact, or there is none."""
    fact = phrase_named(text).fact
    others = [phrase for phrase in PHRASES if phrase.fact == fact and phrase.text != text]
    return not others or any(other.fits(known) for other in others)


def rated_facts(ratings: Path, names: Sequence[str], labels: Path = LABELS) -> list[FaceFacts | None]:
    """What people said of each picture of OMI (`omi256/12.jpg`): None for a picture nobody rated, such as a variant.

    ratings: the set's CSV of mean ratings, 0 to 100. Facts are 1.0 or 0.0, None where the raters were undecided. Smile
    is the rating "happy", which is near but not the same. Raises InputError when a file is missing.
    """
    rated, labelled = _table(ratings), _table(labels)
    found: list[FaceFacts | None] = []
    for name in names:
        row, label = rated.get(Path(name).stem), labelled.get(Path(name).stem, {})
        facts = None if row is None else {fact: _decided(float(row[column]), *limits) for fact, column, limits in RATED}
        found.append(None if facts is None else FaceFacts(**facts, glasses=_labelled(label.get("glasses", ""))))
    return found


def _decided(rating: float, no: float, yes: float) -> float | None:
    return 1.0 if rating >= yes else 0.0 if rating <= no else None


def _labelled(value: str) -> float | None:
    return float(value) if value in ("0", "1") else None


def _table(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{path}: expected a CSV file with a column 'stimulus', found nothing there")
    with path.open(newline="") as file:
        return {row["stimulus"]: row for row in csv.DictReader(file)}
