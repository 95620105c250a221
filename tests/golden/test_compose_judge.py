"""Golden figures of template portraits on judge people and templates (see docs/compose.md for all 200 pairs)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem, build
from portraitist.faces.ranking import measure_likeness
from portraitist.faces.reader import FaceReader
from portraitist.faces.regions import oval_mask
from portraitist.image import open_photo
from portraitist.placement import Placement
from portraitist.scenes.slots import find_slots
from portraitist.types import Reference

PAIRS = [
    ("faces/london/001", "facechain_poses/man_pose1"),
    ("faces/london/024", "easyphoto/infer_6"),
    ("faces/london/038", "facechain_poses/woman_pose3"),
    ("faces/london/094", "public_domain/painting_raphael_la_velata_c1516"),
    ("faces/london/126", "easyphoto/idphoto_3"),
    ("faces/london/135", "azure_mit/one_person_street_glasses"),
]


@pytest.mark.parametrize(("sitter", "template"), PAIRS)
def test_leave_source_out(sitter: str, template: str, shared_data: Path, reader: FaceReader) -> None:
    """Golden over the six pairs: 0.23 to 0.47 to the sitter's other photo, 0.60 to 0.86 to the template's person."""
    photos = [open_photo(shared_data / f"{sitter}_{look}.jpg") for look in ("neutral", "smiling")]
    references = [Reference(photo, max(reader.read(photo.pixels()), key=lambda f: f.width)) for photo in photos]
    scene = find_slots(open_photo(shared_data / "templates" / f"{template}.jpg"), reader)
    slot = max(scene.slots, key=lambda s: s.face.width)
    portrait = next(iter(build(ComposeConfig(), Placement())(ComposeItem(scene, {slot.number: references}), seed=0)))
    face = min(reader.read(portrait.image), key=lambda f: float(np.linalg.norm(f.centre - slot.face.centre)))
    assert face.embedding is not None
    assert slot.face.embedding is not None
    assert portrait.changed is not None
    best = measure_likeness(face, references, portrait.sources).best_distance
    assert best is not None
    assert best < 0.52
    assert face.embedding.distance(slot.face.embedding) > 0.55
    original = scene.picture.pixels()
    assert (portrait.image[portrait.changed == 0] == original[portrait.changed == 0]).all()
    assert (portrait.changed > 0).sum() <= 1.32 * oval_mask(slot.face, original.shape[:2]).sum()
