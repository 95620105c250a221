"""A mesh turned to a pose reads as that pose, keeps its shape, and sits in the frame."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.faces.expression import in_head_frame, measure_expression
from portraitist.faces.pose import estimate_pose, mesh_angles
from portraitist.faces.reader import FaceReader
from portraitist.faces.topology import LIPS_INNER, LIPS_OUTER, RIGID
from portraitist.generate.posed_mesh import nearest_reference, posed_mesh, with_expression
from portraitist.generate.poses import HeadPose, poses
from portraitist.types import Image, Pixels, Points, Pose, Reference

SIDE = 128


@pytest.fixture(scope="module")
def landmarks(astronaut: Image, reader: FaceReader) -> Points:
    return reader.read(astronaut, embed=False)[0].landmarks


@pytest.mark.parametrize("key", list(poses()))
def test_it_reads_as_the_pose(landmarks: Points, key: str) -> None:
    pose = poses()[key]
    mesh = posed_mesh(landmarks, pose, SIDE)
    read = estimate_pose(mesh)
    assert read.yaw == pytest.approx(pose.yaw, abs=1.5)
    assert read.pitch == pytest.approx(pose.pitch, abs=1.5)
    # The framing itself turns a head by a few degrees when it looks aside and up or down.
    assert read.roll == pytest.approx(pose.roll, abs=6)
    assert mesh[:, :2].min() > 0
    assert mesh[:, :2].max() < SIDE
    if pose.smile is not None and pose.mouth_open is not None:
        measured = measure_expression(mesh)
        assert measured.smile == pytest.approx(pose.smile, abs=0.1)
        assert measured.mouth_open == pytest.approx(pose.mouth_open, abs=0.1)


def test_the_correction_is_undone_everywhere() -> None:
    for yaw in (-55, -20, 0, 35):
        for pitch in (-20, 0, 15):
            raw_yaw, raw_pitch = mesh_angles(Pose(yaw, pitch, 0))
            assert 0.960 * raw_yaw + 5.25e-5 * raw_yaw**3 == pytest.approx(yaw, abs=0.02)
            assert 2.61 + 1.25 * raw_pitch + 3.53e-3 * raw_yaw**2 == pytest.approx(pitch, abs=0.02)


def test_the_shape_stays_the_sitters(landmarks: Points) -> None:
    turned = in_head_frame(posed_mesh(landmarks, poses()["strong-left"], SIDE))
    np.testing.assert_allclose(turned, in_head_frame(landmarks), atol=0.6)


def test_an_expression_moves_the_mouth_and_nothing_rigid(landmarks: Points) -> None:
    head = in_head_frame(landmarks)
    calm = with_expression(head, smile=0.1, mouth_open=0.1)
    loud = with_expression(calm, smile=0.9, mouth_open=0.6)
    moved = np.linalg.norm(loud - calm, axis=1)
    assert moved[list(RIGID)].max() < 3
    assert moved[list(LIPS_OUTER + LIPS_INNER)].max() > 6
    assert loud[14, 1] > calm[14, 1] + 4
    assert with_expression(head) is head


def test_the_nearest_photo_gives_the_shape(astronaut: Image, reader: FaceReader) -> None:
    images = astronaut, np.ascontiguousarray(astronaut[:, ::-1])
    references = [Reference(Pixels(i), reader.read(i, embed=False)[0]) for i in images]
    for reference in references:
        assert nearest_reference(references, reference.face.pose) is reference
    with pytest.raises(InputError, match="at least one photo"):
        nearest_reference([], HeadPose("x", "X").angles)
