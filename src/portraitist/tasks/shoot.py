"""`shoot`: portraits of sitters in templates, on backdrops, as ID photos."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist import registry
from portraitist.compose.backdrop import Kept
from portraitist.compose.engine import ComposeItem
from portraitist.content_credentials import Credential
from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.library import Library
from portraitist.marks.protect import kept_mask
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import SavedPortrait
from portraitist.scenes.values import BackdropScene
from portraitist.tasks.carry_marks import map_digests
from portraitist.tasks.config import ShootConfig, Stages
from portraitist.tasks.finish import Finished, finish
from portraitist.tasks.shoot_recipe import recipe_of, save
from portraitist.tasks.sitting import Cast, Sitting, people_of, sitters_in, sittings
from portraitist.tasks.worth import worth
from portraitist.types import Portrait, derive
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
    stages: Stages | None = None,
    *,
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
    cast = cast_of(library, sitters, request)
    folder = out or library.sitter(next(iter(cast))).portraits_dir
    photographer = Photographer.of(library, cast, request, stages or Stages(), placement or Placement(), report)
    saved: list[SavedPortrait] = []
    for sitting in sittings(request, sitters, cast, photographer.reader):
        for shot in photographer(sitting):
            recipe = recipe_of(shot, sitting, request, photographer.config(), photographer.weights())
            saved.append(save(shot.finished.image, recipe, sitting, folder, request.format, credential))
            report(Step("shoot", shot.index + 1, request.count, saved[-1].path.stem))
    return sorted(saved, key=_by_likeness)


def cast_of(library: Library, sitters: Sequence[str], request: ShootConfig) -> dict[str, Cast]:
    """Every sitter that is named, by name. Raises InputError when nobody is."""
    names = dict.fromkeys((*sitters, *sitters_in(request.slots)))
    if not names:
        raise InputError("shoot: expected at least one sitter, found none; name one, or use slots")
    return {name: Cast.of(library, name) for name in names}


@dataclass(frozen=True, eq=False)
class Shot:
    """One portrait of a sitting: as the engine made it, and finished."""

    index: int
    portrait: Portrait
    finished: Finished
    seconds: float


@dataclass(frozen=True, eq=False)
class Photographer:
    """Makes the portraits of a sitting: composed, painted over where an identity does that, finished and measured.

    maps: digests of the maps of marks.
    """

    request: ShootConfig
    stages: Stages
    engine: Any
    painter: Repainter | None
    reader: FaceReader
    placement: Placement
    maps: Mapping[str, str]

    @classmethod
    def of(
        cls,
        library: Library,
        cast: Mapping[str, Cast],
        request: ShootConfig,
        stages: Stages,
        placement: Placement,
        report: Report = silent,
    ) -> Photographer:
        """With everything loaded that the request needs."""
        painter = _painter(library, cast, request, stages, placement, report)
        start = "compose" if painter is not None else request.engine
        engine = registry.build("shoot", start, stages.compose, placement, report)
        maps = map_digests(list(cast.values()), stages.finish)
        return cls(request, stages, engine, painter, FaceReader.load(placement), placement, maps)

    def __call__(self, sitting: Sitting, first: int = 0) -> Iterator[Shot]:
        """Portraits `first` to the request's count; portrait i depends on the seed and i only."""
        photos = {slot: cast.chosen for slot, cast in sitting.cast.items()}
        item = ComposeItem(sitting.scene, photos, self.request.count, first, _kept(sitting))
        started = time.perf_counter()
        for index, portrait in enumerate(self.engine(item, seed=self.request.seed), first):
            if self.painter is not None:
                portrait = self.painter(portrait, sitting, derive(self.request.seed, index))
            finished = finish(portrait, people_of(sitting), self.reader, self.stages.finish, self.placement)
            yield Shot(index, portrait, finished, time.perf_counter() - started)
            started = time.perf_counter()

    def config(self) -> dict[str, Any]:
        """What a recipe keeps of the request and the stages: those that were used."""
        used = {"shoot": to_mapping(self.request), **to_mapping(self.stages)}
        return used if self.painter is not None else {k: v for k, v in used.items() if k != "painting"}

    def weights(self) -> dict[str, str]:
        """Digests of everything learned that these portraits depend on; empty where one is not known."""
        networks = (*_NETWORKS, *(_ENLARGING if self.stages.finish.scale > 1 else ()))
        found = {**{name: TABLE[name].sha256 or "" for name in networks}, **self.maps}
        return found if self.painter is None else {**found, **_painter_weights(self.painter, self.request.base)}


def _kept(sitting: Sitting) -> Kept | None:
    """The marks that the sitter of a head shot keeps, out of reach of retouching."""
    known = sitting.cast[1].marks if isinstance(sitting.scene, BackdropScene) else None
    return None if known is None else lambda face, size: kept_mask(face, known, size)


def _painter(
    library: Library,
    cast: Mapping[str, Cast],
    request: ShootConfig,
    stages: Stages,
    placement: Placement,
    report: Report,
) -> Repainter | None:
    """Who paints over the portraits, with engine `lora`."""
    if request.engine != "lora":
        return None
    if not request.templates:
        raise ConfigError("--engine lora: expected --template; a backdrop has nothing to paint, words have --style")
    from portraitist.tasks.repaint import Repainter

    return Repainter.load(library, list(cast), request.base, stages.painting, placement, report)


def _painter_weights(painter: Repainter, base_name: str) -> dict[str, str]:
    from portraitist.diffusion.bases import find_base
    from portraitist.diffusion.bases_files import base_digest
    from portraitist.diffusion.controls import control_digest, parse_controls

    base, engine = find_base(base_name), painter.engine
    kinds = {*engine.face.kinds, *engine.ring.kinds} - parse_controls(engine.config.controls).keys()
    controls = {f"control {kind}": digest for kind in sorted(kinds) if (digest := control_digest(kind, base.family))}
    identities = {f"identity of {name}": record.sha256 for name, record in painter.records.items()}
    return {f"base {base_name}": base_digest(base), **controls, **identities}


def _by_likeness(portrait: SavedPortrait) -> tuple[float, float, str]:
    people = portrait.recipe.measures.get("people", [])
    mean3 = max((p.get("mean3_distance") or 9.0 for p in people), default=9.0)
    return -worth(portrait.recipe), mean3, portrait.path.name
