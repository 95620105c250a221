"""Who sits where: sitters with their photos, scenes with their slots, made from what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraitist.album import store
from portraitist.album.values import AcceptedPhoto, Album
from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.image import open_photo
from portraitist.library import Library
from portraitist.marks.map import MarksMap, known_map
from portraitist.provenance import Input
from portraitist.scenes.slots import find_slots
from portraitist.scenes.values import BackdropScene, TemplateScene
from portraitist.styles.formats import load_format
from portraitist.tasks.config import ShootConfig
from portraitist.tasks.finish import Person
from portraitist.types import Reference

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".gif")
NOBODY = "none"


@dataclass(frozen=True, eq=False)
class Cast:
    """A sitter with the photos an engine may take (`chosen`) and all those likeness may be measured against. marks: the
    map of the sitter's marks, None where none was made."""

    name: str
    album: Album
    chosen: tuple[Reference, ...]
    everyone: tuple[Reference, ...]
    marks: MarksMap | None = None

    @classmethod
    def of(cls, library: Library, name: str) -> Cast:
        """Load a sitter's album. Raises InputError when there is none, or nothing in it was accepted."""
        album = store.load(library.sitter(name).album_dir)
        if not album.accepted:
            raise InputError(f"sitter '{name}': the album has no accepted photo; see 'portraitist album show {name}'")
        everyone = tuple(album.references(album.accepted))
        chosen = {photo.digest for photo in album.chosen}
        references = tuple(r for r, p in zip(everyone, album.accepted, strict=True) if p.digest in chosen)
        return cls(name, album, references, everyone, known_map(library.sitter(name).marks_dir))

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


def sitters_in(slots: Sequence[str]) -> list[str]:
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


def sittings(
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
    row = load_format(request.id_photo)
    return Sitting(BackdropScene(backdrop, request.id_photo), {1: cast}, request.id_photo, inputs, row.dpi)


def people_of(sitting: Sitting) -> list[Person]:
    if isinstance(sitting.scene, BackdropScene):
        cast = sitting.cast[1]
        return [Person(cast.name, cast.everyone, marks=cast.marks)]
    faces = {slot.number: slot.face for slot in sitting.scene.slots}
    return [
        Person(c.name, c.everyone, faces[slot].centre, faces[slot], c.marks) for slot, c in sorted(sitting.cast.items())
    ]
