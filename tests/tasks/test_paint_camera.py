"""`paint` for cameras: shown as it comes, kept whole where asked, whatever ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.stylize.camera import Camera
from portraitist.stylize.config import PaintConfig, VideoConfig
from portraitist.stylize.film import open_film
from portraitist.tasks.paint_camera import Live, paint_camera, watch_camera
from portraitist.tasks.paint_config import PaintRequest, PaintSettings
from portraitist.types import Image
from tests.stylize import films
from tests.stylize.tiny_painter import painter

QUICK = PaintConfig(side=128, area="face")


@pytest.fixture
def swap(library: Any) -> str:
    painter(library.root / "painters" / "swap")
    return "swap"


def settings(painter_name: str, **video: Any) -> PaintSettings:
    return PaintSettings(PaintRequest(painter=painter_name), QUICK, video=VideoConfig(**video))


class Looping:
    """A camera that shows the same frames, then goes."""

    def __init__(self, frames: list[Image]) -> None:
        self.frames = [np.ascontiguousarray(frame[..., ::-1]) for frame in frames]

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def read(self) -> tuple[bool, Any]:
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self) -> None:
        self.frames.clear()


def test_a_camera_that_goes_leaves_a_whole_film(library: Any, swap: str, astronaut: Image, tmp_path: Path) -> None:
    camera = Camera(Looping(list(films.walk(astronaut, 4))), "camera 0", gone_after=0.3)
    made = paint_camera(library, camera, settings(swap), tmp_path / "live.mkv")
    with open_film(made.path) as film:
        shown = sum(1 for _ in film.moments())
    assert shown + made.recipe.details["dropped"] == 4
    assert "gone" in made.warnings[0]


def test_a_camera_without_a_picture(library: Any, swap: str, tmp_path: Path) -> None:
    def camera() -> Camera:
        return Camera(Looping([]), "camera 0", gone_after=0.1)

    with pytest.raises(InputError, match="gone"):
        paint_camera(library, camera(), settings(swap), tmp_path / "x.mp4")
    with pytest.raises(InputError, match="gone"):
        watch_camera(library, camera(), settings(swap), Live())
    assert list(tmp_path.glob("*.mp4")) == []


def test_so_many_seconds(library: Any, swap: str, astronaut: Image, tmp_path: Path) -> None:
    frames = list(films.walk(astronaut, 4)) * 200
    made = paint_camera(
        library, Camera(Looping(frames), "camera 0"), settings(swap, seconds=0.01), tmp_path / "live.mp4"
    )
    assert made.warnings == ()
    assert 1 <= made.recipe.details["frames"] < 100


def test_what_is_watched_is_shown_and_not_kept(library: Any, swap: str, astronaut: Image, tmp_path: Path) -> None:
    seen: list[Image] = []
    frames = list(films.walk(astronaut, 4)) * 200
    before = sorted(library.root.rglob("*"))
    live = Live(seen.append, lambda: len(seen) == 3)
    figures = watch_camera(library, Camera(Looping(frames), "camera 0"), settings(swap), live)
    assert figures.details["frames"] == len(seen) == 3
    assert figures.warnings == ()
    assert seen[0].shape == frames[0].shape
    assert sorted(library.root.rglob("*")) == before


def test_a_stop_that_was_asked_for_leaves_a_whole_film(
    library: Any, swap: str, astronaut: Image, tmp_path: Path
) -> None:
    frames = list(films.walk(astronaut, 4)) * 200
    live = Live(should_stop=lambda: True)
    made = paint_camera(library, Camera(Looping(frames), "camera 0"), settings(swap), tmp_path / "live.mkv", live)
    with open_film(made.path) as film:
        assert sum(1 for _ in film.moments()) == made.recipe.details["frames"] == 1
