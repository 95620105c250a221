"""The recipe of painters: what the stages leave, on drawn squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.stylize.domain import load_domain
from recipes.painters.command import main
from recipes.painters.sources import STYLES


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Development data in small: ten drawings of one set, and four faces of the two splits."""
    folder = tmp_path / "data"
    for name in STYLES:
        (folder / "style" / f"dicebear_{name}").mkdir(parents=True)
    (folder / "synthetic_faces" / "omi256").mkdir(parents=True)
    for i in range(10):
        PillowImage.fromarray(np.full((32, 32, 3), 20 * i, np.uint8)).save(
            folder / "style" / "dicebear_lorelei" / f"{i:04d}.png"
        )
    lines = ["file,person,split"]
    for i in range(4):
        name = f"synthetic_faces/omi256/{i}.jpg"
        PillowImage.fromarray(np.full((32, 32, 3), 50 * i, np.uint8)).save(folder / name)
        lines.append(f"{name},omi_{i},{'judge' if i == 3 else 'tune'}")
    (folder / "SPLIT.csv").write_text("\n".join(lines))
    return folder


def test_prepare_keeps_the_splits_apart(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    how = ["prepare", "--run", str(tmp_path / "run"), "--data", str(data), "--side", "16"]
    assert main([*how, "--only", "omi", "lorelei"]) == 0
    domains = tmp_path / "run" / "domains" / "16"
    tune, judge = load_domain(domains / "omi.npz"), load_domain(domains / "omi-judge.npz")
    assert (len(tune), len(judge)) == (3, 1)
    assert tune.note.noncommercial
    drawn, kept = load_domain(domains / "lorelei.npz"), load_domain(domains / "lorelei-judge.npz")
    assert (len(drawn), len(kept)) == (8, 2)
    assert not set(drawn.names) & set(kept.names)
    assert not drawn.note.noncommercial
    assert main([*how, "--only", "cubism"]) == 2
    assert "no domain cubism" in capsys.readouterr().err
