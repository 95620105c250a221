"""`replay`: the same image again from its recipe, and whether it is the same to the last pixel."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from portraitist.errors import ConfigError, InputError
from portraitist.image import open_photo
from portraitist.library import Library
from portraitist.options import from_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.provenance import Input, Recipe, read_recipe, save_portrait, versions
from portraitist.tasks.carry_marks import as_then
from portraitist.tasks.config import DrawSettings, ShootConfig, Stages
from portraitist.tasks.finish import Finished
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

    Raises InputError when the recipe, the template, an album photo or an identity is gone or was changed since.
    """
    recipe = read_recipe(recipe_path)
    with _threads(recipe):
        image = make_again(library, recipe, placement=placement, report=report).image
        now = versions(drawn="threads" in recipe.versions)
    folder = out or recipe_path.parent / "replay"
    form = {".jpg": "jpeg", ".webp": "webp"}.get(Path(recipe.file).suffix, "png")
    saved = save_portrait(image, replace(recipe, versions=now), folder, Path(recipe.file).stem, format=form)
    return Replayed(saved.path, Pixels(image).digest == recipe.output, _differences(recipe, now))


def make_again(
    library: Library, recipe: Recipe, *, placement: Placement | None = None, report: Report = silent
) -> Finished:
    """The same portrait from the recipe and what it names. Raises InputError when one of those is gone or was changed,
    ConfigError when the recipe is of a task that cannot be replayed."""
    again = {"shoot": _shot_again, "draw": _drawn_again, "paint": _painted_again}
    if recipe.task not in again:
        raise ConfigError(f"recipe: expected a task out of {', '.join(again)}, found '{recipe.task}'")
    return again[recipe.task](library, recipe, placement or Placement(), report)


@contextlib.contextmanager
def _threads(recipe: Recipe) -> Iterator[None]:
    """As many threads for torch as drew the portrait: another number adds up in another order."""
    if "threads" not in recipe.versions or importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(int(recipe.versions["threads"]))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _shot_again(library: Library, recipe: Recipe, placement: Placement, report: Report) -> Finished:
    from portraitist.tasks.shoot import Photographer, cast_of
    from portraitist.tasks.shoot_recipe import album_inputs
    from portraitist.tasks.sitting import sittings

    request = replace(from_mapping(ShootConfig, recipe.config["shoot"]), count=recipe.index + 1)
    stages = from_mapping(Stages, {k: v for k, v in recipe.config.items() if k != "shoot"})
    request = _same_inputs(request, recipe)
    cast = {name: as_then(one, recipe.weights) for name, one in cast_of(library, recipe.sitters, request).items()}
    photographer = Photographer.of(library, cast, request, stages, placement, report)
    require_same_weights(recipe, photographer.weights())
    sitting = next(iter(sittings(request, recipe.sitters, cast, photographer.reader)))
    shot = next(photographer(sitting, recipe.index))
    wanted = {entry.digest for entry in recipe.inputs if entry.role == "album"}
    if {entry.digest for entry in album_inputs(sitting, shot.portrait)} != wanted:
        raise InputError("the album has changed since: other photos would be used now; add the original photos again")
    return shot.finished


def _drawn_again(library: Library, recipe: Recipe, placement: Placement, report: Report) -> Finished:
    """The batch that the portrait was drawn in, once more: in another one its last bits could differ."""
    from portraitist.tasks.commission import Commission
    from portraitist.tasks.draw_job import DrawJob
    from portraitist.tasks.draw_recipe import photos_in

    settings = _same_pose(from_mapping(DrawSettings, recipe.config), recipe)
    asked = Commission.of(library, recipe.sitters[0], settings, placement, report)
    job = DrawJob.prepare(replace(asked, cast=as_then(asked.cast, recipe.weights)))
    require_same_weights(recipe, job.digests())
    candidate = next(job.candidates(recipe.index))
    then, now = recipe.details["prompt"], candidate.portrait.details["prompt"]
    if now != then:
        raise InputError(
            f"prompt: expected '{then}', found '{now}'; the album's captions have changed since: add the original "
            "photos again, or run the command of the portrait again"
        )
    completed = job.complete(candidate)
    if set(photos_in(completed.portrait, job.asked.cast)) != {i for i in recipe.inputs if i.role == "album"}:
        raise InputError("the album has changed since: other photos would be used now; add the original photos again")
    return completed.finished


def _painted_again(library: Library, recipe: Recipe, placement: Placement, report: Report) -> Finished:
    from portraitist.tasks.paint_config import PaintSettings
    from portraitist.tasks.paint_sources import source_of
    from portraitist.tasks.paint_studio import Studio

    if recipe.inputs[0].role in ("video", "camera"):
        raise ConfigError(
            "recipe: videos are not replayed; run the command again, its output digest is that of the frames"
        )
    studio = Studio.of(library, from_mapping(PaintSettings, recipe.config), placement, report)
    require_same_weights(recipe, studio.weights())
    shot = studio(source_of(library, recipe.inputs[0]))
    return Finished(shot.image, shot.measures, None)


def require_same_weights(recipe: Recipe, now: Mapping[str, str]) -> None:
    """Raise InputError when something learned that the recipe names has another digest now."""
    for name, digest in recipe.weights.items():
        if digest and now.get(name, "") not in ("", digest):
            raise InputError(
                f"{name}: expected sha256 {digest[:12]}, found {now[name][:12]}; it is not what the portrait was made "
                "with, put that back or run the command of the portrait again"
            )


def _same_pose(settings: DrawSettings, recipe: Recipe) -> DrawSettings:
    """The settings with the photo of the pose where the recipe found it, digest checked."""
    for entry in recipe.inputs:
        if entry.role == "pose":
            _require_unchanged(entry)
            settings = replace(settings, draw=replace(settings.draw, pose=entry.path))
    return settings


def _require_unchanged(entry: Input) -> None:
    if open_photo(Path(entry.path)).digest != entry.digest:
        raise InputError(f"{entry.path}: was changed since the portrait was made; put the original back")


def _same_inputs(request: ShootConfig, recipe: Recipe) -> ShootConfig:
    """The request with its template or backdrop where the recipe found it, digest checked."""
    for entry in recipe.inputs:
        if entry.role == "album":
            continue
        _require_unchanged(entry)
        if entry.role == "template":
            request = replace(request, templates=(entry.path,))
        elif request.id_photo:
            request = replace(request, background=entry.path)
        else:
            request = replace(request, backdrop=entry.path)
    return request


def _differences(recipe: Recipe, now: Mapping[str, str]) -> tuple[str, ...]:
    changed = [name for name, version in recipe.versions.items() if now.get(name) != version]
    return tuple(f"{name}: {recipe.versions[name]} then, {now.get(name, 'not known')} now" for name in changed)
