"""What `shoot` writes: the recipe of a portrait, its file's name, and the sheet beside an ID photo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.compose.print_sheet import print_sheet
from portraitist.content_credentials import Credential
from portraitist.image import encode_image
from portraitist.library import write_atomic
from portraitist.provenance import SOURCE_TYPES, Input, Recipe, SavedPortrait, save_portrait, source_type_xmp, versions
from portraitist.tasks.config import ShootConfig
from portraitist.tasks.request_digest import request_digest
from portraitist.tasks.sitting import Sitting
from portraitist.types import Image, Portrait

if TYPE_CHECKING:
    from portraitist.tasks.shoot import Shot


def recipe_of(
    shot: Shot, sitting: Sitting, request: ShootConfig, config: Mapping[str, Any], weights: Mapping[str, str]
) -> Recipe:
    """Everything that replays to the shot, and what was measured on it."""
    names = tuple(dict.fromkeys(cast.name for cast in sitting.cast.values()))
    slots_cast = {str(slot): cast.name for slot, cast in sorted(sitting.cast.items())}
    details = {"slots_cast": slots_cast, **shot.portrait.details}
    timings = {"total": shot.seconds, **dict(details.pop("timings", {}))}
    return Recipe(
        task="shoot",
        engine=request.engine,
        config=config,
        seed=request.seed,
        index=shot.index,
        sitters=names,
        inputs=(*sitting.inputs, *album_inputs(sitting, shot.portrait)),
        weights=weights,
        timings={stage: round(seconds, 3) for stage, seconds in timings.items()},
        versions=versions(drawn="painting" in config),
        likeness=shot.finished.likeness,
        measures=shot.finished.measures,
        details=details,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def album_inputs(sitting: Sitting, portrait: Portrait) -> tuple[Input, ...]:
    """The album photos that went into the portrait."""
    casts = list({cast.name: cast for cast in sitting.cast.values()}.values())
    photos = [(cast, photo) for cast in casts for digest in portrait.sources if (photo := cast.photo(digest))]
    return tuple(Input("album", photo.digest, photo.path, cast.name) for cast, photo in photos)


def save(
    image: Image, recipe: Recipe, sitting: Sitting, folder: Path, format: str, credential: Credential | None
) -> SavedPortrait:
    """Write the portrait with its recipe; an ID photo also as a sheet of 4 x 6 in, beside it as NAME-sheet."""
    name = f"{sitting.title}-{request_digest(recipe)}-{recipe.index + 1:02d}"
    saved = save_portrait(image, recipe, folder, name, format=format, dpi=sitting.dpi, credential=credential)
    if sitting.dpi is not None:
        _write_print_sheet(image, saved, sitting.dpi, format, credential)
    return saved


def _write_print_sheet(
    image: Image, portrait: SavedPortrait, dpi: float, format: str, credential: Credential | None
) -> None:
    kind = portrait.recipe.source_type
    sheet = encode_image(print_sheet(image, dpi=round(dpi)), format, xmp=source_type_xmp(kind), dpi=dpi)
    if credential is not None:
        sheet = credential.sign(sheet, format, SOURCE_TYPES[kind])
    write_atomic(portrait.path.with_name(f"{portrait.path.stem}-sheet{portrait.path.suffix}"), sheet)
