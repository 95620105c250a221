"""`shoot`: portraits of sitters in templates, on backdrops, as ID photos."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist import registry
from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem
from portraitist.compose.print_sheet import print_sheet
from portraitist.content_credentials import Credential
from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import TwoPassConfig
from portraitist.image import encode_image, open_photo
from portraitist.library import Library, write_atomic
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import SOURCE_TYPES, Input, Recipe, SavedPortrait, save_portrait, source_type_xmp, versions
from portraitist.tasks.config import FinishConfig, ShootConfig
from portraitist.tasks.finish import Finished, finish
from portraitist.tasks.sitting import Cast, Sitting, people_of, sitters_in, sittings
from portraitist.types import Image, Portrait, derive
from portraitist.weights import TABLE

if TYPE_CHECKING:
    from portraitist.tasks.repaint import Repainter

_ENLARGING = ("realesrgan-x4plus.param", "realesrgan-x4plus.bin")
_NETWORKS = (
    "blazeface-short",
    "blazeface-full",
    "face-mesh",
    "iris",
    "dlib-resnet",
    "selfie-segmentation",
    "palm-detection-full",
    "hand-landmark-full",
)


def shoot(
    library: Library,
    sitters: Sequence[str],
    request: ShootConfig,
    *,
    compose: ComposeConfig | None = None,
    finishing: FinishConfig | None = None,
    painting: TwoPassConfig | None = None,
    out: Path | None = None,
    credential: Credential | None = None,
    placement: Placement | None = None,
    report: Report = silent,
) -> list[SavedPortrait]:
    """Make, measure and save `request.count` portraits for each template or backdrop; best likeness first.

    out: folder for the files; without it they go to the first sitter's portraits. credential: signs every file.
    Raises InputError for unknown sitters, templates without a face and slots that do not exist; ConfigError when
    nothing, or two kinds of scene at once, are asked for.
    """
    placement, compose, finishing = placement or Placement(), compose or ComposeConfig(), finishing or FinishConfig()
    cast = {name: Cast.of(library, name) for name in dict.fromkeys((*sitters, *sitters_in(request.slots)))}
    folder = out or library.sitter(next(iter(cast))).portraits_dir
    painting = painting or TwoPassConfig()
    repaint = _repainter(library, cast, request, painting, placement, report)
    engine = registry.build("shoot", _start_of(request.engine), compose, placement, report)
    reader = FaceReader.load(placement)
    saved: list[SavedPortrait] = []
    for sitting in sittings(request, sitters, cast, reader):
        item = ComposeItem(sitting.scene, {slot: c.chosen for slot, c in sitting.cast.items()}, request.count)
        started = time.perf_counter()
        for index, start in enumerate(engine(item, seed=request.seed)):
            portrait = start if repaint is None else repaint(start, sitting, derive(request.seed, index))
            finished = finish(portrait, people_of(sitting), reader, finishing, placement)
            seconds = time.perf_counter() - started
            recipe = _recipe(request, compose, finishing, sitting, portrait, finished, index, seconds)
            if repaint is not None:
                identities = {f"identity of {name}": record.sha256 for name, record in repaint.records.items()}
                config = {**recipe.config, "painting": to_mapping(painting)}
                recipe = replace(recipe, config=config, weights={**recipe.weights, **identities})
            name = f"{sitting.title}-{_digest(recipe)}-{index + 1:02d}"
            saved.append(
                save_portrait(
                    finished.image, recipe, folder, name, format=request.format, dpi=sitting.dpi, credential=credential
                )
            )
            if sitting.dpi is not None:
                _write_print_sheet(finished.image, saved[-1], sitting.dpi, request.format, credential)
            report(Step("shoot", index + 1, request.count, name))
            started = time.perf_counter()
    return sorted(saved, key=_by_likeness)


def _start_of(engine: str) -> str:
    """The engine whose portrait it begins with."""
    return "compose" if engine == "lora" else engine


def _repainter(
    library: Library,
    cast: Mapping[str, Cast],
    request: ShootConfig,
    painting: TwoPassConfig,
    placement: Placement,
    report: Report,
) -> Repainter | None:
    if request.engine != "lora":
        return None
    if not request.templates:
        raise ConfigError("--engine lora: expected --template; a backdrop has nothing to paint, words have --style")
    from portraitist.tasks.repaint import Repainter

    return Repainter.load(library, list(cast), request.base, painting, placement, report)


def _write_print_sheet(
    image: Image, portrait: SavedPortrait, dpi: float, format: str, credential: Credential | None
) -> None:
    """The ID photo several times on 4 x 6 in paper, beside it as NAME-sheet."""
    kind = portrait.recipe.source_type
    sheet = encode_image(print_sheet(image, dpi=round(dpi)), format, xmp=source_type_xmp(kind), dpi=dpi)
    if credential is not None:
        sheet = credential.sign(sheet, format, SOURCE_TYPES[kind])
    write_atomic(portrait.path.with_name(f"{portrait.path.stem}-sheet{portrait.path.suffix}"), sheet)


def _by_likeness(portrait: SavedPortrait) -> tuple[float, float, str]:
    people = portrait.recipe.measures.get("people", [])
    mean3 = max((p.get("mean3_distance") or 9.0 for p in people), default=9.0)
    return (-(portrait.recipe.likeness if portrait.recipe.likeness is not None else -1.0), mean3, portrait.path.name)


def _recipe(
    request: ShootConfig,
    compose: ComposeConfig,
    finishing: FinishConfig,
    sitting: Sitting,
    portrait: Portrait,
    finished: Finished,
    index: int,
    seconds: float,
) -> Recipe:
    cast = list({c.name: c for c in sitting.cast.values()}.values())
    photos = [(c, photo) for c in cast for digest in portrait.sources if (photo := c.photo(digest))]
    used = tuple(Input("album", photo.digest, photo.path, c.name) for c, photo in photos)
    details = {"slots_cast": {str(slot): c.name for slot, c in sorted(sitting.cast.items())}, **portrait.details}
    timings = {"total": round(seconds, 3)} | {k: round(v, 3) for k, v in dict(details.pop("timings", {})).items()}
    config = {"shoot": to_mapping(request), "compose": to_mapping(compose), "finish": to_mapping(finishing)}
    return Recipe(
        task="shoot",
        engine=request.engine,
        config=config,
        seed=request.seed,
        index=index,
        sitters=tuple(c.name for c in cast),
        inputs=(*sitting.inputs, *used),
        weights={name: TABLE[name].sha256 or "" for name in (*_NETWORKS, *(_ENLARGING if finishing.scale > 1 else ()))},
        timings=timings,
        versions=versions(),
        likeness=finished.likeness,
        measures=finished.measures,
        details=details,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _digest(recipe: Recipe) -> str:
    """Six hex digits of what was asked, so that another request never overwrites this one's files."""
    asked = json.loads(
        json.dumps([recipe.config, recipe.seed, recipe.sitters, [i.digest for i in recipe.inputs if i.role != "album"]])
    )
    asked[0]["shoot"]["count"] = 0  # ten more of the same request continue it
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:6]


def make_again(
    library: Library, recipe: Recipe, *, placement: Placement | None = None, report: Report = silent
) -> Finished:
    """The same image from the recipe, its template and its album photos. Raises InputError when one of them is gone or
    was changed, ConfigError when the recipe is of another task."""
    from portraitist.options import from_mapping

    if recipe.task != "shoot":
        raise ConfigError(f"recipe: expected task 'shoot', found '{recipe.task}'")
    placement = placement or Placement()
    request = replace(from_mapping(ShootConfig, recipe.config["shoot"]), count=recipe.index + 1)
    compose, finishing = (
        from_mapping(ComposeConfig, recipe.config["compose"]),
        from_mapping(FinishConfig, recipe.config["finish"]),
    )
    request = _same_inputs(request, recipe)
    if recipe.engine == "lora":
        raise ConfigError("replay: a portrait painted by an identity cannot be replayed yet; run the command again")
    engine = registry.build("shoot", recipe.engine, compose, placement, report)
    cast = {name: Cast.of(library, name) for name in recipe.sitters}
    reader = FaceReader.load(placement)
    sitting = next(iter(sittings(request, recipe.sitters, cast, reader)))
    item = ComposeItem(sitting.scene, {s: c.chosen for s, c in sitting.cast.items()}, recipe.index + 1, recipe.index)
    portrait = next(iter(engine(item, seed=recipe.seed)))
    wanted = {i.digest for i in recipe.inputs if i.role == "album"}
    if set(portrait.sources) != wanted:
        raise InputError("the album has changed since: other photos would be used now; add the original photos again")
    return finish(portrait, people_of(sitting), reader, finishing, placement)


def _same_inputs(request: ShootConfig, recipe: Recipe) -> ShootConfig:
    """The request with its template or backdrop where the recipe found it, digest checked."""
    for entry in recipe.inputs:
        if entry.role == "album":
            continue
        if open_photo(Path(entry.path)).digest != entry.digest:
            raise InputError(f"{entry.path}: was changed since the portrait was made; put the original back")
        if entry.role == "template":
            request = replace(request, templates=(entry.path,))
        elif request.id_photo:
            request = replace(request, background=entry.path)
        else:
            request = replace(request, backdrop=entry.path)
    return request
