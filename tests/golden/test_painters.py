"""Every painter that ships: small enough, as it was measured, and a face stays that face where it was."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist import weights
from portraitist.faces.reader import FaceReader
from portraitist.placement import Placement
from portraitist.stylize.config import PaintConfig
from portraitist.stylize.engine import PaintItem
from portraitist.stylize.grid import border_ratio
from portraitist.stylize.painter_file import PainterFile, read_painter
from portraitist.tasks.painters import PREFIX, Painter
from portraitist.types import Image

SHIPPED = [name for name in weights.TABLE if name.startswith(PREFIX)]
MOST_BYTES, MOST_BYTES_TOGETHER = 2_000_000, 6_000_000
COLOURS = {
    "ink-live": (216.8, 47.4),
    "pencil-live": (204.6, 36.4),
    "lorelei": (200.1, 87.1),
    "open-peeps": (153.5, 64.3),
}
"""Mean and deviation of the grey values painted into the middle of the astronaut's face."""


def _file(name: str) -> PainterFile:
    path = weights.local_path(name)
    assert path is not None
    return read_painter(path)


def test_together_they_are_small() -> None:
    sizes = [weights.row(name).size or 0 for name in SHIPPED]
    assert sizes
    assert max(sizes) <= MOST_BYTES
    assert sum(sizes) <= MOST_BYTES_TOGETHER


@pytest.mark.parametrize("name", SHIPPED)
def test_whole_with_a_card(name: str) -> None:
    assert weights.verify(name)
    file, row = _file(name), weights.row(name)
    assert PREFIX + file.card.name == name
    assert (file.card.licence, file.card.noncommercial) == (row.licence, row.noncommercial)
    assert file.card.made_from
    words = (file.folder / "README.md").read_text()
    for part in ("## How it was made", "## Where it fails", "| skin dark", "| glasses", "| beard", "| yaw over 15"):
        assert part in words, part


@pytest.mark.parametrize("name", SHIPPED)
def test_a_face_stays_that_face(name: str, astronaut: Image, reader: FaceReader) -> None:
    painter = Painter(name.removeprefix(PREFIX), _file(name))
    engine = painter.build(PaintConfig(), Placement())
    (face,) = reader.read(astronaut, embed=False)
    painted = next(engine(PaintItem(astronaut, [face])))
    assert np.array_equal(painted.image[painted.changed == 0], astronaut[painted.changed == 0])
    (found,) = reader.read(painted.image, embed=False)
    away = np.linalg.norm(found.landmarks[:, :2] - face.landmarks[:, :2], axis=1).mean()
    assert away / np.ptp(face.landmarks[:, 0]) < 0.06
    x0, y0, x1, y1 = face.box_xyxy.astype(int)
    middle = painted.image[y0:y1, x0:x1].mean(axis=2)
    assert (middle.mean(), middle.std()) == pytest.approx(COLOURS[painter.name], abs=1.5)
    drawing = engine.painter(np.ascontiguousarray(astronaut[:512, :512])).image
    assert border_ratio(drawing.astype(np.float32)) < 1.1
