"""Named directions: found for traits that pictures really have, measured on others; what is measured of a face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.errors import InputError
from portraitist.stylize.generator.directions import Directions, find_directions, measure_directions
from portraitist.stylize.generator.sample import mean_latent, pictures_of, sample, sample_latents, truncated
from portraitist.stylize.generator.traits import TRAITS, FaceTraits
from portraitist.types import Image
from tests.stylize.generator.small import trained


def _measure(image: Image) -> Mapping[str, float] | None:
    """Redness and lightness: traits that any picture has."""
    red, green, blue = image.reshape(-1, 3).astype(float).mean(axis=0)
    return {"red": red - (green + blue) / 2, "light": red + green + blue}


def test_a_direction_changes_its_trait_and_little_else() -> None:
    generator = trained(3).generator
    found = find_directions(generator, _measure, ("red", "light"), count=200)
    effects = measure_directions(generator, found, _measure, count=24, step=0.5)
    for name, other in (("red", "light"), ("light", "red")):
        assert 0.6 < effects[name].gain < 1.4, effects
        assert abs(effects[name].leaks[other]) < 0.3, effects
        assert effects[name].faces == 24


def test_edits_are_named_and_may_be_kept_to_some_latents() -> None:
    directions = Directions(("one", "two"), torch.eye(2, 8), (1.0, 1.0))
    w = torch.zeros(1, 6, 8)
    moved = directions.edit(w, {"two": 3.0}, places=(4, 5))
    assert moved[0, 4, 1] == moved[0, 5, 1] == 3
    assert moved.abs().sum() == 6
    with pytest.raises(InputError, match="no direction nose; there are one, two"):
        directions.edit(w, {"nose": 1})


def test_too_few_faces_are_refused() -> None:
    with pytest.raises(InputError, match="0 of 10 samples show a face"):
        find_directions(trained().generator, lambda image: None, ("red",), count=10)


def test_traits_of_a_photo(astronaut: Image, reader: Any) -> None:
    """Darker skin and darker eyes measure so; a picture of no face has no traits."""
    measure = FaceTraits(reader)
    face = astronaut[0:256, 96:352]
    known = measure(face)
    assert known is not None
    assert set(known) == set(TRAITS)
    assert 1 < known["eye_size"] < 8
    assert 1 < known["lips"] < 12
    lab = cv2.cvtColor(face, cv2.COLOR_RGB2LAB)
    lab[..., 0] = (lab[..., 0] * 0.6).astype(np.uint8)
    darker = measure(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    assert darker is not None
    assert darker["skin_tone"] < known["skin_tone"] - 10
    assert darker["iris"] < known["iris"]
    assert darker["eye_size"] == pytest.approx(known["eye_size"], rel=0.25)
    assert measure(np.full((64, 64, 3), 120, np.uint8)) is None


def test_samples_do_not_depend_on_their_number_and_truncation_pulls() -> None:
    generator = trained().generator
    assert (sample(generator, 20, seed=4)[:3] == sample(generator, 3, seed=4)).all()
    mean = mean_latent(generator)
    wide, none = sample_latents(generator, 4, psi=1.0), sample_latents(generator, 4, psi=0.0)
    assert torch.allclose(none, mean.expand_as(none))
    part = truncated(wide, mean, 0.0, latents=2)
    assert torch.equal(part[:, 2:], wide[:, 2:])
    assert torch.allclose(part[:, :2], mean.expand_as(part[:, :2]))
    assert pictures_of(generator, none).std(axis=0).max() == 0
