"""One request for portraits in words, with everything loaded that it needs: what `draw` and `replay` share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portraitist.faces.reader import FaceReader
from portraitist.marks.config import TransferConfig
from portraitist.progress import Step
from portraitist.styles.looks import compose_prompt
from portraitist.styles.style import split_phrases
from portraitist.tasks.carry_marks import map_digests
from portraitist.tasks.commission import Commission
from portraitist.tasks.config import FinishConfig
from portraitist.tasks.draw_finish import FaceFusion, load_fusion
from portraitist.tasks.draw_loading import Drawer
from portraitist.tasks.finish import Finished, Person, finish
from portraitist.tasks.posing import Posing, largest_face
from portraitist.tasks.sitting import Cast
from portraitist.tasks.stage_clock import StageClock
from portraitist.types import Portrait, derive

if TYPE_CHECKING:
    from portraitist.diffusion.base_row import Base
    from portraitist.generate.text import TextOrder
    from portraitist.identity.record import IdentityRecord
    from portraitist.styles.style import Style

_AS_DRAWN = FinishConfig(marks=TransferConfig(marks_strength=0))
"""Candidates are ranked by what the networks drew."""
MOSTLY = 0.5
"""An attribute in more than this share of the album joins the prompt."""
ATTRIBUTES = ("glasses", "beard", "long hair", "short hair", "dark hair", "light hair")
"""What may be a sitter's own; a pose or a light never is."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One portrait as it was drawn, measured. clock: what it has cost so far."""

    index: int
    portrait: Portrait
    drawn: Finished
    clock: StageClock


@dataclass(frozen=True, eq=False)
class Completed:
    """The same portrait with the sitter's face in it, finished and measured again."""

    portrait: Portrait
    finished: Finished


@dataclass(frozen=True, eq=False)
class DrawJob:
    """Draws the portraits of one request, with everything loaded that it needs; candidate i depends on the seed and i.

    fusion: None where the sitter's own face is not put in. attributes: see `Drawn`. warnings: of the prompt. posing:
    where a pose was asked for.
    """

    asked: Commission
    drawer: Drawer
    order: TextOrder
    fusion: FaceFusion | None
    reader: FaceReader
    attributes: tuple[str, ...]
    warnings: tuple[str, ...]
    posing: Posing | None = None

    @classmethod
    def prepare(cls, asked: Commission) -> DrawJob:
        """Raises as `draw` does."""
        from portraitist.generate.text import TextOrder

        drawer, reader = Drawer.load(asked), FaceReader.load(asked.placement)
        posing = _posing(asked, drawer.record, reader)
        drawer, style = (drawer, asked.style) if posing is None else _posed(asked, drawer, posing)
        attributes, trigger, extra = album_attributes(asked.cast), drawer.record.trigger, asked.settings.draw.prompt
        prompt, negative = compose_prompt(style, extra=extra, trigger=trigger, attributes=attributes)
        sources = drawer.record.sources if posing is None else (*drawer.record.sources, posing.reference.picture.digest)
        prompts = [prompt] * asked.settings.draw.count
        order = TextOrder(prompts, negative, tuple(dict.fromkeys(sources)), drawer.adapters)
        warnings = _warnings(drawer, asked.base, prompt, negative)
        fusion = load_fusion(asked, drawer, reader)
        return cls(asked, drawer, order, fusion, reader, attributes, warnings, posing)

    def candidates(self, start: int = 0) -> Iterator[Candidate]:
        """Portraits `start` and on as they are drawn, each measured."""
        request = self.asked.settings.draw
        for index, portrait in enumerate(self.drawer.engine(self.order, seed=request.seed, start=start), start):
            clock = StageClock({"draw": float(portrait.details["seconds"])})
            with clock("measure"):
                measured = self._finished(portrait, _AS_DRAWN)
            self.asked.report(Step("measure", index + 1, request.count))
            yield Candidate(index, portrait, measured, clock)

    def complete(self, candidate: Candidate) -> Completed:
        """The candidate with the sitter's own face and the ring around it painted, where that is asked for."""
        portrait = candidate.portrait
        if self.fusion is not None:
            portrait = self.fusion(
                portrait, candidate.clock, seed=derive(self.asked.settings.draw.seed, candidate.index)
            )
        with candidate.clock("finish"):
            return Completed(portrait, self._finished(portrait, self.asked.settings.finish))

    def digests(self) -> dict[str, str]:
        """Of everything the portraits depend on besides photos."""
        pose = {} if self.posing is None else self.posing.digests(self.asked.base)
        maps = map_digests([self.asked.cast], self.asked.settings.finish)
        return {**self.drawer.digests, **({} if self.fusion is None else self.fusion.digests()), **pose, **maps}

    def _finished(self, portrait: Portrait, config: FinishConfig) -> Finished:
        cast = self.asked.cast
        person = Person(cast.name, cast.everyone, marks=cast.marks)
        finished = finish(portrait, [person], self.reader, config, self.asked.placement)
        if self.posing is None:
            return finished
        measured = self.posing.measured(largest_face(portrait.image, self.reader))
        return replace(finished, measures={**finished.measures, "pose": measured})


def _posing(asked: Commission, record: IdentityRecord, reader: FaceReader) -> Posing | None:
    request = asked.settings.draw
    if request.pose is None:
        return None
    # A photo that was learned from: the others stay free to measure likeness by.
    learned = [reference for reference in asked.cast.everyone if reference.picture.digest in record.sources]
    phrases = (*asked.style.prompt.phrases(), *split_phrases(request.prompt))
    strength, photos = asked.settings.drawing.pose_strength, learned or asked.cast.everyone
    return Posing.of(request.pose, strength, photos, asked.base, reader, phrases)


def _posed(asked: Commission, drawer: Drawer, posing: Posing) -> tuple[Drawer, Style]:
    """The same base under the pose's control, and the style with the pose's words."""
    engine = posing.steer(drawer.engine, asked.base, asked.placement, report=asked.report)
    return replace(drawer, engine=engine), posing.said_in(asked.style)


def album_attributes(cast: Cast) -> tuple[str, ...]:
    """Phrases that more than half of the album's captions have: what belongs to the sitter, not to a photo."""
    photos = cast.album.accepted
    said = Counter(phrase for photo in photos for phrase in ATTRIBUTES if phrase in photo.caption)
    return tuple(phrase for phrase in ATTRIBUTES if said[phrase] > MOSTLY * len(photos))


def _warnings(drawer: Drawer, base: Base, prompt: str, negative: str) -> tuple[str, ...]:
    """What of the prompts the base does not know, does not read, or does not listen to."""
    from portraitist.diffusion.portrait_mini import warn_unknown
    from portraitist.generate.prompt_limits import warn_cut

    engine = drawer.engine
    unknown = warn_unknown(prompt) if base.name == "mini" else None
    found = [unknown] if unknown else []
    found += warn_cut(engine.pipeline, prompt, negative, engine.options)
    if negative and not engine.takes_negative:
        found.append(f"negative prompt: base '{base.name}' takes none; left out: '{negative}'")
    return tuple(found)
