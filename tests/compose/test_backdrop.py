"""Head shots: what stands behind, what is kept, what is said when the photo has no room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from portraitist.compose.backdrop import compose_backdrop
from portraitist.compose.backdrop_config import BackdropConfig
from portraitist.compose.backdrops import backdrop_names, paint_backdrop
from portraitist.errors import ConfigError
from portraitist.faces.reader import FaceReader
from portraitist.geometry import square_crop
from portraitist.scenes.values import BackdropScene
from portraitist.types import Image, Pixels, Reference


@pytest.fixture(scope="module")
def collins(astronaut: Image, reader: FaceReader) -> Reference:
    return Reference(Pixels(astronaut), max(reader.read(astronaut, embed=False), key=lambda f: f.width))


def test_the_backdrop_stands_behind_and_the_face_is_the_photo(collins: Reference, astronaut: Image) -> None:
    portrait = compose_backdrop(BackdropScene("blue", "headshot"), collins)
    assert (portrait.image[:8, :8] == (0x43, 0x8E, 0xDB)).all()
    assert portrait.sources == (collins.picture.digest,)
    own = compose_backdrop(BackdropScene("own", "headshot"), collins)
    if own.image.shape == portrait.image.shape:
        middle = tuple(slice(int(s * 0.4), int(s * 0.6)) for s in portrait.image.shape[:2])
        assert np.abs(portrait.image[middle].astype(int) - own.image[middle]).mean() < 2


def test_the_eye_line_is_level_after_straightening(collins: Reference, astronaut: Image, reader: FaceReader) -> None:
    import cv2

    tilted = cv2.warpAffine(
        astronaut, square_crop(np.array([256, 256]), 512, 12, 512), (512, 512), borderMode=cv2.BORDER_REFLECT
    )
    face = max(reader.read(tilted, embed=False), key=lambda f: f.width)
    portrait = compose_backdrop(BackdropScene("studio-grey", "headshot"), Reference(Pixels(tilted), face))
    found = reader.read(portrait.image, embed=False)
    assert len(found) == 1
    assert abs(found[0].pose.roll) < 2 < abs(face.pose.roll)


def test_own_blurred_has_no_halo_of_the_person(collins: Reference) -> None:
    from portraitist.compose.backdrops import blur_own

    image = np.full((120, 120, 3), 200, np.uint8)
    image[40:80, 40:80] = 0
    matte = np.zeros((120, 120), np.float32)
    matte[40:80, 40:80] = 1
    assert blur_own(image, matte, 6).min() > 190


def test_a_photo_without_room_is_named(collins: Reference, astronaut: Image) -> None:
    x0, y0, x1, y1 = collins.face.box_xyxy.astype(int)
    tight = astronaut[y0 - 50 : y1 + 6, x0 - 40 : x1 + 40]
    face = collins.face.moved(-(x0 - 40), -(y0 - 50))
    portrait = compose_backdrop(
        BackdropScene("white", "us-passport"), Reference(Pixels(np.ascontiguousarray(tight)), face)
    )
    assert any("ends inside the crop" in warning for warning in portrait.details["warnings"])


def test_authorities_are_mentioned_once_and_only_for_edited_id_photos(collins: Reference) -> None:
    edited = compose_backdrop(BackdropScene("red", "us-passport"), collins).details["warnings"]
    assert sum("authorities refuse" in w for w in edited) == 1
    assert any("allows white" in w for w in edited)
    assert not any(
        "authorities" in w for w in compose_backdrop(BackdropScene("own", "us-passport"), collins).details["warnings"]
    )


@pytest.mark.parametrize("name", [n for n in backdrop_names() if not n.startswith("own")])
def test_every_backdrop_paints_and_is_repeatable(name: str) -> None:
    first, again = paint_backdrop(name, (90, 70), 5), paint_backdrop(name, (90, 70), 5)
    assert first.shape == (90, 70, 3)
    assert (first == again).all()


def test_a_photo_as_backdrop_covers_the_frame(astronaut: Image) -> None:
    assert paint_backdrop(astronaut, (300, 100)).shape == (300, 100, 3)


def test_unknown_names_fail_before_the_work(collins: Reference) -> None:
    with pytest.raises(ConfigError, match="studio-grey"):
        compose_backdrop(BackdropScene("beach", "headshot"), collins)
    with pytest.raises(ConfigError, match="headshot"):
        compose_backdrop(BackdropScene("white", "portrait"), collins)
    with pytest.raises(ConfigError, match="hexadecimal"):
        compose_backdrop(BackdropScene("#12", "headshot"), collins)


def test_retouch_changes_skin_only_when_asked(collins: Reference) -> None:
    plain = compose_backdrop(BackdropScene("own", "square"), collins).image
    soft = compose_backdrop(BackdropScene("own", "square"), collins, BackdropConfig(retouch=1.0)).image
    changed = np.abs(plain.astype(int) - soft).max(axis=2) > 0
    assert 0 < changed.mean() < 0.4


def test_height_is_kept_and_never_invented(collins: Reference, hopper_path: Path) -> None:
    assert compose_backdrop(BackdropScene("white", "square"), collins, BackdropConfig(height=160)).image.shape[:2] == (
        160,
        160,
    )
    large = compose_backdrop(BackdropScene("white", "square"), collins, BackdropConfig(height=4000))
    assert large.details["scale"] <= 1.01


def test_an_own_head_shot_holds_only_pixels_of_the_photo(collins: Reference, astronaut: Image) -> None:
    x0, y0, x1, y1 = collins.face.box_xyxy.astype(int)
    tight = np.ascontiguousarray(astronaut[y0 - 40 : y1 + 6, x0 - 30 : x1 + 30])
    reference = Reference(Pixels(tight), collins.face.moved(-(x0 - 30), -(y0 - 40)))
    for crop in ("headshot", "square", "half"):
        portrait = compose_backdrop(BackdropScene("own", crop), reference)
        assert portrait.details["missing"] == 0, crop
        assert not any("ends inside" in warning for warning in portrait.details["warnings"])


def test_a_head_shot_ends_where_the_photo_ends(collins: Reference, astronaut: Image) -> None:
    cut = int(collins.face.box_xyxy[3]) + 12
    reference = Reference(Pixels(np.ascontiguousarray(astronaut[:cut])), collins.face)
    portrait = compose_backdrop(BackdropScene("blue", "headshot"), reference)
    assert portrait.details["missing"] < 0.01


def test_retouch_leaves_alone_what_is_kept(collins: Reference) -> None:
    scene, soft = BackdropScene("own", "square"), BackdropConfig(retouch=1.0)
    plain = compose_backdrop(scene, collins).image
    everything = compose_backdrop(scene, collins, soft, kept=lambda face, size: np.ones(size, np.float32)).image
    nothing = compose_backdrop(scene, collins, soft, kept=lambda face, size: np.zeros(size, np.float32)).image
    np.testing.assert_array_equal(everything, plain)
    np.testing.assert_array_equal(nothing, compose_backdrop(scene, collins, soft).image)
    assert np.abs(nothing.astype(int) - plain).max() > 5
