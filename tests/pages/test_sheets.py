"""Contact sheets."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.pages.sheets import contact_sheet


def _plain(value: int, h: int = 40, w: int = 60) -> np.ndarray:
    return np.full((h, w, 3), value, np.uint8)


def test_every_picture_is_on_the_sheet_whole() -> None:
    sheet = contact_sheet([_plain(10), _plain(20, 300, 100), _plain(30)], ["a", "b\nb2", "c"], columns=2, cell=(64, 64))
    assert (sheet == 10).all(-1).sum() == 40 * 60
    assert (sheet == 20).all(-1).sum() == 64 * 21
    assert (sheet == 30).all(-1).any()


def test_captions_are_drawn_and_shortened() -> None:
    bare = contact_sheet([_plain(200)], [" "], cell=(64, 64))
    said = contact_sheet([_plain(200)], ["a very long caption that cannot fit into a small cell"], cell=(64, 64))
    assert bare.shape == said.shape
    assert (bare != said).any()
    assert (said[:, -8:] == bare[:, -8:]).all()


def test_captions_must_match() -> None:
    with pytest.raises(InputError, match="caption"):
        contact_sheet([_plain(1)], ["a", "b"])
    with pytest.raises(InputError):
        contact_sheet([])
