"""A LoRA as numbers: for each module two thin factors whose product is what the LoRA adds to the module's weight.

W' = W + B A (Hu et al. 2021, eq. 3). The scale alpha / r of the paper is multiplied into B where a LoRA comes in and no
alpha travels any further, so that programs cannot disagree about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from portraitist.errors import InputError

COMPONENTS = ("unet", "transformer", "text_encoder", "text_encoder_2")
"""Parts of a pipeline that take LoRA, by the names diffusers gives them."""
Factors = tuple[Tensor, Tensor]
"""A (rank, in) and B (out, rank); of a convolution A (rank, in, k, k) and B (out, rank, 1, 1)."""


@dataclass(frozen=True, eq=False)
class Lora:
    """Factors by module path, sorted; a path begins with its component: `unet.mid_block.attentions.0.proj_in`.

    Paths within a text encoder begin at `encoder`, whatever levels the class has above it. Tensors are float32.
    Raises InputError for no modules, an unknown component, factors that do not fit each other, and NaN or infinity.
    """

    modules: Mapping[str, Factors]

    def __post_init__(self) -> None:
        if not self.modules:
            raise InputError("expected a LoRA with at least one module, found none")
        for path, factors in self.modules.items():
            _require_component(path)
            _require_fit(path, *factors)
        object.__setattr__(self, "modules", dict(sorted(self.modules.items())))

    def delta(self, path: str) -> Tensor:
        """What the LoRA adds to the weight of the module: (out, in), or (out, in, k, k) of a convolution."""
        down, up = self.modules[path]
        return (up.flatten(1) @ down.flatten(1)).view(up.shape[0], *down.shape[1:])

    @property
    def rank(self) -> int:
        """The largest rank of a module; they may differ."""
        return max(down.shape[0] for down, _ in self.modules.values())

    @property
    def components(self) -> tuple[str, ...]:
        """The components with modules, in the order of COMPONENTS."""
        found = {component_of(path) for path in self.modules}
        return tuple(name for name in COMPONENTS if name in found)

    @property
    def size(self) -> int:
        """Numbers in all factors; four bytes each."""
        return sum(down.numel() + up.numel() for down, up in self.modules.values())


def component_of(path: str) -> str:
    """`unet.conv_in` -> `unet`."""
    return path.partition(".")[0]


def _require_component(path: str) -> None:
    if component_of(path) not in COMPONENTS:
        raise InputError(f"{path}: expected a module of {', '.join(COMPONENTS)}, found one of something else")


def _require_fit(path: str, down: Tensor, up: Tensor) -> None:
    """down (r, in) or (r, in, k, k), up (out, r) or (out, r, 1, 1), both float32 and finite."""
    conv_up = up.ndim == 4 and tuple(up.shape[2:]) == (1, 1)
    if not ((down.ndim == up.ndim == 2) or (down.ndim == 4 and conv_up)) or down.shape[0] != up.shape[1]:
        raise InputError(
            f"{path}: expected A (rank, in) and B (out, rank) of one rank, "
            f"found A {tuple(down.shape)} and B {tuple(up.shape)}; the file is damaged or of another kind"
        )
    if not down.numel() or not up.numel():
        raise InputError(f"{path}: expected a rank of at least 1, found A {tuple(down.shape)}, B {tuple(up.shape)}")
    for name, factor in (("A", down), ("B", up)):
        if factor.dtype != torch.float32:
            raise InputError(f"{path}: expected {name} in float32, found {factor.dtype}; convert it first")
        if not factor.isfinite().all():
            raise InputError(f"{path}: expected numbers in {name}, found NaN or infinity; take an earlier checkpoint")
