"""Do the styles of portrait-mini change the picture? Words found again in what is drawn, and a picture of each style.

    python -m benchmarks.styles [--count 12] [--pictures FOLDER]

The sitter is Eileen Collins (NASA, public domain), learned from one photo; 90 s on two cores. For each style the share
of its words that the fact reader says of portraits as they are drawn, beside the share it says of portraits of the same
noise without a style: what no style would reach too. The pictures show the likest of eight, drawn and finished.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from portraitist.diffusion.base_loading import load_base
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.captions import PHRASES, FaceFacts
from portraitist.diffusion.face_facts import FactReader
from portraitist.diffusion.lora_adapters import install
from portraitist.diffusion.lora_formats import read_lora
from portraitist.generate.config import DrawConfig
from portraitist.generate.text import TextEngine
from portraitist.identity.record import WEIGHTS, read_identity
from portraitist.image import encode_image, open_photo
from portraitist.library import Consent, Library, write_atomic
from portraitist.styles.looks import compose_prompt, styles
from portraitist.styles.style import Style
from portraitist.tasks.add import add
from portraitist.tasks.config import DrawRequest
from portraitist.tasks.draw import draw
from portraitist.tasks.train import train
from portraitist.types import Image

SITTER = "collins"
PICTURE_SIDE = 256
SEED = 3


def main() -> None:
    """Learn, draw, read, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=12, help="portraits a style that words are read from")
    parser.add_argument("--pictures", type=Path, help="a folder for one finished portrait a style")
    parsed = parser.parse_args()
    ours = [style for style in styles().values() if style.needs == "mini"]
    with tempfile.TemporaryDirectory(prefix="styles-") as folder:
        library = learned(Path(folder))
        print_table(library, ours, parsed.count)
        if parsed.pictures is not None:
            write_pictures(library, ours, parsed.pictures)


def learned(folder: Path) -> Library:
    """A library with the sitter and her identity on mini."""
    photo = folder / "collins.png"
    cv2.imwrite(str(photo), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    library = Library(folder / "library")
    library.accept_noncommercial("benchmark")
    add(library, SITTER, [photo], consent=Consent.now("Eileen Collins", "public domain"))
    train(library, SITTER, "mini")
    return library


def print_table(library: Library, ours: Sequence[Style], count: int) -> None:
    """One line a style."""
    base, facts = find_base("mini"), FactReader.load()
    folder = library.sitter(SITTER).identities_dir / base.name
    trigger = read_identity(folder).trigger
    pipeline = load_base(base, "text", library=library)
    install(pipeline, read_lora(folder / WEIGHTS), SITTER)
    engine = TextEngine(pipeline, DrawConfig(), base.sampling.num_steps, base.sampling.guidance_scale)
    bare = read(facts, drawn(engine, f"portrait, {trigger}", count))
    print("| style | words | found again | without the style |\n|---|---|---|---|")
    for style in ours:
        said = words_of(style)
        own = read(facts, drawn(engine, compose_prompt(style, trigger=trigger)[0], count))
        print(f"| `{style.key}` | {', '.join(said)} | {share(own, said):.0%} | {share(bare, said):.0%} |", flush=True)


def drawn(engine: TextEngine, prompt: str, count: int) -> list[Image]:
    """Portraits of the same noise whatever the prompt."""
    size = engine.config.batch
    return [
        image
        for first in range(0, count, size)
        for image in engine.draw([prompt] * min(size, count - first), "", SEED, first)
    ]


def read(reader: FactReader, images: Sequence[Image]) -> list[FaceFacts]:
    """Facts of each picture; none known where no face is found."""
    found = [reader(image) for image in images]
    return [FaceFacts() if one is None else one[1] for one in found]


def words_of(style: Style) -> list[str]:
    """The style's phrases that can be measured."""
    known = {phrase.text for phrase in PHRASES}
    return [text for text in style.prompt.phrases() if text in known]


def share(facts: Sequence[FaceFacts], said: Sequence[str]) -> float:
    """Of all words and pictures."""
    asked = [phrase for phrase in PHRASES if phrase.text in said]
    return float(np.mean([phrase.fits(one) for one in facts for phrase in asked]))


def write_pictures(library: Library, ours: Sequence[Style], folder: Path) -> None:
    """The likest of eight a style: as it is drawn, and with her own face in it, as it comes out of the product."""
    for style in ours:
        request = DrawRequest(style=style.key, count=8, best=1)
        both = [draw(library, SITTER, request, drawing).saved[0] for drawing in (DrawConfig(face_fusion=0), None)]
        pair = np.hstack([resized(open_photo(saved.path).pixels()) for saved in both])
        write_atomic(folder / f"{style.key}.jpg", encode_image(pair, "jpeg", quality=88))


def resized(image: Image) -> Image:
    """To the size of the page's pictures."""
    return np.asarray(cv2.resize(image, (PICTURE_SIDE, PICTURE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
