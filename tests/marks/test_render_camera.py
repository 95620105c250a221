"""The camera keeps what is there: light in proportion, noise as its level says, no shift."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portraitist.marks.render_camera import LINEAR_OF, _noisy, as_photographed, lit, photograph
from portraitist.marks.render_config import JUDGING, TRAINING, CameraConfig

PLAIN = np.full((256, 256, 3), 128, np.uint8)


def test_gains_act_on_linear_light_and_leave_the_rest() -> None:
    gain = np.ones((256, 256, 3), np.float32)
    gain[100:120, 100:120] = 0.5
    result = lit(PLAIN, gain)
    assert (result[:90] == 128).all()
    assert LINEAR_OF[result[110, 110]] == pytest.approx(0.5 * LINEAR_OF[128], rel=0.02)


@pytest.mark.parametrize("scale", [0.7, 1.0, 2.0, 3.3])
def test_a_mark_gets_no_sharper_than_its_photo_and_stays_in_place(scale: float) -> None:
    gain = np.ones((256, 256, 3), np.float32)
    cv2.circle(gain, (120, 140), 6, (0.2, 0.2, 0.2), -1)
    soft = as_photographed(gain, scale)
    loss, before = 1 - soft[..., 1], 1 - gain[..., 1]
    rows, columns = np.mgrid[:256, :256]
    for part, place in ((columns, 120), (rows, 140)):
        assert (part * loss).sum() / loss.sum() == pytest.approx(place, abs=0.2)
    assert loss.sum() == pytest.approx(before.sum(), rel=0.03)
    assert np.abs(np.diff(loss, axis=1)).max() < 0.9 * np.abs(np.diff(before, axis=1)).max()


@pytest.mark.parametrize("camera", [TRAINING.camera, JUDGING.camera])
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_a_photographed_picture_keeps_its_size_level_and_place(camera: CameraConfig, scale: float) -> None:
    picture = PLAIN.copy()
    cv2.circle(picture, (100, 130), 12, (60, 50, 40), -1)
    result = photograph(picture, scale, camera, np.random.default_rng(1))
    assert result.shape == picture.shape
    assert result[:50].mean() == pytest.approx(128, abs=2)
    dark = np.maximum(0, 100 - result.mean(-1))
    rows, columns = np.mgrid[:256, :256]
    assert (columns * dark).sum() / dark.sum() == pytest.approx(100, abs=0.7)
    assert (rows * dark).sum() / dark.sum() == pytest.approx(130, abs=0.7)


def test_noise_is_as_strong_as_its_level_and_grows_with_the_light() -> None:
    camera = CameraConfig(noise=(0.02, 0.02))
    spread = []
    for level in (60, 118, 220):
        result = _noisy(np.full((128, 128, 3), level, np.uint8), camera, np.random.default_rng(0))
        spread.append(float(LINEAR_OF[result[..., 1]].std()))
    assert spread[1] == pytest.approx(0.02, rel=0.1)
    assert spread[0] < 0.7 * spread[1] < 0.7 * spread[2]
