"""The command line end to end: each command is judged by what it leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.cli.main import main


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, astronaut_path: Path, hopper_path: Path) -> Path:
    """A library with both demo people, made through the command line."""
    root = tmp_path_factory.mktemp("cli") / "library"
    for name, photo in (("collins", astronaut_path), ("hopper", hopper_path)):
        assert main(["--library", str(root), "album", "add", name, str(photo), "--consent", "public domain"]) == 0
    return root


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def test_album_add_writes_an_album_with_consent(people: Path) -> None:
    album = json.loads((people / "sitters" / "collins" / "album" / "album.json").read_text())
    assert [photo["file"] for photo in album["accepted"]] == ["astronaut.png"]
    sitter = json.loads((people / "sitters" / "collins" / "sitter.json").read_text())
    assert sitter["consent"]["who"] == "public domain"


def test_a_new_sitter_without_consent_is_refused(tmp_path: Path, astronaut_path: Path) -> None:
    assert main(["album", "add", "x", str(astronaut_path), "--library", str(tmp_path)]) == 3
    assert not list(tmp_path.rglob("*.json"))


def test_template_replay_and_list(
    people: Path, hopper_path: Path, hopper: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _json(capsys, "shoot", "collins", "--template", str(hopper_path), "--library", str(people), "--json")
    pixels = np.asarray(PillowImage.open(made[0]["file"]).convert("RGB"))
    assert pixels.shape == hopper.shape
    changed = (pixels != hopper).any(-1)
    assert 0.01 < changed.mean() < 0.4
    assert made[0]["likeness"] is None
    listed = _json(capsys, "portraits", "collins", "--json", "--library", str(people))
    assert made[0]["file"] in [entry["file"] for entry in listed]
    again = _json(capsys, "--library", str(people), "replay", made[0]["recipe"], "-o", str(tmp_path), "--json")
    assert again["identical"]
    assert (np.asarray(PillowImage.open(again["file"]).convert("RGB")) == pixels).all()


def test_an_id_photo_has_its_size_and_a_sheet(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["shoot", "hopper", "--id-photo", "us-passport", "-o", str(tmp_path), "--library", str(people), "--json"]
    made = _json(capsys, *line)
    assert PillowImage.open(made[0]["file"]).size == (600, 600)
    assert len(list(tmp_path.glob("*-sheet.png"))) == 1


def test_a_photo_instead_of_a_name_can_be_erased(
    hopper_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = str(tmp_path / "library")
    line = ["shoot", str(hopper_path), "--backdrop", "white", "--consent", "public domain", "--library", library]
    made = _json(capsys, *line, "--json")
    name = made[0]["sitters"][0]
    assert name.startswith("unnamed-")
    assert main(["erase", name, "--library", library]) == 1
    assert Path(made[0]["file"]).is_file()
    assert main(["erase", name, "--library", library, "--yes"]) == 0
    assert not [path for path in Path(library).rglob("*") if path.is_file()]


def test_library_goes_before_and_after(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _json(capsys, "--library", str(people), "album", "show", "hopper", "--json")
    assert before == _json(capsys, "album", "show", "--library", str(people), "hopper", "--json")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["shoot", "nobody", "--backdrop", "white"], 3),
        (["shoot", "nobody.jpg", "--backdrop", "white"], 3),
        (["replay", "no-such-recipe.json"], 3),
        (["weights", "fetch", "magic"], 4),
    ],
)
def test_errors_are_one_sentence_and_a_code(line: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line) == code
    said = capsys.readouterr().err
    assert said.startswith("portraitist: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("line", [["shoot", "a", "--outline", "lots"], ["nothing"], ["shoot", "a", "--format", "pdf"]])
def test_wrong_options_exit_with_two(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(line)
    assert caught.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_out_of_range_is_a_config_error(people: Path, hopper_path: Path) -> None:
    line = ["shoot", "collins", "--template", str(hopper_path), "--outline", "3", "--library", str(people)]
    assert main(line) == 2


def test_weights_list_names_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    from portraitist import weights

    for line in (["weights", "--json"], ["weights", "list", "--json"], ["weights", "--json", "list"]):
        assert [row["name"] for row in _json(capsys, *line)] == list(weights.TABLE)


def test_doctor_passes_here(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    checks = _json(capsys, "doctor", "--json", "--library", str(tmp_path))
    assert all(check["passed"] for check in checks)


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    source = str(Path(__file__).resolve().parents[2] / "src")
    code = f"import sys, time; sys.path.insert(0, {source!r})\n"
    code += "from portraitist.cli.main import build_parser\nbuild_parser().format_help()\n"
    code += "heavy = {'numpy', 'cv2', 'scipy', 'PIL', 'jinja2'} & set(sys.modules)\nprint(time.process_time(), *heavy)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    seconds, *heavy = min(runs, key=lambda run: float(run.stdout.split()[0])).stdout.split()
    assert heavy == []
    # Processor time: what the machine does besides is not our imports.
    assert float(seconds) < 0.3


def test_poses_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    keys = [pose["key"] for pose in _json(capsys, "poses", "--json")]
    assert keys[0] == "front"
    assert len(keys) >= 10
    assert main(["poses"]) == 0
    said = capsys.readouterr().out
    assert all(key in said for key in keys)
