"""What `portraitist painter` is told: how a painter is made from a folder of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.options import check, option
from portraitist.stylize.student.config import CAPS
from portraitist.stylize.translate.config import KEEPERS, PRESETS


@dataclass(frozen=True)
class MakePainterConfig:
    """All stages of making one painter. A stage that was begun goes on only with the settings it was begun with."""

    preset: str = option("cpu", "size of the translator, and how long it learns", choices=tuple(PRESETS))
    tier: str = option("nano", "size of the painter", choices=(*CAPS, "tiny"))
    framing: str = option(
        "auto",
        "the pictures' faces, or their middle squares; auto: faces where most have one",
        choices=("auto", "face", "square"),
    )
    side: int = option(256, "side of the pairs and of the painter's frame", unit="px", low=64, high=1024)
    keeper: str = option("region", "how the photo's background stays", choices=KEEPERS)
    background: float = option(10.0, "weight of the photo's background: the knob to the style", low=0, high=1000)
    generator_steps: int = option(2000, "steps of the generator, where there is one to begin from", low=1)
    samples: int = option(400, "pairs of made-up faces, the generator's hints for the translator", low=0, high=10_000)
    translate_steps: int | None = option(None, "steps of the translator; none: the preset's", low=1)
    student_steps: int = option(20_000, "steps of the student", low=1)
    batch: int = option(8, "pairs a step of the student", low=1, high=1024)
    needs_face: bool = option(True, "leave out pairs whose painting shows no readable face; off for abstract drawings")
    crisp: bool = option(False, "enlarge what the translator paints with crisp borders: for flat drawings")
    save_every: int = option(250, "steps between checkpoints, each with a sheet", low=1)
    minutes: float | None = option(
        None, "stop each training after this time; the same command goes on", unit="min", low=0
    )

    def __post_init__(self) -> None:
        check(self)
