"""What translators and critics are told. Pictures are (n, 3, h, w) in [0, 1].

Source: Kim et al., "U-GAT-IT", ICLR 2020, section 2.2; the region and mask terms are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from portraitist.stylize.head_losses import head_region
from portraitist.stylize.student.losses import Features
from portraitist.stylize.translate.networks import Translated


def persuade(answers: Sequence[Tensor]) -> Tensor:
    """Of the critics of a side about what was painted: how far they are from taking it for real."""
    return torch.stack([(answer - 1).square().mean() for answer in answers]).sum()


def tell_apart(real: Sequence[Tensor], made: Sequence[Tensor]) -> Tensor:
    """The critics' own: real pictures are 1, made ones 0."""
    terms = [(one - 1).square().mean() + other.square().mean() for one, other in zip(real, made, strict=True)]
    return torch.stack(terms).sum()


def attention_loss(source: Tensor, target: Tensor) -> Tensor:
    """The translator's classifier says 1 of its source domain and 0 of pictures that are of the target already."""
    ones, zeros = torch.ones_like(source), torch.zeros_like(target)
    with_logits = functional.binary_cross_entropy_with_logits
    return with_logits(source, ones) + with_logits(target, zeros)


def likeness_loss(features: Features, photo: Tensor, painted: Tensor) -> Tensor:
    """1 - cosine of deep features, place by place: what is where, in whatever colours. Outermost maps are left out."""
    with torch.no_grad():
        wanted = features(photo)
    found = features(painted)
    return torch.stack(
        [1 - functional.cosine_similarity(a, b, dim=1).mean() for a, b in zip(found, wanted, strict=True)]
    ).mean()


def hint_loss(drawn: Tensor, painted: Tensor, keeper: str) -> Tensor:
    """Of a pair of stage 1: mean absolute difference at half the side, as a generator's pictures are softer; where a
    background is kept, in the head's region alone."""
    apart = (functional.avg_pool2d(drawn, 2) - functional.avg_pool2d(painted, 2)).abs()
    return apart.mean() if keeper == "none" else (apart * head_region(apart.shape[-1]).to(apart)).mean()


def seen_by_critics(pictures: Tensor, keeper: str) -> Tensor:
    """What a critic is shown: where a background is kept, the head's region on grey. Photos and drawings have other
    backgrounds; a critic that saw them would tell painted ones by what must stay, and ask for nothing else."""
    if keeper == "none":
        return pictures
    return torch.lerp(torch.full_like(pictures, 0.5), pictures, head_region(pictures.shape[-1]).to(pictures))


def region_loss(photo: Tensor, made: Translated) -> Tensor:
    """Keeper `region`: pixels outside the head stay the photo's."""
    outside = 1 - head_region(photo.shape[-1]).to(photo)
    return ((made.picture - photo).abs() * outside).mean() / outside.mean()


def mask_loss(made: Translated) -> Tensor:
    """Keeper `mask`: outside the head the mask is closed; half open costs too, as it shows two faces at once."""
    assert made.mask is not None
    outside = 1 - head_region(made.mask.shape[-1]).to(made.mask)
    return (made.mask * outside).mean() / outside.mean() + (made.mask * (1 - made.mask)).mean()
