"""A mark lands where it belongs, in the tone of the portrait's skin, once, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.faces.regions import oval_mask
from portraitist.marks.anchor import Anchor, anchor_of, facing, place
from portraitist.marks.config import TransferConfig
from portraitist.marks.density import density_of, density_of_lab, lab_of
from portraitist.marks.found import FoundMark
from portraitist.marks.map import MarksMap
from portraitist.marks.mark import Action, PointMark
from portraitist.marks.transfer import transfer_marks
from portraitist.retouch.colour import to_lab
from portraitist.types import Face, Image
from tests.marks.meshes import head
from tests.marks.skins import DARK, LIGHT, MEDIUM, SIZE, anchor_at, cut_out, map_with, mole, skin, wrinkle

CHEEK, OTHER_CHEEK, FOREHEAD, JAW = 50, 280, 151, 172


def _darker(before: Image, after: Image) -> np.ndarray:
    return to_lab(before)[..., 0] - to_lab(after)[..., 0]


def _centre(weight: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    kept = np.clip(weight, 0, None)
    return np.array([(x * kept).sum(), (y * kept).sum()]) / kept.sum()


def _put(image: Image, face: Face, *marks: PointMark, **options: object) -> Image:
    return transfer_marks(image, face, map_with(*marks), TransferConfig(**options)).image  # type: ignore[arg-type]


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (25, 0, 0), (-20, 15, 0), (0, -20, 40), (35, 0, -120)])
@pytest.mark.parametrize("patched", [True, False])
def test_it_lands_on_its_anchor(yaw: float, pitch: float, roll: float, patched: bool) -> None:
    face, image = head(yaw, pitch, roll), skin()
    for vertex in (CHEEK, OTHER_CHEEK, FOREHEAD, 199):
        mark = cut_out("m", vertex, MEDIUM) if patched else mole(vertex)
        done = transfer_marks(image, face, map_with(mark))
        if done.put:
            assert np.linalg.norm(_centre(_darker(image, done.image)) - place(mark.anchor, face)) < 1
    assert transfer_marks(image, face, map_with(mole(FOREHEAD))).put == ("m",)


def test_the_affine_lands_close_to_the_anchor() -> None:
    face, image = head(15, seed=2), skin()
    spots = [_centre(_darker(image, _put(image, face, mole(CHEEK), marks_method=m))) for m in ("anchor", "affine")]
    assert 0 < np.linalg.norm(spots[0] - spots[1]) < 12


def test_it_is_as_large_as_it_should_be_and_narrow_where_the_skin_turns_away() -> None:
    image = skin()
    shapes, narrow = [], []
    for face in (head(yaw=10), head(), head(yaw=-25)):
        dark = _darker(image, _put(image, face, mole(OTHER_CHEEK, diameter=8.0)))
        y, x = np.nonzero(dark > 0.5 * dark.max())
        sides = np.sqrt(np.linalg.eigvalsh(np.cov(np.stack([x, y]))))
        assert 4 * sides[1] == pytest.approx(8.0 * 3, rel=0.15)
        narrow.append(sides[0] / sides[1])
        shapes.append(sides[0] / sides[1] - facing(anchor_at(OTHER_CHEEK), face))
    np.testing.assert_allclose(shapes, 0, atol=0.2)
    assert narrow == sorted(narrow)


@pytest.mark.parametrize("target", [MEDIUM, DARK])
def test_its_density_over_the_skin_is_the_same_on_darker_skin(target: tuple[float, float, float]) -> None:
    seen, dense, _ = _colours_on(target)
    assert _difference(seen, dense) < 2


def test_on_lighter_skin_it_is_between_its_density_and_its_difference() -> None:
    seen, dense, offset = _colours_on(LIGHT)
    assert dense[0] + 0.5 < seen[0] < offset[0] - 0.5
    assert max(_difference(seen, dense), _difference(seen, offset)) < 4


def _colours_on(target: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LAB of a mole of MEDIUM skin: as drawn on the target, by its density, and by its difference in LAB."""
    mark, face, image = cut_out("m", CHEEK, MEDIUM), head(), skin(target)
    result = _put(image, face, mark)
    x, y = np.round(place(mark.anchor, face)).astype(int)
    seen = to_lab(result[y - 1 : y + 2, x - 1 : x + 2]).mean((0, 1))
    denser = density_of_lab(np.add(MEDIUM, mark.colour_offset)) - density_of_lab(np.array(MEDIUM))
    dense = lab_of(density_of(image[y : y + 1, x : x + 1]) + denser)[0, 0]
    return seen, dense, np.add(target, mark.colour_offset)


def test_on_a_black_and_white_portrait_it_has_no_colour() -> None:
    grey, face = skin((60.0, 0.0, 0.0)), head()
    result = _put(grey, face, cut_out("m", CHEEK, MEDIUM), mole(OTHER_CHEEK, "n", skin=MEDIUM))
    assert np.abs(to_lab(result)[..., 1:]).max() < 1
    assert _darker(grey, result).max() > 8


def test_outside_the_mark_no_byte_changes() -> None:
    face, image, mark = head(20), skin(noise=4), mole(CHEEK)
    changed = (_put(image, face, mark) != image).any(-1)
    y, x = np.mgrid[:SIZE, :SIZE]
    away = np.hypot(x - place(mark.anchor, face)[0], y - place(mark.anchor, face)[1])
    assert changed[away < 3].mean() > 0.9
    assert not changed[away > 1.3 * 2 * 3 + 2].any()


def test_there_is_no_ring_around_a_patch_whose_skin_is_another() -> None:
    """The patch's own skin, here in the light of a quarter of a stop more on one side, leaves no trace."""
    mark = cut_out("m", CHEEK, LIGHT)
    assert mark.patch is not None
    shaded = (mark.patch[..., :3] * np.linspace(1, 0.92, 45)[:, None]).astype(np.uint8)
    image, face = skin(DARK), head()
    dark = _darker(image, _put(image, face, replace(mark, patch=np.dstack([shaded, mark.patch[..., 3]]))))
    y, x = np.mgrid[:SIZE, :SIZE]
    away = np.hypot(x - place(mark.anchor, face)[0], y - place(mark.anchor, face)[1]) / 6
    assert np.abs(dark[away > 1.35]).max() < 1
    assert dark.min() > -1


def test_the_grain_of_the_portrait_runs_through_it() -> None:
    face, image = head(), skin(noise=5)
    mark = mole(CHEEK, diameter=10.0)
    x, y = np.round(place(mark.anchor, face)).astype(int)
    rows = slice(y - 8, y + 9), slice(x - 8, x + 9)
    fine = [(a - cv2.GaussianBlur(a, (0, 0), 1))[rows].std() for a in (image * 1.0, _put(image, face, mark) * 1.0)]
    assert fine[1] == pytest.approx(fine[0], rel=0.15)


def test_it_is_no_sharper_than_the_portrait() -> None:
    face, mark = head(), mole(CHEEK, diameter=5.0)
    soft = skin()
    cv2.rectangle(soft, (390, 250), (410, 330), (0, 0, 0), -1)
    sharp, soft = soft, cv2.GaussianBlur(soft, (0, 0), 3.0)
    slopes = []
    for image in (sharp, soft):
        dark = _darker(image, _put(image, face, mark))
        slopes.append(np.hypot(*np.gradient(dark)).max() / dark.max())
    assert slopes[1] < 0.75 * slopes[0]


@pytest.mark.parametrize("noise", [0.0, 3.0, 7.0])
@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_a_second_time_changes_nothing(noise: float, strength: float) -> None:
    face, config = head(10, seed=4), TransferConfig(marks_strength=strength)
    marks = map_with(
        *(mole(v, f"m{v}", 2.5, d) for v, d in ((CHEEK, -14), (OTHER_CHEEK, -6), (FOREHEAD, 5), (205, -9)))
    )
    once = transfer_marks(skin(noise=noise), face, marks, config)
    twice = transfer_marks(once.image, face, marks, config)
    assert len(once.put) >= 3
    assert twice.put == ()
    np.testing.assert_array_equal(twice.image, once.image)


def test_the_portraits_own_copy_a_little_beside_is_found() -> None:
    face, image, mark = head(), skin(noise=2), mole(CHEEK)
    x, y = place(mark.anchor, face) + np.float32([4, -4])
    own = transfer_marks(image, face.moved(4, -4), map_with(mark)).image
    assert transfer_marks(own, face, map_with(mark)).skipped == {"m": "already there"}
    other = replace(mark, mark_id="n", anchor=_anchor_at(x, y, face))
    assert transfer_marks(own, face, map_with(mark, other)).put == ("m",)


def _anchor_at(x: float, y: float, face: Face) -> Anchor:
    found = anchor_of(np.array([x, y]), face)
    assert found is not None
    return found


def test_what_a_detector_found_is_not_drawn_again() -> None:
    face, mark = head(), mole(CHEEK)
    found = FoundMark("spot", (place(mark.anchor, face) + np.float32([3, 0]))[None], 10.0, 0.8)
    done = transfer_marks(skin(), face, map_with(mark, mole(OTHER_CHEEK, "n")), present=[found])
    assert (done.put, done.skipped) == (("n",), {"m": "already there"})
    far = replace(found, points=found.points + np.float32(40))
    freckle, pale = replace(found, diameter=4.0), replace(found, kind="scar")
    for other in (far, freckle, pale):
        assert transfer_marks(skin(), face, map_with(mark), present=[other]).put == ("m",)


def test_hidden_marks_stay_hidden() -> None:
    image, near, far = skin(), mole(CHEEK, "near"), mole(OTHER_CHEEK, "far")
    turned = transfer_marks(image, head(yaw=60), map_with(near, far))
    assert len(turned.put) == 1
    assert set(turned.skipped.values()) <= {"turned away", "hidden"}
    hat = np.zeros((SIZE, SIZE), np.float32)
    x, y = np.round(place(near.anchor, head())).astype(int)
    hat[y - 30 : y + 30, x - 30 : x + 30] = 1
    covered = transfer_marks(image, head(), map_with(near, far), hidden=hat)
    assert (covered.put, covered.skipped) == (("far",), {"near": "hidden"})
    outside = head().moved(-380, 0)
    gone = {"off the picture"}
    assert gone <= set(transfer_marks(image, outside, map_with(near, far)).skipped.values())


def test_nothing_is_drawn_into_a_beard_and_noise_is_no_beard() -> None:
    face, mark = head(), mole(152, diameter=3.0)
    beard = skin(noise=2)
    top = int(face.landmarks[17, 1])
    grown = beard.copy()
    grown[top:] = skin((30.0, 4.0, 6.0), noise=2)[top:]
    strands = np.random.default_rng(1).random((SIZE, SIZE)) < 0.4
    beard = np.where(strands[..., None], grown, beard)
    assert transfer_marks(beard, face, map_with(mark, mole(FOREHEAD, "n"))).skipped == {"m": "in hair"}
    assert transfer_marks(skin(noise=25), face, map_with(mole(CHEEK, drop=-40, diameter=6))).put == ("m",)


def test_hair_over_half_a_mole_leaves_the_other_half() -> None:
    image, face, mark = skin(), head(), mole(CHEEK, diameter=8.0)
    hair = np.zeros((SIZE, SIZE), np.float32)
    x = int(place(mark.anchor, face)[0])
    hair[:, x + 2 :] = 1
    result = transfer_marks(image, face, map_with(mark), hidden=hair).image
    assert (result[:, x + 2 :] == image[:, x + 2 :]).all()
    assert _darker(image, result)[:, : x + 2].max() > 10


@pytest.mark.parametrize(
    ("options", "reason"), [({"marks_strength": 0.0}, "strength 0"), ({"marks_least": 20.0}, "too small")]
)
def test_nothing_is_drawn(options: dict[str, float], reason: str) -> None:
    image = skin(noise=3)
    done = transfer_marks(image, head(), map_with(mole(CHEEK)), TransferConfig(**options))
    assert done.skipped == {"m": reason}
    np.testing.assert_array_equal(done.image, image)


def test_unsure_marks_are_left_out_and_strength_scales() -> None:
    image, face = skin(), head()
    assert transfer_marks(image, face, map_with(mole(CHEEK, confidence=0.2))).skipped == {"m": "unsure"}
    full, half = (_darker(image, _put(image, face, mole(CHEEK), marks_strength=s)).max() for s in (1.0, 0.5))
    assert 0.4 * full < half < 0.65 * full


@pytest.mark.parametrize(("action", "share", "reason"), [("soften", 0.5, "softened"), ("remove", 0.0, "removed")])
def test_what_the_portrait_shows_already_is_lessened(action: Action, share: float, reason: str) -> None:
    face, clean, mark = head(), skin(noise=2), mole(CHEEK, diameter=5.0)
    shown = _put(clean, face, mark)
    changed = map_with(replace(mark, action=action))
    done = transfer_marks(shown, face, changed)
    assert done.skipped == {"m": reason}
    dark = cv2.GaussianBlur(_darker(clean, done.image), (0, 0), 2)
    assert dark.max() == pytest.approx(share * cv2.GaussianBlur(_darker(clean, shown), (0, 0), 2).max(), abs=2.0)
    again = transfer_marks(done.image, face, changed)
    np.testing.assert_array_equal(again.image, done.image)


def test_a_mark_to_be_softened_is_drawn_softly_and_one_to_be_removed_not() -> None:
    image, face = skin(), head()
    soft = transfer_marks(image, face, map_with(replace(mole(CHEEK), action="soften")))
    assert soft.put == ("m",)
    full = _darker(image, _put(image, face, mole(CHEEK))).max()
    assert _darker(image, soft.image).max() == pytest.approx(full / 2, rel=0.25)
    gone = transfer_marks(image, face, map_with(replace(mole(CHEEK), action="remove")))
    assert gone.skipped == {"m": "to be removed"}
    np.testing.assert_array_equal(gone.image, image)


@settings(max_examples=8, deadline=None)
@given(
    vertex=st.sampled_from((CHEEK, OTHER_CHEEK, FOREHEAD, JAW, 397, 10, 152, 4, 127)),
    yaw=st.floats(-60, 60),
    drop=st.floats(-30, 15),
    diameter=st.floats(0.5, 8),
)
def test_outside_the_face_nothing_changes(vertex: int, yaw: float, drop: float, diameter: float) -> None:
    face, image = head(yaw), skin(noise=3)
    result = _put(image, face, mole(vertex, diameter=diameter, drop=drop))
    reach = np.ones((2 * int(3 * diameter) + 5,) * 2, np.uint8)
    around = cv2.dilate(oval_mask(face, (SIZE, SIZE)), reach)
    np.testing.assert_array_equal(result[around == 0], image[around == 0])


@pytest.mark.parametrize("diameter", [0.01, 60.0])
@pytest.mark.parametrize("action", ["keep", "remove"])
@pytest.mark.parametrize("patched", [True, False])
def test_marks_of_any_size_fit_into_pictures_of_any_size(diameter: float, action: Action, patched: bool) -> None:
    mark = cut_out("m", CHEEK, MEDIUM) if patched else mole(CHEEK)
    known = map_with(replace(mark, diameter_mm=diameter, action=action), wrinkle((50, 50), "w"))
    for side, scale in ((12, 0.015), (90, 0.11), (240, 0.3)):
        image = np.random.default_rng(3).integers(0, 256, (side, side, 3), np.uint8)
        done = transfer_marks(image, head().scaled(scale), known, TransferConfig(marks_least=0.0))
        assert {*done.put, *done.skipped} == {"m", "w"}
        assert done.image.shape == image.shape


def test_an_empty_map_gives_the_picture_itself() -> None:
    image = skin(noise=3)
    assert transfer_marks(image, head(), MarksMap()).image is image


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    from skimage.color import deltaE_ciede2000

    return float(deltaE_ciede2000(one, other))
