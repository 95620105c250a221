"""`--engine lora` on bases of a hub, with tiny weights: identity, controls of one's own, background, groups' facts."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion import bases, painter_loading
from portraitist.diffusion.base_row import Base
from portraitist.diffusion.painters import InpaintPainter
from portraitist.errors import ConfigError
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import TwoPassConfig
from portraitist.identity.record import IdentityRecord, write_identity
from portraitist.library import Consent, Library
from portraitist.placement import Placement
from portraitist.scenes.slots import find_slots
from portraitist.tasks.add import add
from portraitist.tasks.repaint import Repainter, everyone
from portraitist.tasks.sitting import Cast, Sitting
from portraitist.types import Image, Pixels, Portrait
from tests.diffusion.lora_samples import random_lora
from tests.diffusion.tiny_bases import CALL, save_tiny, tiny_pipeline
from tests.diffusion.tiny_painters import tiny_control

SIDE = 64
FEW = TwoPassConfig(face_steps=4, ring_steps=4)


def local_base(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    """A tiny base in a folder of its own, which draws small pictures."""
    found = replace(bases.find_base(save_tiny(name, folder / f"my-{name}")), resolution=SIDE)
    monkeypatch.setattr(bases, "find_base", lambda _: found)
    if name in CALL:
        painter = partial(InpaintPainter, options=CALL[name])
        monkeypatch.setattr(painter_loading, "InpaintPainter", painter)
    return found


def learn(library: Library, base: Base, name: str) -> None:
    """An identity of noise."""
    told = {"base": base.name, "family": base.family, "trigger": "sitter", "sources": ("learned",), "steps": {"1": 1.0}}
    # Whatever else a record holds was not measured here.
    unknown = {f.name: None for f in fields(IdentityRecord) if f.name != "sha256"}
    record = IdentityRecord(**{**unknown, "licence": "none", "is_fused": False, **told})
    folder = library.sitter("anna").identities_dir / base.name
    write_identity(folder, random_lora(tiny_pipeline(name), name), record, None)


def paint(library: Library, base: Base, config: TwoPassConfig, template: Image, reader: FaceReader) -> Portrait:
    repainter = Repainter.load(library, ["anna"], base.name, config, Placement())
    scene = find_slots(Pixels(template), reader)
    sitting = Sitting(scene, {1: Cast.of(library, "anna")}, "title", ())
    return repainter(Portrait(template, ("a",)), sitting, 1)


@pytest.fixture
def anna(library: Library, astronaut_path: Path) -> Library:
    add(library, "anna", [astronaut_path], consent=Consent.now("Anna", "test"))
    return library


@pytest.mark.parametrize("name", ["sd15", "sdxl", "flux2-klein-4b", "z-image"])
def test_every_base_paints_without_controls(
    name: str, anna: Library, hopper: Image, reader: FaceReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = local_base(name, tmp_path, monkeypatch)
    learn(anna, base, name)
    bare = () if name in CALL else ("canny=none", "colour=none", "pose=none", "tile=none")
    portrait = paint(anna, base, replace(FEW, controls=bare), hopper, reader)
    assert portrait.changed is not None
    np.testing.assert_array_equal(portrait.image[portrait.changed == 0], hopper[portrait.changed == 0])
    assert portrait.details["mean_change"] > 1
    assert portrait.sources == ("a", "learned")
    assert portrait.details["warnings"]


def test_controls_of_one_s_own_are_used_and_the_rest_is_said(
    anna: Library, hopper: Image, reader: FaceReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = local_base("sd15", tmp_path, monkeypatch)
    learn(anna, base, "sd15")
    tiny_control("sd15", tiny_pipeline("sd15")).save_pretrained(tmp_path / "control")
    own = (f"canny={tmp_path / 'control'}", f"tile={tmp_path / 'control'}", "pose=none")
    portrait = paint(anna, base, replace(FEW, controls=own), hopper, reader)
    assert portrait.details["painted"][0]["controls"] == {"face": ["canny"], "ring": ["canny", "tile"]}
    said = " ".join(portrait.details["warnings"])
    assert "colour" in said
    assert "pose" in said


def test_a_base_without_controls_refuses_them(anna: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = local_base("flux2-klein-4b", tmp_path, monkeypatch)
    learn(anna, base, "flux2-klein-4b")
    with pytest.raises(ConfigError, match="leave out --controls"):
        Repainter.load(anna, ["anna"], base.name, replace(FEW, controls=("canny=/x",)), Placement())


def test_the_background_is_painted_behind_everyone(
    anna: Library, astronaut: Image, reader: FaceReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = local_base("z-image", tmp_path, monkeypatch)
    learn(anna, base, "z-image")
    portrait = paint(anna, base, replace(FEW, background_denoise=0.5), astronaut, reader)
    people = everyone(astronaut, reader.read(astronaut, embed=False))
    assert 0.2 < people.mean() < 0.9
    assert portrait.changed is not None
    away = (people == 0) & (portrait.changed > 0.9)
    assert away.sum() > 1000
    assert np.abs(portrait.image[away].astype(int) - astronaut[away]).mean() > 1
    np.testing.assert_array_equal(portrait.image[portrait.changed == 0], astronaut[portrait.changed == 0])
