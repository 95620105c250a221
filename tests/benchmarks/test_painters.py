"""The ablation's rows differ by what their names say, and sharpness is of edges."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import painters
from portraitist.stylize.domain import Domain, DomainNote, save_domain
from portraitist.stylize.student.config import StudentConfig
from tests.stylize.drawn_pairs import drawn_pairs, photo


def test_each_row_has_one_more_loss() -> None:
    full = StudentConfig()
    rows = painters.ablations(full)
    assert list(rows) == ["pixel", "+ steps", "+ perceptual + GAN", "+ edges", "+ augmentation"]
    assert rows["+ augmentation"] == full
    assert rows["pixel"].gradient == rows["pixel"].lattice == 0
    assert (rows["pixel"].perceptual, rows["pixel"].adversarial, rows["pixel"].edges) == (0, 0, 0)
    assert not rows["+ edges"].augment
    changed = [
        {k for k, v in asdict(b).items() if v != asdict(a)[k]} for a, b in zip(rows.values(), [*rows.values()][1:])
    ]
    assert changed == [{"gradient", "lattice"}, {"perceptual", "adversarial"}, {"edges"}, {"augment"}]


def test_sharpness_is_of_edges_and_not_of_size() -> None:
    smooth = photo(0, 128)
    lined = smooth.copy()
    lined[::8] = 0
    assert painters.sharpness_of(lined) > 3 * painters.sharpness_of(smooth)
    tiled = np.tile(lined, (2, 2, 1))
    assert painters.sharpness_of(tiled) == pytest.approx(painters.sharpness_of(lined), rel=0.1)


def test_the_table_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(painters, "EfficientNetLite0", type("None", (), {"load": staticmethod(lambda: None)}))
    monkeypatch.setattr(painters, "perceptual_features", lambda: lambda pictures: [pictures])
    monkeypatch.setattr(
        painters,
        "picture_features",
        lambda _, images: np.stack([i.mean(axis=(0, 1)) for i in images]).astype(np.float32),
    )
    for name, first in (("photos", 0), ("style", 9)):
        images = np.stack([photo(first + number, 64) for number in range(3)])
        save_domain(tmp_path / f"{name}.npz", Domain(name, images, ("a", "b", "c"), DomainNote(name, "CC0-1.0")))
    drawn_pairs(tmp_path / "pairs", 2)
    told = ["--pairs", tmp_path / "pairs", "--photos", tmp_path / "photos.npz", "--style", tmp_path / "style.npz"]
    told += ["--direct-pairs", tmp_path / "pairs", "--out", tmp_path / "out"]
    told += ["--tier", "tiny", "--steps", 1, "--batch", 1, "--side", 64]
    painters.main([str(each) for each in told])
    table = (tmp_path / "out" / "table.md").read_text()
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == [
        "photos",
        *painters.ablations(StudentConfig()),
        "without stage 2",
    ]
    assert table in capsys.readouterr().out
    assert (tmp_path / "out" / "sheet.jpg").is_file()
