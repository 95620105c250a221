"""Pairs from stage 1: the same latents through the source and through its blend with a style.

They are of nobody and as small as the generator's pictures, but they are pairs: hints for a translator, or what a
student learns from when stage 2 is left out.
"""

from __future__ import annotations

from pathlib import Path

from portraitist.progress import Report, Step, silent
from portraitist.stylize.generator.blend import Curve, blend
from portraitist.stylize.generator.generator_file import TrainedGenerator
from portraitist.stylize.generator.sample import pictures_of, sample_latents
from portraitist.stylize.pairs import Pair, PairFolder, PairNote, write_note, write_pair

SWAP_SIDE = 16
"""From this side on the levels are the style's: below are pose and shape, which stay the source's."""


def write_blend_pairs(
    source: TrainedGenerator,
    style: TrainedGenerator,
    folder: Path,
    count: int,
    *,
    curve: Curve = Curve(SWAP_SIDE, 1.0),  # noqa: B008
    psi: float = 0.8,
    domain: str = "",
    report: Report = silent,
) -> PairFolder:
    """`count` pairs, those already there made anew. psi: truncation. domain: name of the style's pictures."""
    blended = blend(source, [(style, curve)])
    latents = sample_latents(source.generator, count, seed=1, psi=psi)
    for i in range(count):
        photo, painted = (pictures_of(each.generator, latents[i : i + 1])[0] for each in (source, blended))
        write_pair(folder, Pair(f"{i:05d}", photo, painted, None))
        report(Step("generator-pairs", i + 1, count))
    write_note(folder, _note(blended, domain))
    return PairFolder.open(folder)


def _note(blended: TrainedGenerator, domain: str) -> PairNote:
    """Made faces are no photos of anybody; what they were learned from stays said."""
    learned = blended.origin.learned
    return PairNote(
        f"made faces, painted like {learned[-1].title}",
        "; ".join(blended.origin.steps),
        "; ".join(dict.fromkeys(note.licence for note in learned)),
        noncommercial=blended.origin.noncommercial,
        style=domain,
        stages=("generator",),
        attributions=tuple(dict.fromkeys(note.attribution for note in learned if note.attribution)),
    )
