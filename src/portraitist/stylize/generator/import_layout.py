"""Generator weights in the layout of NVIDIA's PyTorch StyleGAN2, read from safetensors.

Published weights are pickles, which run code when opened: they are converted once, elsewhere, by
recipes/painters/convert_pickle.py. Names and shapes were read from NVlabs/stylegan2-ada-pytorch, legacy.py; both sides
store weights of variance one and scale them as they run, so values are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from portraitist.errors import InputError
from portraitist.stylize.domain import DomainNote
from portraitist.stylize.generator.config import GeneratorSize
from portraitist.stylize.generator.generator_file import Origin, TrainedGenerator
from portraitist.stylize.generator.networks import Generator

_CONV = {
    "weight": "conv.weight",
    "affine.weight": "conv.affine.weight",
    "affine.bias": "conv.affine.bias",
    "noise_strength": "strength",
    "noise_const": "noise",
    "bias": "bias",
}
_RGB = {
    "weight": "to_rgb.weight",
    "affine.weight": "to_rgb.affine.weight",
    "affine.bias": "to_rgb.affine.bias",
    "bias": "rgb_bias",
}
_CONVS = {"conv0": "first", "conv1": "second"}
_IGNORED = re.compile(r".*resample_filter|mapping\.w_avg")
"""The filter is [1, 3, 3, 1] in both; the mean latent is computed again."""


def import_generator(path: Path, note: DomainNote) -> TrainedGenerator:
    """A generator without its discriminator: for blends, restyling and sampling. note: what it learned from, and under
    which licence its weights are.

    Raises InputError when the file is missing, when names are unknown or missing, or the shape is not of this family.
    """
    if not path.is_file():
        raise InputError(f"{path}: expected converted weights, found nothing there; convert the pickle first")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise InputError(f"{path}: expected safetensors, found something else ({error}); convert the pickle") from error
    named = {name: value for name, value in tensors.items() if not _IGNORED.fullmatch(name)}
    size = size_of(named, path)
    renamed = {own_name(name, path): value.float() for name, value in named.items()}
    generator = Generator(size)
    wanted = generator.state_dict()
    wrong = sorted(set(wanted) ^ set(renamed)) or [
        name for name, value in wanted.items() if value.shape != renamed[name].shape
    ]
    if wrong:
        raise InputError(f"{path}: expected the tensors of {size}; {wrong[0]} is missing, unknown or of another shape")
    generator.load_state_dict(renamed)
    return TrainedGenerator(generator.eval(), Origin((note,), ("imported",)))


def size_of(tensors: Mapping[str, Tensor], path: Path) -> GeneratorSize:
    """Read off the shapes. The widest level tells the largest width, the finest how it falls with the side."""
    levels = (re.fullmatch(r"synthesis\.b(\d+)\.conv1\.weight", name) for name in tensors)
    sides = sorted(int(level[1]) for level in levels if level)
    layers = [name for name in tensors if re.fullmatch(r"mapping\.fc\d+\.weight", name)]
    if not sides or not layers:
        raise InputError(f"{path}: expected mapping.fc0.weight, synthesis.b4.conv1.weight and so on, found other names")
    widths = {side: int(tensors[f"synthesis.b{side}.conv1.weight"].shape[0]) for side in sides}
    latent = int(tensors[layers[0]].shape[1])
    return GeneratorSize(sides[-1], latent, len(layers), widths[sides[-1]] * sides[-1], max(widths.values()))


def own_name(name: str, path: Path) -> str:
    """The name of the same tensor here. Raises InputError for one that has no place."""
    if found := re.fullmatch(r"mapping\.fc(\d+)\.(weight|bias)", name):
        return f"mapping.layers.{found[1]}.{found[2]}"
    if name == "synthesis.b4.const":
        return "synthesis.constant"
    if found := re.fullmatch(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.+)", name):
        part, rest = found[2], found[3]
        known = _RGB if part == "torgb" else _CONV
        if rest in known:
            level = f"synthesis.levels.{int(found[1]).bit_length() - 3}"
            return f"{level}.{known[rest]}" if part == "torgb" else f"{level}.{_CONVS[part]}.{known[rest]}"
    raise InputError(f"{path}: no place for {name}; expected a StyleGAN2 generator with skips to RGB, without classes")
