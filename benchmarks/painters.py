"""What each loss of a student is worth: sharpness and distribution distance, one more loss a row.

    python -m benchmarks.painters --pairs RUN/pairs --photos JUDGE.npz --style JUDGE.npz --out FOLDER
        [--drawings TUNE.npz] [--direct-pairs DIR] [--steps 4000] [--tier nano] [--batch 8] [--precision bfloat16]

--pairs: of the tune split; every row learns from them for as many steps. --photos and --style: domains of the judge
split (stage prepare); what the students paint of the photos is held against the style, heads on grey as in
benchmarks/stylize.py. --direct-pairs: pairs of a generator and its blend (stage generator-pairs), for the row without
stage 2. --drawings: of the tune split, what the critic takes for real instead of the pairs' paintings. FOLDER keeps
the runs: the same command goes on. Shape to reproduce, the paper's own sharpness and FID: 3.44 / 32.53, 6.03 / 8.36,
6.24 / 8.09, 6.57 / 8.26.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.stylize_faces import on_grey
from portraitist.library import write_atomic, write_json
from portraitist.pages.sheets import contact_sheet
from portraitist.progress import Step
from portraitist.stylize.domain import load_domain
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student.config import PRECISIONS, StudentConfig
from portraitist.stylize.student.sheets import paint_with
from portraitist.stylize.student.training import train_student, write_sheet
from portraitist.types import Image
from recipes.features import EfficientNetLite0, picture_features
from recipes.mini.measures.distribution import Kid, kid
from recipes.painters.trunk import perceptual_features

STEPS = ("gradient", "lattice")
BARE = {**dict.fromkeys(STEPS, 0.0), "perceptual": 0.0, "adversarial": 0.0, "edges": 0.0, "augment": False}
SHOWN = 8


@dataclass(frozen=True)
class Row:
    """One line of the table. sharpness: mean over pictures of `sharpness_of`."""

    name: str
    sharpness: float
    kid: Kid

    def line(self) -> str:
        """As Markdown."""
        return f"| {self.name} | {self.sharpness:.2f} | {self.kid.row()[1]} |"


def ablations(full: StudentConfig) -> dict[str, StudentConfig]:
    """Each row's settings: one more loss than the row before."""
    persuaded = replace(full, edges=0.0, augment=False)
    return {
        "pixel": replace(full, **BARE),
        "+ steps": replace(full, **{name: value for name, value in BARE.items() if name not in STEPS}),
        "+ perceptual + GAN": persuaded,
        "+ edges": replace(persuaded, edges=full.edges),
        "+ augmentation": replace(persuaded, edges=full.edges, augment=True),
    }


def sharpness_of(picture: Image) -> float:
    """Sum of the Laplacian's magnitude over grey values in [0, 1], in thousands for a picture of 256 px."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64) / 255
    steps = np.abs(cv2.Laplacian(grey, cv2.CV_64F))
    return float(steps.mean() * 256 * 256 / 1000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is not trained yet, measure, write table.md, figures.json and sheet.jpg."""
    asked = parser().parse_args(arguments)
    photos, style = load_domain(asked.photos), load_domain(asked.style)
    full = StudentConfig(
        tier=asked.tier, steps=asked.steps, batch=asked.batch, side=asked.side, precision=asked.precision
    )
    runs = {name: (config, asked.pairs) for name, config in ablations(full).items()}
    if asked.direct_pairs is not None:
        runs["without stage 2"] = (full, asked.direct_pairs)
    drawings = None if asked.drawings is None else load_domain(asked.drawings)
    trunk, painted = EfficientNetLite0.load(), {"photos": list(photos.images)}
    for number, (name, (config, folder)) in enumerate(runs.items()):
        features = perceptual_features() if config.perceptual else None
        network = train_student(
            PairFolder.open(folder),
            asked.out / f"row-{number}",
            config,
            features,
            drawings=drawings,
            every=asked.save_every,
            report=_report,
        )
        painted[name] = [paint_with(network, photo) for photo in photos.images]
    wanted = _heads(trunk, list(style.images))
    rows = [_measured(name, pictures, _heads(trunk, pictures), wanted) for name, pictures in painted.items()]
    _write(asked.out, rows, painted)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--pairs", type=Path, required=True)
    made.add_argument("--photos", type=Path, required=True)
    made.add_argument("--style", type=Path, required=True)
    made.add_argument("--out", type=Path, required=True)
    made.add_argument("--direct-pairs", type=Path)
    made.add_argument("--drawings", type=Path)
    made.add_argument("--steps", type=int, default=4000)
    made.add_argument("--tier", default="nano")
    made.add_argument("--batch", type=int, default=8)
    made.add_argument("--side", type=int, default=256)
    made.add_argument("--precision", choices=PRECISIONS, default="float32")
    made.add_argument("--save-every", type=int, default=250)
    return made


def _heads(trunk: EfficientNetLite0, pictures: list[Image]) -> NDArray[np.float32]:
    return picture_features(trunk, [on_grey(picture) for picture in pictures])


def _measured(name: str, pictures: list[Image], found: NDArray[np.float32], wanted: NDArray[np.float32]) -> Row:
    return Row(name, float(np.mean([sharpness_of(picture) for picture in pictures])), kid(found, wanted))


def _write(folder: Path, rows: list[Row], painted: dict[str, list[Image]]) -> None:
    text = "| losses | sharpness | KID x 1000 to the style |\n|---|---|---|\n" + "".join(
        row.line() + "\n" for row in rows
    )
    print(text)
    write_atomic(folder / "table.md", text.encode())
    write_json(folder / "figures.json", {row.name: {"sharpness": row.sharpness, "kid": row.kid.value} for row in rows})
    pictures = [image for shown in painted.values() for image in shown[:SHOWN]]
    captions = [name for name, shown in painted.items() for _ in shown[:SHOWN]]
    columns = min(SHOWN, len(next(iter(painted.values()))))
    write_sheet(folder / "sheet.jpg", contact_sheet(pictures, captions, columns=columns, cell=(200, 200)))


def _report(step: Step) -> None:
    if step.message.startswith("!"):
        sys.stderr.write(f"{step.stage} {step.message}\n")


if __name__ == "__main__":
    main()
