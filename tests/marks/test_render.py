"""Rendered marks lie on the skin, where and as large as the truth says, and are the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from portraitist.marks.anchor import anchor_of, facing
from portraitist.marks.kinds import KINDS, MarkKind
from portraitist.marks.render import Rendered, render_marks
from portraitist.marks.render_config import JUDGING, TRAINING, CameraConfig, RenderConfig
from portraitist.marks.view import SkinView
from tests.marks.plain_views import DARK_SKIN, LIGHT_SKIN, plain

CLEAN = CameraConfig(shrink=(1, 1), blur=(0.01, 0.01), noise=(0, 0), quality=(100, 100))
"""As little camera as possible: what is left is rounding and JPEG at its best."""
COUNTS = {"mole": "moles", "spot": "spots", "pimple": "pimples", "scar": "scars", "wrinkle": "wrinkles"}


def only(kind: MarkKind, count: int = 4, config: RenderConfig = TRAINING) -> RenderConfig:
    none = dict.fromkeys([*COUNTS.values(), "freckle_groups", "hairs"], (0, 0))
    return replace(config, **{**none, COUNTS[kind]: (count, count)}, hairy=0.0, camera=CLEAN)


def render(view: SkinView, config: RenderConfig, seed: int = 0) -> Rendered:
    return render_marks(view, config, np.random.default_rng(seed))


def change(view: SkinView, rendered: Rendered) -> np.ndarray:
    """(side, side) lightness of the result less that of the view, L*."""
    pair = [cv2.cvtColor(v.pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0] for v in (rendered.view, view)]
    return np.asarray(pair[0] - pair[1])


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_the_same_seed_gives_the_same_picture(config: RenderConfig) -> None:
    view = plain(noise=3)
    one, same, other = render(view, config, 3), render(view, config, 3), render(view, config, 4)
    np.testing.assert_array_equal(one.view.pixels, same.view.pixels)
    np.testing.assert_array_equal(one.ignore, same.ignore)
    assert [m.points.tolist() for m in one.marks] == [m.points.tolist() for m in same.marks]
    assert not np.array_equal(one.view.pixels, other.view.pixels)


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
@pytest.mark.parametrize("colour", [LIGHT_SKIN, DARK_SKIN])
def test_moles_are_darkest_at_the_truth_and_as_wide_as_it_says(
    config: RenderConfig, colour: tuple[int, int, int]
) -> None:
    view = plain(colour, 1024)
    setting = replace(
        only("mole", 6, config), mole_mm=(2.0, 4.0), mole_density=(0.8, 1.4), raised=0.0, two_toned=0.0, mottled=(0, 0)
    )
    rendered = render(view, setting)
    darker = -change(view, rendered)
    assert len(rendered.marks) == 6
    for mark in rendered.marks:
        x, y = mark.points[0].round().astype(int)
        reach = int(mark.diameter or 0)
        around = darker[y - reach : y + reach + 1, x - reach : x + reach + 1]
        assert mark.is_sure
        assert around.max() > 4
        rows, columns = np.nonzero(around > 0.5 * around.max())
        assert np.hypot(columns.mean() - reach, rows.mean() - reach) < 0.15 * reach
        # Half of the change in lightness lies a little further out than half of the change in light.
        assert 2 * np.sqrt(len(rows) / np.pi) == pytest.approx(mark.diameter, rel=0.2)


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_creases_are_dark_along_the_truth(config: RenderConfig) -> None:
    view = plain(side=1024)
    rendered = render(view, only("wrinkle", 4, config), 5)
    darker = -change(view, rendered)
    assert len(rendered.marks) == 4
    for mark in rendered.marks:
        x, y = mark.points.round().astype(int).T
        on_line = darker[y, x]
        assert on_line.mean() > 1.5
        assert (on_line > 0).mean() > 0.9
        assert 0.4 < (mark.diameter or 0) * view.mm < 4


@pytest.mark.parametrize("colour", [LIGHT_SKIN, DARK_SKIN])
@pytest.mark.parametrize("kind", ["mole", "spot", "pimple"])
def test_pigment_darkens_skin_of_any_colour_and_takes_more_green_than_red(
    kind: MarkKind, colour: tuple[int, int, int]
) -> None:
    view = plain(colour, 512)
    rendered = render(view, replace(only(kind), raised=0.0), 2)
    assert len(rendered.marks) == 4
    # A faint spot on dark skin is not asked for: its mottles are as strong as it is. It is said to be doubted.
    seen = [mark for mark in rendered.marks if mark.is_sure]
    assert len(seen) >= 2
    for mark in seen:
        x, y = mark.points[0].round().astype(int)
        before, after = (v.pixels[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1)) + 1 for v in (view, rendered.view))
        ratio = after / before
        assert ratio[1] < 0.97
        if colour == LIGHT_SKIN:
            assert ratio[0] > ratio[1]


def test_scars_are_paler_or_darker() -> None:
    view = plain(side=512)
    found = []
    for seed in range(3):
        rendered = render(view, only("scar", 6), seed)
        found += [float(change(view, rendered)[tuple(m.points[0].round().astype(int)[::-1])]) for m in rendered.marks]
    assert max(found) > 1
    assert min(found) < -1


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_all_is_on_free_skin_and_nothing_overlaps(config: RenderConfig) -> None:
    view = plain(side=512, yaw=20)
    ignore = np.zeros((512, 512), np.float32)
    ignore[:, :200] = 1
    taken = np.zeros((512, 512), int)
    seen = 0
    for seed in range(2):
        rendered = render_marks(view, replace(config, moles=(6, 6)), np.random.default_rng(seed), ignore)
        taken[:] = 0
        for mark in rendered.marks:
            own = np.zeros((512, 512), np.uint8)
            x, y = mark.points.round().astype(int).T
            assert (view.skin[y, x] > 0.99).all()
            assert (ignore[y, x] == 0).all()
            if mark.kind != "wrinkle":
                cv2.circle(own, (int(x[0]), int(y[0])), int((mark.diameter or 0) / 2), 1, -1)
            else:
                cv2.polylines(own, [np.stack([x, y], axis=-1).astype(np.int32)], False, 1)
            taken += own
            seen += 1
        assert taken.max() == 1
    assert seen > 12


def test_nothing_changes_off_the_skin_before_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    view = plain(noise=4)
    monkeypatch.setattr("portraitist.marks.render.photograph", lambda pixels, *_: pixels)
    rendered = render(view, TRAINING, 1)
    differs = (rendered.view.pixels != view.pixels).any(-1)
    assert differs.sum() > 100
    assert not differs[view.skin == 0].any()


def test_marks_that_hardly_show_are_doubted_and_ignored() -> None:
    view = plain(noise=25)
    faint = replace(only("spot", 5), spot_density=(0.03, 0.04))
    rendered = render(view, faint)
    assert len(rendered.marks) == 5
    for mark in rendered.marks:
        x, y = mark.points[0].round().astype(int)
        assert not mark.is_sure
        assert rendered.ignore[y, x] == 1
    assert render(plain(), only("mole")).ignore.max() == 0


@pytest.mark.parametrize("config", [TRAINING, JUDGING])
def test_without_skin_there_are_no_marks(config: RenderConfig) -> None:
    view = plain()
    rendered = render(replace(view, skin=np.zeros_like(view.skin)), config)
    assert rendered.marks == ()
    covered = render_marks(view, config, np.random.default_rng(0), np.ones_like(view.skin))
    assert covered.marks == ()


@pytest.mark.parametrize("side", [16, 32, 64, 160])
def test_tiny_views_are_rendered_too(side: int) -> None:
    view = plain(side=side)
    rendered = render(view, TRAINING, side)
    assert rendered.view.pixels.shape == (side, side, 3)
    assert rendered.view.pixels.dtype == np.uint8
    for mark in rendered.marks:
        assert (mark.points >= 0).all()
        assert (mark.points <= side).all()


def test_moles_are_foreshortened_where_the_skin_turns_away() -> None:
    view = plain(side=1024)
    setting = replace(only("mole", 12), mole_mm=(4.0, 4.0), irregular=(0, 0), raised=0.0, two_toned=0.0, mottled=(0, 0))
    cosines = []
    for mark in render(view, setting).marks:
        anchor = anchor_of(mark.points[0], view.face)
        assert anchor is not None
        cosines.append(facing(anchor, view.face))
        # Up to a quarter longer than across, seen shorter by the cosine. Normals are smoothed over the triangles.
        assert (mark.diameter or 0) * view.mm == pytest.approx(4.0 * np.sqrt(cosines[-1]), rel=0.12)
    assert max(cosines) - min(cosines) > 0.2


def test_every_kind_is_rendered() -> None:
    view = plain(side=512)
    for config in (TRAINING, JUDGING):
        found: set[MarkKind] = set()
        for seed in range(12):
            found |= {mark.kind for mark in render(view, config, seed).marks}
            if found == set(KINDS):
                break
        assert found == set(KINDS)
