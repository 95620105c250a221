"""Finishing: who is measured where, against which photos, and what the last steps do to the pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from portraitist.faces.reader import FaceReader
from portraitist.placement import Placement
from portraitist.retouch.upscale import Upscaler
from portraitist.tasks.config import FinishConfig
from portraitist.tasks.finish import Finished, Person, finish
from portraitist.types import Face, Image, Pixels, Portrait, Reference

HERE, PLAIN = Placement(threads=2), FinishConfig()


@dataclass(frozen=True)
class Frame:
    """A picture that knows its file, as photos and frames of a video do."""

    image: Image
    path: Path
    digest: str

    @property
    def size(self) -> tuple[int, int]:
        return self.image.shape[0], self.image.shape[1]

    def pixels(self, max_side: int | None = None) -> Image:
        return Pixels(self.image).pixels(max_side)


@pytest.fixture(scope="module")
def collins(astronaut: Image, reader: FaceReader) -> Reference:
    return Reference(Pixels(astronaut), max(reader.read(astronaut), key=lambda f: f.width))


@pytest.fixture(scope="module")
def mirrored(astronaut: Image, reader: FaceReader) -> Reference:
    image = np.ascontiguousarray(astronaut[:, ::-1])
    return Reference(Pixels(image), max(reader.read(image), key=lambda f: f.width))


@pytest.fixture(scope="module")
def grace(hopper: Image, reader: FaceReader) -> Reference:
    return Reference(Pixels(hopper), max(reader.read(hopper), key=lambda f: f.width))


def portrait_of(*references: Reference) -> Portrait:
    """The reference's own photo, as if an engine had made it: likeness is known."""
    return Portrait(references[0].picture.pixels(), tuple(r.picture.digest for r in references))


def test_likeness_is_never_taken_against_a_source(collins: Reference, mirrored: Reference, reader: FaceReader) -> None:
    alone = finish(portrait_of(collins), [Person("collins", [collins])], reader, PLAIN, HERE)
    assert alone.likeness is None
    assert alone.measures["people"][0]["compared"] == 0
    assert alone.measures["people"][0]["source_distance"] == pytest.approx(0, abs=0.02)
    both = finish(portrait_of(collins), [Person("collins", [collins, mirrored])], reader, PLAIN, HERE)
    measured = both.measures["people"][0]
    assert measured["compared"] == 1
    assert 0.05 < measured["best_distance"] < 0.5, "the mirrored photo, not the source"
    assert both.likeness is not None
    assert both.likeness > 0.5


def test_frames_of_the_source_video_are_sources_too(
    collins: Reference, mirrored: Reference, reader: FaceReader
) -> None:
    film, other = Path("film.mp4"), Path("other.jpg")
    frames = [
        Reference(Frame(collins.picture.pixels(), film, "a"), collins.face),
        Reference(Frame(mirrored.picture.pixels(), film, "b"), mirrored.face),
    ]
    portrait = Portrait(collins.picture.pixels(), ("a",))
    assert finish(portrait, [Person("collins", frames)], reader, PLAIN, HERE).likeness is None
    apart = [frames[0], Reference(Frame(mirrored.picture.pixels(), other, "b"), mirrored.face)]
    assert finish(portrait, [Person("collins", apart)], reader, PLAIN, HERE).likeness is not None


def test_another_person_scores_low(
    collins: Reference, mirrored: Reference, grace: Reference, reader: FaceReader
) -> None:
    person = Person("collins", [collins, mirrored], replaced=grace.face)
    finished = finish(portrait_of(grace), [person], reader, PLAIN, HERE)
    assert finished.likeness is not None
    assert finished.likeness < 0.2
    measured = finished.measures["people"][0]
    assert measured["template_distance"] < 0.05 < 0.6 < measured["best_distance"]


def test_a_copy_shows_and_says_of_which_photo(collins: Reference, mirrored: Reference, reader: FaceReader) -> None:
    person = Person("collins", [collins, mirrored])
    (measured,) = finish(portrait_of(collins), [person], reader, PLAIN, HERE).measures["people"]
    assert measured["copy_paste"]["pixels"] > 0.98
    assert measured["copy_paste"]["nearest"] == collins.picture.digest
    assert measured["copy_paste"]["album_pixels"] < 0.98


def _pair(left: Reference, right: Reference) -> tuple[Image, Face]:
    """Two people beside each other, and the right one's face there."""
    images = [r.picture.pixels()[:512] for r in (left, right)]
    return np.ascontiguousarray(np.hstack(images)), right.face.moved(images[0].shape[1], 0)


def test_each_person_is_looked_for_at_their_place(
    collins: Reference, mirrored: Reference, grace: Reference, reader: FaceReader
) -> None:
    image, on_the_right = _pair(collins, grace)
    portrait = Portrait(image, (collins.picture.digest,))
    here = Person("collins", [mirrored], collins.face.centre)
    there = Person("collins", [mirrored], on_the_right.centre)
    close, far = (
        finish(portrait, [p], reader, PLAIN, HERE).measures["people"][0]["best_distance"] for p in (here, there)
    )
    assert close < 0.5 < 0.6 < far
    together = finish(portrait, [here, there], reader, PLAIN, HERE)
    likeness = [m["likeness"] for m in together.measures["people"]]
    assert together.likeness == pytest.approx(min(likeness), abs=1e-3), "a group is as good as its worst"


def test_a_portrait_is_not_measurable_when_one_of_its_people_is_not(
    collins: Reference, mirrored: Reference, grace: Reference, reader: FaceReader
) -> None:
    image, on_the_right = _pair(collins, grace)
    known, lone = Person("collins", [mirrored], collins.face.centre), Person("grace", [grace], on_the_right.centre)
    portrait = Portrait(image, (grace.picture.digest,))
    finished = finish(portrait, [known, lone], reader, PLAIN, HERE)
    assert [m["likeness"] is None for m in finished.measures["people"]] == [False, True]
    assert finished.likeness is None


def test_no_face_is_a_result(collins: Reference, reader: FaceReader) -> None:
    blank = Portrait(np.full((200, 200, 3), 128, np.uint8), ())
    finished = finish(blank, [Person("collins", [collins])], reader, PLAIN, HERE)
    assert finished.likeness is None
    assert finished.measures["people"] == [{"sitter": "collins", "found": False, "likeness": None}]
    elsewhere = Person("collins", [collins], np.array([500, 500], np.float32))
    (measured,) = finish(portrait_of(collins), [elsewhere], reader, PLAIN, HERE).measures["people"]
    assert not measured["found"]


def test_plain_finishing_changes_no_pixel(collins: Reference, reader: FaceReader) -> None:
    portrait = portrait_of(collins)
    assert finish(portrait, [], reader, PLAIN, HERE).image is portrait.image


def test_restoring_changes_the_picture_and_not_the_measures(
    collins: Reference, mirrored: Reference, reader: FaceReader
) -> None:
    noise = np.random.default_rng(0).normal(0, 12, collins.picture.pixels().shape)
    noisy = np.clip(collins.picture.pixels() + noise, 0, 255).astype(np.uint8)
    people, portrait = [Person("collins", [mirrored])], Portrait(noisy, ())
    plain = finish(portrait, people, reader, PLAIN, HERE)
    restored = finish(portrait, people, reader, replace(PLAIN, restore=True), HERE)
    assert restored.measures == plain.measures
    assert _error(restored, collins) < 0.85 * _error(plain, collins)


def _error(finished: Finished, clean: Reference) -> float:
    return float(np.abs(finished.image.astype(float) - clean.picture.pixels()).mean())


def test_enlarging_comes_after_measuring(
    collins: Reference, mirrored: Reference, reader: FaceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a quick stand-in for the network; tests/retouch and tests/tasks/test_shoot.py run the real one."""
    monkeypatch.setattr(Upscaler, "load", lambda placement: _twice)
    people, portrait = [Person("collins", [mirrored])], portrait_of(collins)
    large = finish(portrait, people, reader, FinishConfig(scale=2), HERE)
    assert large.image.shape == (1024, 1024, 3)
    assert large.measures == finish(portrait, people, reader, PLAIN, HERE).measures


def _twice(image: Image, scale: int) -> Image:
    return image.repeat(scale, 0).repeat(scale, 1)
