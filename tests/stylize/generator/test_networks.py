"""The networks: the papers' equations written out, same picture for same latents, gradients where they belong."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from torch.nn import functional

from portraitist.errors import ConfigError
from portraitist.stylize.generator.config import GeneratorSize
from portraitist.stylize.generator.layers import Linear, ModulatedConv, doubled, low_pass
from portraitist.stylize.generator.networks import Discriminator, Generator, deviation
from portraitist.stylize.generator.presets import PRESETS, TINY

SIZE = TINY.size


@pytest.mark.parametrize("up", [False, True])
def test_modulation_is_that_of_the_weights(up: bool) -> None:
    """Equations 1 and 3 written out: weights scaled by style, then by one over their norm, a picture at a time."""
    torch.manual_seed(0)
    layer = ModulatedConv(5, 7, 3, 4, up=up)
    x, w = torch.randn(3, 5, 6, 6), torch.randn(3, 4)
    style = layer.affine(w)
    for i in range(3):
        scaled = layer.weight * layer.gain * style[i][None, :, None, None]
        scaled = scaled / (scaled.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:
            expected = functional.conv_transpose2d(x[i : i + 1], scaled.transpose(0, 1), stride=2)
            expected = low_pass(expected, 1, gain=4)
        else:
            expected = functional.conv2d(x[i : i + 1], scaled, padding=1)
        torch.testing.assert_close(layer(x, w)[i : i + 1], expected, atol=1e-5, rtol=1e-4)


def test_resampling_keeps_a_flat_picture_and_its_middle() -> None:
    flat = torch.full((1, 3, 8, 8), 0.5)
    assert torch.allclose(doubled(flat)[:, :, 2:-2, 2:-2], torch.tensor(0.5))
    dot = torch.zeros(1, 1, 8, 8)
    dot[0, 0, 3:5, 3:5] = 1
    large = doubled(dot)[0, 0]
    assert torch.allclose(large, large.flip(0).flip(1))


def test_equalised_layers_learn_alike() -> None:
    """A layer of rate 0.01 gives the same values at first, and moves a hundredth as much for a step of its weights."""
    torch.manual_seed(0)
    plain = Linear(64, 64)
    torch.manual_seed(0)
    slow = Linear(64, 64, rate=0.01)
    x = torch.randn(2, 64)
    torch.testing.assert_close(slow(x), plain(x), atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        before = plain(x)
        for layer in (plain, slow):
            layer.weight.add_(0.1)
    assert (slow(x) - before).norm() < 0.02 * (plain(x) - before).norm()


def test_same_latents_give_the_same_picture() -> None:
    torch.manual_seed(0)
    generator = Generator(SIZE).eval()
    for level in generator.synthesis.levels:
        level.second.strength.data.fill_(0.5)
    w = generator.spread(generator.mapping(torch.randn(2, SIZE.latent)))
    assert w.shape == (2, SIZE.latents, SIZE.latent)
    first = generator.synthesis(w)
    assert first.shape == (2, 3, SIZE.side, SIZE.side)
    assert torch.equal(first, generator.synthesis(w))
    assert not torch.equal(first, generator.synthesis(w, fresh=True))


def test_every_latent_and_every_weight_matters() -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(SIZE), Discriminator(SIZE)
    w = generator.spread(generator.mapping(torch.randn(4, SIZE.latent))).detach().requires_grad_(True)
    logits = discriminator(generator.synthesis(w, fresh=True))
    assert logits.shape == (4,)
    logits.square().sum().backward()
    assert (w.grad.abs().sum(dim=(0, 2)) > 0).all()
    for network in (generator.synthesis, discriminator):
        idle = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
        assert idle == []


def test_deviation_sees_pictures_that_are_all_alike() -> None:
    x = torch.randn(8, 3, 4, 4)
    assert deviation(x).shape == (8, 1, 4, 4)
    assert float(deviation(x).mean()) > 0.5
    assert float(deviation(x[:1].repeat(8, 1, 1, 1)).max()) < 1e-3
    assert deviation(torch.randn(3, 2, 4, 4)).shape == (3, 1, 4, 4)


def test_presets_and_sizes() -> None:
    assert GeneratorSize(side=1024).latents == 18
    assert PRESETS["cpu64"].steps * PRESETS["cpu64"].training.batch >= 300_000
    with pytest.raises(ConfigError, match="power of two"):
        GeneratorSize(side=48)
