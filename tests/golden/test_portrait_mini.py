"""The shipped weights of portrait-mini by statistics, not pixels: faces are found, words move what they name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist import weights
from portraitist.diffusion.conditions import draw_mesh
from portraitist.diffusion.face_facts import FactReader
from portraitist.diffusion.painters import as_picture
from portraitist.diffusion.portrait_mini import CONTROLS, NAME, load_pipeline
from portraitist.faces.align import portrait_matrix
from portraitist.faces.reader import FaceReader
from portraitist.faces.topology import mean_face
from portraitist.generate.config import DrawConfig
from portraitist.generate.text import TextEngine
from portraitist.geometry import apply
from portraitist.library import Library
from portraitist.types import Image, Points

COUNT = 6
SHELF = Path(weights.__file__).parents[2] / "weights"


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    library.accept_noncommercial("test")
    return library


@pytest.fixture(scope="module")
def engine(accepted: Library) -> TextEngine:
    return TextEngine(load_pipeline(library=accepted), DrawConfig(), 20, 1.4)


@pytest.fixture(scope="module")
def facts(reader: FaceReader) -> FactReader:
    return FactReader(reader, FactReader.load().person)


def drawn(engine: TextEngine, words: str) -> Sequence[Image]:
    return engine.draw([f"portrait, {words}"] * COUNT, "", seed=3)


def test_the_folder_is_whole_licensed_and_small() -> None:
    row = weights.row(NAME)
    assert row.noncommercial
    assert row.licence == "CC-BY-NC-SA-4.0"
    assert weights.verify(NAME)
    whole = sum(path.stat().st_size for path in (SHELF / NAME).rglob("*") if path.is_file())
    assert whole < 36e6
    assert "CC BY-NC-SA" in (SHELF / NAME / "README.md").read_text()


def test_faces_are_found_and_words_move_the_background(engine: TextEngine, facts: FactReader) -> None:
    dark, light = (drawn(engine, f"facing the camera, {kind} background") for kind in ("dark", "light"))
    read = [[facts(image) for image in images] for images in (dark, light)]
    found = [entry for entries in read for entry in entries if entry is not None]
    assert len(found) >= 11
    means = [np.mean([f[1].background for f in entries if f and f[1].background is not None]) for entries in read]
    assert means[1] - means[0] > 15


def test_words_turn_the_head(engine: TextEngine, facts: FactReader) -> None:
    left, right = (
        [f[1].yaw for image in drawn(engine, f"turned {side}") if (f := facts(image))] for side in ("left", "right")
    )
    assert np.mean(right) - np.mean(left) > 15


def test_pictures_differ_and_are_neither_flat_nor_noise(engine: TextEngine) -> None:
    images = np.stack(drawn(engine, "smiling")).astype(np.float32)
    assert images.std(axis=0).mean() > 20
    assert 25 < images.std() < 90
    fine = np.abs(np.diff(images, axis=2)).mean()
    assert 3 < fine < 16


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_loads_and_fits(accepted: Library, name: str) -> None:
    pipeline = load_pipeline(control=name, library=accepted)
    assert tuple(pipeline.controlnet.config.base_channels) == tuple(pipeline.unet.config.block_out_channels)


def test_a_head_is_drawn_as_its_mesh_is_turned(accepted: Library, facts: FactReader) -> None:
    """The same words and noise, the mean face's mesh turned to either side: the drawn heads follow."""
    pipeline = load_pipeline(control="mesh", library=accepted)
    yaws = []
    for degrees in (-25, 25):
        picture = as_picture(draw_mesh(turned(degrees), (128, 128)))
        engine = TextEngine(pipeline, DrawConfig(), 20, 1.4, options={"image": [picture] * COUNT})
        read = [facts(image) for image in drawn(engine, "dark background")]
        yaws.append([entry[1].yaw for entry in read if entry is not None])
    assert min(map(len, yaws)) >= COUNT - 1
    assert np.mean(yaws[0]) - np.mean(yaws[1]) > 25, yaws


def turned(degrees: float) -> Points:
    """The mean face about its vertical axis, where portraits have it."""
    angle, points = np.radians(degrees), mean_face()
    x = points[:, 0] * np.cos(angle) + points[:, 2] * np.sin(angle)
    return apply(portrait_matrix(points, 128), np.stack([x, points[:, 1]], axis=1))
