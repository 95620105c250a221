"""Crops are recipes over the originals: a square around the head, turned upright. Nothing on disk is changed."""

from __future__ import annotations

import cv2
import numpy as np

from portraitist.album.values import CropRecipe
from portraitist.geometry import Matrix, square_crop
from portraitist.types import Face, Image, Picture

HEAD = 2.2
"""Side of the crop over the longer side of the face: hair, ears, neck and a little shoulder."""
_LIFT = 0.12
"""The crop's centre lies this share of the face above its middle: there is more head above the mesh than below."""
_TIGHT = 1.5
"""The smallest side over the face's, in photos with little around the face."""
_SLACK = 0.3
"""The furthest the face may move from the middle, over its longer side."""
_FEW_PIXELS = 256.0
"""A crop with a shorter side than this is upscaled before training or painting at 512."""
_BLURRED = 0.25
"""Sharpness under which a crop is restored."""


def head_crop(face: Face, size: tuple[int, int]) -> CropRecipe:
    """The recipe for this face of a photo of `size` (h, w), with `needs` only where the crop is poor.

    Near the border the square shrinks and moves inwards as far as the face allows, rather than invent pixels.
    """
    extent = float((face.box_xyxy[2:] - face.box_xyxy[:2]).max())
    angle = np.radians(face.pose.roll)
    up = np.array([np.sin(angle), -np.cos(angle)]) * extent * _LIFT
    reach = abs(np.cos(angle)) + abs(np.sin(angle))
    side = float(np.clip(min(size) / reach, extent * _TIGHT, extent * HEAD))
    x, y = (_inside(c, side * reach / 2, s, extent * _SLACK) for c, s in zip(face.centre + up, size[::-1], strict=True))
    needs = []
    if side < _FEW_PIXELS:
        needs.append("upscale")
    if face.quality is not None and face.quality.sharpness < _BLURRED:
        needs.append("restore")
    return CropRecipe((round(float(x), 2), round(float(y), 2)), round(side, 2), round(face.pose.roll, 2), tuple(needs))


def _inside(centre: float, half: float, length: int, slack: float) -> float:
    """The centre moved so that [centre - half, centre + half] lies in [0, length], by `slack` at most."""
    wanted = min(max(centre, half), length - half) if 2 * half <= length else length / 2
    return float(np.clip(wanted, centre - slack, centre + slack))


def crop_matrix(recipe: CropRecipe, size: int) -> Matrix:
    """(2, 3) from full-size photo pixels onto the (size, size) crop."""
    return square_crop(np.array(recipe.centre), recipe.side, recipe.rotation, size)


def cut(picture: Picture, recipe: CropRecipe, size: int = 512) -> Image:
    """The crop as (size, size, 3), reading no more pixels than it needs; what lies beyond the photo is mirrored.

    Raises InputError when the picture cannot be decoded.
    """
    longer = max(picture.size)
    image = picture.pixels(min(longer, max(1, int(np.ceil(longer * min(1.0, 2 * size / recipe.side))))))
    factor = max(image.shape[:2]) / longer
    matrix = crop_matrix(recipe, size) @ np.diag([1 / factor, 1 / factor, 1.0])
    steps = max(0, int(np.floor(np.log2(recipe.side * factor / size)))) if recipe.side * factor > size else 0
    over = size * 2**steps
    large = cv2.warpAffine(
        image, matrix * 2**steps, (over, over), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(large if steps == 0 else cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
