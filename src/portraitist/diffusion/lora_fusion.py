"""Several LoRAs as one, by what they add: Delta W = sum of w_i B_i A_i.

Stacking the factors gives that sum exactly, and ranks add up. Averaging the A and the B apart does not: the product of
two means holds every B_i A_j, which no LoRA was trained for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from portraitist.diffusion.lora import Factors, Lora
from portraitist.errors import ConfigError, InputError


@dataclass(frozen=True)
class RankLoss:
    """||Delta W - Delta W_r|| / ||Delta W|| in the Frobenius norm: of each module, and of all taken as one matrix."""

    modules: Mapping[str, float]
    total: float


def concatenate(loras: Sequence[Lora], weights: Sequence[float]) -> Lora:
    """The weighted sum of LoRAs, exact: A = [A_1; A_2; ...], B = [w_1 B_1, w_2 B_2, ...], so the ranks add up.

    A module that only some have comes from those. Raises ConfigError unless there is one finite weight a LoRA, and
    InputError when a module has another shape in another LoRA.
    """
    if not loras or len(loras) != len(weights):
        raise ConfigError(f"weights: expected one for each LoRA, found {len(weights)} for {len(loras)}")
    if not all(map(math.isfinite, weights)):
        raise ConfigError(f"weights: expected finite numbers, found {', '.join(map(str, weights))}")
    paths = sorted({path for lora in loras for path in lora.modules})
    return Lora({path: _stack(path, loras, weights) for path in paths})


def reduce_rank(lora: Lora, rank: int) -> tuple[Lora, RankLoss]:
    """The nearest LoRA of at most this rank, and what was lost. Modules of that rank or less are left as they are."""
    if rank < 1:
        raise ConfigError(f"rank: expected at least 1, found {rank}")
    reduced: dict[str, Factors] = {}
    lost: dict[str, float] = {}
    whole: dict[str, float] = {}
    for path, factors in lora.modules.items():
        reduced[path], lost[path], whole[path] = _truncate(factors, rank)
    per_module = {path: _ratio(lost[path], whole[path]) for path in lost}
    return Lora(reduced), RankLoss(per_module, _ratio(sum(lost.values()), sum(whole.values())))


def fuse(loras: Sequence[Lora], weights: Sequence[float], rank: int) -> tuple[Lora, RankLoss]:
    """The weighted sum of LoRAs at the asked rank, and what that rank cost."""
    return reduce_rank(concatenate(loras, weights), rank)


def _stack(path: str, loras: Sequence[Lora], weights: Sequence[float]) -> Factors:
    parts = [(*lora.modules[path], weight) for lora, weight in zip(loras, weights) if path in lora.modules]
    shapes = {(up.shape[0], *down.shape[1:]) for down, up, _ in parts}
    if len(shapes) > 1:
        found = " and ".join(str(shape) for shape in sorted(shapes))
        raise InputError(f"{path}: expected one shape in every LoRA, found {found}; they are for different bases")
    return torch.cat([down for down, _, _ in parts]), torch.cat([up * weight for _, up, weight in parts], dim=1)


def _truncate(factors: Factors, rank: int) -> tuple[Factors, float, float]:
    """Factors of at most `rank`, the squared norm lost, the squared norm of the whole.

    B = Q_b R_b and A^T = Q_a R_a (QR) leave an r x r core, B A = Q_b (R_b R_a^T) Q_a^T, whose SVD is that of the
    product without ever forming it; its first singular triples are the nearest matrix (Eckart and Young 1936).
    """
    down, up = factors
    left, left_core = torch.linalg.qr(up.flatten(1).double())
    right, right_core = torch.linalg.qr(down.flatten(1).double().T)
    u, s, vh = torch.linalg.svd(left_core @ right_core.T, full_matrices=False)
    whole = float(s.square().sum())
    if rank >= down.shape[0]:
        return factors, 0.0, whole
    root = s[:rank].sqrt()
    new_up = _as_float32(left @ u[:, :rank] * root, up)
    new_down = _as_float32(root[:, None] * (vh[:rank] @ right.T), down)
    # Flat matrices back to the convolution's shape, with the new rank where the old one was.
    shaped = (new_down.view(-1, *down.shape[1:]), new_up.view(up.shape[0], -1, *up.shape[2:]))
    return shaped, float(s[rank:].square().sum()), whole


def _as_float32(matrix: Tensor, like: Tensor) -> Tensor:
    return matrix.to(like.dtype).contiguous()


def _ratio(lost: float, whole: float) -> float:
    return math.sqrt(lost / whole) if whole else 0.0
