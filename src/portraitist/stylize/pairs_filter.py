"""Which pairs may be learned from: the face is there, where it was, and still somewhat the same person's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portraitist.faces.reader import FaceReader
from portraitist.progress import Report, Step, silent
from portraitist.stylize.pairs import Pair, PairFolder, leave_out
from portraitist.stylize.pairs_config import PairFilterConfig
from portraitist.types import Face, Image


@dataclass(frozen=True)
class PairMeasure:
    """landmarks: mean distance of the mesh points in face widths. distance: of the embeddings."""

    landmarks: float
    distance: float


def measure_pair(pair: Pair, reader: FaceReader) -> PairMeasure | None:
    """How far the painted face is from the photo's; None when one of the two shows no face."""
    photo, painted = _largest(reader, pair.photo), _largest(reader, pair.painted)
    if photo is None or painted is None or photo.embedding is None or painted.embedding is None:
        return None
    apart = np.linalg.norm(painted.landmarks[:, :2] - photo.landmarks[:, :2], axis=1).mean() / photo.width
    return PairMeasure(float(apart), photo.embedding.distance(painted.embedding))


def reason_against(measure: PairMeasure | None, config: PairFilterConfig) -> str | None:
    """Why a pair is not learned from; None for a good one.

    >>> reason_against(PairMeasure(0.02, 0.5), PairFilterConfig())
    >>> reason_against(PairMeasure(0.2, 0.5), PairFilterConfig())
    'landmarks 0.200 of the face apart'
    """
    if measure is None:
        return "no face found" if config.needs_face else None
    if measure.landmarks > config.landmarks:
        return f"landmarks {measure.landmarks:.3f} of the face apart"
    if not config.closest <= measure.distance <= config.farthest:
        return f"distance {measure.distance:.2f} to the photo"
    return None


def filter_pairs(
    pairs: PairFolder, config: PairFilterConfig, reader: FaceReader, *, report: Report = silent
) -> PairFolder:
    """The folder without its bad pairs. Raises InputError when none is left."""
    reasons = {}
    for number in range(len(pairs)):
        pair = pairs[number]
        reason = reason_against(measure_pair(pair, reader), config)
        if reason is not None:
            reasons[pair.name] = reason
        report(Step("filter", number + 1, len(pairs), f"{pair.name}: {reason or 'good'}"))
    return leave_out(pairs, reasons)


def _largest(reader: FaceReader, image: Image) -> Face | None:
    return max(reader.read(image), key=lambda face: face.width, default=None)
