"""Photos of dark and of light faces are drawn equally often."""

from __future__ import annotations

import numpy as np
import pytest

from portraitist.stylize.domain import Domain, DomainNote
from portraitist.stylize.tones import MOST, face_lightness, tone_chances
from portraitist.types import Image


def flat(grey: int) -> Image:
    return np.full((32, 32, 3), grey, np.uint8)


def test_lightness_is_that_of_the_middle() -> None:
    photo = flat(255)
    photo[10:26, 10:22] = 0
    assert face_lightness(photo) == 0
    assert face_lightness(flat(255)) == 100


def test_rare_tones_are_drawn_as_often_as_frequent_ones() -> None:
    greys = np.repeat([40, 220], [10, 40])
    chances = tone_chances([flat(int(grey)) for grey in greys])
    assert chances.sum() == pytest.approx(1)
    assert chances[:10].sum() == pytest.approx(0.5)
    assert np.ptp(chances[10:]) == 0


def test_a_few_are_not_drawn_without_end() -> None:
    greys = [*np.full(10, 20), *np.linspace(150, 250, 990).astype(int)]
    chances = tone_chances([flat(int(grey)) for grey in greys])
    assert chances[0] == chances.max() == pytest.approx(MOST * np.median(chances))


@pytest.mark.parametrize("greys", [[90], [90, 90, 90]])
def test_one_tone_alone_is_drawn_evenly(greys: list[int]) -> None:
    assert tone_chances([flat(grey) for grey in greys]) == pytest.approx(np.full(len(greys), 1 / len(greys)))


def test_a_domain_draws_by_chances() -> None:
    domain = Domain("two", np.stack([flat(0), flat(255)]), ("a", "b"), DomainNote("none", "CC0"))
    drawn = domain.draw(50, np.random.default_rng(0), np.array([0.0, 1.0]))
    assert drawn.min() == 255
    assert len(np.unique(domain.draw(50, np.random.default_rng(0)))) == 2
