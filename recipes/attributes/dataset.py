"""The synthetic faces with their labels, and what the classifier sees of them at two sizes, plain and mirrored."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from portraitist.faces.attributes import PARTS, feature_maps, features_of
from portraitist.faces.reader import FaceReader

HERE = Path(__file__).parent
FACES = "synthetic_faces/omi256"
SIDES = (256, 128)
LONG_HAIR = (35.0, 50.0)
"""Mean rating `long-haired` (0-100): up to the first is short, from the second is long, unlabelled between."""
DARK_HAIR = (50.0, 65.0)
"""Mean rating `hair-color` (0-100): up to the first is not dark, from the second is dark. Dark is high: the ten lowest,
2 to 8, have white, blond or pale dyed hair, the ten highest, 94 to 96, black."""
UNKNOWN = -1


@dataclass(frozen=True)
class Dataset:
    """Faces in the order of labels.csv.

    labels[name] is (n,) of 0, 1 or UNKNOWN; features[side, mirrored][name] is (n, d); in_tune is (n,) bool.
    """

    files: list[str]
    in_tune: np.ndarray
    labels: dict[str, np.ndarray]
    features: dict[tuple[int, bool], dict[str, np.ndarray]]


def load(shared: Path) -> Dataset:
    """Every face of labels.csv. `shared` is the development data with SPLIT.csv and synthetic_faces."""
    rows = list(csv.DictReader((HERE / "labels.csv").open()))
    split = {row["file"]: row["split"] for row in csv.DictReader((shared / "SPLIT.csv").open())}
    files = [f"{row['stimulus']}.jpg" for row in rows]
    in_tune = np.array([split[f"{FACES}/{file}"] == "tune" for file in files])
    return Dataset(files, in_tune, _labels(rows, shared), _features([shared / FACES / file for file in files]))


def _labels(rows: list[dict[str, str]], shared: Path) -> dict[str, np.ndarray]:
    ratings = {r["stimulus"]: r for r in csv.DictReader((shared / f"{FACES}_attributes.csv").open())}
    labels = {name: np.array([int(row[name]) for row in rows]) for name in ("glasses", "beard", "hat")}
    for name, column, limits in (("long_hair", "long-haired", LONG_HAIR), ("dark_hair", "hair-color", DARK_HAIR)):
        rated = np.array([float(ratings[row["stimulus"]][column]) for row in rows])
        known = np.where(rated >= limits[1], 1, np.where(rated <= limits[0], 0, UNKNOWN))
        # Raters guess what a hat covers.
        labels[name] = np.where(labels["hat"] == 1, UNKNOWN, known)
    return labels


def _features(paths: list[Path]) -> dict[tuple[int, bool], dict[str, np.ndarray]]:
    reader = FaceReader.load()
    views = [(side, mirrored) for side in SIDES for mirrored in (False, True)]
    seen: dict[tuple[int, bool], dict[str, list[np.ndarray]]] = {view: {name: [] for name in PARTS} for view in views}
    for path in paths:
        for view in views:
            for name, values in describe(reader, picture(path, *view)).items():
                seen[view][name].append(values)
    return {view: {name: np.stack(rows) for name, rows in per.items()} for view, per in seen.items()}


def picture(path: Path, side: int, mirrored: bool = False) -> np.ndarray:
    """(side, side, 3) RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if side < len(pixels):
        pixels = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(pixels[:, ::-1] if mirrored else pixels)


def describe(reader: FaceReader, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Features of the face nearest to the middle, by attribute."""
    maps = feature_maps(pixels, middle_face(reader, pixels))
    return {name: features_of(maps, name) for name in PARTS}


def middle_face(reader: FaceReader, pixels: np.ndarray) -> np.ndarray:
    """(468, 3) mesh of the face nearest to the middle."""
    faces = reader.read(pixels, embed=False)
    if not faces:
        raise SystemExit("a picture without a face: is this the folder of synthetic faces?")
    middle = np.array(pixels.shape[1::-1]) / 2
    return min(faces, key=lambda face: float(np.linalg.norm(face.centre - middle))).landmarks
