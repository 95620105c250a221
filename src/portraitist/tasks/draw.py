"""`shoot` in words: portraits of a sitter in a named style, drawn by the base their identity was learned on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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
    from portraitist.diffusion.bases import find_base
    from portraitist.diffusion.portrait_mini import warn_unknown
    from portraitist.generate.text import TextOrder

    drawing, finishing, placement = drawing or DrawConfig(), finishing or FinishConfig(), placement or Placement()
    base, cast, style = find_base(request.base), Cast.of(library, name), find_style(request.style, library)
    _require_fitting(style, base)
    folder = library.sitter(name).identities_dir / base.name
    record = identity_of(folder, name, base)
    attributes = album_attributes(cast)
    prompt, negative = compose_prompt(style, extra=request.prompt, trigger=record.trigger, attributes=attributes)
    engine = _engine(library, folder, base, style, drawing, placement, report)
    weight = style.identity_weight * drawing.identity_weight
    order = TextOrder([prompt] * request.count, negative, record.sources, {SITTER: weight})
    job = _Job(cast, request, drawing, finishing, record, placement, report)
    saved = _drawn(job, engine, order, out or library.sitter(name).portraits_dir)
    warned = warn_unknown(prompt) if base.name == "mini" else None
    return Drawn(saved, (warned,) if warned else (), attributes)


@dataclass(frozen=True, eq=False)
class _Job:
    """What every step of one request needs."""

    cast: Cast
    request: DrawRequest
    drawing: DrawConfig
    finishing: FinishConfig
    record: IdentityRecord
    placement: Placement
    report: Report


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


def _drawn(job: _Job, engine: TextEngine, order: TextOrder, folder: Path) -> list[SavedPortrait]:
    """Candidates measured one by one; the best are finished and saved."""
    reader = FaceReader.load(job.placement)
    people = [Person(job.cast.name, job.cast.everyone)]
    measured: list[tuple[int, Portrait, Finished]] = []
    for index, portrait in enumerate(engine(order, seed=job.request.seed)):
        measured.append((index, portrait, finish(portrait, people, reader, FinishConfig(), job.placement)))
        job.report(Step("measure", index + 1, job.request.count))
    scores = [finished.likeness for _, _, finished in measured]
    saved = []
    for index, portrait, _ in sorted(measured, key=_by_likeness)[: job.request.best or job.request.count]:
        finished = finish(portrait, people, reader, job.finishing, job.placement)
        recipe = _recipe(job, portrait, finished, index, scores)
        name = f"{job.request.style}-{job.request.seed}-{index + 1:02d}"
        saved.append(save_portrait(finished.image, recipe, folder, name, format=job.request.format))
    return saved


def _by_likeness(entry: tuple[int, Portrait, Finished]) -> tuple[float, int]:
    index, _, finished = entry
    return -(finished.likeness if finished.likeness is not None else -1.0), index


def _recipe(job: _Job, portrait: Portrait, finished: Finished, index: int, scores: Sequence[float | None]) -> Recipe:
    request, name = job.request, job.cast.name
    photos = [photo for digest in portrait.sources if (photo := job.cast.photo(digest))]
    settings = {"draw": request, "drawing": job.drawing, "finish": job.finishing}
    return Recipe(
        task="draw",
        engine="lora",
        config={key: to_mapping(value) for key, value in settings.items()},
        seed=request.seed,
        index=index,
        sitters=(name,),
        inputs=tuple(Input("album", photo.digest, photo.path, name) for photo in photos),
        weights={"identity": job.record.sha256},
        timings={"draw": float(portrait.details["seconds"])},
        versions=versions(),
        source_type="generated",
        likeness=finished.likeness,
        measures=finished.measures,
        details={**portrait.details, "candidates": list(scores)},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
