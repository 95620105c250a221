"""Album photos as a base learns from them: framed, masked, captioned, split three ways."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.faces.align import align_within
from portraitist.faces.regions import oval_mask
from portraitist.geometry import Matrix, apply, bounding_box
from portraitist.identity.buckets import bucket_of
from portraitist.identity.config import IdentityConfig
from portraitist.retouch.person import PersonSegmenter
from portraitist.types import Face, Image, Mask, Reference

LEAST_TO_SPLIT = 10
"""Photos from which on some are kept back to choose by and to report on."""
LEAST_TO_HOLD_OUT = 3
"""Photos from which on one of a small album, from seven on two, is held out for the validation loss."""
_KEPT_BACK = 5
"""Every fifth photo chooses, every fifth reports."""
_OVAL_GROWTH = 0.12
"""The loss sees the face this part of its width beyond the mesh: ears, hairline and jaw edge."""


@dataclass(frozen=True)
class TrainingPhoto:
    """image: (h, w, 3) uint8 RGB. weight: (h, w) in [0, 1], how much the loss counts there. caption: without the
    trigger. source: digest of the photo."""

    image: Image
    weight: Mask
    caption: str
    source: str


@dataclass(frozen=True)
class AlbumSplit:
    """Photos to train on, to choose checkpoints by and to report on; the last two are empty in a small album, which
    may hold some out for the validation loss instead."""

    train: tuple[Reference, ...]
    choose: tuple[Reference, ...]
    report: tuple[Reference, ...]
    held_out: tuple[Reference, ...] = ()

    @property
    def has_validation(self) -> bool:
        """False below ten photos: checkpoints are then chosen by the validation loss of `held_out`, and below three,
        where none is held out, the last one is kept."""
        return bool(self.choose)


def split_album(references: Sequence[Reference]) -> AlbumSplit:
    """A split that adding a photo hardly changes: by digest. Raises InputError for an empty album."""
    if not references:
        raise InputError("the album has no accepted photo; add some with 'portraitist album add'")
    ordered = sorted(references, key=lambda reference: reference.picture.digest)
    places = range(len(ordered))
    if len(ordered) < LEAST_TO_SPLIT:
        held_out = [i for i in places if i % _KEPT_BACK == 1] if len(ordered) >= LEAST_TO_HOLD_OUT else []
        learned = tuple(ordered[i] for i in places if i not in held_out)
        return AlbumSplit(learned, (), (), tuple(ordered[i] for i in held_out))
    groups = [[ordered[i] for i in places if i % _KEPT_BACK == k] for k in (1, 3)]
    train = [ordered[i] for i in places if i % _KEPT_BACK not in (1, 3)]
    return AlbumSplit(tuple(train), *(tuple(group) for group in groups))


def training_photo(
    reference: Reference, caption: str, side: int, config: IdentityConfig, segmenter: PersonSegmenter
) -> TrainingPhoto:
    """The photo framed in the bucket of its shape (see `buckets`; `side` squared is their area), with its loss weights.
    No retouch, no mirror."""
    picture = reference.picture
    image = picture.pixels(4 * side)
    face = reference.face.scaled(image.shape[1] / picture.size[1])
    framed, matrix, inside = align_within(image, face.landmarks, bucket_of(image.shape[:2], side))
    placed = _placed(face, matrix)
    weight = loss_weight(framed, placed, config, segmenter) * inside
    return TrainingPhoto(framed, weight, caption, picture.digest)


def _placed(face: Face, matrix: Matrix) -> Face:
    """The face in the pixels of its framed picture."""
    landmarks = apply(matrix, face.landmarks)
    return replace(face, landmarks=landmarks, box_xyxy=bounding_box(landmarks))


def loss_weight(image: Image, face: Face, config: IdentityConfig, segmenter: PersonSegmenter) -> Mask:
    """(h, w): 1 on the face and a little beyond, `hair_weight` on the rest of the head, `background_weight` elsewhere.

    The head is what the segmenter takes for the person above the chin.
    """
    size = image.shape[:2]
    width = float(np.ptp(face.landmarks[:, 0]))
    grown = cv2.dilate(oval_mask(face, size), _disc(_OVAL_GROWTH * width))
    head = (segmenter(image, face) > 0.5).astype(np.float32)
    head[int(np.clip(face.landmarks[152, 1], 0, size[0])) :] = 0
    background = np.full(size, config.background_weight, np.float32)
    return np.asarray(np.maximum(np.maximum(background, config.hair_weight * head), grown), np.float32)


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def data_digest(photos: Sequence[TrainingPhoto]) -> str:
    """sha256 over pictures, weights and captions, in order."""
    total = hashlib.sha256()
    for photo in photos:
        for part in (photo.image.tobytes(), photo.weight.tobytes(), photo.caption.encode()):
            total.update(hashlib.sha256(part).digest())
    return total.hexdigest()
