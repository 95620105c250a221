"""`shoot` in words: portraits of a sitter in a named style, drawn by the base their identity was learned on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from portraitist.content_credentials import Credential
from portraitist.generate.config import DrawConfig
from portraitist.library import Library
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import SavedPortrait, save_portrait
from portraitist.tasks.commission import Commission
from portraitist.tasks.config import DrawRequest, DrawSettings, Stages
from portraitist.tasks.draw_job import Candidate, DrawJob
from portraitist.tasks.draw_recipe import recipe_of
from portraitist.tasks.worth import UNKNOWN, worth


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
    drawing: DrawConfig | None = None,
    stages: Stages | None = None,
    *,
    out: Path | None = None,
    credential: Credential | None = None,
    placement: Placement | None = None,
    report: Report = silent,
) -> Drawn:
    """Draw, choose, complete, measure and save; best likeness first.

    Every candidate is measured as it was drawn; the best of them get the sitter's own face and are measured again.
    stages: of putting that face in, painting the ring and finishing. credential: signs every file. Raises InputError
    when nothing was learned of the sitter on this base or a LoRA is for another, ConfigError for an unknown style or
    one that does not fit.
    """
    stages = stages or Stages()
    settings = DrawSettings(request, drawing or DrawConfig(), stages.compose, stages.painting, stages.finish)
    job = DrawJob.prepare(Commission.of(library, name, settings, placement or Placement(), report))
    candidates = list(job.candidates())
    scores = tuple(candidate.drawn.likeness for candidate in candidates)
    folder, saved = out or library.sitter(name).portraits_dir, []
    kept = sorted(candidates, key=_by_likeness)[: request.best or request.count]
    for number, candidate in enumerate(kept):
        completed = job.complete(candidate)
        recipe, title = recipe_of(job, candidate, completed, scores)
        image = completed.finished.image
        saved.append(save_portrait(image, recipe, folder, title, format=request.format, credential=credential))
        report(Step("complete", number + 1, len(kept), title))
    saved.sort(key=lambda portrait: -worth(portrait.recipe))
    return Drawn(saved, job.warnings, job.attributes)


def _by_likeness(candidate: Candidate) -> tuple[float, int]:
    likeness = candidate.drawn.likeness
    return -(UNKNOWN if likeness is None else likeness), candidate.index
