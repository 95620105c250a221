"""What every engine of the task `shoot` promises, whatever it draws with: one row of this matrix for each of its rows.

An engine of a new package joins by adding its config to CONFIGS; a row without one fails the first test.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest

from portraitist import registry
from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem
from portraitist.errors import EngineError, InputError, PlacementError
from portraitist.faces.reader import FaceReader
from portraitist.placement import Placement
from portraitist.progress import Step, silent
from portraitist.scenes.slots import find_slots
from portraitist.scenes.values import BackdropScene, PromptScene
from portraitist.types import Image, Pixels, Portrait, Reference

ROWS = [("shoot", name) for name in registry.TASKS["shoot"]]
CONFIGS: dict[tuple[str, str], Any] = {("shoot", "compose"): ComposeConfig()}
SCENES = ("template", "backdrop")
HERE = Placement(threads=2)

pytestmark = pytest.mark.parametrize(("task", "name"), ROWS, ids=lambda part: str(part))


@pytest.fixture(scope="module")
def sitter(astronaut: Image, reader: FaceReader) -> list[Reference]:
    """Two photos of one person: the second is the first mirrored."""
    images = astronaut[:384, 60:400], np.ascontiguousarray(astronaut[:384, 60:400][:, ::-1])
    return [Reference(Pixels(i), max(reader.read(i), key=lambda face: face.width)) for i in images]


@pytest.fixture(scope="module")
def scenes(hopper: Image, reader: FaceReader) -> dict[str, Any]:
    return {"template": find_slots(Pixels(hopper), reader), "backdrop": BackdropScene("studio-grey", "headshot")}


def build(task: str, name: str, report: Any = silent) -> Any:
    return registry.build(task, name, CONFIGS[task, name], HERE, report)


def item(scene: Any, sitter: list[Reference], count: int, start: int = 0) -> ComposeItem:
    return ComposeItem(scene, {1: sitter}, count, start)


def digests(portraits: Iterator[Portrait]) -> list[str]:
    return [Pixels(portrait.image).digest for portrait in portraits]


def test_the_row_is_in_the_matrix(task: str, name: str) -> None:
    assert (task, name) in CONFIGS, "add the engine's config to CONFIGS, so that its promises are checked"


def test_only_a_device_it_can_use(task: str, name: str) -> None:
    with pytest.raises(PlacementError, match="cuda"):
        registry.build(task, name, CONFIGS[task, name], Placement("cuda"), silent)


@pytest.mark.parametrize("scene", SCENES)
def test_portraits_come_one_by_one_and_stopping_cancels(
    task: str,
    name: str,
    scene: str,
    sitter: list[Reference],
    scenes: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps: list[Step] = []
    portraits = build(task, name, steps.append)(item(scenes[scene], sitter, 1000), seed=0)
    assert steps == [], "nothing happens before the first one is asked for"
    first = next(portraits)
    assert isinstance(first, Portrait)
    assert first.image.dtype == np.uint8
    assert set(first.sources) <= {reference.picture.digest for reference in sitter}
    assert first.sources
    started = {step.done for step in steps if step.total == 1000}
    assert started == {0}, "the second portrait was begun though nobody asked for it"
    portraits.close()
    seen = len(steps)
    assert list(portraits) == []
    assert len(steps) == seen
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("scene", SCENES)
def test_a_sample_depends_on_seed_and_index_only(
    task: str, name: str, scene: str, sitter: list[Reference], scenes: dict[str, Any]
) -> None:
    few = digests(build(task, name)(item(scenes[scene], sitter, 3), seed=5))
    many = digests(islice(build(task, name)(item(scenes[scene], sitter, 50), seed=5), 2))
    assert many == few[:2], "how many are asked for changed the first ones"
    assert digests(build(task, name)(item(scenes[scene], sitter, 3, start=2), seed=5)) == few[2:], (
        "skipping changed one"
    )
    if scene == "template":
        assert len(set(few)) == 3, "samples in a template differ"


def test_an_engine_can_be_used_again(
    task: str, name: str, sitter: list[Reference], scenes: dict[str, Any], hopper: Image, reader: FaceReader
) -> None:
    """What it keeps of a template never leaks into the next portrait."""
    engine = build(task, name)
    template = scenes["template"]
    first = digests(engine(item(template, sitter, 1), seed=1))
    other = find_slots(Pixels(np.ascontiguousarray(hopper[:, ::-1])), reader)
    between = digests(engine(item(other, sitter, 1), seed=1))
    assert digests(engine(item(template, sitter, 1), seed=1)) == first != between


def test_inputs_are_left_as_they_were(
    task: str, name: str, sitter: list[Reference], scenes: dict[str, Any], hopper: Image
) -> None:
    before = [reference.picture.digest for reference in sitter], Pixels(hopper).digest
    next(build(task, name)(item(scenes["template"], sitter, 1), seed=0))
    next(build(task, name)(item(scenes["backdrop"], sitter, 1), seed=0))
    assert ([Pixels(r.picture.pixels()).digest for r in sitter], Pixels(hopper).digest) == before


def test_a_scene_it_cannot_draw_is_refused(task: str, name: str, sitter: list[Reference]) -> None:
    with pytest.raises(EngineError, match="compose"):
        next(build(task, name)(item(PromptScene("oil"), sitter, 1), seed=0))


def test_slots_that_are_not_there_are_refused(
    task: str, name: str, sitter: list[Reference], scenes: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="slot 9"):
        next(build(task, name)(ComposeItem(scenes["template"], {9: sitter}), seed=0))
    with pytest.raises(InputError, match="at least one photo"):
        next(build(task, name)(ComposeItem(scenes["template"], {1: []}), seed=0))
