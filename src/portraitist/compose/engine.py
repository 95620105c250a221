"""The `compose` engine: templates and backdrops without diffusion, on the CPU."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from portraitist.compose.backdrop import Kept, compose_backdrop
from portraitist.compose.config import ComposeConfig
from portraitist.compose.occlusion import MediaPipeHands
from portraitist.compose.template import SitterFace, SlotView, load_sitter, place_sitter, view_slot
from portraitist.errors import EngineError, InputError
from portraitist.faces.choose import choose_references, portrait_worth, suitability
from portraitist.faces.regions import oval_mask
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.scenes.values import BackdropScene, PromptScene, Slot, TemplateScene
from portraitist.types import Image, Mask, Portrait, Reference, derive

POOL_COST = 0.6
"""Photos whose cost is within this of the best one's take turns; at least three do, where the album has them."""
_CACHED_TEMPLATES = 4
_CACHED_SITTERS = 16
_TONE_GAP = 25.0
"""Difference of skin lightness (L*) between photo and template from which the portrait says so."""


@dataclass(frozen=True)
class ComposeItem:
    """What to make: `count` samples of a scene. references: slot number -> the sitter's photos; a slot that is not
    named stays as it is. For a backdrop the key is 1. `start` skips samples already made. kept: what retouching a head
    shot leaves alone."""

    scene: TemplateScene | BackdropScene | PromptScene
    references: Mapping[int, Sequence[Reference]]
    count: int = 1
    start: int = 0
    kept: Kept | None = None


@dataclass(frozen=True)
class Take:
    """One slot of one sample: the photo used and the strengths."""

    slot: Slot
    reference: Reference
    config: ComposeConfig


class ComposeEngine:
    """Call it with a `ComposeItem`; it yields one `Portrait` a sample. Template analyses are kept for reuse."""

    def __init__(self, config: ComposeConfig, placement: Placement, report: Report = silent) -> None:
        self.config = config
        self._hands = MediaPipeHands(placement)
        self._report = report
        self._views: dict[str, tuple[Image, dict[int, SlotView]]] = {}
        self._sitters: dict[tuple[str, float, int], SitterFace] = {}

    def __call__(self, item: ComposeItem, *, seed: int) -> Iterator[Portrait]:
        """Samples `start` to `count` - 1. Sample i depends on the seed and i only. Raises InputError when a slot is
        not in the template or has no photo, EngineError for a scene this engine cannot draw."""
        scene = item.scene
        if isinstance(scene, PromptScene):
            raise EngineError("engine 'compose' needs a template or a backdrop; a text style needs a trained identity")
        _check_references(item)
        for index in range(item.start, item.count):
            self._report(Step("compose", index, item.count))
            if isinstance(scene, BackdropScene):
                yield self._shoot_backdrop(scene, item, index, seed)
            else:
                yield self._shoot_template(scene, plan(scene, item.references, index, seed, self.config))

    def _shoot_backdrop(self, scene: BackdropScene, item: ComposeItem, index: int, seed: int) -> Portrait:
        ranked = sorted(item.references[1], key=lambda r: -portrait_worth(r))
        chosen, own = ranked[index % len(ranked)], derive(seed, index)
        return compose_backdrop(scene, chosen, self.config.backdrop, seed=own, report=self._report, kept=item.kept)

    def _shoot_template(self, scene: TemplateScene, takes: Sequence[Take]) -> Portrait:
        started = time.perf_counter()
        template, views = self._analysed(scene)
        analysed = time.perf_counter()
        result, changed = template.copy(), np.zeros(template.shape[:2], np.float32)
        for take in takes:
            if take.slot.number not in views:
                views[take.slot.number] = view_slot(template, take.slot.face, self.config, self._hands)
            view = views[take.slot.number]
            others = [slot for slot in scene.slots if slot.number != take.slot.number]
            _place(result, changed, view, self._sitter(take.reference, view.face.width), take.config, others)
        timings = {"analyse": analysed - started, "compose": time.perf_counter() - analysed}
        sources = tuple(dict.fromkeys(take.reference.picture.digest for take in takes))
        details = {"slots": [_record(take) for take in takes], "warnings": _warnings(takes), "timings": timings}
        return Portrait(result, sources, changed, details)

    def _sitter(self, reference: Reference, width: float) -> SitterFace:
        key = (reference.picture.digest, round(float(reference.face.centre[0]), 1), round(width))
        if key not in self._sitters:
            while len(self._sitters) >= _CACHED_SITTERS:
                self._sitters.pop(next(iter(self._sitters)))
            self._sitters[key] = load_sitter(reference, width)
        return self._sitters[key]

    def _analysed(self, scene: TemplateScene) -> tuple[Image, dict[int, SlotView]]:
        digest = scene.picture.digest
        if digest not in self._views:
            while len(self._views) >= _CACHED_TEMPLATES:
                self._views.pop(next(iter(self._views)))
            self._views[digest] = (scene.picture.pixels(), {})
        return self._views[digest]


def build(config: ComposeConfig, placement: Placement, *, report: Report = silent) -> ComposeEngine:
    """Registry entry. Raises PlacementError unless the device is the CPU."""
    placement.require_cpu("compose")
    return ComposeEngine(config, placement, report)


def plan(
    scene: TemplateScene, references: Mapping[int, Sequence[Reference]], index: int, seed: int, config: ComposeConfig
) -> list[Take]:
    """Which photo goes into which slot of sample `index`, and how strongly.

    The suitable photos take turns, best first. When all had their turn, strengths are drawn anew, so that no two
    samples are the same.
    """
    takes = []
    for slot in scene.slots:
        if slot.number not in references:
            continue
        pool = _pool(slot, references[slot.number])
        round_, turn = divmod(index, len(pool))
        random = np.random.default_rng(derive(seed, index) ^ slot.number)
        takes.append(Take(slot, pool[turn], config if round_ == 0 else _varied(config, random, round_)))
    return takes


def _pool(slot: Slot, references: Sequence[Reference]) -> list[Reference]:
    ranked = choose_references(slot.face, references)
    best = suitability(slot.face, ranked[0].face)
    near = [r for r in ranked if suitability(slot.face, r.face) <= best + POOL_COST]
    return ranked[: max(3, len(near))]


def _varied(config: ComposeConfig, random: np.random.Generator, round_: int) -> ComposeConfig:
    """Other strengths for a photo used again: the face's outline, light and colour a step nearer the sitter's own."""
    step = round_ + random.uniform(-0.25, 0.25)
    # An infinite set of distinct strengths in (0, 1): each round leaves a visible step to the one before.
    ease = 1 / (1 + 0.35 * step)
    return replace(
        config,
        light=config.light * ease,
        colour=config.colour * (0.5 + 0.5 * ease),
        outline=config.outline * (0.6 + 0.4 * ease),
    )


def _place(
    result: Image, changed: Mask, view: SlotView, sitter: SitterFace, config: ComposeConfig, others: Sequence[Slot]
) -> None:
    """Compose one slot into `result`, in place. Pixels out of reach, and other people's faces, keep their bytes."""
    composed, reach = place_sitter(view, sitter, config)
    h, w = view.size
    window = result[view.y : view.y + h, view.x : view.x + w]
    delta = np.asarray(composed - view.pixels.astype(np.float32) / 255, np.float32)
    if view.factor != 1:
        delta, reach = _resized(delta, (h, w)), _resized(reach, (h, w))
    weight = (reach > 0).astype(np.float32) * np.clip(reach * 8, 0, 1)
    for other in others:
        face = other.face.moved(-float(view.x), -float(view.y))
        weight *= 1 - oval_mask(face, (h, w))
    mixed = window.astype(np.float32) + 255 * delta * weight[..., None]
    window[...] = np.where(weight[..., None] > 0, np.clip(np.round(mixed), 0, 255), window).astype(np.uint8)
    part = changed[view.y : view.y + h, view.x : view.x + w]
    np.maximum(part, weight, out=part)


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    shrinks = size[1] < values.shape[1]
    return np.asarray(
        cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.float32
    )


def _check_references(item: ComposeItem) -> None:
    numbers = {slot.number for slot in item.scene.slots} if isinstance(item.scene, TemplateScene) else {1}
    unknown = sorted(set(item.references) - numbers)
    if unknown:
        raise InputError(f"slot {unknown[0]}: the template has slots {sorted(numbers)}, numbered left to right from 1")
    if not item.references or not all(item.references.values()):
        raise InputError("expected at least one photo of a sitter for each slot used, found none")


def _warnings(takes: Sequence[Take]) -> list[str]:
    found = []
    for take in takes:
        there, here = take.slot.face.light, take.reference.face.light
        if there is None or here is None or abs(there.level - here.level) <= _TONE_GAP:
            continue
        word = "lighter" if there.level > here.level else "darker"
        found.append(
            f"slot {take.slot.number}: skin in the template is much {word} than in the photo, and the face takes the "
            "template's tone to fit its neck; lower the colour strength, or take a template nearer the sitter's skin"
        )
    return found


def _record(take: Take) -> dict[str, object]:
    """JSON-ready facts of one slot."""
    c = take.config
    return {
        "slot": take.slot.number,
        "photo": take.reference.picture.digest,
        "cost": round(suitability(take.slot.face, take.reference.face), 3),
        "outline": round(c.outline, 4),
        "light": round(c.light, 4),
        "colour": round(c.colour, 4),
    }
