"""What of a prompt is read, on every base's real class: what is said to be left out makes no difference."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.generate.prompt_limits import cut_words, warn_cut
from tests.diffusion.tiny_bases import CALL, IMAGE_SIDE, tiny_pipeline

BASES = ("mini", "sd15", "sdxl", "flux2-klein-4b", "z-image")
LONG = ", ".join(["smiling", "a word of many letters"] * 8)


@pytest.mark.parametrize("base", BASES)
def test_what_is_cut_is_not_read(base: str) -> None:
    pipeline, options = tiny_pipeline(base), CALL.get(base, {})
    rest = cut_words(pipeline, LONG, options)
    assert rest
    assert LONG.endswith(rest)
    read = LONG.removesuffix(rest)
    assert cut_words(pipeline, read.rstrip(" ,"), options) == ""
    assert cut_words(pipeline, "smiling", options) == ""

    def drawn(prompt: str) -> np.ndarray:
        import torch

        side, generator = IMAGE_SIDE[base], torch.Generator().manual_seed(0)
        size = {"height": side, "width": side, "num_inference_steps": 1}
        return pipeline(prompt=prompt, generator=generator, output_type="np", **size, **options).images[0]

    whole = drawn(LONG)
    # Other words of as many letters in the part that is left out.
    np.testing.assert_array_equal(drawn(read + "z" * len(rest)), whole)
    assert (drawn("z" + LONG[1:]) != whole).any()


def test_both_prompts_are_looked_at() -> None:
    pipeline = tiny_pipeline("sd15")
    assert warn_cut(pipeline, "smiling", "dark") == []
    said = warn_cut(pipeline, "smiling", LONG)
    assert len(said) == 1
    assert said[0].startswith("negative prompt: ")
    assert LONG[-20:] in said[0]
