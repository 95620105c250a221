"""Transfer: frozen parts stay, coarse ones move less, the source's features hold; a chain knows where it is from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.errors import InputError
from portraitist.stylize.domain import DomainNote
from portraitist.stylize.generator.config import TransferConfig
from portraitist.stylize.generator.generator_file import (
    Origin,
    TrainedGenerator,
    load_generator,
    newest_generator,
    save_generator,
)
from portraitist.stylize.generator.presets import TINY
from portraitist.stylize.generator.training import adam
from portraitist.stylize.generator.transfer import TransferTrainee
from portraitist.training.loop import Pace, run
from tests.stylize.generator.small import discs, trained

FREE = TransferConfig(mapping_rate=1, coarse_rate=1, frozen_blocks=0, match_weight=0, colour_weight=0)


def _moved(source: TrainedGenerator, trainee: TransferTrainee, start: str) -> float:
    before = source.generator.state_dict()
    after = trainee.module.generator.state_dict()
    return sum(float((after[n] - before[n]).abs().mean()) for n in before if n.startswith(start))


def _learned(transfer: TransferConfig, folder: Path, steps: int = 3) -> tuple[TrainedGenerator, TransferTrainee]:
    source = trained()
    trainee = TransferTrainee(discs(seed=5), source, TINY.training, transfer)
    run(trainee, folder, TINY.training.loop, Pace(steps, steps), build_optimizer=adam)
    return source, trainee


def test_rates_and_freezing(tmp_path: Path) -> None:
    config = TransferConfig(mapping_rate=0, coarse_rate=0.1, coarse_side=4, frozen_blocks=1, match_weight=0)
    source, trainee = _learned(config, tmp_path)
    assert _moved(source, trainee, "mapping.") == 0
    assert source.discriminator is not None
    before = source.discriminator.state_dict()
    after = trainee.module.discriminator.state_dict()
    assert torch.equal(before["blocks.0.first.weight"], after["blocks.0.first.weight"])
    assert not torch.equal(before["blocks.1.first.weight"], after["blocks.1.first.weight"])
    coarse = _moved(source, trainee, "synthesis.levels.0.second.conv.weight")
    fine = _moved(source, trainee, "synthesis.levels.2.second.conv.weight")
    assert 0 < coarse < 0.2 * fine


def test_matching_holds_the_coarse_features(tmp_path: Path) -> None:
    w = torch.randn(4, TINY.size.latents, TINY.size.latent)
    distances = []
    for weight in (0.0, 100.0):
        _, trainee = _learned(replace(FREE, match_weight=weight, match_side=8), tmp_path / str(weight), steps=12)
        distances.append(float(trainee.mismatch(w).detach()))
    assert distances[1] < 0.5 * distances[0]


def test_colours_hold_the_heads_tone(tmp_path: Path) -> None:
    w = torch.randn(4, TINY.size.latents, TINY.size.latent)
    distances = []
    for weight in (0.0, 100.0):
        _, trainee = _learned(replace(FREE, colour_weight=weight), tmp_path / str(weight), steps=12)
        distances.append(float(trainee.recoloured(w).detach()))
    assert distances[1] < 0.5 * distances[0]


def test_it_begins_as_the_source_and_resumes(tmp_path: Path) -> None:
    source = trained()
    trainee = TransferTrainee(discs(seed=5), source, TINY.training, FREE)
    w = torch.randn(2, TINY.size.latents, TINY.size.latent)
    assert torch.equal(trainee.module.generator.synthesis(w), source.generator.synthesis(w))
    _, whole = _learned(TransferConfig(), tmp_path / "whole", steps=4)
    _learned(TransferConfig(), tmp_path / "parts", steps=2)
    _, resumed = _learned(TransferConfig(), tmp_path / "parts", steps=4)
    expected = whole.module.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in resumed.module.state_dict().items())


def test_a_chain_knows_where_it_is_from(tmp_path: Path) -> None:
    """A file holds both networks and the whole origin; one non-commercial ancestor marks what comes after."""
    nc = DomainNote("faces", "CC BY-NC", noncommercial=True)
    source = replace(trained(), origin=Origin((nc,)))
    trainee = TransferTrainee(discs(seed=5), source, TINY.training, TransferConfig())
    run(trainee, tmp_path / "run", TINY.training.loop, Pace(2, 2), build_optimizer=adam)
    style = newest_generator(tmp_path / "run", TINY.size, source.origin.then("transferred", trainee.domain.note))
    again = load_generator(save_generator(tmp_path / "style.safetensors", style))
    assert again.origin == style.origin
    assert again.origin.noncommercial
    assert again.origin.steps == ("transferred", "trained for 2 steps")
    w = torch.randn(2, TINY.size.latents, TINY.size.latent)
    assert torch.equal(again.generator.synthesis(w), style.generator.synthesis(w))
    TransferTrainee(discs(seed=6), again, TINY.training, TransferConfig())


def test_what_is_no_generator_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nothing there"):
        load_generator(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="found something else"):
        load_generator(tmp_path / "bad.safetensors")
    with pytest.raises(InputError, match="found none"):
        newest_generator(tmp_path, TINY.size, Origin(()))
    with pytest.raises(InputError, match="with its discriminator"):
        TransferTrainee(discs(), replace(trained(), discriminator=None), TINY.training, TransferConfig())
