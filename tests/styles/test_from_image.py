"""Styles measured from pictures: painted ones whose truth is known, and two real portraits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraitist.diffusion.captions import unknown_words
from portraitist.diffusion.face_facts import FactReader
from portraitist.retouch.person import PersonSegmenter
from portraitist.styles.from_image import measure_look, style_from_look
from portraitist.styles.palette import NAMED, colour_name, dominant_colours, to_lab
from portraitist.styles.style_file import read_style, write_style
from portraitist.types import Image


def _stripes(*codes: str) -> Image:
    columns = [np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.uint8) for code in codes]
    return np.repeat(np.repeat(np.array([columns], np.uint8), 40, axis=1), 60, axis=0)


@pytest.fixture(scope="module")
def person() -> PersonSegmenter:
    return PersonSegmenter.load()


@pytest.mark.parametrize("name", NAMED)
def test_each_word_of_the_table_names_its_own_colour(name: str) -> None:
    assert colour_name(to_lab(_stripes(NAMED[name]))[0, 0]) == name


def test_colours_come_by_their_share() -> None:
    image = _stripes("#c22126", "#f6f6f4", "#f6f6f4", "#f6f6f4", "#1c2747", "#1c2747")
    found = dominant_colours(image)
    assert [(c.name, round(c.share, 1)) for c in found] == [("white", 0.5), ("navy blue", 0.3), ("red", 0.2)]
    assert found[0].rgb == "#f6f6f4"
    assert dominant_colours(image, np.zeros(image.shape[:2], bool)) == ()


def test_a_picture_without_a_face_gives_colours_and_tones_only(reader: Any, tmp_path: Path) -> None:
    measured = measure_look(_stripes("#1f7f80", "#f4ebd2"), reader)
    look = style_from_look("teal", measured, "stripes.png")
    assert not measured.has_face
    assert look.style.prompt.place in ("teal and cream colours", "cream and teal colours")
    assert look.style.prompt.light == look.style.prompt.framing == look.style.prompt.clothing == ""
    assert "without a face" in look.style.about
    assert look.known_to_mini == ()
    assert read_style(write_style(tmp_path / "teal.yaml", look.style)) == look.style


def test_greys_are_called_black_and_white(reader: Any) -> None:
    look = style_from_look("grey", measure_look(_stripes("#141414", "#f6f6f4"), reader), "grey.png")
    assert look.style.prompt.subject.startswith("black and white")
    assert "high contrast" in look.style.prompt.finish


def test_light_and_framing_come_from_the_face(reader: Any, person: PersonSegmenter, astronaut: Image) -> None:
    here, mirrored = (measure_look(image, reader, person) for image in (astronaut, astronaut[:, ::-1].copy()))
    assert here.light is not None
    assert mirrored.light is not None
    assert here.light.direction[0] < -10 < 10 < mirrored.light.direction[0]
    look, other = (style_from_look("suit", measured, "suit.png") for measured in (here, mirrored))
    assert "lit from the left" in look.known_to_mini
    assert "lit from the right" in other.known_to_mini
    assert "orange" in look.style.prompt.clothing
    assert set(look.known_to_mini).isdisjoint(look.unknown_to_mini)


def test_backgrounds_are_measured_beside_the_person(reader: Any, person: PersonSegmenter, hopper: Image) -> None:
    measured = measure_look(hopper, reader, person)
    assert "blue" in " ".join(colour.name for colour in measured.background)
    assert [colour.name for colour in measured.clothing] == ["black"]
    assert measured.background_level is not None
    # As the captions of portrait-mini's training measure it: its phrases' ranges hold for no other measure.
    found = FactReader(reader, person)(hopper)
    assert found is not None
    assert measured.background_level == pytest.approx(found[1].background, abs=1.0)
    assert measured.face_share == pytest.approx(found[1].face_share)


def test_a_close_crop_is_a_close_up(reader: Any, person: PersonSegmenter, hopper: Image) -> None:
    face = reader.read(hopper, embed=False)[0]
    x0, y0, x1, y1 = face.box_xyxy.round().astype(int)
    look = style_from_look(
        "close", measure_look(hopper[y0 - 30 : y1 + 30, x0 - 20 : x1 + 20].copy(), reader, person), "h"
    )
    assert look.style.prompt.framing == "close-up"


def test_for_mini_only_its_words_are_kept(reader: Any, person: PersonSegmenter, astronaut: Image) -> None:
    look = style_from_look("suit", measure_look(astronaut, reader, person), "suit.png", needs="mini")
    assert look.style.needs == "mini"
    assert look.style.prompt.phrases() == look.known_to_mini
    assert unknown_words(look.style.prompt.subject) == []
    assert look.unknown_to_mini
