"""`train --style` with tiny weights in portrait-mini's place: a folder of pictures in, a style of the library out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.cli.main import main
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.captions import unknown_words
from portraitist.diffusion.face_facts import FactReader
from portraitist.diffusion.lora_formats import read_lora, read_metadata
from portraitist.errors import ConfigError, InputError
from portraitist.generate.config import DrawConfig
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import TrainingPhoto
from portraitist.identity.style_pictures import common_phrases, middle_square, split_pictures, style_picture
from portraitist.library import Library
from portraitist.progress import Step
from portraitist.styles.looks import find_style
from portraitist.tasks.config import DrawRequest
from portraitist.tasks.draw import draw
from portraitist.tasks.train import train
from portraitist.tasks.train_style import UNKNOWN_LICENCE, read_pictures, style_of, train_style
from portraitist.types import Image
from tests.tasks.test_train import anna, mini  # noqa: F401  the fixtures: a sitter, tiny weights where mini's are

FEW = IdentityConfig(steps=4, check_every=2)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Five pictures without a face, and two files that are none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(1)
    for number in range(5):
        noise = random.integers(0, 255, (40 + 10 * number, 60, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), noise)
    (folder / "notes.txt").write_text("the blue ones")
    (folder / "broken.png").write_bytes((folder / "4.png").read_bytes()[:200])
    return folder


@pytest.fixture
def accepting(library: Library) -> Library:
    library.accept_noncommercial("test")
    return library


def test_pictures_become_a_style(accepting: Library, pictures: Path) -> None:
    trained = train_style(accepting, "blue-noise", [pictures], config=FEW)
    assert trained.pictures == (4, 1)
    assert sorted(sentence.partition(":")[0] for sentence in trained.skipped) == ["broken.png", "notes.txt"]
    style = find_style("blue-noise", accepting)
    assert style.needs == "mini"
    assert style.lora is not None
    path = Path(style.lora.file)
    assert path.parent == trained.path.parent
    assert read_lora(path).rank == 16
    facts = read_metadata(path)
    assert facts["base"] == "mini"
    assert facts["licence"] == UNKNOWN_LICENCE
    assert facts["validation_loss"] == str(trained.outcome.measured.validation_loss)
    # The checkpoint that was kept is the one with the smallest validation loss.
    losses = {check.step: check.validation_loss for check in trained.outcome.checks}
    assert list(losses) == [2, 4]
    assert trained.outcome.measured.step == min(losses, key=lambda step: losses[step] or 0)


def test_a_sitter_is_drawn_in_it(anna: Library, pictures: Path) -> None:  # noqa: F811
    train(anna, "anna", config=FEW)
    style = train_style(anna, "blue", [pictures], config=FEW)
    assert style is not None
    lora = style.path.with_suffix(".safetensors")
    recipe = draw(anna, "anna", DrawRequest(style="blue"), DrawConfig(num_steps=2)).saved[0].recipe
    assert recipe.details["adapters"] == {"sitter": 0.9, "style": 1.0}
    assert hashlib.sha256(lora.read_bytes()).hexdigest() in recipe.weights.values()
    assert recipe.details["prompt"].startswith("portrait, sitter")


def test_the_same_command_goes_on_and_keeps_what_was_edited(accepting: Library, pictures: Path) -> None:
    def stop(step: Step) -> None:
        if (step.stage, step.done) == ("train", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_style(accepting, "blue", [pictures], config=FEW, report=stop)
    assert not (accepting.root / "styles" / "blue.yaml").exists()
    gone_on = train_style(accepting, "blue", [pictures], config=FEW)
    edited = gone_on.path.read_text().replace("weight: 1.0", "weight: 0.5")
    assert "weight: 0.5" in edited
    gone_on.path.write_text(edited)
    again = train_style(accepting, "blue", [pictures], config=FEW)
    whole = train_style(accepting, "green", [pictures], config=FEW)
    one, other = (read_lora(trained.path.with_suffix(".safetensors")) for trained in (again, whole))
    for (down, up), (down_too, up_too) in zip(one.modules.values(), other.modules.values(), strict=True):
        assert (down == down_too).all()
        assert (up == up_too).all()
    assert gone_on.path.read_text() == edited


def test_other_pictures_under_the_same_name_are_refused(accepting: Library, pictures: Path) -> None:
    train_style(accepting, "blue", [pictures], config=FEW)
    (pictures / "0.png").unlink()
    with pytest.raises(ConfigError, match="data was"):
        train_style(accepting, "blue", [pictures], config=FEW)


def test_names_that_are_taken_are_refused_before_anything_is_loaded(accepting: Library, pictures: Path) -> None:
    for name in ("film-noir", "水墨"):
        with pytest.raises(InputError, match=r"has that name already|expected small letters"):
            train_style(accepting, name, [pictures], config=FEW)
    with pytest.raises(InputError, match="expected small letters"):
        train_style(accepting, "Blue Noise", [pictures], config=FEW)
    train_style(accepting, "blue", [pictures], config=FEW)
    lora = accepting.root / "styles" / "blue.safetensors"
    lora.unlink()
    with pytest.raises(InputError, match="has that name already"):
        train_style(accepting, "blue", [pictures], config=FEW)


def test_too_few_pictures_are_refused(accepting: Library, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 3 pictures of the style, found 2"):
        train_style(accepting, "two", [pictures / "0.png", pictures / "1.png", pictures / "0.png"], config=FEW)
    with pytest.raises(InputError, match="does not exist"):
        train_style(accepting, "none", [tmp_path / "nowhere"], config=FEW)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="found none"):
        train_style(accepting, "none", [tmp_path / "empty"], config=FEW)
    with pytest.raises(InputError, match=r"found none \(notes.txt"):
        train_style(accepting, "none", [pictures / "notes.txt"], config=FEW)
    assert not (accepting.root / "styles").exists()


def test_settings_about_a_sitter_are_refused(accepting: Library, pictures: Path) -> None:
    with pytest.raises(ConfigError, match="--hair-weight: is about a sitter"):
        train_style(accepting, "blue", [pictures], config=IdentityConfig(hair_weight=0))
    with pytest.raises(ConfigError, match="--reward: is about a sitter"):
        train_style(accepting, "blue", [pictures], config=IdentityConfig(reward="likeness"))


def test_the_same_picture_counts_once(accepting: Library, pictures: Path) -> None:
    (pictures / "copy.png").write_bytes((pictures / "3.png").read_bytes())
    made, skipped = read_pictures([pictures], accepting, find_base("mini"))
    assert len(made) == 5
    assert any(sentence.startswith("copy.png: is a picture that is here already") for sentence in skipped)


def test_a_face_is_framed_and_described(astronaut: Image) -> None:
    words = FactReader.load(with_attributes=False)
    seen = style_picture(astronaut, "a", 64, words)
    assert seen.image.shape == (64, 64, 3)
    assert "smiling" in seen.caption
    assert unknown_words(seen.caption) == []
    assert set(np.unique(seen.weight)) <= {0, 1}
    blank = style_picture(np.full((50, 80, 3), 7, np.uint8), "b", 64, words, "picture")
    assert blank.caption == "picture"
    assert (blank.weight == 1).all()


def test_the_middle_is_kept() -> None:
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 200
    np.testing.assert_array_equal(middle_square(image, 10), 200)


def picture(source: str, caption: str = "portrait") -> TrainingPhoto:
    return TrainingPhoto(np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.float32), caption, source)


@pytest.mark.parametrize(("count", "kept"), [(3, 1), (7, 1), (8, 2), (20, 4)])
def test_every_fifth_is_kept_back(count: int, kept: int) -> None:
    learned, kept_back = split_pictures([picture(f"{i:02d}") for i in range(count)])
    assert len(kept_back) == kept
    assert len(learned) == count - kept
    assert not {p.source for p in learned} & {p.source for p in kept_back}


def test_a_style_says_its_light_but_nobody_s_smile() -> None:
    made = [picture(str(i), "portrait, smiling, dark background") for i in range(4)]
    assert common_phrases(made) == {"background": "dark background"}
    style = style_of("ink", find_base("sd15"), made, "CC0")
    assert style.needs == "hub"
    assert style.prompt.phrases() == ("dark background", "ink")
    assert style.source.endswith("CC0")


def test_the_command_wants_one_subject(capsys: pytest.CaptureFixture[str]) -> None:
    for line, said in (
        (["train"], "found neither"),
        (["train", "anna", "--style", "ink", "--images", "x"], "found both"),
        (["train", "--style", "ink"], "add --images DIR"),
        (["train", "anna", "--images", "x"], "add --style NAME"),
        (["train", "anna", "--licence", "CC0"], "--licence"),
    ):
        assert main(line) == 2
        assert said in capsys.readouterr().err


def test_the_command_learns(accepting: Library, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--images", str(pictures), "--licence", "CC0", "--steps", "2", "--check-every", "2"]
    assert main(["--library", str(accepting.root), "train", "--style", "blue", *more]) == 0
    said = capsys.readouterr().out
    assert "skipped: notes.txt" in said
    assert "learned from 4 pictures, 1 chose: kept step 2" in said
    assert read_metadata(accepting.root / "styles" / "blue.safetensors")["licence"] == "CC0"
