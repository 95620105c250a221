"""Whether a style learned on a base changes its pictures: a blue tone, learned from pictures that were given one.

    python benchmarks/style_lora.py PICTURE... [--base mini] [--steps STEPS] [--sheet FILE.png]

PICTURE: files, of which each is turned to grey and toned like a cyanotype. The answer is the mean colour (CIELAB) of
what the base draws without the style and with it, of the same noise, beside that of the pictures. The library is a
temporary one that accepts weights marked nc: run it where that is right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraitist.diffusion.base_loading import load_base
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.lora_adapters import install
from portraitist.generate.config import DrawConfig
from portraitist.generate.text import TextEngine
from portraitist.identity.config import IdentityConfig
from portraitist.image import encode_image, open_photo
from portraitist.library import Library
from portraitist.tasks.train_style import TrainedStyle, train_style
from portraitist.types import Image

EXPONENTS = (1.3, 0.95, 0.7)
"""Of the grey level in red, green and blue."""
PROMPTS = (
    "portrait",
    "portrait, smiling, light background",
    "portrait, serious, dark background",
    "portrait, turned left",
)
SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--base", default="mini")
    parser.add_argument("--steps", type=int, help="default: the base's")
    parser.add_argument("--sheet", type=Path, help="the pictures without the style above those with it")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        library, folder = Library(Path(temporary) / "library"), Path(temporary) / "pictures"
        library.accept_noncommercial("benchmarks/style_lora.py")
        toned = [tone(open_photo(path).pixels(1024)) for path in asked.pictures]
        folder.mkdir()
        for number, image in enumerate(toned):
            (folder / f"{number:03d}.png").write_bytes(encode_image(image, "png"))
        start = time.perf_counter()
        trained = train_style(library, "blue-tone", [folder], asked.base, IdentityConfig(steps=asked.steps))
        print(f"learned from {trained.pictures[0]}, {trained.pictures[1]} chose: {time.perf_counter() - start:.0f} s")
        for check in trained.outcome.checks:
            print(f"step {check.step}: validation loss {check.validation_loss:.4f}")
        without, with_style = drawn(library, asked.base, trained)
    for name, images in (("pictures", toned), ("base", without), ("base with the style", with_style)):
        print(f"{name:20s} L* a* b* " + "  ".join(f"{value:6.1f}" for value in mean_colour(images)))
    if asked.sheet:
        sheet = np.vstack([np.hstack(without), np.hstack(with_style)])
        asked.sheet.write_bytes(encode_image(sheet, "png"))


def tone(image: Image) -> Image:
    """The picture in shades of blue."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return np.asarray(np.round(255 * np.stack([grey**exponent for exponent in EXPONENTS], axis=-1)), np.uint8)


def drawn(library: Library, base_name: str, trained: TrainedStyle) -> tuple[list[Image], list[Image]]:
    """The same prompts and noise without the style and with it."""
    base = find_base(base_name)
    pipeline: Any = load_base(base, "text", library=library)
    engine = TextEngine(pipeline, DrawConfig(), base.sampling.num_steps, base.sampling.guidance_scale)
    without = engine.draw(PROMPTS, "", SEED)
    install(pipeline, trained.outcome.lora, "style")
    finish = trained.style.prompt.finish
    prompts = [f"{prompt}, {finish}" if finish else prompt for prompt in PROMPTS]
    return without, engine.draw(prompts, "", SEED)


def mean_colour(images: Sequence[Image]) -> list[float]:
    """Mean L*, a*, b* over all pixels."""
    pixels = [cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3) for image in images]
    return [float(value) for value in np.concatenate(pixels).mean(axis=0)]


if __name__ == "__main__":
    sys.exit(main())
