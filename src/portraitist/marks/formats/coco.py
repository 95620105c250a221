"""COCO keypoints: annotations of ours written as COCO, and COCO of ours or of others read.

Ours has one annotation a mark, so a photo holds any number of each kind. A category a kind: a point mark has the one
keypoint `centre`; the wrinkle has as many keypoints as the longest wrinkle of the file, and shorter ones are filled
up with absent keypoints (0, 0, visibility 0). Visibility 2 is a sure mark, 1 an unsure one. Crowded regions are
annotations of the category `crowded`, `iscrowd` 1, with a polygon and no keypoints.

What COCO has no field for stands in extra keys, which COCO's own tools pass over: `sha256` of an image and `diameter`
of a mark. Read back here nothing is lost. A tool that drops extra keys loses these two; `bbox` shows the diameter
but is never read, since in files of others it is most often the box of the face. A photo of unknown size cannot be
written: COCO wants its width and height.

Files of others: a category that is a kind of mark (after the table of labels) is read as ours is, each visible
keypoint of a point kind being a mark. In any other category the names of the keypoints are the kinds (`mole`, or
`mole_2`), and the wrinkle points of one annotation are one line. `num_keypoints` is not read: visibility says it.

Source of the fields: the COCO data format for keypoint detection, as `data_format.md` of COCO-WholeBody repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from portraitist.errors import InputError
from portraitist.library import write_json
from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark, checked_file
from portraitist.marks.formats.labels import Labels, kind_of
from portraitist.marks.formats.own import check_once, polygon_of, read_diameter
from portraitist.marks.formats.pictures import Pictures, Size
from portraitist.marks.formats.rows import (
    Notes,
    add_mark,
    check_some_left,
    digest_of,
    list_in,
    mapping,
    number,
    plain_points,
    shown,
    stated_size,
)
from portraitist.marks.kinds import KINDS, MarkKind
from portraitist.types import Points

CROWDED = "crowded"
_CATEGORY_IDS = {name: place for place, name in enumerate((*KINDS, CROWDED), 1)}
_COUNTED = re.compile(r"[\s_-]*\d*$")


def write_coco(path: Path, images: Sequence[AnnotatedImage]) -> Path:
    """Write annotations as COCO keypoints. Atomic. Raises InputError for a photo of unknown size or there twice."""
    check_once(images)
    longest = max((len(mark.points) for image in images for mark in image.marks), default=2)
    annotations: list[dict[str, Any]] = []
    for place, image in enumerate(images, 1):
        rows = [_plain_mark(mark, max(longest, 2)) for mark in image.marks]
        rows += [_plain_crowded(polygon) for polygon in image.crowded]
        annotations += [{"id": len(annotations) + i, "image_id": place, **row} for i, row in enumerate(rows, 1)]
    described = {"description": "Marks of skin, one annotation a mark"}
    pictures = [_plain_image(image, place) for place, image in enumerate(images, 1)]
    categories = _plain_categories(max(longest, 2))
    document = {"info": described, "images": pictures, "categories": categories, "annotations": annotations}
    return write_json(path, document)


@dataclass
class _Page:
    """An image of the file while its annotations are gathered. failed: how many of them could not be read."""

    file: str
    size: Size | None
    sha256: str | None
    marks: list[AnnotatedMark] = field(default_factory=list)
    crowded: list[Points] = field(default_factory=list)
    failed: int = 0


@dataclass(frozen=True)
class _Category:
    """The kind of its annotations, None where the keypoints' names are the kinds."""

    name: str
    kind: MarkKind | None
    keypoints: tuple[str, ...]


def read_coco(
    document: Mapping[str, Any], notes: Notes, pictures: Pictures, labels: Labels
) -> list[tuple[str, AnnotatedImage]]:
    """The images of a document, each with its entry (`image 3`); what cannot be read is noted.

    Raises InputError when one of the three lists is missing.
    """
    categories = _categories(list_in(document, "categories"), notes, labels)
    pages = _pages(list_in(document, "images"), notes, pictures)
    for place, row in enumerate(list_in(document, "annotations", default=True), 1):
        with notes.row(f"annotation {place}"):
            _read_annotation(mapping(row, "annotation"), pages, categories, labels)
    images = []
    for entry, page in pages.values():
        with notes.row(entry):
            check_some_left(page.failed, len(page.marks) + len(page.crowded))
            images.append(
                (entry, AnnotatedImage(page.file, page.size, page.sha256, tuple(page.marks), tuple(page.crowded)))
            )
    return images


def _categories(rows: list[Any], notes: Notes, labels: Labels) -> dict[Any, _Category]:
    found: dict[Any, _Category] = {}
    for place, row in enumerate(rows, 1):
        with notes.row(f"category {place}"):
            key = _new_id(mapping(row, "category"), found)
            names = [str(name) for name in list_in(row, "keypoints", default=True)]
            label = str(row.get("name")).strip()
            found[key] = _Category(label, labels.get(label), tuple(names))
    return found


def _pages(rows: list[Any], notes: Notes, pictures: Pictures) -> dict[Any, tuple[str, _Page]]:
    found: dict[Any, tuple[str, _Page]] = {}
    for place, row in enumerate(rows, 1):
        entry = f"image {place}"
        with notes.row(entry):
            key = _new_id(mapping(row, entry), found)
            file = checked_file(row.get("file_name"))
            found[key] = entry, _Page(file, pictures.size(file, stated_size(row)), digest_of(row))
    return found


def _read_annotation(
    row: Mapping[str, Any], pages: Mapping[Any, tuple[str, _Page]], categories: Mapping[Any, _Category], labels: Labels
) -> None:
    page = pages[_known_id(row, "image_id", pages)][1]
    try:
        category = categories[_known_id(row, "category_id", categories)]
        if category.name == CROWDED:
            _add_crowded(row, page)
            return
        for mark in _marks(row, category, labels):
            add_mark(page.marks, mark, page.size)
    except InputError:
        page.failed += 1
        raise


def _marks(row: Mapping[str, Any], category: _Category, labels: Labels) -> list[AnnotatedMark]:
    """The marks of one annotation; none where every keypoint is absent."""
    diameter = read_diameter(row)
    by_kind: dict[MarkKind, list[tuple[float, float, bool]]] = {}
    for name, x, y, is_sure in _visible(row, category):
        kind = category.kind or kind_of(name if name in labels else _COUNTED.sub("", name), labels)
        if kind is not None:
            by_kind.setdefault(kind, []).append((x, y, is_sure))
    marks: list[AnnotatedMark] = []
    for kind, points in by_kind.items():
        for part in [points] if kind == "wrinkle" else [[point] for point in points]:
            places = np.array([(x, y) for x, y, _ in part], np.float32)
            marks.append(AnnotatedMark(kind, places, diameter, all(is_sure for _, _, is_sure in part)))
    return marks


def _visible(row: Mapping[str, Any], category: _Category) -> list[tuple[str, float, float, bool]]:
    """(name, x, y, is it sure) of each keypoint that is there."""
    flat = list_in(row, "keypoints")
    if not category.keypoints or len(flat) != 3 * len(category.keypoints):
        wanted = f"three numbers for each of the {len(category.keypoints)} keypoints of {category.name!r}"
        raise InputError(f"keypoints: expected {wanted}, found {len(flat)}; export it again")
    seen = []
    for place, name in enumerate(category.keypoints):
        x, y, visibility = flat[3 * place : 3 * place + 3]
        if type(visibility) not in (int, float) or visibility not in (0, 1, 2):
            raise InputError(
                f"keypoint {place + 1}: expected visibility 0, 1 or 2, found {shown(visibility)}; correct it"
            )
        if visibility:
            seen.append((name, number(x, "x"), number(y, "y"), visibility == 2))
    return seen


def _add_crowded(row: Mapping[str, Any], page: _Page) -> None:
    for ring in list_in(row, "segmentation"):
        if not isinstance(ring, list) or len(ring) % 2:
            raise InputError(f"segmentation: expected x and y in turns, found {shown(ring)}; draw it again")
        values = [number(value, "segmentation") for value in ring]
        page.crowded.append(polygon_of(list(zip(values[::2], values[1::2], strict=True)), page.size))


def _new_id(row: Mapping[str, Any], taken: Mapping[Any, Any]) -> Any:
    key = row.get("id")
    if type(key) not in (int, str):
        raise InputError(f"id: expected a number, found {shown(key)}; number them from 1")
    if key in taken:
        raise InputError(f"id: {shown(key)} is taken by an earlier one; this one was skipped, number them anew")
    return key


def _known_id(row: Mapping[str, Any], name: str, known: Mapping[Any, Any]) -> Any:
    key = row.get(name)
    if type(key) not in (int, str) or key not in known:
        raise InputError(f"{name}: {shown(key)} is not in the file or could not be read; mend that entry first")
    return key


def _plain_image(image: AnnotatedImage, place: int) -> dict[str, Any]:
    if image.size is None:
        raise InputError(
            f"{image.file!r}: COCO wants its width and height, found no size; read it with its photo at hand"
        )
    plain = {"id": place, "file_name": image.file, "width": image.size[0], "height": image.size[1]}
    return plain if image.sha256 is None else {**plain, "sha256": image.sha256}


def _plain_categories(longest: int) -> list[dict[str, Any]]:
    names = {kind: ["centre"] for kind in KINDS} | {"wrinkle": [f"p{place}" for place in range(1, longest + 1)]}
    rows = [
        {"id": _CATEGORY_IDS[kind], "name": kind, "supercategory": "mark", "keypoints": names[kind]} for kind in KINDS
    ]
    # Pairs of keypoints that a line joins, counted from 1.
    skeletons = [[[i, i + 1] for i in range(1, len(names[kind]))] for kind in KINDS]
    kinds = [{**row, "skeleton": skeleton} for row, skeleton in zip(rows, skeletons, strict=True)]
    return [*kinds, {"id": _CATEGORY_IDS[CROWDED], "name": CROWDED, "supercategory": "mark"}]


def _plain_mark(mark: AnnotatedMark, longest: int) -> dict[str, Any]:
    visibility, places = 2 if mark.is_sure else 1, longest if mark.kind == "wrinkle" else 1
    points = [value for x, y in plain_points(mark.points) for value in (x, y, visibility)]
    plain: dict[str, Any] = {"category_id": _CATEGORY_IDS[mark.kind], "iscrowd": 0}
    plain["keypoints"] = points + [0, 0, 0] * (places - len(mark.points))
    plain |= {"num_keypoints": len(mark.points), **_box(mark.points, mark.diameter or 0.0)}
    return plain if mark.diameter is None else {**plain, "diameter": float(mark.diameter)}


def _plain_crowded(polygon: Points) -> dict[str, Any]:
    ring = [value for pair in plain_points(polygon) for value in pair]
    plain = {"category_id": _CATEGORY_IDS[CROWDED], "iscrowd": 1, "segmentation": [ring], "num_keypoints": 0}
    return plain | _box(polygon, 0.0)


def _box(points: Points, diameter: float) -> dict[str, Any]:
    """`bbox` as COCO has it (left, top, width, height), half a diameter wider than the points, and its area."""
    low, high = points.astype(float).min(axis=0) - diameter / 2, points.astype(float).max(axis=0) + diameter / 2
    left, top, width, height = (round(float(value), 2) for value in (*low, *(high - low)))
    return {"bbox": [left, top, width, height], "area": round(width * height, 2)}
