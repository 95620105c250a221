"""Domains of framed pictures: what is written comes back, draws are seeded and mirrored, bad files are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.progress import Step
from portraitist.stylize.domain import Domain, DomainNote, load_domain, save_domain
from portraitist.stylize.framing import Crop, FaceFrame, frame_folder
from portraitist.types import Image

NOTE = DomainNote("Squares", "CC0", "nobody", noncommercial=True)


def _domain(count: int = 5, side: int = 16) -> Domain:
    images = np.random.default_rng(1).integers(0, 256, (count, side, side, 3), np.uint8)
    return Domain("squares", images, tuple(f"{i}.png" for i in range(count)), NOTE)


def test_a_domain_comes_back_whole(tmp_path: Path) -> None:
    domain = _domain()
    again = load_domain(save_domain(tmp_path / "d.npz", domain))
    assert again.digest == domain.digest
    assert (again.name, again.names, again.note) == (domain.name, domain.names, NOTE)
    assert again.is_few_shot


def test_draws_are_seeded_and_half_are_mirrored() -> None:
    domain = _domain()
    drawn = domain.draw(200, np.random.default_rng(3))
    assert (drawn == domain.draw(200, np.random.default_rng(3))).all()
    plain = {image.tobytes() for image in domain.images}
    mirrored = {image[:, ::-1].tobytes() for image in domain.images}
    assert {image.tobytes() for image in drawn} == plain | mirrored
    assert 60 < sum(image.tobytes() in mirrored for image in drawn) < 140


def test_a_smaller_side_is_averaged_and_a_larger_one_refused() -> None:
    domain = _domain(side=16)
    assert domain.at(8).images[0, 0, 0, 0] == pytest.approx(domain.images[0, :2, :2, 0].mean(), abs=1)
    with pytest.raises(InputError, match="prepared at 16 px, asked for 32"):
        domain.at(32)


@pytest.mark.parametrize("content", [None, b"", b"not an npz"])
def test_what_is_no_domain_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "d.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="expected a prepared domain"):
        load_domain(path)


def test_a_crop_stays_inside() -> None:
    image = np.zeros((100, 120, 3), np.uint8)
    image[20:70, 30:80] = 255
    assert (Crop(0.2, 0.2, 0.5)(image, 25)[0] == 255).all()
    with pytest.raises(ConfigError, match="inside the picture"):
        Crop(0.4, 0.0, 0.7)


def test_a_folder_with_mixed_and_broken_pictures(tmp_path: Path, astronaut: Image, reader: FaceReader) -> None:
    """Sizes may differ; what cannot be read is reported; faces are framed by their eyes; few pictures are warned of."""
    PillowImage.fromarray(astronaut).save(tmp_path / "a.png")
    PillowImage.fromarray(astronaut[:400, 50:]).save(tmp_path / "b.png")
    PillowImage.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "c-no-face.png")
    (tmp_path / "d-broken.png").write_bytes(b"\x89PNG nothing")
    said: list[Step] = []
    domain = frame_folder(tmp_path, FaceFrame(reader), 64, NOTE, report=said.append)
    assert domain.names == ("a.png", "b.png")
    assert np.abs(domain.images[0].astype(int) - domain.images[1])[16:48, 16:48].mean() < 8
    told = " ".join(step.message for step in said)
    for words in ("c-no-face.png: no face", "d-broken.png", "few-shot"):
        assert words in told


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder with pictures"):
        frame_folder(tmp_path, Crop(), 64, NOTE)
    PillowImage.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(InputError, match="none of 1 pictures"):
        frame_folder(tmp_path, Crop(), 64, NOTE)
