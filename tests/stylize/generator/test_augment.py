"""Augmentation: nothing at p = 0, the stated share at p, the right picture for a known matrix, gradients through it."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.stylize.generator.augment import augmented, colour_matrices, moved, placements, recoloured


def _pictures(count: int = 4) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(count, 3, 16, 16) * 2 - 1


def test_nothing_happens_at_zero() -> None:
    pictures = _pictures()
    assert torch.equal(augmented(pictures, 0.0), pictures)
    unit = torch.eye(3).repeat(4, 1, 1)
    torch.testing.assert_close(moved(pictures, unit), pictures, atol=1e-5, rtol=0)
    torch.testing.assert_close(placements(pictures, 0.0), unit)
    torch.testing.assert_close(colour_matrices(pictures, 0.0), torch.eye(4).repeat(4, 1, 1))


def test_a_share_of_pictures_is_changed() -> None:
    """Nine independent changes of the place: at p = 0.1 about one picture in two or more stays."""
    torch.manual_seed(1)
    many = torch.zeros(1).expand(4000, 3, 16, 16)
    still = (placements(many, 0.1) - torch.eye(3)).abs().amax(dim=(1, 2)) < 1e-6
    # Mirroring and quarter turns draw "none" too: 1/2 and 1/4 of the time; both turns together count once.
    expected = 0.95 * 0.925 * 0.9**5
    assert float(still.float().mean()) == pytest.approx(expected, abs=0.06)


def test_known_matrices() -> None:
    pictures = _pictures()
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0])).repeat(4, 1, 1)
    torch.testing.assert_close(moved(pictures, mirror), pictures.flip(3), atol=1e-5, rtol=0)
    shift = torch.eye(3).repeat(4, 1, 1)
    shift[:, 0, 2] = 2 * 3 / 16
    torch.testing.assert_close(moved(pictures, shift)[:, :, :, :-3], pictures[:, :, :, 3:], atol=1e-5, rtol=0)


def test_colours_turn_about_grey() -> None:
    """Hue, saturation and luma keep grey on the grey axis; a full strength of all keeps numbers finite."""
    torch.manual_seed(2)
    grey = torch.full((64, 3, 2, 2), 0.3)
    changed = recoloured(grey, colour_matrices(grey, 1.0))
    assert float((changed.amax(dim=1) - changed.amin(dim=1)).max()) < 1e-4
    assert math.isfinite(float(augmented(_pictures(64), 1.0).abs().max()))


def test_gradients_go_through_and_seeds_repeat() -> None:
    pictures = _pictures().requires_grad_(True)
    torch.manual_seed(5)
    first = augmented(pictures, 0.8)
    first.sum().backward()
    assert float(pictures.grad.abs().sum()) > 0
    torch.manual_seed(5)
    assert torch.equal(first, augmented(pictures, 0.8))
