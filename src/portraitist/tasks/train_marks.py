"""`marks train`: annotated photos, and marks rendered onto them, become a detector of the library."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist import weights
from portraitist.errors import ConfigError, EngineError, InputError
from portraitist.image import open_photo
from portraitist.library import Library
from portraitist.marks.annotation import AnnotatedImage
from portraitist.marks.labelled import LabelledFolder, LabelledView, label_photo, read_labelled, write_labelled
from portraitist.marks.network import SHIPPED_START
from portraitist.marks.network_config import SHIPPED_SIZE, MarkNetworkConfig, MarkNetworkSize, MarkTrainingConfig
from portraitist.marks.network_rendered import mixed, render_views
from portraitist.marks.scoring import Score
from portraitist.progress import Report, Step, silent

if TYPE_CHECKING:
    from portraitist.faces.reader import FaceReader
    from portraitist.marks.formats.pictures import Pictures
    from portraitist.training.loop import Run

HELD_BACK = 0.2
"""Share of the photos that is measured on and not learned from."""
SAVE_EVERY = 100


@dataclass(frozen=True)
class TrainedDetector:
    """path: the ONNX file, with the weights beside it. score: on the photos held back; None when there were too few.
    learned, rendered: views learned from. problems: one sentence a row or photo that was left out."""

    path: Path
    score: Score | None
    learned: int
    rendered: int
    problems: tuple[str, ...]


def train_marks(
    library: Library,
    annotations: Path,
    images: Path | None = None,
    config: MarkTrainingConfig | None = None,
    *,
    rendered: int = 0,
    out: Path | None = None,
    start: Path | None = None,
    size: MarkNetworkSize = SHIPPED_SIZE,
    report: Report = silent,
) -> TrainedDetector:
    """Learn a detector; the same command goes on after a kill.

    annotations, images: as `marks.formats.read_annotations` takes them. rendered: views with rendered marks besides,
    on the skins of the annotated photos. out: the ONNX file, `detectors/marks.onnx` of the library without. start:
    weights of an earlier training to begin from; without, the project's where there are any. The largest face of each
    photo is learned; its marks that are not in its view are left out. Raises InputError when no photo can be used,
    ConfigError for settings out of range, and EngineError without the extra `diffusion`.
    """
    _require_torch()
    if rendered < 0:
        raise ConfigError(f"--rendered: expected 0 or more, found {rendered}; 300 is a good number")
    config = config or MarkTrainingConfig()
    path = out or library.root / "detectors" / "marks.onnx"
    folder = library.cache_dir / "marks-training" / _digest(str(path.absolute()))
    paths, problems = _annotated_views(annotations, images, folder / "annotated", config.side, report)
    learned, kept_back = _parted(paths)
    more = _rendered_views(learned, folder / "rendered", rendered, config.seed, report)
    state = _learned(mixed(more, learned), folder / "run", config, size, start, report)
    score = _written(path, state, kept_back, {"photos": str(len(learned)), "rendered": str(rendered)})
    # The views show people; nothing but the weights is kept.
    shutil.rmtree(folder)
    return TrainedDetector(path, score, len(learned), rendered, problems)


def _learned(
    views: LabelledFolder,
    folder: Path,
    config: MarkTrainingConfig,
    size: MarkNetworkSize,
    start: Path | None,
    report: Report,
) -> Run:
    from portraitist.marks.network_export import read_weights
    from portraitist.marks.network_training import MarkTrainee
    from portraitist.training.loop import Pace, run

    if start is None and size == SHIPPED_SIZE and weights.has_source(SHIPPED_START):
        start = weights.fetch(SHIPPED_START, report)
    begun = None if start is None else read_weights(start, size)
    trainee = MarkTrainee(views, config, size, start=begun)
    return run(trainee, folder, config.loop, Pace(config.steps, SAVE_EVERY), report=report)


def _written(path: Path, state: Run, kept_back: Sequence[LabelledView], facts: dict[str, str]) -> Score | None:
    """Write the averaged weights, and measure them as they were written."""
    from portraitist.marks.network_export import write_network
    from portraitist.marks.network_layers import MarkNetwork
    from portraitist.marks.network_training import measure

    with state.evaluated() as network:
        assert isinstance(network, MarkNetwork)
        score = measure(network, kept_back, MarkNetworkConfig()) if kept_back else None
        figures = {} if score is None else {name: str(value) for name, value in score.plain().items()}
        write_network(path, network, {**facts, "steps": str(state.step), **figures})
    return score


def _annotated_views(
    annotations: Path, images: Path | None, folder: Path, side: int, report: Report
) -> tuple[list[Path], tuple[str, ...]]:
    """The views of the annotated photos on disk, and what was left out. Named by what is in them."""
    from portraitist.faces.reader import FaceReader
    from portraitist.marks.formats import read_annotations
    from portraitist.marks.formats.pictures import Pictures

    found = read_annotations(annotations, images=images)
    pictures = Pictures.beside(annotations, images)
    reader, paths, problems = FaceReader.load(), list[Path](), [str(problem) for problem in found.problems]
    for number, annotated in enumerate(found.images):
        report(Step("photos", number, len(found.images), annotated.file))
        try:
            paths.append(_view_on_disk(annotated, pictures, reader, folder, side))
        except InputError as error:
            problems.append(str(error))
    if not paths:
        why = f" ({problems[0]})" if problems else ""
        raise InputError(f"{annotations}: expected annotated photos of faces, found none{why}; give --images DIR")
    return paths, tuple(problems)


def _view_on_disk(annotated: AnnotatedImage, pictures: Pictures, reader: FaceReader, folder: Path, side: int) -> Path:
    source = pictures.path(annotated.file)
    if source is None:
        raise InputError(f"{annotated.file}: expected the photo beside its annotations, found none; give --images DIR")
    photo = open_photo(source)
    path = folder / f"{_digest(photo.digest, str(side), _text(annotated))}.npz"
    if not path.is_file():
        write_labelled(path, label_photo(photo.pixels(), annotated, reader, side))
    return path


def _parted(paths: Sequence[Path]) -> tuple[LabelledFolder, list[LabelledView]]:
    """The views to learn from, and those to measure on."""
    from portraitist.marks.network_training import held_back

    names = {path: read_labelled(path).name for path in dict.fromkeys(paths)}
    back = held_back(list(names.values()), HELD_BACK)
    learned = tuple(sorted(path for path, name in names.items() if name not in back))
    return LabelledFolder(learned), [read_labelled(path) for path, name in names.items() if name in back]


def _rendered_views(skins: LabelledFolder, folder: Path, count: int, seed: int, report: Report) -> LabelledFolder:
    """Views with rendered marks. Other photos make another folder: theirs would be taken for these."""
    return render_views(skins, folder / _digest(*(path.name for path in skins.paths)), count, seed, report=report)


def _text(annotated: AnnotatedImage) -> str:
    marks = [(mark.kind, mark.points.tolist(), mark.diameter, mark.is_sure) for mark in annotated.marks]
    return repr((annotated.file, marks, [polygon.tolist() for polygon in annotated.crowded]))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _require_torch() -> None:
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise EngineError(
            "marks train: expected the extra 'diffusion', found no torch; pip install portraitist[diffusion]"
        )
