"""Pictures of a look as a base learns from them: framed, captioned by what is in them, every fifth kept back.

What a caption says of a picture is not put down to the look, so it says all that was measured: pose, light, hair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import cv2
import numpy as np

from portraitist.diffusion.captions import PHRASES, SUBJECT, caption, describe
from portraitist.diffusion.face_facts import FactReader
from portraitist.errors import InputError
from portraitist.faces.align import align_portrait
from portraitist.identity.dataset import TrainingPhoto
from portraitist.types import Image

LEAST_PICTURES = 3
"""Two to learn from and one to choose a checkpoint by."""
FACELESS = "picture"
"""Subject of a picture without a face, for bases that know the word."""
_KEPT_BACK = 5
"""Every fifth picture chooses, beginning with the third, so that three are enough."""
_READ_SIDE = 256
"""Pixels a side at which a framed face is measured at least; portrait-mini's captions were measured at this size."""
_LOOK = ("light_x", "background")
"""Facts that belong to a look. The others belong to whoever is in the picture."""


def style_picture(image: Image, source: str, side: int, words: FactReader, faceless: str = SUBJECT) -> TrainingPhoto:
    """The picture at side x side pixels: framed on its largest face, else its middle. Everything counts alike.

    source: digest of the file. faceless: caption where no face is found. Beyond the picture's border the weight is 0.
    """
    found = words(image)
    if found is None:
        return TrainingPhoto(middle_square(image, side), np.ones((side, side), np.float32), faceless, source)
    landmarks = found[0].landmarks
    # The facts of what is seen: a small face fills the frame once it is framed.
    _, facts = words(align_portrait(image, landmarks, max(side, _READ_SIDE))[0]) or found
    framed, _, inside = align_portrait(image, landmarks, side)
    return TrainingPhoto(framed, inside, caption(describe(facts)), source)


def middle_square(image: Image, side: int) -> Image:
    """(side, side, 3): the largest square in the middle."""
    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = image[top : top + edge, left : left + edge]
    how = cv2.INTER_AREA if edge >= side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (side, side), interpolation=how), np.uint8)


def split_pictures(pictures: Sequence[TrainingPhoto]) -> tuple[list[TrainingPhoto], list[TrainingPhoto]]:
    """(to learn from, kept back), in order of digest. Raises InputError for fewer than three."""
    if len(pictures) < LEAST_PICTURES:
        raise InputError(f"expected at least {LEAST_PICTURES} pictures of the style, found {len(pictures)}; add some")
    ordered = sorted(pictures, key=lambda picture: picture.source)
    kept = range(LEAST_PICTURES - 1, len(ordered), _KEPT_BACK)
    return [ordered[i] for i in range(len(ordered)) if i not in kept], [ordered[i] for i in kept]


def common_phrases(pictures: Sequence[TrainingPhoto]) -> dict[str, str]:
    """What more than half of the captions say of light and background, by fact.

    Of "portrait, smiling, dark background" in all captions it is {"background": "dark background"}.
    """
    said = Counter(phrase for picture in pictures for phrase in picture.caption.split(", "))
    return {p.fact: p.text for p in PHRASES if p.fact in _LOOK and said[p.text] > len(pictures) / 2}
