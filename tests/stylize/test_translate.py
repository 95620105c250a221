"""Translators: what a layer computes, what stays of the photo, a run that goes on, a collapse that stops, pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from portraitist.errors import ConfigError, EngineError, InputError
from portraitist.stylize.domain import Domain, DomainNote
from portraitist.stylize.head_losses import colour_loss, eyes_loss, head_region
from portraitist.stylize.pairs import Pair, PairFolder, write_note, write_pair
from portraitist.stylize.student.cost import count_multiply_adds
from portraitist.stylize.translate import watch
from portraitist.stylize.translate.config import PRESETS, TranslatorSize
from portraitist.stylize.translate.layers import AdaLIN, spectral
from portraitist.stylize.translate.losses import hint_loss, likeness_loss, mask_loss, region_loss
from portraitist.stylize.translate.networks import Critic, Translated, Translator
from portraitist.stylize.translate.paint import trained_translator, translation_sheet, write_pairs
from portraitist.stylize.translate.run import Limits, train_translator
from portraitist.stylize.translate.training import Lessons, TranslateTrainee, adam
from portraitist.training.checkpoint import checkpoints
from portraitist.training.loop import Pace, run
from tests.stylize.drawn_pairs import NOTE, photo

TINY = replace(PRESETS["tiny"], training=replace(PRESETS["tiny"].training, likeness=0.0))


def _domain(first: int, count: int = 3, side: int = 48) -> Domain:
    images = np.stack([photo(first + number, side) for number in range(count)])
    return Domain("test", images, tuple(f"{number}.png" for number in range(count)), DomainNote("drawn", "CC0-1.0"))


def _trainee(hints: PairFolder | None = None, **changes: object) -> TranslateTrainee:
    return TranslateTrainee(
        Lessons(_domain(0), _domain(100), hints=hints), TINY.size, replace(TINY.training, **changes)
    )


def test_adalin_is_one_norm_or_the_other() -> None:
    features = torch.rand(2, 3, 5, 5) * torch.tensor([1.0, 5.0, 9.0])[None, :, None, None]
    layer = AdaLIN(3, 1.0, learns_scale=False)
    ones, zeros = torch.ones(2, 3, 1, 1), torch.zeros(2, 3, 1, 1)
    by_instance = layer(features, ones, zeros)
    np.testing.assert_allclose(by_instance.mean(dim=(2, 3)).detach(), 0, atol=1e-5)
    with torch.no_grad():
        layer.rho.fill_(-3.0)
    by_layer = layer(features, ones, zeros)
    np.testing.assert_allclose(by_layer.mean(dim=(1, 2, 3)).detach(), 0, atol=1e-5)
    assert float(by_layer.detach().mean(dim=(2, 3)).abs().max()) > 0.5


def test_the_spectral_norm_is_one() -> None:
    torch.manual_seed(0)
    weight = torch.randn(8, 4, 3, 3)
    largest = torch.linalg.matrix_norm(spectral(weight).flatten(1), ord=2)
    assert float(largest) == pytest.approx(1, abs=0.1)


def test_the_presets_cost_less_than_a_giga() -> None:
    for name in ("cpu", "gpu"):
        size = PRESETS[name].size
        assert 96 <= size.side <= 128
        assert count_multiply_adds(Translator(size, has_mask=True), size.side) <= 1e9


def test_a_mask_composes_with_the_photo() -> None:
    network, picture = Translator(TINY.size, has_mask=True), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        network.paint.bias[3] = -100.0
        made = network(picture)
    assert made.mask is not None
    torch.testing.assert_close(made.picture, picture)
    assert Translator(TINY.size)(picture).mask is None


def test_keepers_look_outside_the_head() -> None:
    region = head_region(64)[0, 0]
    assert float(region[32, 32]) == 1
    assert float(region[0, 0]) == float(region[63, 63]) == 0
    picture = torch.rand(1, 3, 64, 64)
    inside, outside = picture.clone(), picture.clone()
    inside[:, :, 28:36, 28:36] += 1
    outside[:, :, :4, :4] += 1
    logits = torch.zeros(1, 2)
    assert float(region_loss(picture, Translated(inside, logits, None))) == 0
    assert float(region_loss(picture, Translated(outside, logits, None))) > 0
    closed, half = torch.zeros(1, 1, 64, 64), torch.full((1, 1, 64, 64), 0.5)
    assert float(mask_loss(Translated(picture, logits, closed))) == 0
    assert float(mask_loss(Translated(picture, logits, half))) > 0.5


def test_likeness_is_of_directions() -> None:
    one, other = torch.rand(1, 4, 6, 6), torch.rand(1, 4, 6, 6)
    assert float(likeness_loss(lambda pictures: [pictures], one, 3 * one)) == pytest.approx(0, abs=1e-5)
    assert float(likeness_loss(lambda pictures: [pictures], one, other)) > 0.01


def test_coarse_colours_are_the_heads_own() -> None:
    picture = torch.rand(1, 3, 48, 48)
    lines, darker, beside = picture.clone(), picture.clone(), picture.clone()
    lines[:, :, ::2] -= 0.2
    lines[:, :, 1::2] += 0.2
    darker[:, :, 10:20, 16:32] -= 0.3
    beside[:, :, :4, :4] += 1
    assert float(colour_loss(picture, lines)) < 1e-6
    assert float(colour_loss(picture, beside)) == 0
    assert float(colour_loss(picture, darker)) > 0.01


def test_a_patch_counts_more_on_dark_skin() -> None:
    light, middle, dark = (torch.full((1, 3, 48, 48), value) for value in (0.8, 0.5, 0.1))
    on_light, on_middle, on_dark = (float(colour_loss(skin, skin + 0.1)) for skin in (light, middle, dark))
    assert on_middle == pytest.approx(0.1, rel=1e-3)
    assert on_dark == pytest.approx(3 * on_light, rel=0.01)


def test_eyes_follow_the_photos() -> None:
    picture = torch.full((1, 3, 96, 96), 0.6)
    picture[:, :, 44:48, 30:40] = picture[:, :, 44:48, 56:66] = 0.2
    recoloured = 0.5 * picture + torch.tensor([0.3, 0.0, 0.1])[None, :, None, None]
    lost, elsewhere = picture.clone(), picture.clone()
    lost[:] = 0.6
    elsewhere[:, :, :8] = 0
    assert float(eyes_loss(picture, recoloured)) == pytest.approx(0, abs=0.01)
    assert float(eyes_loss(picture, elsewhere)) == pytest.approx(0, abs=0.01)
    assert float(eyes_loss(picture, lost)) > 0.9
    assert float(eyes_loss(picture, 1 - picture)) > 1.9


def test_hints_are_about_what_stage_1_drew(tmp_path: Path) -> None:
    """The settings name them, the loss follows them, and they count only in the head where a background is kept."""
    for number in range(2):
        write_pair(tmp_path, Pair(str(number), photo(number, 16), photo(number + 50, 16)))
    write_note(tmp_path, NOTE)
    hints = PairFolder.open(tmp_path)
    assert _trainee(hints).settings["hints"] == hints.digest
    assert float(_trainee(hints).loss(0).detach()) > float(_trainee().loss(0).detach())
    one, other = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    other[:, :, 8:24, 8:24] = one[:, :, 8:24, 8:24]
    corner = one.clone()
    corner[:, :, :3, :3] = 0
    assert float(hint_loss(one, corner, "region")) == 0 < float(hint_loss(one, corner, "none"))
    assert float(hint_loss(one, other, "region")) > 0


@pytest.mark.parametrize("keeper", ["region", "mask", "none"])
def test_every_network_is_told_something(keeper: str) -> None:
    trainee = _trainee(keeper=keeper)
    trainee.loss(0).backward()
    lacking = [name for name, parameter in trainee.module.named_parameters() if parameter.grad is None]
    assert lacking == []


def test_without_cycle_no_way_back_is_learned() -> None:
    trainee = _trainee(cycle=0.0)
    trainee.loss(0).backward()
    told = {name.split(".")[0] for name, parameter in trainee.module.named_parameters() if parameter.grad is not None}
    assert told == {"to_style", "of_style"}


def test_a_run_goes_on_to_the_same_bits_and_leaves_pairs(tmp_path: Path) -> None:
    loop, how = TINY.training.loop, {"build_optimizer": adam}
    whole = run(_trainee(), tmp_path / "whole", loop, Pace(4, 4), **how)
    for steps in (2, 4):
        parted = run(_trainee(), tmp_path / "parted", loop, Pace(steps, 2), **how)
    one, other = (dict(state.trainee.module.named_parameters()) for state in (whole, parted))
    assert all(torch.equal(one[name], other[name]) for name in one)
    network = trained_translator(tmp_path / "parted", TINY)
    photos = _domain(0, 4)
    assert translation_sheet(network, photos).ndim == 3
    pairs = write_pairs(network, photos, tmp_path / "pairs", NOTE, TINY.size.side)
    assert len(pairs) == 4
    assert pairs[0].painted.shape == pairs[0].photo.shape == (48, 48, 3)
    np.testing.assert_array_equal(pairs[2].photo, photos.images[2])


def test_a_run_begins_with_another_styles_networks(tmp_path: Path) -> None:
    run(_trainee(), tmp_path / "one", TINY.training.loop, Pace(2, 2), build_optimizer=adam)
    still = replace(TINY, training=replace(TINY.training, learning_rate=1e-8))
    photos, drawings = _domain(0), _domain(200)
    lessons = Lessons(photos, drawings)
    made = train_translator(lessons, tmp_path / "other", still, Limits(steps=1), begin=tmp_path / "one")
    before, fresh = trained_translator(tmp_path / "one", TINY), _trainee().networks.to_style
    with torch.no_grad():
        picture = torch.rand(1, 3, 32, 32)
        painted, begun, anew = (network(picture).picture for network in (made, before, fresh))
    assert float((painted - begun).abs().max()) < 1e-3 < float((painted - anew).abs().max())
    with pytest.raises(InputError, match="give its preset and keeper"):
        trained_translator(tmp_path / "one", replace(TINY, training=replace(TINY.training, keeper="mask")))


def test_the_masks_of_a_translator_go_with_the_pairs(tmp_path: Path) -> None:
    network = Translator(TINY.size, has_mask=True)
    assert write_pairs(network, _domain(0), tmp_path, NOTE, TINY.size.side).has_masks


def test_a_collapse_stops_with_the_last_good_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainee, seen = _trainee(), iter([0.9, 0.01])
    monkeypatch.setattr(watch, "FROM_STEP", 2)
    monkeypatch.setattr(watch, "measure_variety", lambda *_: next(seen))
    with pytest.raises(EngineError, match=r"collapsed at step 2.*kept checkpoint-0000001"):
        run(trainee, tmp_path, TINY.training.loop, Pace(5, 1), should_stop=lambda state: watch.guard(state, trainee))
    assert [path.stem for path in checkpoints(tmp_path)] == ["checkpoint-0000001"]


def test_variety_falls_when_all_are_painted_alike(tmp_path: Path) -> None:
    trainee = _trainee()
    state = run(trainee, tmp_path, TINY.training.loop, Pace(1, 0))
    before = watch.measure_variety(state, trainee)
    with torch.no_grad():
        state.average.to_style.paint.weight.zero_()
    assert watch.measure_variety(state, trainee) < 1e-6 < before


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="likeness expects"):
        _trainee(likeness=1.0)
    with pytest.raises(ConfigError, match="multiple of 32"):
        TranslatorSize(side=100)
    with pytest.raises(InputError, match="train one first"):
        trained_translator(tmp_path, TINY)
    assert Critic(4, 3)(torch.rand(1, 3, 64, 64))[0].shape == (1, 1, 8, 8)
