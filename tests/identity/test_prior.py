"""Training that begins from another LoRA: the same product whatever rank and alpha, fresh where it knows nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.denoisers import denoiser_of
from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import lay_in, take
from portraitist.diffusion.lora_formats import write_kohya, write_lora
from portraitist.errors import ConfigError, InputError
from portraitist.identity.prior import read_prior
from portraitist.identity.trainee import ADAPTER, LoraTrainee
from portraitist.progress import Step
from tests.diffusion.tiny_bases import tiny_pipeline
from tests.identity.test_train import CONFIG, LORA, photos, same, trainer


def lora(base: str = "mini", rank: int = 4, *, only: str = "") -> Lora:
    """Random factors for every adapted module of the base."""
    fresh = take(LoraTrainee(denoiser_of(tiny_pipeline(base)), photos(), LORA, CONFIG, base).denoiser.pipeline, ADAPTER)
    random = torch.Generator().manual_seed(1)
    return Lora(
        {
            path: (
                torch.randn(rank, down.shape[1], generator=random),
                torch.randn(up.shape[0], rank, generator=random),
            )
            for path, (down, up) in fresh.modules.items()
            if only in path
        }
    )


def begun(path: Path, rank: int = 4, alpha: float = 4, report: Any = None) -> LoraTrainee:
    denoiser, steps = denoiser_of(tiny_pipeline("mini")), [] if report is None else report
    prior = read_prior(path, denoiser.pipeline, rank, steps.append)
    return LoraTrainee(denoiser, photos(), replace(LORA, rank=rank, alpha=alpha), CONFIG, "mini", prior=prior)


@pytest.mark.parametrize("write", [write_lora, write_kohya])
@pytest.mark.parametrize(("rank", "alpha"), [(4, 4), (4, 2), (8, 1), (8, 16)])
def test_the_product_is_the_same_whatever_alpha(tmp_path: Path, write: Any, rank: int, alpha: float) -> None:
    asked = lora()
    made = take(begun(write(tmp_path / "faces.safetensors", asked, {}), rank, alpha).denoiser.pipeline, ADAPTER)
    assert made.modules.keys() == asked.modules.keys()
    assert {down.shape[0] for down, _ in made.modules.values()} == {rank}
    for path in asked.modules:
        torch.testing.assert_close(made.delta(path), asked.delta(path), rtol=1e-4, atol=1e-4)


def test_a_larger_rank_is_brought_down_and_the_error_said(tmp_path: Path) -> None:
    steps: list[Step] = []
    made = begun(write_lora(tmp_path / "faces.safetensors", lora(rank=16), {}), 4, 4, steps)
    assert made.prior is not None
    assert 0.1 < made.prior.rank_loss < 1
    assert f"relative error of its rank {made.prior.rank_loss:.3f}" in steps[-1].message
    assert take(made.denoiser.pipeline, ADAPTER).rank == 4


def test_the_room_that_a_smaller_rank_leaves_can_learn(tmp_path: Path) -> None:
    made = begun(write_lora(tmp_path / "faces.safetensors", lora(rank=2), {}), 8, 8)
    made.loss(0).backward()  # type: ignore[no-untyped-call]
    added = [p for name, p in made.module.named_parameters() if "lora_B" in name]
    assert all((p[:, 2:] == 0).all() for p in added)
    assert any((p.grad[:, 2:] != 0).any() for p in added if p.grad is not None)


def test_modules_it_lacks_begin_fresh(tmp_path: Path) -> None:
    steps: list[Step] = []
    some = lora(only="to_k")
    made = take(begun(write_lora(tmp_path / "faces.safetensors", some, {}), report=steps).denoiser.pipeline, ADAPTER)
    assert f"{len(some.modules)} of its {len(some.modules)} modules" in steps[-1].message
    for path in made.modules:
        assert (made.delta(path).abs().sum() > 0) == (path in some.modules)


def test_another_family_is_refused(tmp_path: Path) -> None:
    path = write_lora(tmp_path / "other.safetensors", lora("sd15"), {})
    with pytest.raises(InputError, match=r"this LoRA is for .* the base is .*: 0 of its 38 modules fit"):
        begun(path)
    with pytest.raises(InputError, match="found nothing there"):
        begun(tmp_path / "nowhere.safetensors")


def test_one_that_learns_nowhere_is_refused(tmp_path: Path) -> None:
    """A prior of the text encoder alone, where the text encoder stands still."""
    path = write_lora(tmp_path / "words.safetensors", lora(only="text_encoder"), {})
    denoiser = denoiser_of(tiny_pipeline("mini"))
    prior = read_prior(path, denoiser.pipeline, 4)
    with pytest.raises(InputError, match=r"none of its modules .* learns here"):
        LoraTrainee(denoiser, photos(), replace(LORA, text_learning_rate=0), CONFIG, "mini", prior=prior)


def test_an_adapter_of_a_smaller_rank_is_refused() -> None:
    made = LoraTrainee(denoiser_of(tiny_pipeline("mini")), photos(), LORA, CONFIG, "mini")
    with pytest.raises(ConfigError, match="expected at least 8"):
        lay_in(made.denoiser.trainable, ADAPTER, lora(rank=8))


def test_a_run_begun_from_it_goes_on_from_its_own_checkpoint(tmp_path: Path) -> None:
    path = write_lora(tmp_path / "faces.safetensors", lora(), {})
    whole = trainer(tmp_path / "whole", begun(path)).run(8, 1)
    trainer(tmp_path / "parts", begun(path)).run(4, 1)
    assert same(whole, trainer(tmp_path / "parts", begun(path)).run(8, 1))
    other = write_lora(tmp_path / "others.safetensors", lora(rank=2), {})
    with pytest.raises(ConfigError, match="prior was"):
        trainer(tmp_path / "parts", begun(other)).run(12, 1)
    plain = LoraTrainee(denoiser_of(tiny_pipeline("mini")), photos(), LORA, CONFIG, "mini")
    assert not same(whole, trainer(tmp_path / "plain", plain).run(8, 1))
