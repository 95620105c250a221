"""The generator's stages on tiny networks: trained, gone on with, kept as a file, transferred to a style."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.stylize.domain import save_domain
from portraitist.stylize.generator.generator_file import load_generator
from portraitist.training.checkpoint import checkpoints
from recipes.painters.command import main
from recipes.painters.stage_prepare import domain_path
from tests.stylize.generator.small import discs


def test_a_generator_and_a_style_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, name in enumerate(("omi", "lorelei")):
        save_domain(domain_path(tmp_path, 16, name), discs(name=name, seed=seed))
    run = ["--run", str(tmp_path), "--preset", "tiny"]
    paces = ["--save-every", "2", "--sheet-every", "2"]
    assert main(["generator", *run, *paces, "--steps", "2"]) == 0
    assert main(["generator", *run, *paces, "--steps", "4"]) == 0
    assert checkpoints(tmp_path / "generator")[-1].stem == "checkpoint-0000004"
    assert (tmp_path / "generator" / "sheets" / "0000004.png").is_file()
    assert main(["generator-file", *run]) == 0
    source = tmp_path / "generator.safetensors"
    assert load_generator(source).origin.steps == ("trained for 4 steps",)
    how = ["transfer", *run, *paces, "--source", str(source), "--domain", "lorelei", "--steps", "2"]
    assert main([*how, "--coarse-rate", "0.1"]) == 0
    style = load_generator(tmp_path / "transfer-lorelei.safetensors")
    assert style.origin.steps[-2:] == ("transferred to Drawn discs", "trained for 2 steps")
    assert main([*how, "--coarse-rate", "0.5"]) == 2
    assert "transfer was" in capsys.readouterr().err
