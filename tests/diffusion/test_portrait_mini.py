"""Loading portrait-mini: a tiny folder of random weights stands in for the shipped one."""

from __future__ import annotations

import hashlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from portraitist import weights
from portraitist.diffusion.captions import PHRASES
from portraitist.diffusion.lean_controlnet import LeanControlNet
from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.diffusion.portrait_mini import CONTROLS, KINDS, NAME, load_pipeline, warn_unknown
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
from portraitist.errors import ConfigError, EngineError, WeightsError
from portraitist.library import Library
from recipes.mini.config import TINY
from recipes.mini.export import build_pipeline, export, export_control, write_digests
from recipes.mini.networks import TextToLatents

PICTURE = PillowImage.fromarray(np.full((32, 32, 3), 128, np.uint8))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights with portrait-mini in it, as the recipe exports it."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights") / NAME
    networks = TextToLatents(TINY, build_tokenizer(TINY.text.max_tokens))
    export(build_pipeline(TINY, networks, PatchAutoencoder(latent_channels=TINY.latent_channels)), folder)
    widths, groups = TINY.unet.widths, TINY.unet.norm_groups
    for name in CONTROLS:
        control = LeanControlNet(TINY.latent_channels, widths, 1, widths, groups)
        export_control(control, folder, name)
    write_digests(folder)
    return folder.parent


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch, shelf: Path) -> weights.WeightsRow:
    digest = hashlib.sha256((shelf / NAME / "digests.json").read_bytes()).hexdigest()
    made = weights.WeightsRow(
        NAME, weights.ProjectFolder(NAME), digest, None, "CC-BY-NC-SA-4.0", "test", noncommercial=True
    )
    monkeypatch.setitem(weights.TABLE, NAME, made)
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(shelf))
    return made


@pytest.fixture
def accepting(library: Library) -> Library:
    """A library that accepts non-commercial weights."""
    library.accept_noncommercial("test")
    return library


def conditions(kind: str, control: str | None) -> dict[str, Any]:
    if kind == "image":
        return {"image": PICTURE, "strength": 1.0, **({"control_image": PICTURE} if control else {})}
    return {"image": PICTURE} if control else {}


@pytest.mark.parametrize("control", [None, *CONTROLS])
@pytest.mark.parametrize("kind", KINDS)
def test_each_pipeline_loads_quietly_and_draws(
    kind: str, control: str | None, accepting: Library, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("error", UserWarning)
        pipeline = load_pipeline(kind, control=control, library=accepting)
        made = pipeline("portrait, smiling", num_inference_steps=2, **conditions(kind, control)).images[0]
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    assert made.size == (32, 32)
    assert np.asarray(made).std() > 0
    modules = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    assert len(modules) == (3 if control is None else 4)
    assert {
        tensor.dtype for part in modules for tensor in part.state_dict().values() if tensor.is_floating_point()
    } == {torch.float32}
    assert not any(part.training for part in modules)
    assert pipeline.safety_checker is None


def test_the_same_seed_draws_the_same_picture(accepting: Library) -> None:
    pipeline = load_pipeline(library=accepting)
    pictures = [
        np.asarray(pipeline("portrait", num_inference_steps=2, generator=torch.Generator().manual_seed(3)).images[0])
        for _ in range(2)
    ]
    assert (pictures[0] == pictures[1]).all()


def test_logging_is_afterwards_as_it_was(accepting: Library) -> None:
    from diffusers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load_pipeline(library=accepting)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_without_acceptance_nothing_is_loaded(library: Library) -> None:
    with pytest.raises(WeightsError, match="'portrait-mini' are marked nc"):
        load_pipeline(library=library)
    with pytest.raises(WeightsError, match="accept-nc"):
        load_pipeline()


def test_a_folder_that_is_not_whole_is_not_loaded(
    accepting: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTRAITIST_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match="PORTRAITIST_WEIGHTS"):
        load_pipeline(library=accepting)


def test_without_the_extra_it_says_what_to_install(accepting: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(EngineError, match=r"install portraitist\[diffusion\]"):
        load_pipeline(library=accepting)


@pytest.mark.parametrize("wrong", [{"kind": "video"}, {"control": "depth"}])
def test_other_kinds_and_controls_are_refused(wrong: dict[str, str], accepting: Library) -> None:
    with pytest.raises(ConfigError, match="expected one of"):
        load_pipeline(**wrong, library=accepting)  # type: ignore[arg-type]


def test_unknown_words_are_named_with_what_is_known() -> None:
    said = warn_unknown("Portrait, a pirate, smiling!")
    assert said is not None
    assert said.startswith("unknown to portrait-mini and left to chance: a, pirate; it knows: close-up, ")
    assert all(phrase.text in said for phrase in PHRASES)


def test_a_near_miss_is_answered_with_the_nearest() -> None:
    assert warn_unknown("portrait, smile") == (
        "unknown to portrait-mini and left to chance: smile; the nearest it knows: smiling"
    )


def test_known_words_are_not_spoken_of() -> None:
    assert warn_unknown("portrait, " + ", ".join(phrase.text for phrase in PHRASES) + ".") is None
    assert warn_unknown("") is None
