"""`portraitist style`: listed, shown, measured from a picture, imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portraitist.cli.main import main
from portraitist.styles.looks import styles
from portraitist.styles.style_file import read_style

OLD = {"name": "雪夜(Snowy night)", "add_prompt_style": "snow, 1girl", "img": "x.jpg"}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Run a line in a library of its own; (exit code, standard output, standard error)."""

    def run_line(*line: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["--library", str(tmp_path / "library"), *map(str, line)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_line


def test_list_names_every_style(run: Any) -> None:
    code, out, _ = run("style", "list", "--json")
    assert code == 0
    assert [row["key"] for row in json.loads(out)] == list(styles())
    code, out, _ = run("style", "list", "--needs", "mini")
    assert len(out.splitlines()) == 1 + sum(s.needs == "mini" for s in styles().values())


def test_show_prints_the_prompt(run: Any) -> None:
    code, out, _ = run("style", "show", "汉服", "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["key"] == "hanfu"
    assert shown["composed"]["prompt"].startswith("portrait photograph, half-length, ")
    assert "name_zh: 汉服" in run("style", "show", "hanfu")[1]


def test_an_unknown_style_is_a_sentence(run: Any) -> None:
    code, _, err = run("style", "show", "hamfu")
    assert code == 2
    assert "hanfu" in err
    assert err.count("\n") == 1


def test_from_a_picture_writes_a_style(run: Any, hopper_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "uniform.yaml"
    code, said, _ = run("style", "from", hopper_path, "--out", out)
    assert code == 0
    assert read_style(out).prompt.clothing == "black clothing"
    assert "portrait-mini knows: " in said
    assert "put it into" in said
    assert run("style", "from", hopper_path, "--out", out)[0] == 3


def test_from_a_picture_into_the_library_is_found_by_name(run: Any, astronaut_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "library" / "styles"
    code, said, _ = run("style", "from", astronaut_path, "--out", folder / "suit.yaml", "--needs", "mini", "--json")
    assert code == 0
    assert json.loads(said)["known_to_mini"] == ["lit from the left"]
    assert run("style", "show", "suit")[0] == 0
    assert run("style", "from", astronaut_path, "--out", folder / "hanfu.yaml")[0] == 2
    assert not (folder / "hanfu.yaml").exists()


def test_import_writes_into_the_library(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text(json.dumps(OLD, ensure_ascii=False), encoding="utf-8")
    code, said, _ = run("style", "import", file)
    assert code == 0
    assert "1girl" in said
    assert run("style", "show", "雪夜")[0] == 0
    assert run("style", "import", file)[0] == 3


@pytest.mark.parametrize(
    "line", [("from", "none.jpg", "--out", "x.yaml"), ("from", "none.jpg", "--out", "X.txt"), ("import", "none.json")]
)
def test_bad_input_is_a_sentence_and_a_code(run: Any, line: tuple[str, ...]) -> None:
    code, _, err = run("style", *line)
    assert code == 3
    assert err.count("\n") == 1
