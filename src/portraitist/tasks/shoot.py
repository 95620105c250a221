"""`shoot`: portraits of sitters in templates, on backdrops, as ID photos."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from portraitist import registry
from portraitist.album import store
from portraitist.album.values import AcceptedPhoto, Album
from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem
from portraitist.compose.print_sheet import print_sheet
from portraitist.content_credentials import Credential
from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.image import encode_image, open_photo
from portraitist.library import Library, write_atomic
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import Input, Recipe, SavedPortrait, save_portrait, source_type_xmp, versions
from portraitist.scenes.slots import find_slots
from portraitist.scenes.values import BackdropScene, TemplateScene
from portraitist.tasks.config import FinishConfig, ShootConfig
from portraitist.tasks.finish import Finished, Person, finish
from portraitist.types import Image, Portrait, Reference
from portraitist.weights import TABLE

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".gif")
_NETWORKS = (
    "blazeface-short",
    "blazeface-full",
    "face-mesh",
    "dlib-resnet",
    "selfie-segmentation",
    "palm-detection-full",
    "hand-landmark-full",
)
NOBODY = "none"


@dataclass(frozen=True, eq=False)
class Cast:
    """A sitter with the photos an engine may take (`chosen`) and all those likeness may be measured against."""

    name: str
    album: Album
    chosen: tuple[Reference, ...]
    everyone: tuple[Reference, ...]

    @classmethod
    def of(cls, library: Library, name: str) -> Cast:
        """Load a sitter's album. Raises InputError when there is none, or nothing in it was accepted."""
        album = store.load(library.sitter(name).album_dir)
        if not album.accepted:
            raise InputError(f"sitter '{name}': the album has no accepted photo; see 'portraitist album show {name}'")
        everyone = tuple(album.references(album.accepted))
        chosen = {photo.digest for photo in album.chosen}
        return cls(
            name, album, tuple(r for r, p in zip(everyone, album.accepted, strict=True) if p.digest in chosen), everyone
        )

    def photo(self, digest: str) -> AcceptedPhoto | None:
        """The album's photo of that digest."""
        return next((photo for photo in self.album.accepted if photo.digest == digest), None)


@dataclass(frozen=True, eq=False)
class Sitting:
    """One scene with the sitters that go into its slots."""

    scene: TemplateScene | BackdropScene
    cast: Mapping[int, Cast]
    title: str
    inputs: tuple[Input, ...]
    dpi: float | None = None


def shoot(
    library: Library,
    sitters: Sequence[str],
    request: ShootConfig,
    *,
    compose: ComposeConfig | None = None,
    finishing: FinishConfig | None = None,
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
    cast = {name: Cast.of(library, name) for name in dict.fromkeys((*sitters, *_named_in(request.slots)))}
    folder = out or library.sitter(next(iter(cast))).portraits_dir
    engine = registry.build("shoot", request.engine, compose, placement, report)
    reader = FaceReader.load(placement)
    saved: list[SavedPortrait] = []
    for sitting in _sittings(request, sitters, cast, reader):
        item = ComposeItem(sitting.scene, {slot: c.chosen for slot, c in sitting.cast.items()}, request.count)
        started = time.perf_counter()
        for index, portrait in enumerate(engine(item, seed=request.seed)):
            finished = finish(portrait, _people(sitting), reader, finishing, placement)
            recipe = _recipe(
                request, compose, finishing, sitting, portrait, finished, index, time.perf_counter() - started
            )
            name = f"{sitting.title}-{_digest(recipe)}-{index + 1:02d}"
            saved.append(
                save_portrait(
                    finished.image, recipe, folder, name, format=request.format, dpi=sitting.dpi, credential=credential
                )
            )
            if sitting.dpi is not None:
                _write_print_sheet(finished.image, saved[-1], sitting.dpi, request.format)
            report(Step("shoot", index + 1, request.count, name))
            started = time.perf_counter()
    return sorted(saved, key=_by_likeness)


def _write_print_sheet(image: Image, portrait: SavedPortrait, dpi: float, format: str) -> None:
    """The ID photo several times on 4 x 6 in paper, beside it as NAME-sheet."""
    sheet = encode_image(
        print_sheet(image, dpi=round(dpi)), format, xmp=source_type_xmp(portrait.recipe.source_type), dpi=dpi
    )
    write_atomic(portrait.path.with_name(f"{portrait.path.stem}-sheet{portrait.path.suffix}"), sheet)


def _by_likeness(portrait: SavedPortrait) -> tuple[float, float, str]:
    people = portrait.recipe.measures.get("people", [])
    mean3 = max((p.get("mean3_distance") or 9.0 for p in people), default=9.0)
    return (-(portrait.recipe.likeness if portrait.recipe.likeness is not None else -1.0), mean3, portrait.path.name)


def _named_in(slots: Sequence[str]) -> list[str]:
    return [name for _, name in parse_slots(slots).items() if name != NOBODY]


def parse_slots(slots: Sequence[str]) -> dict[int, str]:
    """`("1=anna", "2=none")` as a mapping; `left` and `right` are slots 1 and 2. Raises ConfigError on other words."""
    assigned: dict[int, str] = {}
    for entry in slots:
        place, _, name = entry.partition("=")
        number = {"left": "1", "right": "2"}.get(place.strip(), place.strip())
        if not number.isdecimal() or int(number) < 1 or not name.strip():
            raise ConfigError(f"slots: expected NUMBER=SITTER such as 1=anna or 2=none, found '{entry}'")
        if int(number) in assigned:
            raise ConfigError(f"slots: slot {number} is given twice")
        assigned[int(number)] = name.strip()
    return assigned


def _sittings(
    request: ShootConfig, sitters: Sequence[str], cast: Mapping[str, Cast], reader: FaceReader
) -> Iterator[Sitting]:
    wanted = [bool(request.templates), request.backdrop is not None, request.id_photo is not None]
    if sum(wanted) != 1:
        raise ConfigError(
            "expected one of --template, --backdrop and --id-photo; found " + ("none" if not any(wanted) else "several")
        )
    if request.templates:
        for path in template_paths(request.templates):
            yield _template_sitting(path, request, sitters, cast, reader)
        return
    if len(cast) != 1:
        raise InputError(f"a head shot shows one sitter, found {len(cast)}; run the command once for each")
    yield _backdrop_sitting(request, next(iter(cast.values())))


def template_paths(names: Sequence[str]) -> list[Path]:
    """Files as given; folders as their pictures in order of name. Raises InputError for what does not exist."""
    paths: list[Path] = []
    for name in names:
        path = Path(name).expanduser()
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES)
            if not found:
                raise InputError(f"{path}: expected a folder with template photos, found none")
            paths += found
        elif path.exists():
            paths.append(path)
        else:
            raise InputError(f"{path}: no such template; give a photo or a folder of photos")
    return paths


def _template_sitting(
    path: Path, request: ShootConfig, sitters: Sequence[str], cast: Mapping[str, Cast], reader: FaceReader
) -> Sitting:
    photo = open_photo(path)
    try:
        scene = find_slots(photo, reader)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
    assigned = _assign(scene, parse_slots(request.slots), list(dict.fromkeys(sitters)), path.name)
    template = Input("template", photo.digest, str(path.resolve()))
    return Sitting(scene, {slot: cast[name] for slot, name in assigned.items()}, path.stem, (template,))


def _assign(scene: TemplateScene, asked: Mapping[int, str], sitters: Sequence[str], name: str) -> dict[int, str]:
    """Slot -> sitter. Without --slots: a lone sitter takes the largest face, several sitters go left to right."""
    numbers = [slot.number for slot in scene.slots]
    if asked:
        missing = sorted(set(asked) - set(numbers))
        if missing:
            raise InputError(
                f"{name}: slot {missing[0]} asked for, but the template has slots {numbers} (left to right)"
            )
        left = {slot: who for slot, who in asked.items() if who != NOBODY}
        if not left:
            raise InputError(f"{name}: every slot is 'none', so nothing would change; name a sitter")
        return left
    if len(sitters) == 1:
        largest = max(scene.slots, key=lambda slot: slot.face.width)
        return {largest.number: sitters[0]}
    if len(sitters) > len(numbers):
        raise InputError(f"{name}: {len(sitters)} sitters for {len(numbers)} faces; say who goes where with --slots")
    return dict(zip(numbers, sitters, strict=False))


def _backdrop_sitting(request: ShootConfig, cast: Cast) -> Sitting:
    backdrop: Any = request.background if request.id_photo else request.backdrop
    inputs: tuple[Input, ...] = ()
    if Path(backdrop).expanduser().is_file():
        photo = open_photo(Path(backdrop).expanduser())
        inputs, backdrop = (Input("backdrop", photo.digest, str(photo.path.resolve())),), photo.pixels(2048)
    if request.id_photo is None:
        return Sitting(
            BackdropScene(backdrop, request.crop),
            {1: cast},
            f"{request.crop}-{Path(str(request.backdrop)).stem}",
            inputs,
        )
    from portraitist.styles.formats import load_format

    row = load_format(request.id_photo)
    return Sitting(BackdropScene(backdrop, request.id_photo), {1: cast}, request.id_photo, inputs, row.dpi)


def _people(sitting: Sitting) -> list[Person]:
    if isinstance(sitting.scene, BackdropScene):
        cast = sitting.cast[1]
        return [Person(cast.name, cast.everyone)]
    faces = {slot.number: slot.face for slot in sitting.scene.slots}
    return [Person(c.name, c.everyone, faces[slot].centre, faces[slot]) for slot, c in sorted(sitting.cast.items())]


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
        weights={name: TABLE[name].sha256 or "" for name in _NETWORKS},
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
    engine = registry.build("shoot", recipe.engine, compose, placement, report)
    cast = {name: Cast.of(library, name) for name in recipe.sitters}
    reader = FaceReader.load(placement)
    sitting = next(iter(_sittings(request, recipe.sitters, cast, reader)))
    item = ComposeItem(sitting.scene, {s: c.chosen for s, c in sitting.cast.items()}, recipe.index + 1, recipe.index)
    portrait = next(iter(engine(item, seed=recipe.seed)))
    wanted = {i.digest for i in recipe.inputs if i.role == "album"}
    if set(portrait.sources) != wanted:
        raise InputError("the album has changed since: other photos would be used now; add the original photos again")
    return finish(portrait, _people(sitting), reader, finishing, placement)


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
