"""How good faces/attributes.py is on faces it was not trained on, and a table for captions.

    python recipes/attributes/measure.py SHARED_DATA accuracy
    python recipes/attributes/measure.py SHARED_DATA table > table.csv

accuracy: five folds over tune (trained on four, measured on the fifth, calibration inside the four), then trained on
all of tune and measured on judge; at 256 and 128 px. table: every file of omi256 and omi256_variants with the
probability of each attribute by the weights in use; for omi256 itself glasses, beard and hat are the labels (0 or 1).
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from dataset import FACES, HERE, SIDES, UNKNOWN, Dataset, load, middle_face, picture
from train import FOLDS, folds, score, train

from portraitist.faces.attributes import PARTS, measure_attributes
from portraitist.faces.reader import FaceReader


def accuracy(data: Dataset) -> None:
    """A Markdown table."""
    sys.stdout.write(
        "| attribute | held out | px | with | without | accuracy | balanced | found | right when found |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|---|---|---|\n")
    fold = folds(len(data.files), seed=0)
    for name in PARTS:
        logits = {side: np.zeros(len(data.files)) for side in SIDES}
        for k in range(FOLDS + 1):
            model = train(data, name, data.in_tune & (fold != k))
            held = data.in_tune & (fold == k) if k < FOLDS else ~data.in_tune
            for side in SIDES:
                logits[side][held] = score(model, data.features[side, False][name][held])
        for where, chosen in (("tune, 5 folds", data.in_tune), ("judge", ~data.in_tune)):
            known = chosen & (data.labels[name] != UNKNOWN)
            for side in SIDES:
                _row(f"| {name} | {where} | {side}", data.labels[name][known] == 1, logits[side][known] > 0)


def _row(start: str, truth: np.ndarray, said: np.ndarray) -> None:
    found, spared = said[truth].mean(), (~said[~truth]).mean()
    numbers = ((said == truth).mean(), (found + spared) / 2, found, truth[said].mean())
    sys.stdout.write(
        f"{start} | {truth.sum()} | {(~truth).sum()} | " + " | ".join(f"{n:.3f}" for n in numbers) + " |\n"
    )


def table(shared: Path) -> None:
    """CSV: file (folder/name), then the probabilities."""
    labels = {row["stimulus"]: row for row in csv.DictReader((HERE / "labels.csv").open())}
    reader, out = FaceReader.load(), csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["file", *PARTS])
    for folder in (FACES, f"{FACES}_variants"):
        for path in sorted((shared / folder).glob("*.jpg")):
            pixels = picture(path, 256)
            found = asdict(measure_attributes(pixels, middle_face(reader, pixels)))
            if folder == FACES:
                found |= {name: float(value) for name, value in labels[path.stem].items() if name != "stimulus"}
            out.writerow([f"{path.parent.name}/{path.name}", *(f"{found[name]:.3f}" for name in PARTS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("what", choices=["accuracy", "table"])
    args = parser.parse_args()
    accuracy(load(args.shared)) if args.what == "accuracy" else table(args.shared)


if __name__ == "__main__":
    main()
