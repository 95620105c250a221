"""ID photos: written, read again, measured, printed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.compose.backdrop import compose_backdrop
from portraitist.compose.id_measure import measure_id_photo
from portraitist.compose.print_sheet import PAPERS, print_sheet
from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.scenes.values import BackdropScene
from portraitist.styles.formats import load_format
from portraitist.types import Image, Pixels, Reference


def _written(image: Image) -> Image:
    """Through a file, as a user gets it."""
    file = io.BytesIO()
    PillowImage.fromarray(image).save(file, "JPEG", quality=95, dpi=(300, 300))
    return np.asarray(PillowImage.open(file).convert("RGB"))


def _largest(image: Image, reader: FaceReader) -> Reference:
    return Reference(Pixels(image), max(reader.read(image, embed=False), key=lambda f: f.width))


@pytest.mark.parametrize("name", ["us-passport", "schengen", "cn-passport", "jp-passport", "cn-1inch"])
def test_the_written_file_keeps_the_rules(name: str, astronaut: Image, reader: FaceReader) -> None:
    row = load_format(name)
    portrait = compose_backdrop(BackdropScene(row.colours[0], name), _largest(astronaut, reader))
    measures = measure_id_photo(_written(portrait.image), row, reader)
    assert measures.faults == ()
    assert portrait.image.shape[:2] == row.pixels
    assert abs(measures.tilt) < 2


def test_faces_of_many_people_keep_the_schengen_rules(shared_data: Path, reader: FaceReader) -> None:
    row, faults = load_format("schengen"), []
    for path in sorted((shared_data / "faces/london").glob("*_neutral.jpg"))[2::16]:
        photo = np.asarray(PillowImage.open(path).convert("RGB"))
        portrait = compose_backdrop(BackdropScene("light-grey", "schengen"), _largest(photo, reader))
        faults += [(path.name, fault) for fault in measure_id_photo(_written(portrait.image), row, reader).faults]
    assert faults == []


def test_measuring_finds_a_head_that_is_too_small(astronaut: Image, reader: FaceReader) -> None:
    portrait = compose_backdrop(BackdropScene("white", "us-passport"), _largest(astronaut, reader))
    shrunk = np.full_like(portrait.image, 255)
    shrunk[150:450, 150:450] = portrait.image[::2, ::2]
    faults = measure_id_photo(shrunk, load_format("us-passport"), reader).faults
    assert any(fault.startswith("head") for fault in faults)


def test_no_face_is_an_error(reader: FaceReader) -> None:
    with pytest.raises(InputError, match="one face"):
        measure_id_photo(np.full((600, 600, 3), 255, np.uint8), load_format("us-passport"), reader)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", ["us-passport", "schengen", "cn-1inch"])
def test_a_sheet_holds_untouched_copies_with_marks(paper: str, name: str) -> None:
    h, w = load_format(name).pixels
    photo = np.random.default_rng(0).integers(0, 255, (h, w, 3)).astype(np.uint8)
    sheet = print_sheet(photo, paper)
    long, short = PAPERS[paper]
    assert sorted(sheet.shape[:2]) == [round(short / 25.4 * 300), round(long / 25.4 * 300)]
    rows, columns = np.nonzero((sheet[: -h + 1, : -w + 1] == photo[0, 0]).all(axis=2))
    copies = sum((sheet[y : y + h, x : x + w] == photo).all() for y, x in zip(rows, columns, strict=True))
    assert copies >= 2
    assert (sheet == 120).all(axis=2).any()


def test_a_sheet_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="does not fit"):
        print_sheet(np.zeros((3000, 3000, 3), np.uint8))
    with pytest.raises(ConfigError, match="a6"):
        print_sheet(np.zeros((30, 30, 3), np.uint8), "napkin")
