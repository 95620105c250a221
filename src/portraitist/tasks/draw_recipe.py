"""What `draw` writes beside a portrait: everything needed to draw it again, what it measured and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from portraitist.options import to_mapping
from portraitist.provenance import Input, Recipe, versions
from portraitist.tasks.request_digest import request_digest
from portraitist.tasks.stage_clock import peak_memory

if TYPE_CHECKING:
    from portraitist.tasks.draw_job import Candidate, Completed, DrawJob
    from portraitist.tasks.sitting import Cast
    from portraitist.types import Portrait


def recipe_of(
    job: DrawJob, candidate: Candidate, completed: Completed, scores: Sequence[float | None]
) -> tuple[Recipe, str]:
    """The recipe, and the name of its file. scores: likeness of every candidate as it was drawn, in their order."""
    asked, portrait, name = job.asked, completed.portrait, job.asked.cast.name
    recipe = Recipe(
        task="draw",
        engine="lora",
        config=to_mapping(asked.settings),
        seed=asked.settings.draw.seed,
        index=candidate.index,
        sitters=(name,),
        inputs=(*(job.posing.inputs if job.posing else ()), *photos_in(portrait, asked.cast)),
        weights=job.digests(),
        timings=dict(candidate.clock.seconds),
        versions=versions(drawn=True),
        source_type="composite" if "fusion" in portrait.details else "generated",
        likeness=completed.finished.likeness,
        measures=completed.finished.measures,
        details=_details(job, candidate, completed, scores),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return recipe, f"{asked.style.key}-{request_digest(recipe)}-{candidate.index + 1:02d}"


def photos_in(portrait: Portrait, cast: Cast) -> tuple[Input, ...]:
    """The album's photos whose pixels or weights went in; one that has left the album since is not named."""
    photos = [photo for digest in portrait.sources if (photo := cast.photo(digest))]
    return tuple(Input("album", photo.digest, photo.path, cast.name) for photo in photos)


def _details(
    job: DrawJob, candidate: Candidate, completed: Completed, scores: Sequence[float | None]
) -> dict[str, Any]:
    """warnings: of the prompt and of this portrait. drawn: its measures before the sitter's own face went in."""
    found = dict(completed.portrait.details)
    found |= {"warnings": [*job.warnings, *found.get("warnings", ())], "candidates": list(scores)}
    found |= {"drawn": candidate.drawn.measures, "attributes": list(job.attributes)}
    found |= {} if job.posing is None else {"pose": job.posing.facts()}
    return found | {"peak_memory_mib": peak_memory(job.asked.placement.device)}
