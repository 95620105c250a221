"""`paint` for videos and cameras: a file with its recipe, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraitist.cli.main import main
from portraitist.errors import ConfigError, InputError
from portraitist.library import Consent
from portraitist.stylize.config import PaintConfig
from portraitist.stylize.film import open_film
from portraitist.tasks.add import add
from portraitist.tasks.paint_config import PaintRequest, PaintSettings
from portraitist.tasks.paint_video import paint_video
from portraitist.tasks.replay import replay
from portraitist.types import Image
from tests.stylize import films
from tests.stylize.tiny_painter import painter

QUICK = PaintConfig(side=128, area="face")


@pytest.fixture
def swap(library: Any) -> str:
    painter(library.root / "painters" / "swap")
    return "swap"


@pytest.fixture
def film_path(astronaut: Image, tmp_path: Path) -> Path:
    return films.write(tmp_path / "walk.mkv", list(films.walk(astronaut, 8)), sound=True)


def settings(**request: Any) -> PaintSettings:
    return PaintSettings(PaintRequest(**request), QUICK)


def frames_of(path: Path) -> list[Image]:
    with open_film(path) as film:
        return [moment.image for moment in film.moments()]


def test_a_video_is_painted(library: Any, swap: str, film_path: Path, tmp_path: Path) -> None:
    made = paint_video(library, film_path, settings(painter=swap), tmp_path / "painted.mp4")
    before, after = frames_of(film_path), frames_of(made.path)
    assert len(after) == 8
    face = np.s_[40:80, 60:100]
    assert np.mean([np.abs(a[face].astype(int) - b[face]).mean() for a, b in zip(after, before)]) > 15
    assert np.mean([np.abs(a[140:].astype(int) - b[140:]).mean() for a, b in zip(after, before)]) < 8
    recipe = json.loads((tmp_path / "painted.json").read_text())
    assert recipe["details"]["frames"] == 8
    assert recipe["inputs"][0]["role"] == "video"
    assert made.warnings == ()
    with pytest.raises(ConfigError, match="not replayed"):
        replay(library, tmp_path / "painted.json")


def test_privacy_leaves_the_sitter(
    library: Any, swap: str, astronaut_path: Path, film_path: Path, tmp_path: Path
) -> None:
    add(library, "collins", [astronaut_path], consent=Consent.now("a test", "here"))
    asked = settings(painter=swap, sitter="collins", privacy=True)
    made = paint_video(library, film_path, asked, tmp_path / "painted.mkv")
    assert made.recipe.details["searched"] == 8, "every frame is searched"
    face = np.s_[40:80, 60:100]
    pairs = zip(frames_of(made.path), frames_of(film_path))
    assert np.mean([np.abs(a[face].astype(int) - b[face]).mean() for a, b in pairs]) < 10


def test_what_makes_no_sense_is_refused(library: Any, film_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="marks"):
        paint_video(library, film_path, settings(marks=True), tmp_path / "a.mp4")
    with pytest.raises(InputError, match=r"expected \.mp4"):
        paint_video(library, film_path, settings(), tmp_path / "a.png")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    assert main(["stylize", str(broken), "--out", str(tmp_path / "b.mp4"), "--library", str(library.root)]) == 3
    assert not (tmp_path / "b.mp4").exists()
