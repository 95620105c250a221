"""Learning a sitter with tiny weights: losses fall, a kill costs nothing, checks change no bit, the vote is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.denoisers import denoiser_of
from portraitist.diffusion.lora_adapters import take
from portraitist.errors import ConfigError
from portraitist.identity import train as training
from portraitist.identity import watch as watching
from portraitist.identity.checks import Check, PortraitScore, ValidationPortrait
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import TrainingPhoto
from portraitist.identity.train import Lesson, Outcome, Trainer
from portraitist.identity.trainee import ADAPTER, LoraSettings, LoraTrainee, as_pixels, weighted, with_trigger
from tests.diffusion.tiny_bases import CALL, tiny_pipeline

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
TARGETS = {"unet": ATTENTION, "transformer": ATTENTION, "text_encoder": ("q_proj", "v_proj")}
LORA = LoraSettings(4, 4, TARGETS, learning_rate=1e-2, text_learning_rate=5e-3, batch=2)
CONFIG = IdentityConfig(check_every=4)
CAPTIONS = ("portrait, smiling", "portrait, turned left", "portrait")


def photos(side: int = 32, count: int = 3) -> list[TrainingPhoto]:
    random = np.random.default_rng(0)
    weight = np.zeros((side, side), np.float32)
    weight[4:-4, 4:-4] = 1
    images = [random.integers(0, 255, (side, side, 3)).astype(np.uint8) for _ in range(count)]
    return [TrainingPhoto(image, weight, CAPTIONS[i % 3], str(i)) for i, image in enumerate(images)]


def trainee(base: str = "mini", config: IdentityConfig = CONFIG, side: int = 32) -> LoraTrainee:
    denoiser = denoiser_of(tiny_pipeline(base), CALL.get(base, {}))
    return LoraTrainee(denoiser, photos(side), LORA, config, base)


def trainer(folder: Path, made: LoraTrainee, **more: Any) -> Trainer:
    lesson = Lesson(made.photos, photos(count=1), compared=(), trained=())
    return Trainer(made, lesson, folder, more.get("preview"), None)


def same(one: Outcome, other: Outcome) -> bool:
    pairs = zip(one.lora.modules.values(), other.lora.modules.values(), strict=True)
    return all(torch.equal(a, b) for x, y in pairs for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize("base", ["mini", "sd15", "sdxl", "flux2-klein-4b", "z-image"])
def test_every_base_learns(base: str, tmp_path: Path) -> None:
    """Validation on a training photo falls: the adapters are connected and the step goes the right way."""
    made = trainee(base, side=64 if base != "mini" else 32)
    before = made.validation_loss(made.photos)
    trainer(tmp_path, made).run(12, 1)
    assert made.validation_loss(made.photos) < before


def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", trainee()).run(12, 2)
    trainer(tmp_path / "parts", trainee()).run(8, 2)
    again = trainer(tmp_path / "parts", trainee()).run(12, 2)
    assert same(whole, again)
    assert [check.step for check in again.checks] == [4, 8, 12]
    assert again.checks == whole.checks


def test_checks_with_portraits_change_no_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trainee()
    drawn = preview_of(made)
    monkeypatch.setattr(training, "score_portraits", lambda *args: (PortraitScore(0, 0.5, -0.1, 1.0),))
    lesson = Lesson(made.photos, photos(count=1), compared=(None,), trained=())  # type: ignore[arg-type]
    checked = Trainer(made, lesson, tmp_path / "drawn", drawn, object())  # type: ignore[arg-type]
    checked.run(12, 1)
    plain = trainee()
    trainer(tmp_path / "plain", plain).run(12, 1)
    for path, (down, up) in take(plain.denoiser.pipeline, ADAPTER).modules.items():
        ours = checked_lora(tmp_path / "drawn")[path]
        assert torch.equal(down, ours[0])
        assert torch.equal(up, ours[1])


def checked_lora(folder: Path) -> Any:
    from portraitist.diffusion.lora_formats import read_lora

    return read_lora(folder / "checks" / "check-000012.safetensors").modules


def preview_of(made: LoraTrainee) -> Callable[[], Sequence[ValidationPortrait]]:
    def draw() -> Sequence[ValidationPortrait]:
        options = {"num_inference_steps": 2, "output_type": "np", "generator": torch.Generator().manual_seed(0)}
        picture = made.denoiser.pipeline("portrait sitter", **options).images[0]
        return [ValidationPortrait((picture * 255).astype(np.uint8))]

    return draw


def test_portraits_with_and_without_the_lora_differ(tmp_path: Path) -> None:
    made = trainee()
    trainer(tmp_path, made).run(12, 1)
    checked = trainer(tmp_path, made, preview=preview_of(made))
    with_lora, without = checked.measure(12).portraits[0].image, checked.measure_bare().portraits[0].image
    assert (with_lora != without).any()
    np.testing.assert_array_equal(checked.measure(12).portraits[0].image, with_lora)


@pytest.mark.parametrize(("fused_distance", "kept"), [(0.40, "fusion"), (0.60, "single")])
def test_the_fusion_is_kept_only_if_it_measures_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fused_distance: float, kept: str
) -> None:
    made = trainee()
    distances = iter([0.70, 0.55, 0.50, 0.52, fused_distance])

    def scores(*args: object) -> tuple[PortraitScore, ...]:
        distance = next(distances)
        return tuple(PortraitScore(i, distance + 0.01 * i, -0.1, 1.0) for i in range(3))

    monkeypatch.setattr(training, "score_portraits", scores)
    lesson = Lesson(made.photos, (), compared=(None,), trained=())  # type: ignore[arg-type]
    outcome = Trainer(made, lesson, tmp_path, preview_of(made), object()).run(12, 1)  # type: ignore[arg-type]
    assert outcome.fusion is not None
    assert outcome.single.step == 8
    assert outcome.bare.distance == pytest.approx(0.71)
    assert outcome.fusion.distance == pytest.approx(fused_distance + 0.01)
    assert len(outcome.measured.portraits) == 1
    if kept == "fusion":
        assert len(outcome.weights) > 1
        assert outcome.measured == outcome.fusion
        assert 0 <= outcome.rank_loss < 1
    else:
        assert outcome.weights == {8: 1.0}
        assert outcome.measured.step == 8


def test_other_photos_are_refused_on_resume(tmp_path: Path) -> None:
    trainer(tmp_path, trainee()).run(4, 1)
    other = trainee()
    other.photos = photos(count=2)
    with pytest.raises(ConfigError, match="data was"):
        trainer(tmp_path, other).run(8, 1)


def test_outside_the_mask_the_loss_sees_nothing() -> None:
    weight = torch.ones(3, 4, 4)
    weight[:, 0] = 0
    maps = torch.rand(3, 4, 4)
    outside, inside = maps.clone(), maps.clone()
    outside[:, 0] += 9
    inside[:, 1] += 9
    assert torch.equal(weighted(maps, weight), weighted(outside, weight))
    assert weighted(inside, weight) > weighted(maps, weight) + 1


def test_a_run_that_stopped_early_stays_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worse = iter([0.8, 0.4, *[0.6] * 50])

    def scores(*args: object) -> tuple[PortraitScore, ...]:
        return (PortraitScore(0, next(worse), -0.1, 1.0),)

    monkeypatch.setattr(training, "score_portraits", scores)

    def once(count: int = 3) -> Outcome:
        made = trainee(config=IdentityConfig(check_every=2, patience=2))
        made.photos = photos(count=count)
        lesson = Lesson(made.photos, (), compared=(None,), trained=())  # type: ignore[arg-type]
        return Trainer(made, lesson, tmp_path, preview_of(made), object()).run(40, 1)  # type: ignore[arg-type]

    first = once()
    again = once()
    assert [check.step for check in first.checks] == [check.step for check in again.checks] == [2, 4, 6]
    assert same(first, again)
    with pytest.raises(ConfigError, match="data was"):
        once(count=2)


class Killed(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("lost", ["check-000008.safetensors", "check-000008.00.png", "check-000008.json", "bare.json"])
def test_a_kill_between_the_files_of_a_check_loses_only_that_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """The same command makes the check again from the checkpoint, not from the step it would have gone on to."""

    def once(folder: Path) -> Outcome:
        made = trainee()
        return trainer(folder, made, preview=preview_of(made)).run(12, 1)

    def kill(path: Path) -> None:
        if path.name == lost:
            raise Killed

    whole = once(tmp_path / "whole")
    with monkeypatch.context() as patched:
        for name in ("write_lora", "write_atomic", "write_json"):
            patched.setattr(watching, name, killing(getattr(watching, name), kill))
        with pytest.raises(Killed):
            once(tmp_path / "parts")
    again = once(tmp_path / "parts")
    assert again.checks == whole.checks
    assert same(whole, again)
    for path in (tmp_path / "whole" / "checks").glob("[bc]*"):
        assert path.read_bytes() == (tmp_path / "parts" / "checks" / path.name).read_bytes()


def killing(write: Callable[..., Path], kill: Callable[[Path], None]) -> Callable[..., Path]:
    def torn(path: Path, *args: Any) -> Path:
        kill(path)
        return write(path, *args)

    return torn


def test_the_checks_of_a_run_are_read_back_as_they_were(tmp_path: Path) -> None:
    made = trainee()
    first = trainer(tmp_path, made, preview=preview_of(made)).run(4, 1)
    found = watching.Watch(tmp_path / "checks", lambda: None, lambda step: Check(0, None), 3, 4)  # type: ignore[arg-type, return-value]
    assert found.bare == first.bare
    assert tuple(found.checks) == first.checks
    drawn = found.with_portraits(found.checks[0]).portraits
    np.testing.assert_array_equal(drawn[0].image, first.measured.portraits[0].image)


def test_by_validation_loss_the_smallest_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, losses = trainee(), iter([0.9, 0.5, 0.2, 0.7])
    monkeypatch.setattr(made, "validation_loss", lambda photos: next(losses))
    outcome = trainer(tmp_path, made).run(12, 1)
    assert outcome.bare.validation_loss == 0.9
    assert outcome.weights == {8: 1.0}
    assert outcome.fusion is None


def test_every_photo_comes_once_a_round() -> None:
    made = trainee()
    seen = [index for step in range(3) for index in made._batch(step)]
    assert sorted(seen[:3]) == [0, 1, 2]
    assert sorted(seen[3:6]) == [0, 1, 2]


def test_the_trigger_comes_after_the_subject() -> None:
    assert with_trigger("portrait, smiling") == "portrait, sitter, smiling"
    assert with_trigger("portrait") == "portrait, sitter"


def test_a_style_has_no_trigger() -> None:
    assert with_trigger("portrait, smiling", "") == "portrait, smiling"
    assert with_trigger("portrait, smiling", "ink") == "portrait, ink, smiling"
    denoiser = denoiser_of(tiny_pipeline("mini"))
    made = LoraTrainee(denoiser, photos(), LORA, IdentityConfig(caption_drop=1), "mini", trigger="")
    assert made._caption("portrait, smiling") == "portrait"


def test_a_lora_put_back_learns_on(tmp_path: Path) -> None:
    made = trainee()
    trainer(tmp_path / "first", made).run(8, 1)
    kept, before = take(made.denoiser.pipeline, ADAPTER), made.validation_loss(made.photos)
    made.put(kept)
    assert made.validation_loss(made.photos) == pytest.approx(before, rel=1e-5)
    other = made.over(photos(count=1))
    assert len(other.latents) == 1
    assert len(made.latents) == 3
    other.loss(0).backward()  # type: ignore[no-untyped-call]
    learning = [p for p in made.module.parameters() if p.requires_grad]
    assert sum(p.numel() for p in learning) == kept.size
    assert all(p.grad is not None for p in learning)


def shapes_mixed(config: IdentityConfig = CONFIG) -> LoraTrainee:
    """Four square photos and three tall ones, in batches of two."""
    square, tall = (
        photos(count=4),
        [
            replace(photo, image=np.tile(photo.image, (2, 1, 1))[:48], weight=np.ones((48, 32), np.float32))
            for photo in photos(count=3)
        ],
    )
    return LoraTrainee(denoiser_of(tiny_pipeline("mini")), [*square, *tall], LORA, config, "mini")


@pytest.mark.parametrize("flip", [False, True])
def test_photos_of_several_shapes_go_on_to_the_same_bits(tmp_path: Path, flip: bool) -> None:
    config = replace(CONFIG, flip=flip)
    whole = trainer(tmp_path / "whole", shapes_mixed(config)).run(12, 2)
    trainer(tmp_path / "parts", shapes_mixed(config)).run(8, 2)
    assert same(whole, trainer(tmp_path / "parts", shapes_mixed(config)).run(12, 2))


def test_mirrored_photos_are_learned_from_mirrored() -> None:
    made = shapes_mixed(replace(CONFIG, flip=True))
    torch.manual_seed(0)
    pairs = [made._pictures([5]) for _ in range(12)]
    latents, weights = made.latents[5], made.weights[5]
    mirrored = [pair for pair in pairs if not torch.equal(pair[0], latents)]
    assert 0 < len(mirrored) < 12
    turned = made.denoiser.encode_images(as_pixels(made.photos[5].image[:, ::-1]))
    assert torch.equal(mirrored[0][0], turned)
    assert torch.equal(mirrored[0][1], weights.flip(-1))


def test_without_a_rate_the_text_encoder_stands_still() -> None:
    denoiser = denoiser_of(tiny_pipeline("mini"))
    still = LoraSettings(4, 4, TARGETS, learning_rate=1e-2, text_learning_rate=0, batch=2)
    made = LoraTrainee(denoiser, photos(), still, CONFIG, "mini")
    names = [name for name, p in made.module.named_parameters() if p.requires_grad]
    assert names
    assert not [name for name in names if name.startswith("text_encoder")]
