"""`portraitist stylize` with a painter that saw non-commercial pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from portraitist.cli.main import main
from portraitist.library import Library


def test_a_painter_marked_nc_is_refused_until_that_is_accepted(
    astronaut_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = tmp_path / "library", tmp_path / "painted.png"
    asked = ["--library", str(root), "stylize", str(astronaut_path), "--painter", "lorelei", "--out", str(out)]
    assert main(asked) != 0
    assert "--accept-nc" in capsys.readouterr().err
    assert not out.exists()
    assert main([*asked, "--accept-nc"]) == 0
    assert out.is_file()
    assert Library(root).accepts_noncommercial
