"""The demo makes its pictures and a page that needs nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image as PillowImage

from portraitist.provenance import saved_portraits
from portraitist.tasks.demo import make_demo


def test_the_demo_is_whole(tmp_path: Path) -> None:
    made = make_demo(tmp_path / "out")
    assert len(made.pictures) == 11
    assert all(PillowImage.open(path).size > (100, 100) for path in made.pictures)
    page = made.page.read_text()
    assert page.count("<img ") == 12
    assert "not measurable" in page
    assert 'src="http' not in page
    recipes = [p.recipe for p in saved_portraits(tmp_path / "out")]
    assert len(recipes) == 6
    assert all(recipe.likeness is None for recipe in recipes)
    swaps = [r.measures["people"][0] for r in recipes if any(i.role == "template" for i in r.inputs)]
    # Bounds of tests/compose/test_template.py: one photo each, and Hopper's glasses stay on.
    assert all(p["source_distance"] < 0.5 < 0.52 < p["template_distance"] for p in swaps)
    assert not Path(os.environ["PORTRAITIST_LIBRARY"]).exists()
