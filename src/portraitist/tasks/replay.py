"""`replay`: the same image again from its recipe, and whether it is the same to the last pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.provenance import Recipe, read_recipe, save_portrait, versions
from portraitist.types import Pixels


@dataclass(frozen=True)
class Replayed:
    """The file made again. differences: versions that are not those of the recipe, which may explain other pixels."""

    path: Path
    identical: bool
    differences: tuple[str, ...]


def replay(
    library: Library,
    recipe_path: Path,
    *,
    out: Path | None = None,
    placement: Placement | None = None,
    report: Report = silent,
) -> Replayed:
    """Make the image of the recipe again and save it in `out` (default: a folder `replay` beside the recipe).

    Raises InputError when the recipe, the template or an album photo is gone or was changed since.
    """
    from portraitist.tasks.shoot import make_again

    recipe = read_recipe(recipe_path)
    image = make_again(library, recipe, placement=placement, report=report).image
    folder = out or recipe_path.parent / "replay"
    form = {".jpg": "jpeg", ".webp": "webp"}.get(Path(recipe.file).suffix, "png")
    saved = save_portrait(image, replace(recipe, versions=versions()), folder, Path(recipe.file).stem, format=form)
    return Replayed(saved.path, Pixels(image).digest == recipe.output, _differences(recipe))


def _differences(recipe: Recipe) -> tuple[str, ...]:
    now = versions()
    changed = [name for name, version in recipe.versions.items() if now.get(name) != version]
    return tuple(f"{name}: {recipe.versions[name]} then, {now.get(name, 'not known')} now" for name in changed)
