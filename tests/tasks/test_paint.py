"""`paint`: pictures with their recipes, who is painted, what replays, and what is refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from portraitist.cli.main import main
from portraitist.errors import ConfigError, InputError, WeightsError
from portraitist.geometry import fit_within
from portraitist.image import encode_image, open_photo
from portraitist.library import Consent
from portraitist.provenance import read_recipe, saved_portraits
from portraitist.stylize.config import PaintConfig
from portraitist.tasks.add import add
from portraitist.tasks.paint import paint
from portraitist.tasks.paint_config import PaintRequest, PaintSettings
from portraitist.tasks.paint_people import UNKNOWN
from portraitist.tasks.painters import PREFIX, find_painter, painters
from portraitist.tasks.replay import replay
from portraitist.types import Image
from portraitist.weights import TABLE
from tests.stylize.tiny_painter import painter

QUICK = PaintConfig(side=128)


def settings(paint_config: PaintConfig = QUICK, **request: Any) -> PaintSettings:
    return PaintSettings(PaintRequest(**request), paint_config)


@pytest.fixture
def couple_path(astronaut: Image, hopper: Image, tmp_path: Path) -> Path:
    """Collins and Hopper beside each other."""
    path = tmp_path / "couple.png"
    both = np.hstack([astronaut[:400, 40:400], hopper[60:460, 60:450]])
    path.write_bytes(encode_image(fit_within(both, 480), "png"))
    return path


@pytest.fixture
def collins(library: Any, astronaut_path: Path) -> str:
    add(library, "collins", [astronaut_path], consent=Consent.now("a test", "here"))
    return "collins"


def test_a_photo_is_painted_and_replays(library: Any, astronaut_path: Path, tmp_path: Path) -> None:
    made = paint(library, [str(astronaut_path)], settings(painter="ink"), out=tmp_path / "drawn.png")
    assert made.skipped == []
    (saved,) = made.saved
    assert saved.path == tmp_path / "drawn.png"
    assert (saved.recipe.task, saved.recipe.engine, saved.recipe.source_type) == ("paint", "pencil", "composite")
    assert saved.recipe.measures["painted"][0]["distance"] > 0.2
    assert saved.recipe.likeness is None, "a painting of a photo is never held against that photo"
    before = open_photo(astronaut_path).pixels()
    after = open_photo(saved.path).pixels()
    assert np.array_equal(after[400:, :100], before[400:, :100])
    assert np.abs(after[60:200, 180:270].astype(int) - before[60:200, 180:270]).mean() > 20


def test_a_changed_photo_does_not_replay(library: Any, astronaut: Image, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(encode_image(astronaut, "png"))
    (saved,) = paint(library, [str(photo)], settings(), out=tmp_path / "out").saved
    photo.write_bytes(encode_image(astronaut[:, ::-1], "png"))
    with pytest.raises(InputError, match="was changed since it was painted"):
        replay(library, saved.recipe_path)


def test_an_album_goes_into_the_library(library: Any, collins: str, tmp_path: Path) -> None:
    (saved,) = paint(library, [collins], settings()).saved
    assert saved.path.parent == library.sitter(collins).portraits_dir
    assert saved.recipe.sitters == (collins,)
    assert saved.recipe.inputs[0].role == "album"
    assert replay(library, saved.recipe_path, out=tmp_path).identical
    assert len(list(saved_portraits(library.sitter(collins).portraits_dir))) == 1
    assert paint(library, [collins], settings(of="portraits")).saved == [], "a painting is not painted again"


def test_an_avatar_has_transparency(library: Any, astronaut_path: Path, tmp_path: Path) -> None:
    cut = replace(QUICK, background="transparent", avatar_side=256)
    (saved,) = paint(library, [str(astronaut_path)], settings(cut), out=tmp_path / "avatar.png").saved
    with Pillow.open(saved.path) as written:
        assert (written.mode, written.size) == ("RGBA", (256, 256))
    assert saved.recipe.measures["painted"] == [{}], "one face"
    assert replay(library, saved.recipe_path).identical
    with pytest.raises(InputError, match="no transparency"):
        paint(library, [str(astronaut_path)], settings(cut), out=tmp_path / "avatar.jpg")
    with pytest.raises(ConfigError, match="jpeg"):
        settings(cut, format="jpeg")


def test_only_the_sitter(library: Any, collins: str, couple_path: Path, tmp_path: Path) -> None:
    asked = settings(sitter=collins, only_sitter=True)
    (saved,) = paint(library, [str(couple_path)], asked, out=tmp_path / "one.png").saved
    before, after = open_photo(couple_path).pixels(), open_photo(saved.path).pixels()
    changed = np.abs(after.astype(int) - before).max(axis=2) > 0
    assert changed[:, :210].mean() > 0.1
    assert changed[:, 240:].mean() < 0.001


def test_privacy_hides_everybody_else(library: Any, collins: str, couple_path: Path, tmp_path: Path) -> None:
    asked = settings(sitter=collins, privacy=True)
    (saved,) = paint(library, [str(couple_path)], asked, out=tmp_path / "hidden.png").saved
    (record,) = saved.recipe.measures["painted"]
    assert record["hidden"]
    assert record["distance"] > UNKNOWN
    before, after = open_photo(couple_path).pixels(), open_photo(saved.path).pixels()
    changed = np.abs(after.astype(int) - before).max(axis=2) > 0
    assert changed[:, :210].mean() < 0.02, "the sitter stays"
    assert changed[:, 240:].mean() > 0.1


def test_privacy_says_when_it_fails(library: Any, collins: str, couple_path: Path, tmp_path: Path) -> None:
    """A painter that paints nothing cannot hide anybody by itself; without levels left it says so."""
    from portraitist.tasks.paint_studio import _warnings

    assert _warnings([{"hidden": True}, {"hidden": False}]) == [
        "privacy: 1 of 2 faces may still be known by a recogniser; cover them"
    ]
    with pytest.raises(ConfigError, match="strength 1"):
        settings(replace(QUICK, strength=0.5), sitter=collins, privacy=True)
    with pytest.raises(ConfigError, match="cut-out"):
        settings(replace(QUICK, background="transparent"), sitter=collins, privacy=True)
    with pytest.raises(ConfigError, match="marks"):
        settings(replace(QUICK, background="transparent"), sitter=collins, marks=True)
    with pytest.raises(ConfigError, match="--sitter"):
        paint(library, [str(couple_path)], settings(privacy=True), out=tmp_path / "x.png")


def test_nobody_to_paint_is_skipped_and_named(library: Any, astronaut_path: Path, tmp_path: Path) -> None:
    empty, broken = tmp_path / "wall.png", tmp_path / "broken.png"
    empty.write_bytes(encode_image(np.full((200, 200, 3), 128, np.uint8), "png"))
    broken.write_bytes(b"no picture")
    sources = [str(empty), str(broken), str(astronaut_path), str(tmp_path / "gone.jpg")]
    made = paint(library, sources, settings(), out=tmp_path / "out")
    assert len(made.saved) == 1
    assert len(made.skipped) == 3
    assert any("no face was found" in sentence for sentence in made.skipped)
    whole = settings(PaintConfig(area="full", full_side=256))
    assert len(paint(library, [str(empty)], whole, out=tmp_path / "out").saved) == 1, "a full picture needs no face"


def test_where_to(library: Any, astronaut_path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file or a folder"):
        paint(library, [str(astronaut_path)], settings())
    with pytest.raises(InputError, match="one file for 2"):
        paint(library, [str(astronaut_path)] * 2, settings(), out=tmp_path / "a.png")


def test_marks_need_a_map(library: Any, collins: str, astronaut_path: Path, tmp_path: Path) -> None:
    asked = settings(sitter=collins, marks=True)
    with pytest.raises(InputError, match="marks map collins"):
        paint(library, [str(astronaut_path)], asked, out=tmp_path / "a.png")


def test_the_sitters_marks_are_drawn(library: Any, collins: str, astronaut_path: Path, tmp_path: Path) -> None:
    """A mole put on the map by hand is on the painting, where the mesh says."""
    from portraitist.tasks.map_marks import map_marks

    map_marks(library, collins)
    plain = paint(library, [str(astronaut_path)], settings(sitter=collins), out=tmp_path / "plain.png").saved[0]
    asked = settings(sitter=collins, marks=True)
    marked = paint(library, [str(astronaut_path)], asked, out=tmp_path / "marked.png").saved[0]
    put = marked.recipe.details["marks"]["put"]
    differs = not np.array_equal(open_photo(plain.path).pixels(), open_photo(marked.path).pixels())
    assert differs == bool(put)
    assert "marks of collins" in marked.recipe.weights


def test_painters_are_found(library: Any, tmp_path: Path) -> None:
    painter(library.root / "painters" / "swap")
    painter(tmp_path / "elsewhere" / "other", name="other")
    found = [p.name for p in painters(library)]
    shipped = [name.removeprefix(PREFIX) for name in TABLE if name.startswith(PREFIX)]
    assert found == ["pencil", "colour-pencil", "ink", *shipped, "swap"]
    assert "ink-live" in shipped
    assert find_painter(library, "swap").engine == "painter"
    assert find_painter(library, str(tmp_path / "elsewhere" / "other")).name == "other"
    with pytest.raises(InputError, match="expected one of pencil"):
        find_painter(library, "oil")


def test_nc_painters_ask_once(library: Any) -> None:
    painter(library.root / "painters" / "swap", noncommercial=True, licence="CC-BY-NC-SA-4.0")
    with pytest.raises(WeightsError, match=r"CC-BY-NC-SA-4\.0.*accept-nc"):
        find_painter(library, "swap")
    library.accept_noncommercial("a test")
    assert find_painter(library, "swap").name == "swap"


def test_the_command(library: Any, astronaut_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ["--library", str(library.root)]
    assert main(["stylize", "--list", *root]) == 0
    assert "colour-pencil" in capsys.readouterr().out
    line = ["stylize", str(astronaut_path), "--painter", "ink", "--side", "128", "--out", str(tmp_path / "ink.webp")]
    assert main([*line, *root]) == 0
    assert read_recipe(tmp_path / "ink.json").config["request"]["painter"] == "ink"
    assert main(["stylize", *root]) == 2
    assert main(["stylize", "nobody", "--out", str(tmp_path), *root]) == 3
    assert main([*line, "--strength", "2", *root]) == 2
