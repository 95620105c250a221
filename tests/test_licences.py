"""Weights marked non-commercial: refused until the library accepts them, once."""

from __future__ import annotations

import pytest

from portraitist import weights
from portraitist.errors import WeightsError
from portraitist.library import Library
from portraitist.licences import is_accepted, require_accepted


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    source = weights.ProjectFolder("toy")
    for name, marked in (("free", False), ("marked", True)):
        row = weights.WeightsRow(name, source, None, None, "CC-BY-NC-SA-4.0", "test", noncommercial=marked)
        monkeypatch.setitem(weights.TABLE, name, row)


def test_marked_weights_are_refused_until_accepted(library: Library) -> None:
    with pytest.raises(WeightsError, match=r"'marked' are marked nc: learned from .* CC-BY-NC-SA-4\.0.*accept-nc"):
        require_accepted(library, "marked")
    assert not library.root.exists()
    library.accept_noncommercial("test")
    require_accepted(library, "marked")
    assert is_accepted(library, "marked")


def test_the_others_need_nothing(library: Library) -> None:
    require_accepted(library, "free")
    assert is_accepted(library, "free")


def test_unknown_weights_are_no_accepted_weights(library: Library) -> None:
    with pytest.raises(WeightsError, match="known are"):
        require_accepted(library, "nothing")
