"""The grid of identity against richness: the source is no distance from itself, the style the farthest."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.stylize.generator.blend import Curve
from portraitist.stylize.generator.sample import sample_latents
from portraitist.stylize.generator.trade_off import trade_off, trade_off_sheet, usual_curves
from portraitist.types import Image
from tests.stylize.generator.small import trained


def _apart(one: Image, other: Image) -> float | None:
    return float(np.abs(one.astype(float) - other).mean())


def test_columns_go_from_the_source_to_the_style() -> None:
    source, style = trained(0), trained(1)
    latents = sample_latents(source.generator, 3)
    curves = [Curve(1, strength=s) for s in (0.0, 0.5, 1.0)]
    columns = trade_off(source, style, latents, curves, _apart)
    distances = [column.distance for column in columns]
    assert distances[0] == 0
    assert distances == sorted(distances)  # type: ignore[type-var]
    assert columns[0].richness == pytest.approx(1)
    assert "0 from the source (3)" in columns[0].caption.replace("0.00", "0")
    sheet = trade_off_sheet(columns, cell=32)
    assert sheet.shape[2] == 3
    assert sheet.shape[1] > 3 * 32


def test_no_face_is_said() -> None:
    source = trained(0)
    (column,) = trade_off(source, source, sample_latents(source.generator, 2), [Curve(8)], lambda a, b: None)
    assert column.distance is None
    assert "no face found" in column.caption


def test_usual_curves_of_a_side() -> None:
    assert [curve.swap_side for curve in usual_curves(64)] == [16, 64, 32, 16, 8, 16, 1]
