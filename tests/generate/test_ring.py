"""The ring pass alone, with tiny weights: it paints around the face and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion import painter_loading
from portraitist.diffusion.base_row import Base
from portraitist.diffusion.bases import BASES as ROWS
from portraitist.diffusion.painters import Condition, ControlPainter, InpaintPainter
from portraitist.faces.reader import FaceReader
from portraitist.generate.ring import RingPass
from portraitist.types import Image
from tests.diffusion.tiny_bases import CALL, tiny_pipeline
from tests.diffusion.tiny_painters import BASES, tiny_control, tiny_painters
from tests.generate.test_template import FEW, SIDE


@pytest.fixture(scope="session")
def ring_pass() -> RingPass:
    return RingPass(tiny_painters("mini")[1], FEW, SIDE)


def test_it_paints_the_ring_only(ring_pass: RingPass, astronaut: Image, reader: FaceReader) -> None:
    face = reader.read(astronaut, embed=False)[0]
    painted = ring_pass(astronaut, face, "portrait", seed=3)
    apart = np.abs(painted.astype(int) - astronaut).max(axis=2)
    x, y = np.round(face.landmarks[4, :2]).astype(int)
    assert apart[y, x] == 0
    assert apart[400:].max() == 0
    assert apart.max() > 10
    np.testing.assert_array_equal(ring_pass(astronaut, face, "portrait", seed=3), painted)
    assert (ring_pass(astronaut, face, "portrait", seed=4) != painted).any()


@pytest.mark.parametrize("base", BASES)
def test_the_networks_that_drew_paint_it(base: str, monkeypatch: pytest.MonkeyPatch, astronaut: Image) -> None:
    """On every base's real class, with the controls of its family; LoRAs on the networks stay."""
    plain = tiny_pipeline(base)

    def networks(row: Base, pipeline: Any, kinds: Sequence[str], *rest: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
        return {kind: tiny_control(base, plain) for kind in kinds}, ()

    monkeypatch.setattr(painter_loading, "load_networks", networks)
    painter, _ = painter_loading.load_ring_painter(ROWS[base], plain, guidance_scale=2.0)
    assert isinstance(painter, ControlPainter | InpaintPainter)
    part = "unet" if hasattr(plain, "unet") else "transformer"
    assert getattr(painter.pipeline, part) is getattr(plain, part)
    painter.options = CALL.get(base, {})
    side = 64
    small, mask = np.ascontiguousarray(astronaut[:side, :side]), np.zeros((side, side), np.float32)
    mask[:32] = 1
    conditions = {kind: Condition(small, 1.0) for kind in painter.kinds}
    painted = painter.paint(small, mask, "portrait", conditions, strength=0.6, steps=2, seed=1)
    np.testing.assert_array_equal(painted[32:], small[32:])
    assert (painted[:32] != small[:32]).any()


def test_no_strength_paints_nothing(ring_pass: RingPass, astronaut: Image, reader: FaceReader) -> None:
    off = replace(ring_pass, config=replace(FEW, ring_denoise=0))
    face = reader.read(astronaut, embed=False)[0]
    np.testing.assert_array_equal(off(astronaut, face, "portrait", seed=3), astronaut)
