"""Fit and check the likeness scale: a logistic over descriptor distances of same-person and other-person pairs.

Fitted on tune pairs taken with different expressions or on different days (London neutral/smiling, the Azure triples,
the Rudd and Obama pictures), people disjoint from judge; Caltech albums only check it.

    python benchmarks/likeness_scale.py ../shared/data
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import minimize

from portraitist.faces.likeness import MIDPOINT, SLOPE
from portraitist.faces.reader import FaceReader
from portraitist.placement import Placement

Album = dict[str, list[np.ndarray]]
GROUPS = {"older_asian_man": "azure-man", "older_asian_woman": "azure-woman", "lowres_man": "azure-lowres"}
GROUPS |= {"Paul_Rudd": "rudd", "obama": "obama"}


def person_of(file: str, listed: str) -> str | None:
    """The person of a file of the fit, or None where the file has no part in it."""
    if file.startswith(("faces/london", "albums/lisa")):
        return listed
    if file.startswith("hard/derived") or "partial" in file or "rgba" in file:
        return None
    return next((name for prefix, name in GROUPS.items() if Path(file).name.startswith(prefix)), None)


def measure(root: Path, split: str, caltech: bool) -> Album:
    """Descriptors of every person of one split, from photos with one face."""
    reader, people = FaceReader.load(Placement(threads=1)), defaultdict(list)
    for row in csv.DictReader((root / "SPLIT.csv").open()):
        is_caltech = row["file"].startswith("albums/caltech")
        person = row["person"] if is_caltech else person_of(row["file"], row["person"])
        if row["split"] != split or person is None or is_caltech != caltech:
            continue
        image = cv2.imread(str(root / row["file"]), cv2.IMREAD_COLOR_RGB)
        people[person] += [f.embedding.vector for f in reader.read(image) if f.embedding]
    return dict(people)


def pairs(people: Album) -> tuple[np.ndarray, np.ndarray]:
    """Distances of same-person pairs and of other-person pairs."""
    same = [np.linalg.norm(a - b) for faces in people.values() for a, b in combinations(faces, 2)]
    other = [np.linalg.norm(a - b) for p, q in combinations(people.values(), 2) for a in p for b in q]
    return np.array(same), np.array(other)


def fit(same: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Midpoint and slope by maximum likelihood, both classes of equal weight, with Platt's softened targets.

    The classes do not overlap, so plain likelihood would make the slope infinite. Source: Platt, "Probabilistic
    outputs for support vector machines", 1999, eq. on targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2).
    """
    x = np.r_[same, other]
    y = np.r_[np.full(len(same), (len(same) + 1) / (len(same) + 2)), np.full(len(other), 1 / (len(other) + 2))]
    w = np.r_[np.full(len(same), 0.5 / len(same)), np.full(len(other), 0.5 / len(other))]

    def loss(p: np.ndarray) -> float:
        z = p[1] * (p[0] - x)
        return float((w * (np.logaddexp(0, z) - y * z)).sum())

    midpoint, slope = minimize(loss, [0.5, 20.0], method="Nelder-Mead").x
    return float(midpoint), float(slope)


def table(name: str, same: np.ndarray, other: np.ndarray) -> str:
    """One row of docs/faces.md."""
    ticks = np.linspace(0.2, 0.8, 601)
    missed, passed = np.array([(same > t).mean() for t in ticks]), np.array([(other < t).mean() for t in ticks])
    best = int(np.argmin(np.abs(missed - passed)))
    found = [f"{(same < np.quantile(other, rate)).mean():.3f}" for rate in (0.001, 0.01)]
    return (
        f"| {name} | {len(same)} / {len(other)} | {np.median(same):.3f} / {same.max():.3f} | "
        f"{other.min():.3f} / {np.median(other):.3f} | {ticks[best]:.3f} | {(missed[best] + passed[best]) / 2:.4f} | "
        f"{found[0]} / {found[1]} |"
    )


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    print(
        "| pairs | same / other | same: median / largest | other: smallest / median | EER threshold | EER "
        "| TPR at FPR 0.001 / 0.01 |"
    )
    print("|---|---|---|---|---|---|---|")
    fitted = (0.0, 0.0)
    for caltech in (False, True):
        for split in ("tune", "judge"):
            same, other = pairs(measure(root, split, caltech))
            print(table(f"{'Caltech' if caltech else 'days and expressions'}, {split}", same, other), flush=True)
            if split == "tune" and not caltech:
                fitted = fit(same, other)
    print(f"\nfitted midpoint {fitted[0]:.3f}, slope {fitted[1]:.1f}; in the code {MIDPOINT}, {SLOPE}")


if __name__ == "__main__":
    main()
