"""Pair folders are read as they were written, bad ones are named, and the filter says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.stylize.pairs import PairFolder, leave_out, write_pair
from portraitist.stylize.pairs_config import PairFilterConfig
from portraitist.stylize.pairs_filter import PairMeasure, filter_pairs, reason_against
from portraitist.types import Image
from tests.stylize.drawn_pairs import NOTE, Pair, drawn_pairs, painted, photo, write_note


def test_pairs_are_read_as_written(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path, 3, masks=True)
    assert pairs.names == ("pair-0", "pair-1", "pair-2")
    assert pairs.note == NOTE
    assert pairs.has_masks
    pair = pairs[1]
    np.testing.assert_array_equal(pair.photo, photo(1))
    np.testing.assert_array_equal(pair.painted, painted(photo(1)))
    assert pair.mask is not None
    assert pair.mask[0, 0] == 1
    assert pair.mask[0, -1] == 0


def test_the_digest_is_of_the_pixels(tmp_path: Path) -> None:
    one, same = drawn_pairs(tmp_path / "a"), drawn_pairs(tmp_path / "b")
    assert one.digest == same.digest
    write_pair(same.path, Pair("pair-0", photo(0), photo(0)))
    assert one.digest != PairFolder.open(same.path).digest


def test_a_photo_without_its_painting_is_named(tmp_path: Path) -> None:
    drawn_pairs(tmp_path)
    (tmp_path / "painted" / "pair-2.png").unlink()
    with pytest.raises(InputError, match="pair-2"):
        PairFolder.open(tmp_path)


def test_a_broken_picture_and_two_sizes_are_named(tmp_path: Path) -> None:
    pairs = drawn_pairs(tmp_path)
    (tmp_path / "photos" / "pair-0.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"pair-0\.png: expected a PNG"):
        pairs[0]
    write_pair(tmp_path, Pair("pair-1", photo(1, 32), photo(1, 64)))
    with pytest.raises(InputError, match="pair-1 is"):
        pairs[1]


def test_what_is_left_out_stays_out_and_says_why(tmp_path: Path) -> None:
    pairs = leave_out(drawn_pairs(tmp_path), {"pair-1": "no face found"})
    assert pairs.names == ("pair-0", "pair-2", "pair-3")
    again = PairFolder.open(tmp_path)
    assert again.names == pairs.names
    assert [tuple(row) for row in again.note.left_out] == [("pair-1", "no face found")]
    with pytest.raises(InputError, match="none that may be learned from"):
        leave_out(again, dict.fromkeys(again.names, "test"))


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (PairMeasure(0.02, 0.5), None),
        (PairMeasure(0.07, 0.5), "landmarks"),
        (PairMeasure(0.02, 1.3), "distance"),
        (PairMeasure(0.02, 0.05), "distance"),
        (None, "no face"),
    ],
)
def test_reasons(measure: PairMeasure | None, words: str | None) -> None:
    reason = reason_against(measure, PairFilterConfig(closest=0.1))
    assert (reason is None) if words is None else (reason is not None and words in reason)
    assert reason_against(None, PairFilterConfig(needs_face=False)) is None


def test_a_band_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ConfigError, match="closest up to farthest"):
        PairFilterConfig(closest=0.9, farthest=0.1)


def test_the_filter_keeps_the_face_that_stayed(tmp_path: Path, reader: FaceReader, astronaut: Image) -> None:
    drawn_pairs(tmp_path, 1)
    write_pair(tmp_path, Pair("stayed", astronaut, np.asarray(astronaut // 2 + 60, np.uint8)))
    write_pair(tmp_path, Pair("shifted", astronaut, np.roll(astronaut, 25, axis=1)))
    write_note(tmp_path, NOTE)
    kept = filter_pairs(PairFolder.open(tmp_path), PairFilterConfig(), reader)
    assert kept.names == ("stayed",)
    reasons = dict(tuple(row) for row in kept.note.left_out)
    assert reasons["pair-0"] == "no face found"
    assert reasons["shifted"].startswith("landmarks")
