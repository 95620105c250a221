"""The table of ID formats: exact pixels, ranges kept, every row with a source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portraitist.errors import ConfigError
from portraitist.styles.formats import IdFormat, load_format, load_formats

ROWS = list(load_formats().values())


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("us-passport", (600, 600)),
        ("schengen", (531, 413)),
        ("cn-1inch", (413, 295)),
        ("cn-2inch", (579, 413)),
        ("ca-passport", (827, 591)),
    ],
)
def test_pixels_are_millimetres_times_resolution(name: str, pixels: tuple[int, int]) -> None:
    assert load_format(name).pixels == pixels


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_every_row_names_its_source_and_its_colours(row: IdFormat) -> None:
    assert row.source
    assert row.seen
    assert row.colours
    assert 0 < row.head[0] < row.head[1] < row.size[1]


@given(st.sampled_from(ROWS), st.floats(0.40, 0.54))
def test_a_head_is_placed_inside_every_range(row: IdFormat, eye_share: float) -> None:
    head, chin = row.place_head(eye_share)
    top = row.size[1] - chin - head
    assert row.head[0] <= head <= row.head[1]
    assert chin >= row.below
    assert top >= 0
    if row.eyes:
        assert row.eyes[0] <= chin + eye_share * head <= row.eyes[1]
    if row.top:
        assert row.top[0] <= top <= row.top[1]


def test_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="schengen"):
        load_format("atlantis")
