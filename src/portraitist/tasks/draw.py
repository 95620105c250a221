"""`shoot` in words: portraits of a sitter in a named style, drawn by the base their identity was learned on."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.errors import ConfigError, InputError
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import DrawConfig
from portraitist.library import Library
from portraitist.options import to_mapping
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import Input, Recipe, SavedPortrait, save_portrait, versions
from portraitist.styles.looks import compose_prompt, find_style
from portraitist.tasks.config import DrawRequest, FinishConfig
from portraitist.tasks.finish import Finished, Person, finish
from portraitist.tasks.posing import Posing, largest_face
from portraitist.tasks.request_digest import request_digest
from portraitist.tasks.sitting import Cast
from portraitist.types import Portrait

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.generate.text import TextEngine, TextOrder
    from portraitist.identity.record import IdentityRecord
    from portraitist.styles.style import Style

SITTER = "sitter"
"""Name the sitter's LoRA is installed under."""
MOSTLY = 0.5
"""An attribute in more than this share of the album joins the prompt."""
ATTRIBUTES = ("glasses", "beard", "long hair", "short hair", "dark hair", "light hair")
"""What may be a sitter's own; a pose or a light never is."""


@dataclass(frozen=True)
class Drawn:
    """saved: the portraits kept, best likeness first. warnings: sentences for whoever asked. attributes: phrases about
    the sitter that joined the prompt."""

    saved: list[SavedPortrait]
    warnings: tuple[str, ...]
    attributes: tuple[str, ...]


def draw(
    library: Library,
    name: str,
    request: DrawRequest,
    *,
    drawing: DrawConfig | None = None,
    finishing: FinishConfig | None = None,
    out: Path | None = None,
    placement: Placement | None = None,
    report: Report = silent,
) -> Drawn:
    """Draw, measure and save. Raises InputError when nothing was learned of the sitter on this base, ConfigError for an
    unknown style or one that another base is needed for."""
    settings = DrawSettings(request, drawing or DrawConfig(), finishing or FinishConfig())
    job = DrawJob.prepare(library, name, settings, placement or Placement(), report)
    saved = _saved(job, out or library.sitter(name).portraits_dir)
    return Drawn(saved, job.warnings, job.attributes)


@dataclass(frozen=True)
class DrawSettings:
    """What was asked for, stage by stage: what a recipe stores and a replay reads."""

    draw: DrawRequest
    drawing: DrawConfig = DrawConfig()
    finish: FinishConfig = FinishConfig()


@dataclass(frozen=True, eq=False)
class DrawJob:
    """One request with everything loaded that it needs. weights: digests of what was learned. posing: where a pose was
    asked for."""

    cast: Cast
    settings: DrawSettings
    engine: TextEngine
    order: TextOrder
    reader: FaceReader
    attributes: tuple[str, ...]
    warnings: tuple[str, ...]
    weights: Mapping[str, str]
    placement: Placement
    report: Report
    posing: Posing | None = None

    @classmethod
    def prepare(
        cls, library: Library, name: str, settings: DrawSettings, placement: Placement, report: Report = silent
    ) -> DrawJob:
        """Find sitter, style and base, and load them. Raises as `draw` does."""
        from portraitist.diffusion.bases import find_base
        from portraitist.diffusion.portrait_mini import warn_unknown
        from portraitist.generate.text import TextOrder

        request = settings.draw
        base, cast, style = find_base(request.base), Cast.of(library, name), find_style(request.style, library)
        _require_fitting(style, base)
        folder = library.sitter(name).identities_dir / base.name
        record = identity_of(folder, name, base)
        attributes, reader = album_attributes(cast), FaceReader.load(placement)
        weights = _weights(base, record, style, library)
        posing = _posing(settings, cast, record, base, reader)
        style = style if posing is None else posing.said_in(style)
        prompt, negative = compose_prompt(style, extra=request.prompt, trigger=record.trigger, attributes=attributes)
        engine = _engine(library, folder, base, style, settings.drawing, placement, report)
        sources = record.sources
        if posing is not None:
            engine = posing.steer(engine, base, placement, report=report)
            sources = tuple(dict.fromkeys((*sources, posing.reference.picture.digest)))
            weights = {**weights, "pose": posing.digest}
        weight = style.identity_weight * settings.drawing.identity_weight
        order = TextOrder([prompt] * request.count, negative, sources, {SITTER: weight})
        warned = warn_unknown(prompt) if base.name == "mini" else None
        warnings = (warned,) if warned else ()
        return cls(cast, settings, engine, order, reader, attributes, warnings, weights, placement, report, posing)

    def candidates(self, start: int = 0) -> Iterator[tuple[int, Portrait]]:
        """Portraits `start` and on, as they are drawn, with their numbers."""
        return enumerate(self.engine(self.order, seed=self.settings.draw.seed, start=start), start)

    def finished(self, portrait: Portrait, config: FinishConfig) -> Finished:
        """The portrait finished and measured."""
        finished = finish(portrait, [Person(self.cast.name, self.cast.everyone)], self.reader, config, self.placement)
        if self.posing is None:
            return finished
        measured = self.posing.measured(largest_face(portrait.image, self.reader))
        return replace(finished, measures={**finished.measures, "pose": measured})


def _posing(
    settings: DrawSettings, cast: Cast, record: IdentityRecord, base: Base, reader: FaceReader
) -> Posing | None:
    if settings.draw.pose is None:
        return None
    # A photo that was learned from: the others stay free to measure likeness by.
    learned = [reference for reference in cast.everyone if reference.picture.digest in record.sources]
    return Posing.of(settings.draw.pose, settings.drawing.pose_strength, learned or cast.everyone, base, reader)


def _weights(base: Base, record: IdentityRecord, style: Style, library: Library) -> dict[str, str]:
    """Digests of what the portraits depend on: identity, base where it is known, and the words of the style."""
    from portraitist.diffusion.bases_files import base_digest

    words = json.dumps(asdict(style), sort_keys=True).encode()
    return {
        "identity": record.sha256,
        f"base {base.name}": base_digest(base),
        f"style {style.key}": hashlib.sha256(words).hexdigest(),
    }


def album_attributes(cast: Cast) -> tuple[str, ...]:
    """Phrases that more than half of the album's captions have: what belongs to the sitter, not to a photo."""
    photos = cast.album.accepted
    said = Counter(phrase for photo in photos for phrase in ATTRIBUTES if phrase in photo.caption)
    return tuple(phrase for phrase in ATTRIBUTES if said[phrase] > MOSTLY * len(photos))


def _require_fitting(style: Style, base: Base) -> None:
    if style.needs == "hub" and base.name == "mini":
        raise ConfigError(
            f"style '{style.key}': expected a hub base, found base 'mini', which does not know its words; "
            "choose a style of 'portraitist style list --needs mini' or another --base"
        )
    if style.lora is not None:
        raise ConfigError(
            f"style '{style.key}': has a LoRA of its own, which is not mixed in yet; remove it from the file"
        )


def identity_of(folder: Path, name: str, base: Base) -> IdentityRecord:
    """What was learned of the sitter on the base. Raises InputError naming the command when nothing was."""
    from portraitist.identity.record import RECORD, read_identity

    if not (folder / RECORD).is_file():
        raise InputError(
            f"sitter '{name}': no identity on base '{base.name}' yet; learn one with "
            f"'portraitist train {name} --base {base.name}'"
        )
    return read_identity(folder)


def _engine(
    library: Library,
    folder: Path,
    base: Base,
    style: Style,
    drawing: DrawConfig,
    placement: Placement,
    report: Report,
) -> TextEngine:
    """The base with the sitter's LoRA on it, set to the style's steps and guidance where the base listens to them."""
    from portraitist.diffusion.base_loading import load_base
    from portraitist.diffusion.lora_adapters import install
    from portraitist.diffusion.lora_formats import read_lora
    from portraitist.diffusion.samplers import set_sampler
    from portraitist.generate.text import TextEngine
    from portraitist.identity.record import WEIGHTS

    pipeline = load_base(base, "text", placement, library=library, report=report)
    install(pipeline, read_lora(folder / WEIGHTS), SITTER)
    set_sampler(pipeline, style.sampler)
    few_steps = base.sampling.num_steps < FEW_STEPS
    steps = base.sampling.num_steps if few_steps else style.steps
    guidance = base.sampling.guidance_scale if few_steps else style.guidance
    return TextEngine(pipeline, drawing, steps, guidance, report)


FEW_STEPS = 10
"""A base that draws in fewer is distilled: other steps and guidance than its own spoil it."""


def _saved(job: DrawJob, folder: Path) -> list[SavedPortrait]:
    """Candidates measured one by one; the best are finished and saved."""
    request = job.settings.draw
    measured: list[tuple[int, Portrait, Finished]] = []
    for index, portrait in job.candidates():
        measured.append((index, portrait, job.finished(portrait, FinishConfig())))
        job.report(Step("measure", index + 1, request.count))
    scores = [finished.likeness for _, _, finished in measured]
    saved = []
    for index, portrait, _ in sorted(measured, key=_by_likeness)[: request.best or request.count]:
        finished = job.finished(portrait, job.settings.finish)
        recipe = _recipe(job, portrait, finished, index, scores)
        name = f"{request.style}-{request_digest(recipe)}-{index + 1:02d}"
        saved.append(save_portrait(finished.image, recipe, folder, name, format=request.format))
    return saved


def _by_likeness(entry: tuple[int, Portrait, Finished]) -> tuple[float, int]:
    index, _, finished = entry
    return -(finished.likeness if finished.likeness is not None else -1.0), index


def _recipe(job: DrawJob, portrait: Portrait, finished: Finished, index: int, scores: Sequence[float | None]) -> Recipe:
    name, seed = job.cast.name, job.settings.draw.seed
    photos = [photo for digest in portrait.sources if (photo := job.cast.photo(digest))]
    inputs = tuple(Input("album", photo.digest, photo.path, name) for photo in photos)
    details = {**portrait.details, "candidates": list(scores)}
    if job.posing is not None:
        inputs, details = (*job.posing.inputs, *inputs), {**details, "pose": job.posing.facts()}
    return Recipe(
        task="draw",
        engine="lora",
        config=to_mapping(job.settings),
        seed=seed,
        index=index,
        sitters=(name,),
        inputs=inputs,
        weights=job.weights,
        timings={"draw": float(portrait.details["seconds"])},
        versions=versions(drawn=True),
        source_type="generated",
        likeness=finished.likeness,
        measures=finished.measures,
        details=details,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
