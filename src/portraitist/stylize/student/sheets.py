"""What a student paints, to be looked at: photo, painting, and what it should have been."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from portraitist.pages.sheets import contact_sheet
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student.config import MULTIPLE
from portraitist.stylize.student.export import as_input
from portraitist.types import Image


def paint_with(network: nn.Module, picture: Image) -> Image:
    """(h, w, 3) -> the painting, cut to sides that are multiples of 32."""
    h, w = (side // MULTIPLE * MULTIPLE for side in picture.shape[:2])
    with torch.no_grad():
        made = network(torch.from_numpy(as_input(picture[:h, :w])))
    painted = made[0] if isinstance(made, tuple) else made
    return np.asarray((painted[0] * 255).round().permute(1, 2, 0).numpy(), np.uint8)


def student_sheet(network: nn.Module, pairs: PairFolder, count: int = 4) -> Image:
    """The first pairs, three pictures a row."""
    shown = [pairs[number] for number in range(min(count, len(pairs)))]
    images = [image for pair in shown for image in (pair.photo, paint_with(network, pair.photo), pair.painted)]
    return contact_sheet(images, ["photo", "student", "pair"] * len(shown), columns=3, cell=(320, 320))
