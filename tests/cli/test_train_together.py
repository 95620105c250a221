"""The line that the manual gives for several GPUs, on two processes of the CPU, with portrait-mini itself."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")
pytest.importorskip("accelerate", reason="needs portraitist[diffusion]")

from portraitist.identity.record import read_identity
from portraitist.library import Consent, Library
from portraitist.tasks.add import add
from tests.training.together import launch


@pytest.mark.slow
def test_accelerate_launch_trains_with_no_other_change(library: Library, astronaut_path: Path) -> None:
    add(library, "anna", [astronaut_path], consent=Consent.now("Anna", "test"))
    few = ("--steps", 2, "--check-every", 2, "--batch", 1)
    done = launch("portraitist", "train", "anna", "--base", "mini", "--accept-nc", *few,
                  PORTRAITIST_LIBRARY=str(library.root))  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = library.sitter("anna").identities_dir / "mini"
    assert read_identity(folder).steps == {"2": 1.0}
    # One process speaks.
    assert done.stdout.count(str(folder)) == 1
    assert done.stderr.count("2/2 loss") == 1
    assert "accumulation 2 instead of 1" in done.stderr
