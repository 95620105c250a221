"""`train` end to end with tiny weights in portrait-mini's place: album in, identity out, the same after a stop."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist import weights
from portraitist.cli.main import main
from portraitist.diffusion.lora_formats import read_lora, read_metadata
from portraitist.errors import ConfigError, InputError, WeightsError
from portraitist.generate.config import DrawConfig, TwoPassConfig
from portraitist.identity.checks import NO_FACE_DISTANCE
from portraitist.identity.config import IdentityConfig
from portraitist.identity.record import FACE, KOHYA, RECORD, WEIGHTS, read_identity
from portraitist.library import Consent, Library
from portraitist.styles.looks import add_styles, find_style, own_folder
from portraitist.tasks.add import add
from portraitist.tasks.config import DrawRequest, ShootConfig, Stages
from portraitist.tasks.draw import draw
from portraitist.tasks.erase import erase
from portraitist.tasks.replay import make_again, replay
from portraitist.tasks.shoot import shoot
from portraitist.tasks.train import train
from portraitist.tasks.train_previews import PROMPTS
from portraitist.training.checkpoint import OtherSettings
from portraitist.types import Image, Pixels
from recipes.mini.config import TINY
from recipes.mini.controls import build_control
from recipes.mini.export import export_control, write_digests
from tests.diffusion.tiny_bases import save_tiny

FEW = IdentityConfig(steps=4, check_every=2)


@pytest.fixture(autouse=True)
def mini(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tiny random weights where portrait-mini's are."""
    shelf = tmp_path_factory.mktemp("weights")
    folder = save_tiny("mini", shelf / "portrait-mini")
    for name in ("mesh", "canny"):
        export_control(build_control(TINY), folder, name)
    write_digests(folder)
    digest = hashlib.sha256((folder / "digests.json").read_bytes()).hexdigest()
    row = weights.WeightsRow(
        "portrait-mini", weights.ProjectFolder("portrait-mini"), digest, None, "test", "test", noncommercial=True
    )
    monkeypatch.setitem(weights.TABLE, "portrait-mini", row)
    real = Path(weights.__file__).parents[2] / "weights" / "attributes"
    (shelf / "attributes").symlink_to(real)
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(shelf))


@pytest.fixture
def anna(library: Library, astronaut_path: Path) -> Library:
    """A sitter with one photo, in a library that accepts non-commercial weights."""
    add(library, "anna", [astronaut_path], consent=Consent.now("Anna", "test"))
    library.accept_noncommercial("test")
    return library


def test_one_photo_becomes_an_identity(anna: Library) -> None:
    trained = train(anna, "anna", config=FEW)
    record = read_identity(trained.folder)
    assert record == trained.record
    assert record.base == "mini"
    assert record.noncommercial
    assert record.report_distance is None
    assert len(record.sources) == 1
    lora = read_lora(trained.folder / WEIGHTS)
    assert lora.rank == record.rank
    assert set(read_lora(trained.folder / KOHYA).modules) == set(lora.modules)
    assert read_metadata(trained.folder / WEIGHTS)["base"] == "mini"
    assert record.chosen_by == "last step"
    assert "not measured" in (trained.folder / "README.md").read_text()
    # Portraits were drawn to look at; noise has no face to keep.
    assert len(trained.outcome.measured.portraits) == len(PROMPTS)
    assert not (trained.folder / FACE).exists()
    assert any("last step was kept" in line for line in trained.outcome.sentences)


def test_the_same_command_goes_on_and_ends_with_the_same_bits(anna: Library) -> None:
    whole = train(anna, "anna", config=FEW).record.sha256
    assert train(anna, "anna", config=FEW).record.sha256 == whole


def test_the_command_says_where_to_look_and_what_was_kept(anna: Library, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--library", str(anna.root), "train", "anna", "--steps", "4", "--check-every", "2"]
    assert main(line) == 0
    said = capsys.readouterr()
    page = anna.sitter("anna").identities_dir / "mini" / "training.html"
    assert f"live: {page}\n" in said.err
    assert page.is_file()
    # One line of progress with step, loss and what is left.
    assert re.search(r"train 4/4 loss \d\.\d+, \S+ s each, 0 s left", said.err)
    rows = [row.split()[0] for row in said.out.splitlines()]
    assert rows[:4] == ["step", "base", "2", "4"]
    assert "the last step was kept" in said.out
    assert main([*line, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["chosen_by"] == "last step"
    assert record["fusion_distance"] is None


def album_of(count: int, library: Library, astronaut: Image, folder: Path) -> Library:
    """A sitter with so many photos, all of one picture turned and lit another way."""
    from portraitist.album.config import AlbumConfig

    folder.mkdir()
    for number in range(count):
        matrix = cv2.getRotationMatrix2D((220, 120), 4 * number - 18, 1 + 0.02 * number)
        turned = cv2.warpAffine(astronaut, matrix, (512, 512))
        cv2.imwrite(str(folder / f"{number}.png"), cv2.convertScaleAbs(turned, alpha=0.8 + 0.04 * number)[..., ::-1])
    library.accept_noncommercial("test")
    add(library, "anna", [folder], AlbumConfig(near_duplicate_bits=0), consent=Consent.now("Anna", "test"))
    return library


def test_an_album_of_ten_measures_likeness(library: Library, astronaut: Image, tmp_path: Path) -> None:
    trained = train(album_of(10, library, astronaut, tmp_path / "photos"), "anna", config=FEW)
    # Noise has no face: every validation portrait counts as a stranger.
    assert [check.step for check in trained.outcome.checks] == [2, 4]
    kinds = [[score.kind for score in check.scores] for check in trained.outcome.checks]
    assert kinds == [["text"] * len(PROMPTS) + ["template"] * 2] * 2
    assert all(check.distance_of("text") is not None for check in trained.outcome.checks)
    drawn = trained.outcome.measured.portraits[-2:]
    # The texture is a photo's that was learned from; it is named, so that nothing is compared with it.
    assert all(len(set(portrait.sources) & set(trained.record.sources)) == 1 for portrait in drawn)
    page = (trained.folder / "training.html").read_text()
    assert "anna on mini" in page
    assert "in a template" in page
    assert trained.record.validation_loss is not None
    assert np.isfinite(trained.record.validation_loss)
    assert trained.record.chosen_by == "likeness"
    assert trained.record.report_distance == trained.record.bare_distance == NO_FACE_DISTANCE
    assert trained.record.template_distance is not None
    assert trained.record.report_template_distance is not None
    assert "in templates | not measured" not in (trained.folder / "README.md").read_text()


def test_an_album_of_three_chooses_by_validation_loss(library: Library, astronaut: Image, tmp_path: Path) -> None:
    trained = train(album_of(3, library, astronaut, tmp_path / "photos"), "anna", config=FEW)
    record, losses = trained.record, {c.step: c.validation_loss for c in trained.outcome.checks}
    assert record.chosen_by == "validation loss"
    assert len(record.sources) == 2
    assert list(record.steps) == [str(min(losses, key=lambda step: losses[step] or 0))]
    assert record.distance is None
    assert "validation loss" in (trained.folder / "README.md").read_text()
    assert any("below ten photos" in line for line in trained.outcome.sentences)


def test_weights_that_were_not_accepted_are_not_used(library: Library, astronaut_path: Path) -> None:
    add(library, "anna", [astronaut_path], consent=Consent.now("Anna", "test"))
    with pytest.raises(WeightsError, match="accept"):
        train(library, "anna", config=FEW)


def test_the_identity_draws_in_a_style(anna: Library) -> None:
    train(anna, "anna", config=FEW)
    request = DrawRequest(style="bright-smile", prompt="pirate", count=3, best=2, seed=4)
    drawn = draw(anna, "anna", request, drawing=DrawConfig(num_steps=2))
    assert len(drawn.saved) == 2
    assert "pirate" in drawn.warnings[0]
    recipe = drawn.saved[0].recipe
    assert recipe.source_type == "generated"
    assert recipe.details["prompt"].startswith("portrait, sitter, ")
    assert len(recipe.details["candidates"]) == 3
    assert recipe.likeness is None
    again = draw(anna, "anna", request, drawing=DrawConfig(num_steps=2), out=anna.root / "again")
    assert {p.recipe.output for p in again.saved} == {p.recipe.output for p in drawn.saved}


def test_a_drawn_portrait_replays_from_its_recipe(anna: Library) -> None:
    train(anna, "anna", config=FEW)
    style = replace(find_style("bright-smile"), key="mine", name="Mine", name_zh="我的")
    add_styles(anna, [style])
    request = DrawRequest(style="mine", count=3, seed=4)
    drawn = draw(anna, "anna", request, drawing=DrawConfig(num_steps=2, batch=2, least_side=64))
    for portrait in drawn.saved[::2]:
        done = replay(anna, portrait.recipe_path)
        assert done.identical
        assert done.differences == ()
    recipe = drawn.saved[0].recipe
    assert {name.split()[0] for name in recipe.weights} == {"identity", "base", "style"}
    assert all(len(digest) == 64 for digest in recipe.weights.values())
    path = own_folder(anna) / "mine.yaml"
    path.write_text(path.read_text().replace("smiling", "serious"))
    with pytest.raises(InputError, match="style mine"):
        make_again(anna, recipe)
    path.unlink()
    with pytest.raises(ConfigError, match="mine"):
        make_again(anna, recipe)


def test_a_portrait_of_another_identity_is_not_replayed(anna: Library) -> None:
    train(anna, "anna", config=FEW)
    recipe = draw(anna, "anna", DrawRequest(), drawing=DrawConfig(num_steps=2)).saved[0].recipe
    shutil.rmtree(anna.sitter("anna").identities_dir)
    with pytest.raises(InputError, match="portraitist train anna"):
        make_again(anna, recipe)
    train(anna, "anna", config=replace(FEW, seed=1))
    with pytest.raises(InputError, match="identity of anna: expected sha256"):
        make_again(anna, recipe)


def test_the_identity_paints_inside_a_template(anna: Library, hopper_path: Path, hopper: Image) -> None:
    train(anna, "anna", config=FEW)
    request = ShootConfig(templates=(str(hopper_path),), engine="lora")
    few = TwoPassConfig(face_steps=4, ring_steps=4)
    made = shoot(anna, ["anna"], request, Stages(painting=few))[0]
    start = shoot(anna, ["anna"], replace(request, engine="compose"))[0]
    painted, composed = (np.asarray(Pillow.open(p.path).convert("RGB")).astype(int) for p in (made, start))
    apart = np.abs(painted - composed).max(axis=2)
    assert made.recipe.engine == "lora"
    assert made.recipe.weights["identity of anna"]
    assert made.recipe.config["painting"]["face_steps"] == 4
    assert made.recipe.details["mean_change"] > 0
    assert apart.max() > 3
    # Away from the face it is the template, to the last bit.
    np.testing.assert_array_equal(painted[400:], hopper[400:])
    assert (apart[:, :60] == 0).all()
    assert Pixels(make_again(anna, made.recipe).image).digest == made.recipe.output
    other = replace(made.recipe, weights={**made.recipe.weights, "identity of anna": "0" * 64})
    with pytest.raises(InputError, match="identity of anna"):
        make_again(anna, other)


def test_painting_wants_a_template_and_an_identity(anna: Library, hopper_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected --template"):
        shoot(anna, ["anna"], ShootConfig(backdrop="white", engine="lora"))
    with pytest.raises(InputError, match="portraitist train anna"):
        shoot(anna, ["anna"], ShootConfig(templates=(str(hopper_path),), engine="lora"))


def test_without_an_identity_it_says_what_to_run(anna: Library) -> None:
    with pytest.raises(InputError, match="portraitist train anna --base mini"):
        draw(anna, "anna", DrawRequest())
    with pytest.raises(ConfigError, match="expected a hub base"):
        draw(anna, "anna", DrawRequest(style="film-noir"))


def test_a_changed_identity_is_refused(anna: Library) -> None:
    folder = train(anna, "anna", config=FEW).folder
    (folder / WEIGHTS).write_bytes(b"other")
    with pytest.raises(InputError, match="changed since"):
        read_identity(folder)
    with pytest.raises(InputError, match="no identity here"):
        read_identity(folder.parent)


def test_a_record_of_another_version_says_what_to_do(anna: Library) -> None:
    folder = train(anna, "anna", config=FEW).folder
    written = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({key: value for key, value in written.items() if key != "trigger"}))
    with pytest.raises(InputError, match=r"lacks trigger.*--fresh"):
        read_identity(folder)


def test_other_settings_are_learned_anew_only_when_asked(anna: Library) -> None:
    first = train(anna, "anna", config=FEW)
    smaller = replace(FEW, rank=2)
    with pytest.raises(OtherSettings, match=r"rank was.*--fresh"):
        train(anna, "anna", config=smaller)
    assert read_identity(first.folder) == first.record
    again = train(anna, "anna", config=smaller, fresh=True)
    assert again.record.rank == 2
    # Nothing of the first run has a part in it.
    shutil.rmtree(again.folder)
    assert train(anna, "anna", config=smaller).record == again.record


def test_erase_takes_the_identity_too(anna: Library) -> None:
    folder = train(anna, "anna", config=FEW).folder
    erase(anna, "anna")
    assert not folder.exists()


def test_an_unknown_sitter_is_said(library: Library) -> None:
    library.accept_noncommercial("test")
    with pytest.raises(InputError, match="nobody"):
        train(library, "nobody", config=FEW)
