"""The library of poses: complete, in range, found by its names, told in the captions' words."""

from __future__ import annotations

from pathlib import Path

import pytest

from portraitist.diffusion.captions import unknown_words
from portraitist.errors import ConfigError
from portraitist.faces.reader import FaceReader
from portraitist.generate.poses import SAID, HeadPose, find_pose, pose_of, poses
from portraitist.types import Image


def test_the_library_has_every_direction() -> None:
    library = poses()
    assert len(library) >= 10
    assert {"front", "strong-left", "strong-right", "up", "down", "tilted-left"} <= set(library)
    for key, pose in library.items():
        assert pose.key == key
        assert pose.name_zh
        # Left and right are the picture's sides: left is a nose to the left, or a head tilted that way.
        if "left" in key:
            assert pose.yaw < 0
        if "right" in key:
            assert pose.yaw > 0
    for key in [key for key in library if key.endswith("-left")]:
        left, right = library[key], library[key.replace("left", "right")]
        assert (left.yaw, left.pitch, left.roll) == (-right.yaw, right.pitch, -right.roll)


def test_every_pose_is_told_in_words_that_mini_knows() -> None:
    told = {key: (pose.head_words(), pose.expression_words()) for key, pose in poses().items()}
    assert told["front"] == ("facing the camera", "")
    assert told["strong-left"] == ("turned left", "")
    assert told["down-right"] == ("turned right, looking down", "")
    assert told["half-left-laugh"] == ("turned left, looking up", "smiling, mouth open")
    assert not [word for words in told.values() for text in words for word in unknown_words(text)]


def test_a_pose_is_found_by_each_of_its_names() -> None:
    for name in ("half-left", "Half Left", "半左侧"):
        assert find_pose(name).key == "half-left"
    with pytest.raises(ConfigError, match="half-left"):
        find_pose("half-lef")
    with pytest.raises(ConfigError, match="known are front"):
        find_pose("xyz-123")


def test_a_pose_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="yaw"):
        HeadPose("x", "X", yaw=80)


def test_a_photo_is_a_pose(astronaut: Image, reader: FaceReader) -> None:
    face = reader.read(astronaut, embed=False)[0]
    pose = pose_of(face, "astronaut.png")
    assert pose.angles.angle_to(face.pose) < 0.1
    assert pose.smile is not None
    assert pose.smile > 0.5
    assert "smiling" in pose.expression_words()


def test_words_give_an_expression_where_the_pose_has_none() -> None:
    for phrase, (part, value) in SAID.items():
        told = poses()["front"].told_by(["light background", phrase])
        assert getattr(told, part) == value
        assert phrase in told.expression_words()
    assert poses()["front-smile"].told_by(["serious"]) == poses()["front-smile"]


def test_the_docs_list_the_library_as_it_is() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "poses.md").read_text(encoding="utf-8")
    for pose in poses().values():
        shown = ["" if value is None else f"{value:g}" for value in (pose.smile, pose.mouth_open)]
        cells = [f"`{pose.key}`", pose.name_zh, f"{pose.yaw:g}", f"{pose.pitch:g}", f"{pose.roll:g}", *shown]
        assert f"| {' | '.join(cells)} |" in text, pose.key
    assert text.count("\n| `") == len(poses())
