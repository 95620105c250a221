"""Whatever is annotated comes back; whatever is in a file, reading it ends in values and problems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.formats import Imported, read_annotations
from portraitist.marks.formats.coco import write_coco
from portraitist.marks.formats.own import write_own
from portraitist.marks.kinds import KINDS

WIDTH, HEIGHT = 640, 480
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("annotations")


def _pairs(low: int, high: int) -> Any:
    x, y = st.floats(0, WIDTH, width=32), st.floats(0, HEIGHT, width=32)
    return st.lists(st.tuples(x, y), min_size=low, max_size=high).map(lambda pairs: np.array(pairs, np.float32))


@st.composite
def _marks(draw: st.DrawFn) -> AnnotatedMark:
    kind = draw(st.sampled_from(KINDS))
    points = draw(_pairs(2, 6) if kind == "wrinkle" else _pairs(1, 1))
    diameter = draw(st.none() | st.floats(0.1, 100))
    return AnnotatedMark(kind, points, diameter, draw(st.booleans()))


NAMES = st.text("abc. 脸é", min_size=1, max_size=12).filter(lambda name: name not in (".", ".."))
MARKS = st.lists(_marks(), max_size=5, unique_by=lambda mark: (mark.kind, str((mark.points + 0.0).tolist())))
IMAGES = st.lists(
    st.builds(
        AnnotatedImage,
        NAMES,
        st.just((WIDTH, HEIGHT)),
        st.none() | st.just("0123456789abcdef" * 4),
        MARKS.map(tuple),
        st.lists(_pairs(3, 5), max_size=2).map(tuple),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda image: image.file,
)


def _facts(images: Sequence[AnnotatedImage]) -> list[Any]:
    return [
        (
            image.file,
            image.size,
            image.sha256,
            [(mark.kind, mark.points.tolist(), mark.diameter, mark.is_sure) for mark in image.marks],
            [polygon.tolist() for polygon in image.crowded],
        )
        for image in images
    ]


@pytest.mark.parametrize("write", [write_own, write_coco])
@SLOW
@given(images=IMAGES)
def test_what_is_written_is_read_back(folder: Path, write: Any, images: list[AnnotatedImage]) -> None:
    found = read_annotations(write(folder / f"{write.__name__}.json", images))
    assert found.problems == ()
    assert _facts(found.images) == _facts(images)


def _read(folder: Path, data: bytes) -> Imported:
    path = folder / "any.json"
    path.write_bytes(data)
    found = read_annotations(path)
    assert found.images or found.problems
    "\n".join(map(str, found.problems)).encode()  # every message can be shown
    return found


@SLOW
@given(data=st.binary(max_size=200))
def test_no_bytes_crash_the_readers(folder: Path, data: bytes) -> None:
    _read(folder, data)


KEYS = [
    *("format", "version", "images", "file", "width", "height", "sha256", "marks", "kind", "points", "diameter"),
    *("sure", "crowded", "fileName", "annoDetails", "type", "categories", "annotations", "id", "image_id"),
    *("category_id", "keypoints", "file_name", "segmentation", "name"),
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["portraitist-marks", "mole", "wrinkle", "痣", "crowded", "a.jpg"])
    | st.just([[1, 1]])
    | st.just([1, 1, 2])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
)
DOCUMENTS = st.one_of(
    st.fixed_dictionaries({"format": st.just("portraitist-marks"), "version": st.just(1), "images": VALUES}),
    st.fixed_dictionaries({"fileName": VALUES, "annoDetails": VALUES}),
    st.fixed_dictionaries({"images": VALUES, "categories": VALUES, "annotations": VALUES}),
    st.fixed_dictionaries({"file": st.just("a.jpg"), "marks": st.lists(VALUES, max_size=3), "crowded": VALUES}),
)


@SLOW
@given(document=DOCUMENTS, cut=st.integers(0, 30))
def test_no_document_of_any_shape_crashes_the_readers(folder: Path, document: Any, cut: int) -> None:
    data = json.dumps(document).encode()
    _read(folder, data)
    _read(folder, data[: max(len(data) - cut, 0)])


@SLOW
@given(images=IMAGES, place=st.floats(0, 1), byte=st.integers(0, 255))
def test_one_wrong_byte_crashes_nothing(folder: Path, images: list[AnnotatedImage], place: float, byte: int) -> None:
    for write in (write_own, write_coco):
        data = bytearray(write(folder / "good.json", images).read_bytes())
        data[int(place * (len(data) - 1))] = byte
        _read(folder, bytes(data))
