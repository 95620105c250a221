"""LoRA algebra: factors that fit, deltas as layers compute them, sums by the product, ranks cut with a true error."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")

from hypothesis import given, settings
from hypothesis import strategies as st

from portraitist.diffusion.lora import Factors, Lora
from portraitist.diffusion.lora_fusion import concatenate, fuse, reduce_rank
from portraitist.errors import ConfigError, InputError

LINEAR, CONV = "unet.mid_block.attentions.0.proj_in", "unet.conv_in"


def factors(rank: int, out: int, into: int, kernel: int = 0, seed: int = 0) -> Factors:
    generator = torch.Generator().manual_seed(seed)
    down = torch.randn(rank, into, *[kernel] * (2 if kernel else 0), generator=generator)
    return down, torch.randn(out, rank, *[1] * (2 if kernel else 0), generator=generator)


def lora(rank: int, seed: int = 0) -> Lora:
    """One linear module and one convolution."""
    return Lora({LINEAR: factors(rank, 12, 10, seed=seed), CONV: factors(rank, 9, 4, 3, seed=seed + 1)})


def test_what_it_says_of_itself() -> None:
    made = Lora({"unet.b": factors(2, 5, 4), "text_encoder.a": factors(7, 3, 4), "unet.a": factors(1, 5, 4)})
    assert list(made.modules) == ["text_encoder.a", "unet.a", "unet.b"]
    assert made.components == ("unet", "text_encoder")
    assert made.rank == 7
    assert made.size == 2 * 9 + 7 * 7 + 1 * 9


def test_the_delta_is_what_a_linear_layer_adds() -> None:
    made, x = lora(3), torch.randn(5, 10)
    down, up = made.modules[LINEAR]
    torch.testing.assert_close(x @ made.delta(LINEAR).T, (x @ down.T) @ up.T)


def test_the_delta_is_what_a_convolution_adds() -> None:
    made, x = lora(3), torch.randn(2, 4, 8, 8)
    down, up = made.modules[CONV]
    conv = torch.nn.functional.conv2d
    assert made.delta(CONV).shape == (9, 4, 3, 3)
    found = conv(x, made.delta(CONV), padding=1)
    torch.testing.assert_close(found, conv(conv(x, down, padding=1), up), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("path", "down", "up", "message"),
    [
        ("vae.a", torch.ones(2, 3), torch.ones(4, 2), "of something else"),
        ("unet.a", torch.ones(2, 3), torch.ones(4, 3), "of one rank"),
        ("unet.a", torch.ones(2, 3), torch.ones(4, 2, 1, 1), "of one rank"),
        ("unet.a", torch.ones(2, 3, 3, 3), torch.ones(4, 2, 3, 3), "of one rank"),
        ("unet.a", torch.ones(2), torch.ones(4), "of one rank"),
        ("unet.a", torch.ones(0, 3), torch.ones(4, 0), "rank of at least 1"),
        ("unet.a", torch.ones(2, 3).half(), torch.ones(4, 2), "float32"),
        ("unet.a", torch.full((2, 3), torch.nan), torch.ones(4, 2), "NaN"),
        ("unet.a", torch.ones(2, 3), torch.full((4, 2), torch.inf), "NaN or infinity"),
    ],
)
def test_factors_that_do_not_fit_are_refused(path: str, down: torch.Tensor, up: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Lora({path: (down, up)})


def test_no_modules_are_no_lora() -> None:
    with pytest.raises(InputError, match="at least one module"):
        Lora({})


@settings(deadline=None, max_examples=25)
@given(
    ranks=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    weights=st.lists(st.floats(-2, 2, width=32), min_size=4, max_size=4),
)
def test_concatenation_adds_the_deltas(ranks: list[int], weights: list[float]) -> None:
    loras = [lora(rank, seed=10 * i) for i, rank in enumerate(ranks)]
    joined = concatenate(loras, weights[: len(ranks)])
    assert joined.rank == sum(ranks)
    for path in (LINEAR, CONV):
        expected = sum(weight * one.delta(path) for one, weight in zip(loras, weights))
        torch.testing.assert_close(joined.delta(path), expected, atol=2e-5, rtol=1e-5)


@settings(deadline=None, max_examples=25)
@given(rank=st.integers(1, 9), asked=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_error_of_a_lower_rank_is_the_true_one(rank: int, asked: int, seed: int) -> None:
    whole = lora(rank, seed)
    cut, loss = reduce_rank(whole, asked)
    assert cut.rank == min(rank, asked)
    missing = {path: (whole.delta(path) - cut.delta(path)).norm() for path in whole.modules}
    for path, error in loss.modules.items():
        assert error == pytest.approx(float(missing[path] / whole.delta(path).norm()), abs=1e-6)
    norm = torch.stack([whole.delta(path).norm() for path in whole.modules]).norm()
    assert loss.total == pytest.approx(float(torch.stack(list(missing.values())).norm() / norm), abs=1e-6)
    assert asked < rank or loss.total == 0


def test_a_rank_that_is_enough_loses_nothing() -> None:
    """The sum of three LoRAs of which two lie in one span has rank 4, and comes back at rank 4."""
    first, second = lora(2, 0), lora(2, 7)
    joined = concatenate([first, second, first], [1.0, 0.5, 0.25])
    assert joined.rank == 6
    cut, loss = reduce_rank(joined, 4)
    assert cut.rank == 4
    assert loss.total < 1e-6
    for path in joined.modules:
        torch.testing.assert_close(cut.delta(path), joined.delta(path), atol=1e-5, rtol=1e-5)


def test_no_other_cut_is_nearer() -> None:
    whole = lora(6)
    cut, loss = reduce_rank(whole, 3)
    for path, (down, up) in whole.modules.items():
        first_three = Lora({path: (down[:3].contiguous(), up[:, :3].contiguous())}).delta(path)
        others = (whole.delta(path) - first_three).norm() / whole.delta(path).norm()
        assert loss.modules[path] < float(others)
    assert cut.modules[CONV][0].shape == (3, 4, 3, 3)
    assert cut.modules[CONV][1].shape == (9, 3, 1, 1)


def test_a_zero_lora_has_no_error() -> None:
    down, up = factors(4, 5, 6)
    cut, loss = reduce_rank(Lora({LINEAR: (down, up * 0)}), 2)
    assert loss.total == 0
    assert not cut.delta(LINEAR).any()


def test_averaging_the_factors_apart_is_something_else() -> None:
    first, second = lora(4, 0), lora(4, 50)
    right, _ = fuse([first, second], [0.5, 0.5], 8)
    for path in right.modules:
        (down_1, up_1), (down_2, up_2) = first.modules[path], second.modules[path]
        wrong = Lora({path: ((down_1 + down_2) / 2, (up_1 + up_2) / 2)}).delta(path)
        expected = (first.delta(path) + second.delta(path)) / 2
        torch.testing.assert_close(right.delta(path), expected, atol=1e-5, rtol=1e-5)
        assert (wrong - expected).norm() > 0.5 * expected.norm()


def test_a_module_of_one_lora_only_is_kept() -> None:
    one, other = Lora({LINEAR: factors(2, 5, 4)}), Lora({CONV: factors(3, 5, 4, 3)})
    joined = concatenate([one, other], [2.0, 3.0])
    torch.testing.assert_close(joined.delta(LINEAR), 2 * one.delta(LINEAR))
    torch.testing.assert_close(joined.delta(CONV), 3 * other.delta(CONV))


def test_loras_of_different_bases_are_not_added() -> None:
    with pytest.raises(InputError, match=r"proj_in: expected one shape in every LoRA, found \(5, 4\) and \(5, 8\)"):
        concatenate([Lora({LINEAR: factors(2, 5, 4)}), Lora({LINEAR: factors(2, 5, 8)})], [1, 1])


@pytest.mark.parametrize("weights", [[], [1.0], [1.0, 2.0, 3.0], [1.0, float("nan")]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]) -> None:
    with pytest.raises(ConfigError, match="weights"):
        concatenate([lora(1), lora(2)], weights)
    with pytest.raises(ConfigError, match="rank"):
        reduce_rank(lora(2), 0)
