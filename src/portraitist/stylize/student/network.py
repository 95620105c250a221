"""The student: a picture folded to a quarter of its side, worked on at 1/4, 1/8 and 1/16, and unfolded again.

Written for a processor without a GPU: its time goes where the multiply-adds go only while layers are dense 3 x 3
convolutions on few pixels, so nothing but the first and the last layers touches the full side. There are no
normalisation layers: their statistics would depend on the picture's size, and the training loop would neither average
nor save them. A residual branch begins near zero instead (Zhang et al. 2019, Fixup).

The unfolding (Shi et al. 2016, sub-pixel convolution) leaves a grid when the 16 pixels of a fold begin as strangers, or
all alike (Aitken et al. 2017 begin with nearest neighbours): here they begin as a bilinear enlargement.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from portraitist.stylize.student.config import StudentSize

FOLD = 4
"""Pixels of the picture's side that become one of the finest features'."""


class Convolution(nn.Conv2d):
    """Padded so that the side is divided by the stride, He's initialisation times `gain`, no bias at first."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1, *, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, size, stride, (size - stride + 1) // 2)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        assert self.bias is not None
        nn.init.zeros_(self.bias)
        with torch.no_grad():
            self.weight.mul_(gain)


class Residual(nn.Module):
    """relu(x + conv(relu(conv(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Convolution(width, width)
        self.second = Convolution(width, width, gain=0.1)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.second(functional.relu(self.first(features))))


class Level(nn.Module):
    """A convolution that may shrink the side, then residual blocks."""

    def __init__(self, inputs: int, width: int, blocks: int, size: int, stride: int) -> None:
        super().__init__()
        self.down = Convolution(inputs, width, size, stride)
        self.blocks = nn.Sequential(*(Residual(width) for _ in range(blocks)))

    def forward(self, features: Tensor) -> Tensor:
        deeper: Tensor = self.blocks(functional.relu(self.down(features)))
        return deeper


class Join(nn.Module):
    """A level of the way back: coarser features at twice their side, added to the finer ones, and mixed.

    The 3 x 3 mixing after the nearest raise sees over the borders of the 2 x 2 blocks, so none stays visible.
    """

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.across = Convolution(coarse, fine, 1)
        self.mix = Convolution(fine, fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        raised = functional.interpolate(self.across(coarse), scale_factor=2.0, mode="nearest")
        return functional.relu(self.mix(functional.relu(fine + raised)))


class StudentNetwork(nn.Module):
    """(n, 3, h, w) RGB in [0, 1], sides multiples of 32 -> painted, the same shape and range.

    With a mask, a second output (n, 1, h, w) in [0, 1]: where the painter wants to be shown.
    """

    def __init__(self, size: StudentSize) -> None:
        super().__init__()
        fine, middle, coarse = size.widths
        self.size = size
        self.fine = Level(3, fine, size.blocks[0], 2 * FOLD, FOLD)
        self.middle = Level(fine, middle, size.blocks[1], 3, 2)
        self.coarse = Level(middle, coarse, size.blocks[2], 3, 2)
        self.to_middle, self.to_fine = Join(coarse, middle), Join(middle, fine)
        self.paint = Convolution(fine, 3 * FOLD**2, gain=0.1)
        self.mask = Convolution(fine, 1, gain=0.1) if size.has_mask else None
        # Pixels of the photo, its colours mixed: what is fine in it need not go through the fold. None of it at first.
        self.detail = Convolution(3, 3, 1, gain=0.0)
        self._begin_without_grid()

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        raw = self.raw(image)
        painted = raw[0].clamp(0, 1)
        return painted if raw[1] is None else (painted, raw[1].sigmoid())

    def raw(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Before the range is kept: a clamp gives no gradient to what lies outside. The mask comes as logits."""
        return self.unfolded(self.features(image), image)

    def features(self, image: Tensor) -> Tensor:
        """(n, fine width, h / FOLD, w / FOLD): nearly all of the work."""
        fine = self.fine(image)
        middle = self.middle(fine)
        return cast(Tensor, self.to_fine(self.to_middle(self.coarse(middle), middle), fine))

    def unfolded(self, features: Tensor, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """What `raw` gives, from the features of `image`."""
        painted = functional.pixel_shuffle(self.paint(features), FOLD) + self.detail(image)
        if self.mask is None:
            return painted, None
        return painted, functional.interpolate(
            self.mask(features), scale_factor=float(FOLD), mode="bilinear", align_corners=False
        )

    def _begin_without_grid(self) -> None:
        """Each pixel of a fold from the same few numbers, read off between its neighbours: bilinear, about grey."""
        taps = torch.outer(_taps().flatten(), _taps().flatten()).reshape(FOLD, 3, FOLD, 3).transpose(1, 2)
        with torch.no_grad():
            assert self.paint.bias is not None
            self.paint.bias.fill_(0.5)
            kernels = self.paint.weight[:: FOLD**2, :, 1, 1]
            self.paint.weight.copy_(torch.einsum("oi,yxkl->oyxikl", kernels, taps).flatten(0, 2))


def _taps() -> Tensor:
    """(FOLD, 3): what pixel i of a fold takes of its own features and those before and after, linearly."""
    offsets = (torch.arange(FOLD) + 0.5) / FOLD - 0.5
    return (1 - (torch.arange(-1, 2) - offsets[:, None]).abs()).clamp_min(0)
