"""Album photos as training data: framing, weights, the three-way split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import LEAST_TO_SPLIT, data_digest, split_album, training_photo
from portraitist.retouch.person import PersonSegmenter
from portraitist.types import Face, Image, Pixels, Pose, Reference


@dataclass(frozen=True)
class Named:
    """A picture with a digest of our choice."""

    digest: str
    size: tuple[int, int] = (8, 8)

    def pixels(self, max_side: int | None = None) -> Image:
        return np.zeros((*self.size, 3), np.uint8)


def references(count: int) -> list[Reference]:
    face = Face(np.zeros(4, np.float32), np.zeros((468, 3), np.float32), 1, 1, Pose(0, 0, 0))
    return [Reference(Named(f"{number:04d}"), face) for number in range(count)]


@pytest.fixture(scope="module")
def collins(astronaut: Image, reader: FaceReader) -> Reference:
    return Reference(Pixels(astronaut), reader.read(astronaut)[0])


def test_the_face_is_framed_and_weighs_most(collins: Reference, reader: FaceReader) -> None:
    photo = training_photo(collins, "portrait", 128, IdentityConfig(), PersonSegmenter.load())
    assert photo.image.shape == (128, 128, 3)
    assert photo.weight.shape == (128, 128)
    face = reader.read(photo.image, embed=False)[0]
    assert abs(face.pose.roll) < 5
    middle = face.landmarks[:, :2].mean(axis=0)
    assert np.abs(middle - (64, 78)).max() < 12
    x, y = np.round(face.landmarks[4, :2]).astype(int)
    assert photo.weight[y, x] == 1
    assert photo.weight[5, 120] == pytest.approx(0.05)
    assert photo.weight[125, 20] == pytest.approx(0.05)


def test_hair_and_background_can_be_left_out(collins: Reference) -> None:
    segmenter = PersonSegmenter.load()
    with_hair = training_photo(collins, "", 96, IdentityConfig(background_weight=0), segmenter).weight
    without = training_photo(collins, "", 96, IdentityConfig(background_weight=0, hair_weight=0), segmenter).weight
    assert with_hair.sum() > 1.1 * without.sum()
    assert without.max() == 1
    assert without[:8].max() == 0


def test_what_the_photo_does_not_show_has_no_weight(collins: Reference) -> None:
    """Framed from a photo that ends at the cheek, the missing half is mirrored and not learned."""
    image = collins.picture.pixels()
    x = int(collins.face.landmarks[4, 0])
    half = Reference(Pixels(np.ascontiguousarray(image[:, :x])), collins.face)
    weight = training_photo(half, "", 96, IdentityConfig(), PersonSegmenter.load()).weight
    assert weight[60, 80] == 0
    assert weight[60, 40] == 1


@pytest.mark.parametrize(("rows", "columns", "shape"), [(512, 512, (512, 512)), (512, 360, (576, 448))])
def test_larger_bases_keep_the_shape_of_the_photo(
    astronaut: Image, reader: FaceReader, rows: int, columns: int, shape: tuple[int, int]
) -> None:
    image = np.ascontiguousarray(astronaut[:rows, 40 : 40 + columns])
    photo = training_photo(
        Reference(Pixels(image), reader.read(image)[0]), "", 512, IdentityConfig(), PersonSegmenter.load()
    )
    assert photo.image.shape == (*shape, 3)
    assert photo.weight.shape == shape
    face = reader.read(photo.image, embed=False)[0]
    assert abs(face.pose.roll) < 5
    x0, y0, x1, y1 = face.box_xyxy
    assert 0 < x0 < x1 < shape[1]
    assert 0 < y0 < y1 < shape[0]


def test_a_wide_photo_is_framed_where_it_is(astronaut: Image, reader: FaceReader) -> None:
    """The face stands at the photo's left edge: the frame reaches to the right, as wide as a square's face allows."""
    image = np.ascontiguousarray(astronaut[:330, 130:])
    reference = Reference(Pixels(image), reader.read(image)[0])
    photo = training_photo(reference, "", 512, IdentityConfig(background_weight=1), PersonSegmenter.load())
    assert photo.image.shape == (448, 576, 3)
    face = reader.read(photo.image, embed=False)[0]
    assert face.landmarks[:, 0].mean() < 0.45 * 576
    assert face.landmarks[:, 0].min() > 40
    assert (photo.weight > 0).mean() > 0.99


def test_ten_photos_are_split_and_fewer_are_not() -> None:
    small = split_album(references(LEAST_TO_SPLIT - 1))
    assert not small.has_validation
    assert small.choose == small.report == ()
    large = split_album(references(20))
    parts = [{r.picture.digest for r in part} for part in (large.train, large.choose, large.report)]
    assert [len(part) for part in parts] == [12, 4, 4]
    assert len(set.union(*parts)) == 20
    with pytest.raises(InputError, match="no accepted photo"):
        split_album([])


@pytest.mark.parametrize(("count", "held_out"), [(1, 0), (2, 0), (3, 1), (6, 1), (7, 2), (9, 2)])
def test_a_small_album_holds_a_photo_or_two_out_for_the_loss(count: int, held_out: int) -> None:
    split = split_album(references(count))
    assert len(split.held_out) == held_out
    assert len(split.train) == count - held_out
    assert not {r.picture.digest for r in split.train} & {r.picture.digest for r in split.held_out}


def test_the_split_does_not_depend_on_the_order() -> None:
    forward = references(14)
    assert split_album(forward) == split_album(forward[::-1])


def test_the_digest_sees_pictures_weights_and_captions(collins: Reference) -> None:
    segmenter = PersonSegmenter.load()
    one = training_photo(collins, "a", 64, IdentityConfig(), segmenter)
    other = training_photo(collins, "b", 64, IdentityConfig(), segmenter)
    assert data_digest([one]) == data_digest([one])
    assert len({data_digest(group) for group in ([one], [other], [one, other], [other, one])}) == 4
