"""Which of the sitter's photos suits a slot: near in pose, expression and light, and good."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from portraitist.faces.align import ANCHORS
from portraitist.faces.pose import frontality
from portraitist.geometry import apply, similarity_matrix
from portraitist.types import Face, Points, Reference


def suitability(slot: Face, reference: Face) -> float:
    """Cost of putting `reference` into `slot`; lower is better, 0 is a perfect match.

    Units: one is about 30 degrees of turn, or a smile against none, or a face of half the usable quality.
    """
    cost = slot.pose.angle_to(reference.pose) / 30.0
    # A nose that points the other way has no texture for the far cheek.
    if slot.pose.yaw * reference.pose.yaw < 0 and min(abs(slot.pose.yaw), abs(reference.pose.yaw)) > 12:
        cost += 0.5
    if slot.expression and reference.expression:
        cost += 0.6 * slot.expression.distance(reference.expression)
    if slot.light and reference.light:
        cost += 0.25 * float(np.hypot(*np.subtract(slot.light.direction, reference.light.direction))) / 20.0
    if reference.quality:
        cost += 1.5 * (1 - reference.quality.overall) + 1.5 * (1 - reference.quality.visibility)
        cost += 0.8 * (1 - reference.quality.eyes_open)
    cost += 0.5 * max(0.0, np.log2(slot.width / max(reference.width, 1.0)))
    return float(cost)


def choose_references(slot: Face, references: Sequence[Reference]) -> list[Reference]:
    """All references, most suitable first; ties by digest so that the order never depends on the disk."""
    return sorted(references, key=lambda r: (round(suitability(slot, r.face), 6), r.picture.digest))


def portrait_worth(reference: Reference) -> float:
    """How good a head shot the photo makes, higher is better: frontal, sharp, eyes open."""
    quality = reference.face.quality.overall if reference.face.quality else 0.5
    return quality * (0.2 + frontality(reference.face.pose))


def best_frontal(references: Sequence[Reference]) -> Reference:
    """The photo with the best head shot; ties by digest."""
    return min(references, key=lambda r: (-round(portrait_worth(r), 6), r.picture.digest))


def lay_on(face: Face, reference: Reference) -> Points:
    """(468, 3) the photo's mesh laid on a face by the similarity of eyes, nose and mouth: how the sitter would look
    there with the photo pasted in, unbent. In the pixels of the face's picture."""
    theirs = reference.face.landmarks
    return apply(similarity_matrix(theirs[list(ANCHORS)], face.landmarks[list(ANCHORS)]), theirs)
