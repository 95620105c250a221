"""The generator's stages on tiny networks: trained, gone on with, kept as a file, transferred to a style."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.library import read_json
from portraitist.stylize.domain import save_domain
from portraitist.stylize.generator.generator_file import load_generator, save_generator
from portraitist.stylize.pairs import PairFolder
from portraitist.training.checkpoint import checkpoints, unpacked
from recipes.painters.command import main
from recipes.painters.stage_prepare import domain_path
from tests.stylize.generator.small import discs, trained


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


@pytest.fixture
def pair_of_generators(tmp_path: Path) -> list[str]:
    """Flags that name a source and a style of it, and the run."""
    for seed, name in enumerate(("source", "style")):
        save_generator(tmp_path / f"{name}.safetensors", trained(seed))
    files = [str(tmp_path / f"{name}.safetensors") for name in ("source", "style")]
    return ["--run", str(tmp_path), "--source", files[0], "--style", files[1]]


def test_photos_are_inverted_and_restyled(tmp_path: Path, pair_of_generators: list[str]) -> None:
    save_domain(domain_path(tmp_path, 16, "omi"), discs(name="omi"))
    save_domain(domain_path(tmp_path, 16, "omi", "judge"), discs(name="omi", seed=4))
    assert main(["encoder", *pair_of_generators[:4], "--steps", "2", "--save-every", "2", "--batch", "4"]) == 0
    assert main(["restyle", *pair_of_generators, "--count", "2", "--steps", "15"]) == 0
    figures = read_json(tmp_path / "restyled.json")
    assert all(after > before for before, after in zip(figures["started"], figures["reached"], strict=True))
    assert (tmp_path / "restyled.png").is_file()


def test_pairs_of_the_generator_alone(tmp_path: Path, pair_of_generators: list[str]) -> None:
    assert main(["generator-pairs", *pair_of_generators, "--count", "3", "--swap-side", "8"]) == 0
    pairs = PairFolder.open(tmp_path / "generator-pairs")
    assert len(pairs) == 3
    assert pairs.note.stages == ("generator",)
    assert (pairs[0].photo != pairs[0].painted).any()


def test_a_grid_and_directions_on_generators_that_draw_no_faces(
    tmp_path: Path, pair_of_generators: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grid", *pair_of_generators, "--people", "2"]) == 0
    assert {row["seen"] for row in read_json(tmp_path / "grid.json")} == {0}
    assert main(["directions", *pair_of_generators[:4], "--count", "4"]) == 2
    assert "show a face" in capsys.readouterr().err


def test_few_pictures_begin_with_the_few_shot_settings(tmp_path: Path, pair_of_generators: list[str]) -> None:
    save_domain(domain_path(tmp_path, 16, "few"), discs(count=5, name="few"))
    save_domain(domain_path(tmp_path, 16, "many"), discs(count=30, name="many"))
    paces = ["--preset", "tiny", "--steps", "1", "--save-every", "1", "--sheet-every", "0", "--fine-rate", "0.7"]
    found = {}
    for name in ("few", "many"):
        assert main(["transfer", *pair_of_generators[:4], *paces, "--domain", name]) == 0
        newest = checkpoints(tmp_path / f"transfer-{name}")[-1]
        found[name] = unpacked(newest.read_bytes()).settings["transfer"]
    assert [found[name]["coarse_rate"] for name in ("few", "many")] == [0.0, 0.2]
    assert [found[name]["fine_rate"] for name in ("few", "many")] == [0.7, 0.7]


def test_a_blend_is_a_generator_to_sample_and_blend_again(
    tmp_path: Path, pair_of_generators: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run, source, style = pair_of_generators[:2], pair_of_generators[3], pair_of_generators[5]
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    assert main(["blend", *run, "--source", source, "--style", style, "--out", str(first)]) == 0
    both = ["--style", str(first), style, "--strength", "0.5", "0.3"]
    assert main(["blend", *run, "--source", source, *both, "--out", str(second)]) == 0
    assert len(load_generator(second).origin.steps) == 1
    assert main(["samples", *run, "--source", str(second), "--count", "3"]) == 0
    assert len(list((tmp_path / "samples").glob("0*.png"))) == 3
    assert (tmp_path / "samples" / "sheet.png").is_file()
    assert main(["blend", *run, "--source", source, "--style", style, "--swap-side", "8", "16", "--out", "x"]) == 2
    assert "one for each of 1 styles" in capsys.readouterr().err
