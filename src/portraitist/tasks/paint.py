"""`paint`: people of photos, of an album or of portraits in a painter's look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portraitist.content_credentials import Credential
from portraitist.errors import InputError
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import SavedPortrait, save_portrait
from portraitist.tasks.paint_config import PaintSettings
from portraitist.tasks.paint_sources import Still, stills
from portraitist.tasks.paint_studio import PaintedStill, Studio, recipe_of
from portraitist.tasks.request_digest import request_digest

SUFFIXES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
"""Of picture files that can be written, and their formats."""


@dataclass(frozen=True)
class PaintedAll:
    """saved: what was painted. skipped: a sentence for each picture that was not."""

    saved: list[SavedPortrait]
    skipped: list[str]


@dataclass(frozen=True)
class Place:
    """Where a painting goes. name: of the file without its suffix, None for one made of the picture and the request."""

    folder: Path
    name: str | None
    format: str


def paint(
    library: Library,
    sources: Sequence[str],
    settings: PaintSettings,
    *,
    out: Path | None = None,
    credential: Credential | None = None,
    placement: Placement | None = None,
    report: Report = silent,
) -> PaintedAll:
    """Paint every picture that the sources name, and save each with its recipe.

    sources: photos, or names of sitters. out: the file, for one picture; else a folder; without it they go to the
    sitter's portraits. A picture that cannot be read, or has nobody to paint, is skipped and named. Raises InputError
    for an unknown painter or sitter, WeightsError for a painter marked `nc` in a library that has not accepted that.
    """
    found = list(stills(library, sources, settings.request))
    skipped = [str(each) for each in found if isinstance(each, InputError)]
    ready = [each for each in found if isinstance(each, Still)]
    places = [_place(library, still, out, settings, len(ready)) for still in ready]
    studio = Studio.of(library, settings, placement or Placement(), report)
    saved: list[SavedPortrait] = []
    for number, (still, place) in enumerate(zip(ready, places, strict=True)):
        try:
            saved.append(_save(studio(still), still, studio, place, credential))
        except InputError as error:
            skipped.append(f"{still.title}: {error}")
        report(Step("paint", number + 1, len(ready), still.title))
    return PaintedAll(saved, skipped)


def _place(library: Library, still: Still, out: Path | None, settings: PaintSettings, count: int) -> Place:
    """Raises InputError where nobody said where to, or what was said cannot be done."""
    if out is not None and out.suffix.lower() in SUFFIXES:
        if count > 1:
            raise InputError(f"--out {out.name}: one file for {count} pictures; give a folder")
        if SUFFIXES[out.suffix.lower()] == "jpeg" and settings.paint.background == "transparent":
            raise InputError(f"--out {out.name}: JPEG knows no transparency; give a .png or .webp")
        return Place(out.parent, out.stem, SUFFIXES[out.suffix.lower()])
    if out is None and still.entry.sitter is None:
        raise InputError("--out: expected a file or a folder; only paintings of a sitter go into the library")
    folder = library.sitter(still.entry.sitter or "").portraits_dir if out is None else out
    return Place(folder, None, settings.request.format)


def _save(
    shot: PaintedStill, still: Still, studio: Studio, place: Place, credential: Credential | None
) -> SavedPortrait:
    recipe = recipe_of(shot, still, studio)
    name = place.name or f"{still.title}-{studio.painter.name}-{request_digest(recipe)}"
    return save_portrait(shot.image, recipe, place.folder, name, format=place.format, credential=credential)
