"""One album of the identity table, from photos to measures, in a process of its own: its peak memory is its own."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.identity_ablations import Way, learning
from benchmarks.identity_albums import SITTER, Person, Seat, seat
from benchmarks.identity_measures import floor, measure, own_pairs
from benchmarks.identity_sheet import write_sheet
from portraitist.diffusion.base_loading import load_base
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.lora_adapters import install
from portraitist.diffusion.lora_formats import read_lora
from portraitist.errors import PortraitistError
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import RING_DENOISE, DrawConfig, TwoPassConfig
from portraitist.generate.text import TextEngine
from portraitist.identity.record import WEIGHTS
from portraitist.identity.trainee import with_trigger
from portraitist.image import open_photo
from portraitist.library import Library, write_json
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.tasks.config import ShootConfig, Stages
from portraitist.tasks.draw_job import album_attributes
from portraitist.tasks.shoot import shoot
from portraitist.tasks.train import Trained, train
from portraitist.types import Image

CAPTIONS = (
    "portrait",
    "portrait, facing the camera, smiling, light background",
    "portrait, facing the camera, serious, dark background",
    "portrait, turned left",
    "portrait, turned right",
    "portrait, turned left, smiling, light background",
    "portrait, turned right, smiling, dark background",
    "portrait, looking up",
    "portrait, looking down, serious",
    "portrait, mouth open",
    "portrait, lit from the left, dark background",
    "portrait, close-up, mouth closed",
)
"""Of the text portraits, in the words of portrait-mini. What most of the album's captions say joins them."""
SEED = 7
PAINTED = TwoPassConfig(face_denoise=0.45, fusion=0)
WITH_RING = TwoPassConfig(face_denoise=0.45, fusion=0, ring_denoise=RING_DENOISE)
"""portrait-mini leaves the second pass, the ring, out unless it is asked for."""


@dataclass(frozen=True)
class Job:
    """What the process needs. result: the JSON file; a contact sheet of its name lies beside it. templates: none for
    text portraits alone."""

    person: Person
    way: Way
    templates: tuple[Path, ...]
    result: Path


@dataclass
class Pictures:
    """Everything drawn for one album, row by row of the table, with its measures."""

    rows: dict[str, list[tuple[Image, dict[str, Any]]]] = field(default_factory=dict)

    def measures(self) -> dict[str, list[dict[str, Any]]]:
        """Of each row, as JSON has them."""
        return {row: [measures for _, measures in pictures] for row, pictures in self.rows.items()}


def run_job(job: Job) -> None:
    """Write the job's result; what the product refuses is a result too."""
    report = _told(job.person.name)
    with tempfile.TemporaryDirectory(prefix="identity-") as folder:
        try:
            result = _result(job, Library(folder), report)
        except PortraitistError as error:
            result = {"name": job.person.name, "kind": job.person.kind, "error": str(error)}
    write_json(job.result, result)


def _result(job: Job, library: Library, report: Report) -> dict[str, Any]:
    reader, side = FaceReader.load(Placement()), find_base("mini").resolution
    seated = seat(job.person, library, reader)
    if not seated.report:
        raise PortraitistError(f"{job.person.name}: expected a photo to report on, found none")
    started = time.perf_counter()
    with learning(job.way):
        trained = train(library, SITTER, "mini", job.way.config, report=report)
        seconds, peak = time.perf_counter() - started, peak_gigabytes()
        pictures = Pictures()
        _words(pictures, seated, trained, reader)
    if job.templates:
        _templates(pictures, seated, job.templates, reader, report)
        write_sheet(job.result.with_suffix(".png"), seated, pictures.rows)
    return {
        "name": job.person.name,
        "kind": job.person.kind,
        "photos": {"learned": len(seated.learned), "report": len(seated.report), "all": len(job.person.photos)},
        "training": {"seconds": round(seconds, 1), "peak_gb": round(peak, 3), **_learned(trained)},
        "rows": pictures.measures(),
        "floor": floor(seated.learned, seated.report, side, reader),
        "own": own_pairs(_everyone(seated)),
    }


def _everyone(seated: Seat) -> list[Any]:
    """All photos of the person, each once."""
    found = {photo.picture.digest: photo for photo in (*seated.cast.everyone, *seated.report)}
    return list(found.values())


def _learned(trained: Trained) -> dict[str, Any]:
    """What the training said of itself; the fusion beside the best single checkpoint."""
    outcome = trained.outcome
    return {
        "steps": {str(step): share for step, share in outcome.weights.items()},
        "is_fused": outcome.is_fused,
        "fusion": None if outcome.fusion is None else outcome.fusion.distance,
        "single": outcome.single.distance,
        "rank_loss": outcome.rank_loss,
        "bare": outcome.bare.distance,
        "checks": [
            {"step": c.step, "validation_loss": c.validation_loss, "scores": [asdict(score) for score in c.scores]}
            for c in outcome.checks
        ],
    }


def _words(pictures: Pictures, seated: Seat, trained: Trained, reader: FaceReader) -> None:
    """Rows a and b: the same words and noise, by the base alone and with the sitter's word and LoRA."""
    base = find_base("mini")
    pipeline = load_base(base, "text", library=seated.library)
    engine = TextEngine(pipeline, DrawConfig(), base.sampling.num_steps, base.sampling.guidance_scale)
    texts = [", ".join((text, *album_attributes(seated.cast))) for text in CAPTIONS]
    plain = _drawn(engine, texts)
    install(pipeline, read_lora(trained.folder / WEIGHTS), SITTER)
    own = _drawn(engine, [with_trigger(text) for text in texts])
    for row, images in (("a", plain), ("b", own)):
        pictures.rows[row] = [(image, measure(image, reader, seated.report, seated.learned)) for image in images]


def _drawn(engine: TextEngine, prompts: Sequence[str]) -> list[Image]:
    size = engine.config.batch
    return [
        image
        for first in range(0, len(prompts), size)
        for image in engine.draw(prompts[first : first + size], "", SEED, first)
    ]


def _templates(pictures: Pictures, seated: Seat, templates: Sequence[Path], reader: FaceReader, report: Report) -> None:
    """Rows c, d and e: painted without final fusion, compose alone, painted with the ring; in the same templates."""
    for row, engine, painting in (("c", "lora", PAINTED), ("d", "compose", PAINTED), ("e", "lora", WITH_RING)):
        request, stages = ShootConfig(templates=tuple(map(str, templates)), engine=engine), Stages(painting=painting)
        saved = shoot(seated.library, [SITTER], request, stages, report=report)
        pictures.rows[row] = []
        for portrait in sorted(saved, key=lambda one: one.path.name):
            image = open_photo(portrait.path).pixels()
            used = [entry.digest for entry in portrait.recipe.inputs if entry.role == "album"]
            measures = measure(image, reader, seated.report, seated.cast.everyone, used)
            changed = portrait.recipe.details.get("mean_change")
            facts = {"mean_change": changed, "seconds": portrait.recipe.timings.get("total")}
            pictures.rows[row].append((image, {**measures, **facts}))


def peak_gigabytes() -> float:
    """Most memory this process has held, in 1e9 bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss of a child begins at what its parent held when it was started.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _told(name: str) -> Report:
    """Checks and ends of stages on the terminal; not every step."""

    def tell(step: Step) -> None:
        if step.stage == "check":
            print(f"{name}: step {step.done} of {step.total}: {step.message}", flush=True)

    return tell if name else silent
