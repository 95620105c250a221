"""One contract for every base: outside the mask pixels stay, inside they change, and the controls are heard."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.bases import BASES as ROWS
from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import install, weights
from portraitist.diffusion.painters import Condition, ControlPainter, DifferencePainter, Painter, whole_steps
from portraitist.types import Image
from tests.diffusion.tiny_painters import BASES, tiny_painters

SIDE = 64


@pytest.fixture(scope="module")
def painters() -> dict[str, Painter]:
    return {name: tiny_painters(name)[0] for name in BASES}


def painted(painter: Painter, image: Image, mask: np.ndarray, *, seed: int = 1, blank: bool = False) -> Image:
    shown = np.zeros_like(image) if blank else image
    conditions = {kind: Condition(shown, 1.0) for kind in painter.kinds}
    return painter.paint(image, mask, "portrait", conditions, strength=0.6, steps=4, seed=seed)


@pytest.mark.parametrize("base", BASES)
def test_only_the_mask_is_painted(painters: dict[str, Painter], base: str) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)
    for _ in range(3):
        mask = np.zeros((SIDE, SIDE), np.float32)
        y, x = random.integers(0, SIDE - 20, 2)
        mask[y : y + random.integers(3, 20), x : x + random.integers(3, 20)] = random.uniform(0.5, 1)
        result = painted(painters[base], image, mask)
        np.testing.assert_array_equal(result[mask == 0], image[mask == 0])
        assert np.abs(result[mask > 0].astype(int) - image[mask > 0]).mean() > 2


@pytest.mark.parametrize("base", BASES)
def test_a_seed_paints_one_picture(painters: dict[str, Painter], base: str) -> None:
    image, mask = np.full((SIDE, SIDE, 3), 90, np.uint8), np.ones((SIDE, SIDE), np.float32)
    one, same, other = (painted(painters[base], image, mask, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("base", [name for name in BASES if name in ("mini", "sd15", "sdxl")])
def test_the_controls_are_heard(painters: dict[str, Painter], base: str) -> None:
    image = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)
    mask = np.ones((SIDE, SIDE), np.float32)
    assert (painted(painters[base], image, mask) != painted(painters[base], image, mask, blank=True)).any()


@pytest.mark.parametrize("base", BASES)
def test_no_strength_is_no_change(painters: dict[str, Painter], base: str) -> None:
    image, mask = np.full((SIDE, SIDE, 3), 90, np.uint8), np.ones((SIDE, SIDE), np.float32)
    result = painters[base].paint(image, mask, "portrait", {}, strength=0, steps=4, seed=1)
    np.testing.assert_array_equal(result, image)


@pytest.mark.parametrize("strength", [0.01, 0.1, 0.3, 1 / 3, 0.45, 0.99, 1.0])
def test_a_step_is_always_taken(strength: float) -> None:
    for steps, few in ((20, None), (1, None), (50, 4), (50, 8)):
        taken = int(whole_steps(strength, steps, few) * strength)
        assert taken >= (few or 1)
    assert whole_steps(strength, 200, None) == 200


def random_lora(painter: ControlPainter) -> Lora:
    """On one attention weight of the denoiser, strong enough to be seen."""
    path = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    width = painter.pipeline.unet.mid_block.attentions[0].transformer_blocks[0].attn1.to_q.weight.shape
    torch.manual_seed(2)
    return Lora({path: (torch.randn(4, width[1]), torch.randn(width[0], 4))})


def test_only_what_the_lora_changes_is_painted() -> None:
    plain = tiny_painters("mini")[0]
    assert isinstance(plain, ControlPainter)
    painter = DifferencePainter(plain)
    random = np.random.default_rng(0)
    image = random.integers(60, 190, (SIDE, SIDE, 3)).astype(np.uint8)
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[16:48, 16:48] = 1
    # Without a LoRA nothing is changed, though the base alone paints everything anew.
    np.testing.assert_array_equal(painted(painter, image, mask), image)
    without = painted(plain, image, mask)
    assert (without != image).any()
    install(plain.pipeline, random_lora(plain), "sitter", 0.7)
    whole = painted(plain, image, mask)
    expected = np.clip(image.astype(int) + whole - without, 0, 255)
    np.testing.assert_array_equal(painted(painter, image, mask), expected)
    assert (expected != image).any()
    # The LoRA is on again, with its weight.
    assert weights(plain.pipeline) == {"sitter": pytest.approx(0.7)}
    np.testing.assert_array_equal(painted(plain, image, mask), whole)


def test_mini_alone_paints_the_difference() -> None:
    assert [name for name, base in ROWS.items() if base.sampling.paints_difference] == ["mini"]
