"""What every engine of the task `paint` promises: one row of this matrix for each of its rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraitist import registry
from portraitist.errors import ConfigError, InputError, PlacementError
from portraitist.placement import Placement
from portraitist.progress import Step, silent
from portraitist.stylize.config import PaintConfig, PencilConfig
from portraitist.stylize.engine import FilePaintConfig, Painted, PaintItem
from portraitist.types import Face, Image
from tests.stylize.tiny_painter import network, painter

NAMES = tuple(registry.TASKS["paint"])
HERE = Placement(threads=1)
QUICK = PaintConfig(side=128, full_side=256)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("painter")
    painter(folder)
    return folder


@pytest.fixture(scope="module")
def faces(astronaut: Image, reader: Any) -> list[Face]:
    return [max(reader.read(astronaut, embed=False), key=lambda face: face.width)]


def build(name: str, folder: Path, config: PaintConfig = QUICK, report: Any = silent, device: str = "cpu") -> Any:
    from portraitist.stylize.painter_file import read_painter

    given = {"pencil": config, "painter": FilePaintConfig(read_painter(folder), config)}
    assert name in given, "add the engine's config here, so that its promises are checked"
    return registry.build("paint", name, given[name], Placement(device, 1), report)


def paint(name: str, folder: Path, image: Image, faces: list[Face], **changes: Any) -> Painted:
    engine = build(name, folder, dataclasses.replace(QUICK, **changes))
    (painted,) = engine(PaintItem(image, faces), seed=0)
    return painted


@pytest.mark.parametrize("name", NAMES)
def test_promises(name: str, folder: Path, astronaut: Image, faces: list[Face], capsys: Any) -> None:
    steps: list[Step] = []
    engine, before = build(name, folder, report=steps.append), astronaut.copy()
    first = next(engine(PaintItem(astronaut, faces), seed=0))
    again = next(engine(PaintItem(astronaut, faces), seed=5))
    assert np.array_equal(first.image, again.image), "nothing is drawn by chance"
    assert np.array_equal(astronaut, before), "the picture given is left as it was"
    assert np.array_equal(first.image[first.changed == 0], astronaut[first.changed == 0])
    assert 0.02 < (first.changed > 0.5).mean() < 0.6
    assert steps[-1] == Step("paint", 1, 1)
    assert next(engine(PaintItem(astronaut, []), seed=0)).changed.max() == 0, "nobody to paint"
    assert capsys.readouterr() == ("", "")
    with pytest.raises(PlacementError, match="cuda"):
        build(name, folder, device="cuda")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("area", ["face", "head", "full"])
def test_strength_goes_from_the_picture_to_the_painting(
    name: str, area: str, folder: Path, astronaut: Image, faces: list[Face]
) -> None:
    results = [paint(name, folder, astronaut, faces, area=area, strength=s).image for s in (0.0, 0.3, 0.6, 1.0)]
    away = [float(np.abs(result.astype(int) - astronaut).mean()) for result in results]
    assert away[0] == 0
    assert away == sorted(set(away)), "more strength is further from the picture"


def test_areas_are_nested(folder: Path, astronaut: Image, faces: list[Face]) -> None:
    shown = [
        (paint("painter", folder, astronaut, faces, area=a).changed > 0.01).sum() for a in ("face", "head", "full")
    ]
    assert shown == sorted(set(shown))
    people = paint("painter", folder, astronaut, faces, area="full", background="keep")
    assert shown[1] < (people.changed > 0.01).sum() < shown[2]
    bald = paint("painter", folder, astronaut, faces, hair="keep").changed
    kept = paint("painter", folder, astronaut, faces).changed
    assert shown[0] * 0.9 < (bald > 0.01).sum() < (kept > 0.01).sum()


def test_a_full_picture_is_all_of_it(folder: Path, astronaut: Image, faces: list[Face]) -> None:
    painted = paint("painter", folder, astronaut, faces, area="full", full_side=512)
    assert painted.changed.min() == 1
    assert np.abs(painted.image.astype(int) - astronaut[..., ::-1]).mean() < 2, "red for blue, everywhere"


def test_no_seam(folder: Path, astronaut: Image, faces: list[Face]) -> None:
    """How much shows changes by little from pixel to pixel: no border can be seen."""
    shown = paint("painter", folder, astronaut, faces, area="face").changed
    assert max(np.abs(np.diff(shown, axis=0)).max(), np.abs(np.diff(shown, axis=1)).max()) < 0.3


def test_an_avatar_is_cut_out(folder: Path, astronaut: Image, faces: list[Face]) -> None:
    painted = paint("pencil", folder, astronaut, faces, background="transparent", avatar_side=256)
    assert painted.image.shape == (256, 256, 4)
    alpha = painted.image[..., 3]
    assert alpha[110:180, 105:155].min() == 255, "the face is there"
    assert alpha[:90, :40].max() < 30, "the flag behind her is not"
    with pytest.raises(InputError, match="none"):
        paint("painter", folder, astronaut, [], background="transparent")
    with pytest.raises(ConfigError, match="full"):
        PaintConfig(background="transparent", area="full")


def test_neighbours_are_painted_once(folder: Path, astronaut: Image, reader: Any) -> None:
    """Two copies side by side: painting red for blue twice would be red again."""
    double = np.ascontiguousarray(np.hstack([astronaut[:, 60:360], astronaut[:, 60:360]]))
    found = reader.read(double, embed=False)
    pair = [face for face in found if face.width > 60]
    assert len(pair) == 2
    both = paint("painter", folder, double, pair, area="head")
    left = next(build("painter", folder)(PaintItem(double, pair[:1], pair[1:]), seed=0))
    core = left.changed > 0.99
    assert np.abs(both.image.astype(int) - left.image)[core].max() <= 1
    centre = tuple(int(v) for v in pair[1].centre[::-1])
    assert left.changed[centre] == 0, "who is among the others stays"


def test_the_painters_own_mask_counts(tmp_path: Path, astronaut: Image, faces: list[Face]) -> None:
    """Its mask is the picture's red: where there is none, nothing is painted."""
    painter(tmp_path, network(with_mask=True))
    black = np.zeros_like(astronaut)
    assert paint("painter", tmp_path, black, faces, area="face").changed.max() < 0.01


@pytest.mark.parametrize("medium", ["pencil", "colour-pencil", "ink"])
def test_a_drawing_is_drawn(medium: str, folder: Path, astronaut: Image, faces: list[Face], reader: Any) -> None:
    """Another medium is another picture; there is paper and there are dark lines; the face is still one."""
    config = PaintConfig(side=512, pencil=PencilConfig(medium=medium))
    drawn = next(build("pencil", folder, config)(PaintItem(astronaut, faces), seed=0))
    inside = drawn.image[drawn.changed > 0.99]
    grey = inside.mean(axis=1)
    assert (grey > 200).mean() > 0.1
    assert (grey < 110).mean() > 0.02
    found = reader.read(drawn.image, embed=False)
    nearest = min(found, key=lambda face: float(np.linalg.norm(face.centre - faces[0].centre)))
    away = np.linalg.norm(nearest.landmarks[:, :2] - faces[0].landmarks[:, :2], axis=1).mean()
    assert away < 0.06 * faces[0].width


def test_dark_skin_is_drawn_with_as_many_lines(folder: Path, astronaut: Image) -> None:
    """Lines follow ratios of brightness: half the light draws the same lines."""
    from portraitist.stylize.pencil import line_darkness

    light = (astronaut[..., 1] / np.float32(255) * np.float32(0.9) + np.float32(0.1)).astype(np.float32)
    bright, dim = line_darkness(light, PencilConfig()), line_darkness(light * np.float32(0.4), PencilConfig())
    assert np.abs(bright - dim).mean() < 0.01 < bright.mean()


@pytest.mark.parametrize("skin", [(61, 38, 29), (141, 94, 70), (236, 200, 180)])
def test_coloured_pencil_keeps_the_tone_of_skin(skin: tuple[int, int, int]) -> None:
    """Dark skin beside a white wall stays as dark and as warm; a drawing that evens tones out would bleach it."""
    import cv2

    from portraitist.stylize.pencil import PencilPainter

    picture = np.full((160, 160, 3), 240, np.uint8)
    cv2.ellipse(picture, (80, 80), (40, 55), 0, 0, 360, skin, -1)
    drawn = PencilPainter(PencilConfig(medium="colour-pencil"))(picture).image

    def tone(image: Image) -> np.ndarray:
        scaled = image[60:100, 60:100].astype(np.float32) / np.float32(255)
        return cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB).reshape(-1, 3).mean(axis=0)

    before, after = tone(picture), tone(drawn)
    assert abs(after[0] - before[0]) < 14
    assert np.hypot(*after[1:]) > 0.85 * np.hypot(*before[1:])
