"""COCO of ours as other tools see it, and COCO of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraitist.marks.annotation import AnnotatedImage, AnnotatedMark
from portraitist.marks.formats import Imported, read_annotations
from portraitist.marks.formats.coco import write_coco

FACE = {"id": 1, "name": "face", "keypoints": ["mole", "mole_2", "斑", "wrinkle 1", "wrinkle 2"]}


def _image(key: Any, file: str) -> dict[str, Any]:
    return {"id": key, "file_name": file, "width": 200, "height": 100}


def _read(tmp_path: Path, annotations: list[Any], **changes: Any) -> Imported:
    document = {"images": [_image(7, "a.jpg")], "categories": [FACE], "annotations": annotations, **changes}
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_annotations(path)


def _face(*points: tuple[Any, Any, Any], **changes: Any) -> dict[str, Any]:
    flat = [value for point in points for value in point]
    return {"id": 1, "image_id": 7, "category_id": 1, "keypoints": flat, "num_keypoints": 5, **changes}


ABSENT = (0, 0, 0)


def test_what_is_written_is_coco_for_others(tmp_path: Path) -> None:
    wrinkle = AnnotatedMark("wrinkle", np.array([[10, 10], [20, 10], [30, 20]], np.float32), 2.0)
    short = AnnotatedMark("wrinkle", np.array([[1, 1], [2, 2]], np.float32))
    mole = AnnotatedMark("mole", np.array([[5, 6]], np.float32), 4.0, False)
    crowd = np.array([[0, 0], [9, 0], [9, 9]], np.float32)
    write_coco(tmp_path / "c.json", [AnnotatedImage("a.jpg", (200, 100), None, (wrinkle, short, mole), (crowd,))])
    document = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert document["images"] == [_image(1, "a.jpg")]
    sizes = {row["id"]: len(row.get("keypoints", [])) for row in document["categories"]}
    assert [row["id"] for row in document["annotations"]] == [1, 2, 3, 4]
    for row in document["annotations"]:
        flat = row.get("keypoints", [])
        assert len(flat) == 3 * sizes[row["category_id"]]
        assert sum(v > 0 for v in flat[2::3]) == row["num_keypoints"]
    assert document["annotations"][0]["bbox"] == [9, 9, 22, 12]
    assert document["annotations"][1]["keypoints"][6:] == [0, 0, 0]
    assert document["annotations"][2]["keypoints"] == [5, 6, 1]
    assert document["annotations"][3]["iscrowd"] == 1


def test_a_face_with_named_keypoints_is_read(tmp_path: Path) -> None:
    found = _read(tmp_path, [_face((5, 5, 2), (6, 6, 1), ABSENT, (1, 1, 2), (9, 9, 2)), _face(*[ABSENT] * 5, id=2)])
    assert found.problems == ()
    marks = found.images[0].marks
    assert [(mark.kind, mark.is_sure) for mark in marks] == [("mole", True), ("mole", False), ("wrinkle", True)]
    assert marks[2].points.tolist() == [[1, 1], [9, 9]]


def test_a_photo_whose_keypoints_are_all_absent_has_no_marks(tmp_path: Path) -> None:
    found = _read(tmp_path, [_face(*[ABSENT] * 5)])
    assert ([image.marks for image in found.images], found.problems) == ([()], ())


@pytest.mark.parametrize(
    "row",
    [
        _face((500, 5, 2), *[ABSENT] * 4),
        _face(("5", 5, 2), *[ABSENT] * 4),
        _face((float("nan"), 5, 2), *[ABSENT] * 4),
        _face((5, 5, 3), *[ABSENT] * 4),
        _face((5, 5, []), *[ABSENT] * 4),
        _face((5, 5, 2)),
        _face(*[ABSENT] * 3, (1, 1, 2), ABSENT),
        _face((1, 1, 2), *[ABSENT] * 4, image_id=8),
        _face((1, 1, 2), *[ABSENT] * 4, image_id=[7]),
        _face((1, 1, 2), *[ABSENT] * 4, category_id=9),
        _face((1, 1, 2), *[ABSENT] * 4, diameter=-1),
        {"image_id": 7, "category_id": 1},
        "text",
    ],
)
def test_a_bad_annotation_is_numbered_and_the_others_are_read(tmp_path: Path, row: Any) -> None:
    found = _read(tmp_path, [_face((50, 50, 2), *[ABSENT] * 4), row])
    assert [problem.entry for problem in found.problems] == ["annotation 2"]
    assert [mark.points.tolist() for mark in found.images[0].marks] == [[[50, 50]]]


def test_bad_images_and_categories_are_numbered(tmp_path: Path) -> None:
    images = [_image(7, "a.jpg"), _image(7, "b.jpg"), _image(None, "c.jpg"), _image(8, "/d.jpg"), _image(9, "a.jpg"), 3]
    categories = [FACE, {**FACE, "keypoints": "mole"}, {"id": 2, "name": "face", "keypoints": ["beard"]}]
    rows = [_face((1, 1, 2), *[ABSENT] * 4), _face((2, 2, 2), category_id=2)]
    found = _read(tmp_path, rows, images=images, categories=categories)
    entries = ["category 2", "image 2", "image 3", "image 4", "image 6", "annotation 2", "image 5"]
    assert [problem.entry for problem in found.problems] == entries
    assert [image.file for image in found.images] == ["a.jpg"]


def test_a_photo_whose_annotations_are_all_bad_is_left_out(tmp_path: Path) -> None:
    found = _read(tmp_path, [_face((500, 5, 2), *[ABSENT] * 4)])
    assert (found.images, [problem.entry for problem in found.problems]) == ((), ["annotation 1", "image 1"])
