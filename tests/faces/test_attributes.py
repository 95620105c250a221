"""Glasses, beard, hair: shapes, sizes and mirrors, two known people, and the labels of the judge faces."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields
from pathlib import Path

import cv2
import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.faces import attributes
from portraitist.faces.attributes import (
    PARTS,
    USABLE,
    Attributes,
    aligned_crop,
    feature_maps,
    features_of,
    gradient_histograms,
    measure_attributes,
)
from portraitist.faces.reader import FaceReader
from portraitist.types import Image, Points
from portraitist.weights import fetch

LABELS = Path(__file__).resolve().parents[2] / "recipes" / "attributes" / "labels.csv"


def mesh_of(reader: FaceReader, image: Image) -> Points:
    """The mesh of the face nearest to the middle."""
    middle = np.array(image.shape[1::-1]) / 2
    faces = reader.read(image, embed=False)
    return min(faces, key=lambda face: float(np.linalg.norm(face.centre - middle))).landmarks


def test_names_agree() -> None:
    assert tuple(field.name for field in fields(Attributes)) == tuple(PARTS)
    assert set(USABLE) < set(PARTS)
    assert "hat" not in USABLE


def test_the_weights_fit_the_features(reader: FaceReader, astronaut: Image) -> None:
    maps = feature_maps(astronaut, mesh_of(reader, astronaut))
    with np.load(fetch("attributes"), allow_pickle=False) as stored:
        assert {name: stored[name].shape for name in stored.files} == {
            name: (len(features_of(maps, name)) + 1,) for name in PARTS
        }


def test_maps_have_the_promised_shapes(reader: FaceReader, astronaut: Image) -> None:
    maps = feature_maps(astronaut, mesh_of(reader, astronaut))
    assert maps["fine_edges"].shape == (32, 32, 9)
    assert maps["edges"].shape == (16, 16, 9)
    assert maps["to_cheek_bins"].shape == (16, 16, 13)
    assert maps["colour_bins"].shape == (4, 4, 26)
    assert all(np.isfinite(values).all() for values in maps.values())


def test_a_vertical_edge_votes_for_one_orientation() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8] = 255
    histograms, _ = gradient_histograms(stripes)
    assert histograms[4, 4].argmax() == 0
    assert histograms[4, 4, 1:].max() == pytest.approx(0, abs=1e-6)


def test_the_crop_has_the_eyes_where_the_training_had_them(reader: FaceReader, astronaut: Image) -> None:
    for image in (astronaut, cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)):
        crop = aligned_crop(np.asarray(image, np.uint8), mesh_of(reader, np.asarray(image, np.uint8)))
        assert crop.shape == (256, 256, 3)
        again = mesh_of(reader, crop)
        assert again[[33, 263], :2].mean(0) == pytest.approx([128, 121], abs=6)


def test_wrong_inputs_are_refused(astronaut: Image) -> None:
    with pytest.raises(InputError, match="uint8"):
        measure_attributes(astronaut[..., 0], np.zeros((468, 3), np.float32))
    with pytest.raises(InputError, match="468"):
        measure_attributes(astronaut, np.zeros((5, 2), np.float32))


def test_two_known_people(reader: FaceReader, astronaut: Image, hopper: Image) -> None:
    collins = measure_attributes(astronaut, mesh_of(reader, astronaut))
    admiral = measure_attributes(hopper, mesh_of(reader, hopper))
    assert all(0 <= value <= 1 for value in asdict(collins).values())
    assert collins.glasses < 0.1
    assert collins.beard < 0.1
    assert admiral.glasses > 0.99
    # She has no beard; the measured 0.88 is why a caption asks for 0.9 (recipes/attributes/README.md).
    assert admiral.beard < 0.9


def test_size_and_mirror_change_little(reader: FaceReader, hopper: Image) -> None:
    mesh = mesh_of(reader, hopper)
    found = measure_attributes(hopper, mesh)
    twice = measure_attributes(np.repeat(np.repeat(hopper, 2, 0), 2, 1), mesh * 2 + 0.5)
    for name, value in asdict(found).items():
        assert asdict(twice)[name] == pytest.approx(value, abs=0.1), name
    mirrored = np.ascontiguousarray(hopper[:, ::-1])
    assert (measure_attributes(mirrored, mesh_of(reader, mirrored)).glasses > 0.5) == (found.glasses > 0.5)


@pytest.mark.parametrize("side", [256, 128])
def test_judge_faces_read_as_labelled(shared_data: Path, reader: FaceReader, side: int) -> None:
    split = {row["file"]: row["split"] for row in csv.DictReader((shared_data / "SPLIT.csv").open())}
    right: dict[str, dict[bool, list[bool]]] = {name: {True: [], False: []} for name in ("glasses", "beard")}
    for row in csv.DictReader(LABELS.open()):
        file = f"synthetic_faces/omi256/{row['stimulus']}.jpg"
        if split[file] != "judge":
            continue
        pixels = cv2.imread(str(shared_data / file), cv2.IMREAD_COLOR_RGB)
        pixels = np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        found = asdict(measure_attributes(pixels, mesh_of(reader, pixels)))
        for name, by_truth in right.items():
            by_truth[row[name] == "1"].append((found[name] > 0.5) == (row[name] == "1"))
    for name, by_truth in right.items():
        assert float(np.mean([np.mean(by_truth[True]), np.mean(by_truth[False])])) >= 0.9, name


def test_every_face_has_a_label() -> None:
    rows = list(csv.DictReader(LABELS.open()))
    numbers = [int(row["stimulus"]) for row in rows]
    assert len(rows) == 659
    assert numbers == sorted(set(numbers))
    assert {row[name] for row in rows for name in ("glasses", "beard", "hat")} == {"0", "1"}


def test_loaded_once(reader: FaceReader, astronaut: Image) -> None:
    measure_attributes(astronaut, mesh_of(reader, astronaut))
    before = attributes._models.cache_info().misses
    measure_attributes(astronaut, mesh_of(reader, astronaut))
    assert attributes._models.cache_info().misses == before
